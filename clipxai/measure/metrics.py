"""What is measured of one method's maps of one picture? A function for each metric, which returns
rows of numbers; a meter (`clipxai.measure.meters`) adds rows of many pictures up.

What needs no map stands here too: what the whole image says (`class_token`), and what the model's
layers do (`look_inside`).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from torch import Tensor

from ..explainers.explain import explain, explain_all
from ..explainers.table import find_method
from ..explainers.words import LEAVE_OUT
from ..model.clip import cosines
from ..results.explanation import Explanation
from ..results.findings import on_patches
from ..results.maps import resize_bilinear
from ..tasks import recognise, segment
from ..trace.record import record
from . import effect_scores, faithfulness, layers, refined, word_scores
from .asking import Asked, Asker
from .map_scores import imagenet_segmentation, localise
from .miou import counts, truth

Rows = list[list[float]]
CLASS_TOKEN, WORD_LEFT_OUT = "(class token)", "(word left out)"
FILLED = "(thing filled in: {})"
EFFECTS: dict[str, effect_scores.How] = {  # metric -> how a thing is taken out
    "effect": "left out",
    "effect-mean": "mean",
    "effect-blur": "blur",
}


def _localisation(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """A row of `localise` for every labelled object."""
    rows = []
    for n, (mask, others) in enumerate(zip(asked.sample.masks, asked.others)):
        heat = explanation.heatmap(n, mask.shape, normalize="none")
        rows.append(localise(heat, mask, others, asked.sample.ignore).row())
    return rows


def _presence(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """(claim, 1 or 0) for every text: the highest patch of its map, and whether it is there."""
    return _beside_presence(recognise(explanation, "maps"), asked)


def _beside_presence(claims: np.ndarray, asked: Asked) -> Rows:
    # the texts of what is there were asked for first
    return [[float(claim), float(n < len(asked.labels))] for n, claim in enumerate(claims)]


def _segmentation(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """Pixels by class; all classes of the data set compete."""
    of_all = asker.of_all_classes(asked, explanation.method)
    made = segment(of_all, size=asked.sample.masks.shape[1:])
    return counts(made.labels, made.confidence, truth(asked.sample))


def _given_labels(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """Pixels by class; only the classes that are there compete, each map on its own scale."""
    there = slice(len(asked.labels))
    present = replace(
        explanation,
        scores=explanation.scores[there],
        texts=explanation.texts[there],
        presence=explanation.presence[there],
    )
    # threshold 0 cuts nothing: `counts` keeps the heights, so that any threshold can be tried later
    made = segment(present, threshold=0.0, of="map", size=asked.sample.masks.shape[1:])
    number_of_class = np.array([-1, *asked.labels])  # class 0 of a segmentation is the background
    return counts(number_of_class[made.labels], made.confidence, truth(asked.sample))


def _recognition(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """One row: the highest patch of every class's map, then 1 or 0 for each class."""
    of_all = asker.of_all_classes(asked, explanation.method)
    return _beside_truth(recognise(of_all, "maps"), asked)


def _beside_truth(scores: np.ndarray, asked: Asked) -> Rows:
    present = np.isin(np.arange(len(scores)), asked.labels).astype(float)
    return [[*scores.tolist(), *present.tolist()]]


