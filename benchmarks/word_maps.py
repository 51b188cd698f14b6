"""Does a word's map point at its own thing, and does a contrast tell two things apart?

    python benchmarks/word_maps.py [--scenes 300] [--methods decomposition,grad_eclip]
        [--relevance leave_out,bimodal]

On held-out scenes of Emoji World, whose masks are known. A noun is right if the mean of its map is
highest inside its own object's mask. Errors are standard deviations over 2,000 bootstrap samples of
scenes. The scenes are `compose`d by seed; training took its scenes from another split.
"""

import argparse

import numpy as np

import clipxai as cx
from clipxai.scenes import class_names, compose, noun


def listed(names: list[str]) -> str:
    """A caption of some objects: "a photo of a cat, an owl and a dog"."""
    *first, last = map(noun, names)
    return f"a photo of {', '.join(first)} and {last}"


def inside(values: np.ndarray, e: cx.Explanation, scene: cx.scenes.Scene) -> np.ndarray:
    """(objects,) mean of a map (gh, gw) inside every mask."""
    drawn = e.grid.onto_image(values)
    return np.array([drawn[mask].mean() for mask in scene.masks])


def right_nouns(model: cx.CLIP, method: str, objects: int, seed: int) -> list[float]:
    """For each noun of a caption of all objects, whether its own object is highest."""
    names = chosen(objects, seed)
    scene = seen(names, seed)
    trace = cx.record(model, scene.image, listed(names))
    e = cx.word_maps(trace, method, words=names)
    highest = [int(inside(values, e, scene).argmax()) for values in e.scores]
    return [float(scene.objects[n] == name) for n, name in zip(highest, names)]


def present_above_absent(model: cx.CLIP, method: str, seed: int) -> list[float]:
    """Of "a photo of A and B" with only one of them there, whether that word mattered more."""
    here, absent = chosen(2, seed)
    scene = seen([here], seed)
    words = [here, absent] if seed % 2 else [absent, here]  # each as often first
    trace = cx.record(model, scene.image, listed(words))
    found = cx.word_relevance(trace, method)
    plain = [word for word, _, _ in found.words]
    values = list(found.by_word.values())

    def relevance(name: str) -> float:
        parts = [span.text for span in model.tokenizer.words(name)]
        at = next(n for n in range(len(plain)) if plain[n : n + len(parts)] == parts)
        return sum(values[at : at + len(parts)])

    return [float(relevance(here) > relevance(absent))]


def peak_and_trough(model: cx.CLIP, method: str, seed: int) -> list[tuple[float, float]]:
    """Whether the highest pixel of a contrast lies on a, and the lowest on b."""
    names = chosen(2, seed)
    scene = seen(names, seed)
    trace = cx.record(model, scene.image, [noun(name) for name in names])
    e = cx.contrast(trace, 0, 1, method)
    drawn = e.heatmap(normalize="none")
    on = [scene.mask(name).ravel() for name in names]
    return [(float(on[0][drawn.argmax()]), float(on[1][drawn.argmin()]))]


def chosen(count: int, seed: int) -> list[str]:
    """Different objects by seed, none of whose names is part of another ("tree", "palm tree")."""
    draw = np.random.default_rng([7, count, seed])
    while True:
        names = [str(name) for name in draw.choice(class_names(), count, replace=False)]
        spoken = [word for name in names for word in set(name.split())]
        if len(set(spoken)) == len(spoken):
            return names


def seen(names: list[str], seed: int) -> cx.scenes.Scene:
    """The first scene from `seed` on in which every thing shows on over 0.5 % of the picture."""
    for more in range(20):
        scene = compose(names, seed=1000 * more + seed)
        if scene.masks.mean((1, 2)).min() > 0.005:
            return scene
    raise RuntimeError(f"no scene shows {names}")


def told(rows: list[list]) -> str:
    """Mean and bootstrap error in percent of rows of answers, a row a scene."""
    sums = np.array([np.sum(np.reshape(row, (len(row), -1)), axis=0) for row in rows])
    counts = np.array([len(row) for row in rows])
    draw = np.random.default_rng(0).integers(len(rows), size=(2000, len(rows)))
    again = sums[draw].sum(1) / counts[draw].sum(1)[:, None]
    mean = sums.sum(0) / counts.sum()
    return " / ".join(f"{100 * m:.1f} ± {100 * e:.1f} %" for m, e in zip(mean, again.std(0)))


def main() -> None:
    """Print the figures of every method that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=300)
    parser.add_argument("--methods", default="decomposition")
    parser.add_argument("--relevance", default="leave_out")
    given = parser.parse_args()
    model, seeds = cx.load(), range(given.scenes)
    print(f"{given.scenes} scenes")
    for method in given.methods.split(","):
        for objects in (2, 3):
            rows = [right_nouns(model, method, objects, seed) for seed in seeds]
            print(f"{method}: right object for a noun of {objects}: {told(rows)}", flush=True)
        rows = [peak_and_trough(model, method, seed) for seed in seeds]
        print(f"{method}: contrast, peak on a / trough on b: {told(rows)}", flush=True)
    for method in given.relevance.split(","):
        rows = [present_above_absent(model, method, seed) for seed in seeds]
        print(f"{method}: present word above absent: {told(rows)}", flush=True)


if __name__ == "__main__":
    main()
