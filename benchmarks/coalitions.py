"""Does a map tell what made the score, where everything is tried? Two second routes.

    python benchmarks/coalitions.py [--scenes 20] [--pairs 200] [--rise] > benchmarks/coalitions.md

1. Exact Banzhaf values over the things and the words of held-out scenes, every subset drawn and
   read, beside leaving out one at a time.
2. Words that interact with things: the four-term difference
       f(x, t) - f(x without o, t) - f(x, t without w) + f(x without o, t without w)
   as truth, and what the word maps of every method say of it.

Errors are standard deviations over scenes drawn with replacement.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch

import clipxai as cx
from clipxai.explainers.leaving_out import leave_out
from clipxai.explainers.table import METHODS
from clipxai.measure.coalitions import banzhaf, game, interactions
from clipxai.measure.effect_scores import inside
from clipxai.measure.word_scores import caption_of
from clipxai.results.maps import rank_correlation

PROMPT = "a photo of {}"
PLAYERS = 6  # words of a text
DRAWS = 1000
# scenes for methods that cover pictures or take hundreds of steps, instead of all
FEW, SLOW = 20, {"integrated_gradients", "m2ib", "gscorecam", "rise", "occlusion"}
Pairs = list[np.ndarray]  # of each scene (pairs, 2): what is said, what is true


class Told(NamedTuple):
    """A scene of O things, all of them seen, with a caption that names them.

    Attributes
    ----------
    scene, trace : recorded with the caption
    spans : first character and one behind the last of each thing's name in it
    words : of the caption
    parts : numbers of the words of each player: all but articles and marks, a name together
    own : (O,) which player is the name of each thing
    """

    scene: cx.scenes.Scene
    trace: cx.Trace
    spans: list[tuple[int, int]]
    words: list[str]
    parts: list[range]
    own: list[int]


def told(model: cx.CLIP) -> Iterator[Told]:
    """Held-out scenes of two or three things whose captions have few enough players."""
    for seed in range(10_000):
        scene = cx.scenes.sample(seed)
        if len(scene.objects) < 2 or not scene.masks.any((1, 2)).all():
            continue
        nouns = [cx.scenes.noun(name) for name in scene.objects]
        text, spans = caption_of(PROMPT, nouns)
        words = [word.text for word in model.tokenizer.words(text)]
        named, at = [], 0
        for noun in nouns:
            spoken = [word.text for word in model.tokenizer.words(noun)]
            at = next(n for n in range(at, len(words)) if words[n : n + len(spoken)] == spoken)
            named.append(range(at + (spoken[0] in ("a", "an")), at + len(spoken)))
            at += len(spoken)
        free = set(range(len(words))).difference(*named)
        others = [range(n, n + 1) for n in free if words[n] not in ("a", "an", ",")]
        parts = sorted([*named, *others], key=lambda part: part.start)
        if len(parts) <= PLAYERS:
            own = [parts.index(part) for part in named]
            yield Told(scene, cx.record(model, scene.image, text), spans, words, parts, own)


def with_error(pairs: Pairs, measure: Callable[[np.ndarray], float]) -> str:
    """A measure of the pairs of all scenes, with its error."""
    draws = np.random.default_rng(0).integers(len(pairs), size=(DRAWS, len(pairs)))
    again = [measure(np.concatenate([pairs[n] for n in draw])) for draw in draws]
    return f"{measure(np.concatenate(pairs)):.3f} ± {np.nanstd(again):.3f}"


def ranks_agree(pairs: np.ndarray) -> float:
    """Spearman's rank correlation."""
    return rank_correlation(*pairs.T)


def signs_agree(pairs: np.ndarray) -> float:
    """Share of one sign."""
    return float((np.sign(pairs[:, 0]) == np.sign(pairs[:, 1])).mean())


