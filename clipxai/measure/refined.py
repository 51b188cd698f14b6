"""Does refinement make a map's mask better? Before and after, object by object, as in interactive
segmentation: words instead of clicks.

Only the classes that are there are asked for, and compete. Each answer is a row: `FIELDS`.
"""

import math

import numpy as np

from ..results.explanation import Explanation
from ..tasks import refine
from ..tasks.heights import enlarged
from .localisation import iou, pointing_hit

BY = ("grabcut", "pamr")
FIELDS = ("plain", *BY, "points", "right points", "pointing")
Row = list[float]


def refined(
    explanation: Explanation, count: int, masks: np.ndarray, ignore: np.ndarray | None
) -> list[Row]:
    """A row for every object that can be seen: IoU (0…100) of the map cut at one half and of each
    refinement, number of point prompts and the share of them (0…1) on the right side, and whether
    the map's peak is on the object (1 or 0).

    Parameters
    ----------
    explanation : its first `count` texts are those of the objects
    masks : (count, H, W) bool
    ignore : (H, W) bool, pixels without a truth, which do not count
    """
    shape = masks.shape[1:]
    counted = np.ones(shape, bool) if ignore is None else ~ignore
    made = {by: refine(explanation, by, list(range(count))).labels for by in BY}
    rows = []
    for n, mask in enumerate(masks):
        if not (mask & counted).any():
            continue
        heat = explanation.heatmap(n, shape)
        found = [explanation.mask(n, size=shape)]
        found += [enlarged(labels == n + 1, shape) for labels in made.values()]
        overlaps = [iou(one[counted], mask[counted]) for one in found]
        rows.append(
            [*overlaps, *_points(explanation, n, mask), float(pointing_hit(heat, mask & counted))]
        )
    return rows or [[math.nan] * len(FIELDS)]


def _points(explanation: Explanation, n: int, mask: np.ndarray) -> tuple[float, float]:
    """How many points a map gives, and the share whose label is true; none of a flat map."""
    if not explanation.varies(n):
        return 0.0, math.nan
    xy, labels = explanation.points(n, size=mask.shape)
    if not len(xy):
        return 0.0, math.nan
    columns, rows = np.floor(xy).astype(int).T
    return float(len(xy)), float((mask[rows, columns] == (labels == 1)).mean())
