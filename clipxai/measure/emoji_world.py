"""How well does a model know Emoji World, and how well do its maps point? Measured on held-out
scenes with exact masks.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect, of_its_kinds, shown
from ..explainers.explain import explain
from ..model.clip import CLIP
from ..results.explanation import Explanation
from ..scenes import Scene, background_phrases, backgrounds, class_names, noun, sample
from ..trace.record import record
from .localisation import THRESHOLDS, iou_at, object_contrast, pointing_hit, score_contrast

PROMPT = "a photo of {}"
Name = TypeVar("Name")
BATCH = 50  # scenes that go through the model together


@torch.no_grad()
def zero_shot(model: CLIP, scenes: Iterable[Scene]) -> dict[str, float]:
    """Top-1 accuracy of a model: over all objects on scenes that show one kind, over all
    backgrounds on every scene.

    Objects are asked for as "a photo of a dog"; a background by the mean feature of "a photo on the
    grass", "a photo in a grass field", … in the phrases captions use.

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    scenes : from `clipxai.scenes`

    Returns
    -------
    {"object_top1", "background_top1"}: per cent, 0…100; NaN where no scene shows a single kind

    Examples
    --------
    >>> zero_shot(model, [scenes.sample(seed) for seed in range(20)])
    {'object_top1': 100.0, 'background_top1': 80.0}
    """
    scenes = list(scenes)
    objects = model.encode_text([PROMPT.format(noun(name)) for name in class_names()])
    places = torch.cat([_mean_of_phrases(name, model) for name in backgrounds()])
    images = torch.cat(
        [
            model.encode_image(model.preprocess([scene.image for scene in few]))
            for few in (scenes[n : n + BATCH] for n in range(0, len(scenes), BATCH))
        ]
    )
    nearest_object, nearest_place = (images @ objects.T).argmax(1), (images @ places.T).argmax(1)
    object_hits = [
        class_names()[best] == scene.objects[0]
        for best, scene in zip(nearest_object, scenes)
        if len(scene.objects) == 1
    ]
    place_hits = [
        backgrounds()[best] == scene.background for best, scene in zip(nearest_place, scenes)
    ]
    return {
        "object_top1": 100 * float(np.mean(object_hits)),
        "background_top1": 100 * float(np.mean(place_hits)),
    }


def _mean_of_phrases(background: str, model: CLIP) -> Tensor:
    """(1, E) unit length."""
    texts = [f"a photo {phrase}" for phrase in background_phrases(background)]
    return F.normalize(model.encode_text(texts).mean(0, keepdim=True), dim=-1)


@dataclass(frozen=True)
class Localisation:
    """Means over all (scene, object) pairs, in per cent.

    Attributes
    ----------
    pairs : how many, a count
    msc : score contrast (see `score_contrast`)
    upside_down : share of maps whose contrast is negative: the background outscores the object
    miou_half : mIoU at the fixed threshold 0.5
    miou_best, best : mIoU at the best single threshold, chosen on these very pairs, and that
        threshold, 0…1
    pointing : share of maps whose hottest pixel lies on the object
    object_contrast : named object against the others, over scenes that show several; NaN where none
        does
    """

    pairs: int
    msc: float
    upside_down: float
    miou_half: float
    miou_best: float
    best: float
    pointing: float
    object_contrast: float


@of_its_kinds
def localisation(
    model: CLIP,
    scenes: Iterable[Scene],
    method: str | Callable[..., Explanation],
    **options: object,
) -> Localisation:
    """Score a model's maps of every object of all scenes, asked for as "a photo of a dog".

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    scenes : from `clipxai.scenes`
    method : a name in `clipxai.methods()`, or a function that makes an Explanation from a trace
    options : passed on to it

    Returns
    -------
    `Localisation`, means in per cent; errors as `explain`

    Examples
    --------
    >>> found = localisation(model, [scenes.sample(seed) for seed in range(4)], "clip_surgery")
    >>> found.pairs, round(found.msc), round(found.pointing)
    (5, 49, 60)
    """
    return localisations(model, scenes, {"": (method, options)})[""]


@of_its_kinds
def localisations(
    model: CLIP,
    scenes: Iterable[Scene],
    rows: Mapping[Name, tuple[str | Callable[..., Explanation], Mapping[str, object]]],
) -> dict[Name, Localisation]:
    """The same for several methods, or one with several settings; every scene goes through the
    model once.

    Parameters
    ----------
    model, scenes : as for `localisation`
    rows : {name: (method, options)}

    Returns
    -------
    {name: `Localisation`}, in the order of `rows`

    Raises
    ------
    TypeError, ValueError : as `explain`; a row that is no (method, options), or no row; no scene in
        which a thing is seen

    Examples
    --------
    >>> rows = {blocks: ("clip_surgery", dict(blocks=blocks)) for blocks in (2, 6)}
    >>> found = localisations(model, [scenes.sample(seed) for seed in range(4)], rows)
    >>> {blocks: round(score.msc) for blocks, score in found.items()}
    {2: 29, 6: 49}
    """
    if not rows:
        raise ValueError("rows are empty: pass at least one, such as {'raw': ('clip', {})}")
    for name, row in rows.items():
        pair = isinstance(row, (tuple, list)) and len(row) == 2
        asked = pair and (isinstance(row[0], str) or callable(row[0]))
        if not (asked and isinstance(row[1], Mapping)):
            needed = "(method, options) is needed, such as ('clip_surgery', {})"
            raise TypeError(f"rows[{name!r}]={shown(row)}, but {needed}")
    tallies = {name: _Tally() for name in rows}
    for scene in scenes:
        expect(Scene, scene, "scenes.sample")
        trace = record(model, scene.image, [PROMPT.format(noun(name)) for name in scene.objects])
        for name, (method, options) in rows.items():
            by_name = isinstance(method, str)
            made = explain(trace, method, **options) if by_name else method(trace, **options)
            tallies[name].add(made, scene)
    return {name: tally.means() for name, tally in tallies.items()}


class _Tally:
    """Scores of one method, pair by pair."""

    def __init__(self) -> None:
        self.contrasts: list[float] = []
        self.ious: list[np.ndarray] = []
        self.hits: list[bool] = []
        self.picks: list[float] = []  # object contrasts

    def add(self, explanation: Explanation, scene: Scene) -> None:
        for n, mask in enumerate(scene.masks):
            if not mask.any():  # wholly hidden behind another object
                continue
            heat = explanation.heatmap(n)
            self.contrasts.append(score_contrast(heat, mask))
            self.ious.append(iou_at(heat, mask, THRESHOLDS))
            self.hits.append(pointing_hit(heat, mask))
            others = np.delete(scene.masks, n, axis=0).any(0)
            if others.any():
                self.picks.append(object_contrast(heat, mask, others))

    def means(self) -> Localisation:
        if not self.contrasts:
            raise ValueError("no scene was given in which a thing is seen: pass at least one")
        curve = np.mean(self.ious, axis=0)
        best = int(curve.argmax())
        contrasts = np.array(self.contrasts)
        known = contrasts[~np.isnan(contrasts)]  # a thing that is everywhere has none
        return Localisation(
            pairs=len(self.contrasts),
            msc=float(known.mean()) if len(known) else math.nan,
            upside_down=100 * float((known < 0).mean()) if len(known) else math.nan,
            miou_half=float(curve[np.argmin(abs(THRESHOLDS - 0.5))]),
            miou_best=float(curve[best]),
            best=float(THRESHOLDS[best]),
            pointing=100 * float(np.mean(self.hits)),
            object_contrast=float(np.mean(self.picks)) if self.picks else math.nan,
        )


def evaluate(model: CLIP, scenes: int, first_seed: int = 0) -> dict[str, float]:
    """A short report for the training log: accuracy, and contrast and pointing of the raw map
    against CLIP Surgery's.

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    scenes : how many of the test split are measured
    first_seed : of the first of them

    Returns
    -------
    name -> per cent, rounded to 0.1

    Examples
    --------
    >>> found = evaluate(model, scenes=4)
    >>> found["raw_msc"], found["surgery_msc"]
    (-17.4, 49.4)
    """
    held_out = [sample(seed) for seed in range(first_seed, first_seed + scenes)]
    both = localisations(model, held_out, {"raw": ("clip", {}), "repaired": ("clip_surgery", {})})
    raw, repaired = both["raw"], both["repaired"]
    found = {
        **zero_shot(model, held_out),
        "raw_msc": raw.msc,
        "raw_pointing": raw.pointing,
        "surgery_msc": repaired.msc,
        "surgery_pointing": repaired.pointing,
        "surgery_miou": repaired.miou_best,
    }
    return {name: round(value, 1) for name, value in found.items()}