def beside(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(pairs, 2) of two tables of one shape."""
    return np.stack([said.ravel(), true.ravel()], axis=1)


def subsets(model: cx.CLIP, scenes: list[Told]) -> Iterator[str]:
    """The first page: exact values over all subsets, leaving one out, and what maps say."""
    of_things, of_words, of_both = [], [], []
    free = [name for name, row in METHODS.items() if row.needs == "forward" and row.reads_texts]
    free = [*filter(lambda name: METHODS[name].works_on(model), free), "grad_eclip"]
    by_map = {name: ([], []) for name in free}
    for found in scenes:
        things = len(found.scene.objects)
        whole = game(model, found.scene, found.words, found.parts)
        all_words, all_things = (..., *[1] * len(found.parts)), (*[1] * things, ...)
        one, every = single(whole[all_things]), banzhaf(whole[all_things])
        of_words.append(beside(one, every))
        four = np.array(
            [[last_two(whole, o, things + w) for w in found.own] for o in range(things)]
        )
        pairs = interactions(whole)[:things, things:][:, found.own]
        of_both.append(beside(four, pairs))
        texts = [PROMPT.format(cx.scenes.noun(name)) for name in found.scene.objects]
        alone = [game(model, found.scene, text.split(), []) for text in texts]
        left = np.stack([single(one) for one in alone], axis=1)  # things, texts
        exact = np.stack([banzhaf(one) for one in alone], axis=1)
        of_things.append(beside(left, exact))
        trace = found.trace.with_texts(texts)
        for name, (to_left, to_exact) in by_map.items():
            scores = inside(cx.explain(trace, name), found.scene.masks)
            to_left.append(beside(scores, left))
            to_exact.append(beside(scores, exact))
        assert np.isclose(whole[all_words][(1,) * things], whole[(1,) * whole.ndim])
    yield "| left out one at a time, against the mean over all subsets | rank correlation |"
    yield "| --- | --- |"
    yield f"| a thing, for the text of each thing | {with_error(of_things, ranks_agree)} |"
    yield f"| a word of the caption, all things there | {with_error(of_words, ranks_agree)} |"
    yield f"| a thing with a name (four terms) | {with_error(of_both, ranks_agree)} |"
    yield ""
    yield "| sum of a map inside a thing | against leaving it out | against its Banzhaf value |"
    yield "| --- | --- | --- |"
    for name, both in by_map.items():
        yield f"| `{name}` | {' | '.join(with_error(pairs, ranks_agree) for pairs in both)} |"


def single(values: np.ndarray) -> np.ndarray:
    """(n,) what the game of all players loses without each."""
    full = (1,) * values.ndim
    return np.array(
        [values[full] - values[(*full[:n], 0, *full[n + 1 :])] for n in range(values.ndim)]
    )


def last_two(values: np.ndarray, one: int, other: int) -> float:
    """The four-term difference of two players, all others present."""
    present = [slice(None) if n in (one, other) else 1 for n in range(values.ndim)]
    (none, b), (a, both) = values[tuple(present)]
    return float(both - a - b + none)


def four_terms(model: cx.CLIP, found: Told) -> np.ndarray:
    """(O, O) of thing o and the name of thing w, its article left out with it."""
    texts = leave_out(found.trace, 0, found.spans).trace.text_features
    without = [found.scene.without(name).image for name in found.scene.objects]
    pixels = model.preprocess([found.scene.image, *without])
    cosines = (model.encode_image(pixels) @ texts.T).cpu().numpy()
    lost = cosines[:1] - cosines[1:]  # O, 1 + O
    return lost[:, :1] - lost[:, 1:]


def words_and_things(model: cx.CLIP, scenes: list[Told], rise: bool) -> Iterator[str]:
    """The second page: what the word maps of every method say of the interaction."""
    true = [four_terms(model, found) for found in scenes]
    yield "| `word_maps` by | rank correlation | its own thing first | right sign | scenes |"
    yield "| --- | --- | --- | --- | --- |"
    for name, row in METHODS.items():
        if not row.reads_texts or not row.works_on(model) or (name == "rise" and not rise):
            continue
        pairs, first = [], []
        for found, truth in zip(scenes[:FEW] if name in SLOW else scenes, true):
            maps = cx.word_maps(found.trace, name, words=found.spans)
            said = inside(maps, found.scene.masks)
            pairs.append(beside(said, truth))
            first.append((said.argmax(0) == truth.argmax(0)).astype(float))
        columns = (
            with_error(pairs, ranks_agree),
            with_error(first, np.mean),
            with_error(pairs, signs_agree),
        )
        yield f"| `{name}` | {' | '.join(columns)} | {len(pairs)} |"


@torch.no_grad()
def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20, help="of which all subsets are tried")
    parser.add_argument("--pairs", type=int, default=200, help="scenes for words and things")
    parser.add_argument("--rise", action="store_true", help="RISE too, longer than all others")
    given = parser.parse_args()
    model = cx.load()
    scenes = [*islice(told(model), max(given.scenes, given.pairs))]
    print("# What made the score, where everything is tried\n")
    print(
        f"Made by `python benchmarks/coalitions.py --scenes {given.scenes} --pairs {given.pairs}`, "
        f"embedded model (weights sha256 {model.weights_sha256()}…): the first held-out scenes "
        f"of two or three things whose caption has at most {PLAYERS} players, a name counting as "
        "one. ± is a bootstrap error over scenes.\n"
    )
    print(f"## All subsets of things and words, {given.scenes} scenes\n")
    print(*subsets(model, scenes[: given.scenes]), sep="\n")
    print("\n## Words that interact with things: the four-term difference as truth\n")
    for line in words_and_things(model, scenes[: given.pairs], given.rise):
        print(line, flush=True)


if __name__ == "__main__":
    main()
