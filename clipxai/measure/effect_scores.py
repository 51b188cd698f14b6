"""Does a map tell what made the score? One picture whose things can be left out.

Formula    effect(o, t) = cos(picture, t) - cos(picture without thing o, t)
           score(o, t)  = sum of t's map inside the mask of o, in patches
           for every thing o and the text t of every thing: its own, and the others'.
Truth      Where a picture was drawn, it is drawn again without the thing (`Sample.without`): exact.
           In a photograph the thing is filled in, by the mean colour or by the picture's blur. That
           is the weaker question: a fill is itself something to look at, and it leaves an outline.

Each pair is a row: `FIELDS`; `first` is 1 or 0 in the row of a text's own thing where several are
seen, NaN elsewhere: whether the thing of the highest score is that of the largest effect.

Axes: O things, T texts.
"""

import math
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F

from ..model.clip import cosines
from ..results.explanation import Explanation
from ..trace.record import record
from .asking import Asked, Asker
from .faithfulness import filled

FIELDS = ("own", "score", "effect", "first")
How = Literal["left out", "mean", "blur"]  # the first needs a picture that can be drawn again


@torch.no_grad()
def effects(asker: Asker, asked: Asked, how: How) -> np.ndarray:
    """(O, T = O) what the cosine with each thing's text loses without each thing.

    Raises
    ------
    ValueError : a picture that cannot be drawn again, of which something shall be left out
    """
    trace, things = asked.trace, range(len(asked.labels))
    if how == "left out":
        if asked.sample.without is None:
            raise ValueError("nothing can be left out of a photograph: fill it in")
        images = [asked.sample.without(n) for n in things]
        left = record(asker.model, images, "", size=asker.size, normalized=False).image_features
    else:
        pixels = trace.pixels[0]
        masks = torch.from_numpy(asked.sample.masks).to(pixels.device)[:, None].float()
        covered = F.interpolate(masks, pixels.shape[-2:], mode="nearest-exact") > 0
        pictures = torch.where(covered, filled(pixels, how, asker.model), pixels)
        left = asker.model.encode_image(pictures.to(asker.model.dtype))
    texts = trace.text_features[: len(things)]
    return (cosines(trace.image_features, texts) - cosines(left, texts)).cpu().numpy()


def inside(maps: Explanation, masks: np.ndarray) -> np.ndarray:
    """(O, T = O) what the map of each text sums to inside each mask, in patches; a place whose
    score is not known counts as 0.
    """
    heats = [maps.heatmap(t, masks.shape[1:], normalize="none") for t in range(len(masks))]
    a_patch = masks[0].size / maps.grid.patches  # so that pictures of all sizes share a scale
    return np.array([[np.nansum(heat[mask]) / a_patch for heat in heats] for mask in masks])


def pairs(scores: np.ndarray, true: np.ndarray) -> list[list[float]]:
    """The rows of one picture, of its scores and effects (O, T = O)."""
    several = len(true) > 1
    rows = []
    for thing, text in np.ndindex(true.shape):
        own, first = float(thing == text), math.nan
        if several and own:
            first = float(scores[:, text].argmax() == true[:, text].argmax())
        rows.append([own, float(scores[thing, text]), float(true[thing, text]), first])
    return rows