def _imagenet_segmentation(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    mask = asked.sample.masks[0]
    return [list(imagenet_segmentation(explanation.heatmap(0, mask.shape), mask))]


def _faithfulness(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """A row of `faithfulness` for every labelled object."""
    pixels = asked.trace.pixels[0]
    heats = resize_bilinear(explanation.scores[: len(asked.labels)], *pixels.shape[1:])
    rows = []
    for label, heat in zip(asked.labels, heats):
        score = faithfulness.probability(asker.model, asker.texts, label)
        rows.append([*faithfulness.faithfulness(asker.model, score, pixels, heat).values()])
    return rows


def _randomisation(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """How much every labelled map is like that of the model with shuffled weights: the size of
    their rank correlation, as maps that are upside down would cancel others in a mean.
    """
    # its own record: the shuffled model gets the very pixels the real one has seen
    blind = record(asker.shuffled, asked.trace.pixels, "", normalized=True)
    unknowing = explain(asker.with_texts(blind, asked.labels), explanation.method)
    pairs = zip(explanation.scores, unknowing.scores)
    return [[abs(faithfulness.agreement(one, other))] for one, other in pairs]


def _sensitivity(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """How far noise moves every labelled map."""

    def maps(pixels: Tensor) -> np.ndarray:
        noisy = record(asker.model, pixels, "", normalized=True)
        every = explain_all(asker.with_texts(noisy, asked.labels), explanation.method)
        return np.array([one.scores for one in every])

    change = faithfulness.sensitivity(
        maps,
        pixels=asked.trace.pixels[0],
        std=asker.model.preprocessor.std,
        seed=asked.seed,
    )
    return change[:, None].tolist()


def _words(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """Rows of `word_scores`: nouns, presence where the method has words, contrasts."""
    masks, names = asked.sample.masks, [asker.data.classes[label] for label in asked.labels]
    prompt, method = asker.data.prompt, explanation.method
    rows = word_scores.contrasts(explanation, masks)
    if find_method(method).reads_texts:
        rows += word_scores.nouns(asked.trace, method, prompt, names, masks)
    if find_method(method).words is not None:
        rows += _word_presence(asker, asked, method)
    return rows or [[*word_scores.NOT_ASKED.values()]]


def _word_presence(asker: Asker, asked: Asked, method: str) -> Rows:
    """One row: the first object that is there, beside the first thing that is not."""
    if not asked.absent:
        return []
    names = tuple(asker.data.classes[n] for n in (asked.labels[0], asked.absent[0]))
    first = asked.seed % 2 == 0
    count, prompt = len(asked.labels), asker.data.prompt
    return [word_scores.presence(asked.trace, method, prompt, names, first, count)]


def _effect(asker: Asker, asked: Asked, explanation: Explanation, how: effect_scores.How) -> Rows:
    """Rows of `effect_scores`: what the map says of each thing, and what the thing did.

    A method that compares texts is asked about those of the picture's own things.
    """
    if find_method(explanation.method).compares_texts:
        own = asker.with_texts(asked.trace, asked.labels)
        explanation = explain(own, explanation.method)
    scores = effect_scores.inside(explanation, asked.sample.masks)
    return effect_scores.pairs(scores, _true_effects(asker, asked, how))


def _true_effects(asker: Asker, asked: Asked, how: effect_scores.How) -> np.ndarray:
    """Computed once for all methods."""
    if how not in asked.effects:
        asked.effects[how] = effect_scores.effects(asker, asked, how)
    return asked.effects[how]


def _refined(asker: Asker, asked: Asked, explanation: Explanation) -> Rows:
    """Rows of `refined`."""
    sample = asked.sample
    return refined.refined(explanation, len(asked.labels), sample.masks, sample.ignore)


METRICS: dict[str, Callable[[Asker, Asked, Explanation], Rows] | None] = {
    "localisation": _localisation,
    "presence": _presence,
    "imagenet-segmentation": _imagenet_segmentation,
    "segmentation": _segmentation,
    "given-labels": _given_labels,
    "recognition": _recognition,
    "faithfulness": _faithfulness,
    "randomisation": _randomisation,
    "sensitivity": _sensitivity,
    "words": _words,
    "refined": _refined,
    **{name: partial(_effect, how=how) for name, how in EFFECTS.items()},
    "inside": None,  # of the model, not of a method: `look_inside`
}
# metrics that ask the model nothing more
OF_MAPS = {"localisation", "presence", "imagenet-segmentation", "inside"}
COMPETING = {"segmentation", "recognition"}  # one class alone would win everything
# metrics of pictures whose classes are known
NAMED = {"presence", "segmentation", "given-labels", "recognition", "words", *EFFECTS}
DRAWN = {"effect"}  # metrics of pictures that can be drawn again


def class_token(asker: Asker, asked: Asked, metrics: list[str]) -> dict[str, dict[str, Rows]]:
    """What the whole image says, for the metrics that need no map: name of the row -> metric ->
    rows of numbers.
    """
    rows: dict[str, dict[str, Rows]] = {}
    if "presence" in metrics:
        said = cosines(asked.trace.image_features, asked.trace.text_features)[0]
        rows[CLASS_TOKEN] = {"presence": _beside_presence(said.cpu().numpy(), asked)}
    if "words" in metrics:
        said = _word_presence(asker, asked, LEAVE_OUT)
        rows[WORD_LEFT_OUT] = {"words": said or [[*word_scores.NOT_ASKED.values()]]}
    if "effect" in metrics:  # what the weaker question would have said
        true = _true_effects(asker, asked, "left out")
        for how in ("mean", "blur"):
            said = _true_effects(asker, asked, how)
            rows[FILLED.format(how)] = {"effect": effect_scores.pairs(said, true)}
    if "recognition" in metrics:
        everything = asker.of_all_classes(asked, "clip")
        # a SigLIP asks about each text alone
        scale = None if asker.model.sigmoid else float(asker.model.logit_scale.exp())
        ways = {
            CLASS_TOKEN: recognise(everything, scale=scale),
            "(class token, cosine)": recognise(everything, scale=None),
            "(class token, feature surgery)": recognise(everything, "feature surgery"),
        }
        for name, scores in ways.items():
            rows.setdefault(name, {})["recognition"] = _beside_truth(scores, asked)
    return rows


def look_inside(asked: Asked) -> dict[str, list]:
    """Attention on each labelled object of two patches or more, its chance level, and what features
    share.
    """
    masks, whole = asked.sample.masks, asked.trace.grids[0]
    # pictures are squashed, and so may their masks be
    grid = replace(whole, image_size=masks.shape[1:], box=(0, 0, *masks.shape[1:]))
    on_object = [on_patches(mask, grid) for mask in masks]
    # an object of one patch has no other to attend to; one that covers all leaves nothing to choose
    objects = [patches for patches in on_object if 1 < patches.sum() < len(patches)]
    return {
        "attention": [layers.attention_on(asked.trace, patches).tolist() for patches in objects],
        "chance": [[(int(patches.sum()) - 1) / (len(patches) - 1)] for patches in objects],
        "redundancy": [
            layers.redundancies(asked.trace, present=n, absent=len(asked.labels))
            for n in range(len(asked.labels))
            if asked.absent
        ],
    }
