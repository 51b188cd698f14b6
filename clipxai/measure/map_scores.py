"""How good is one map, by all measures at once? Every number has a name, also where many rows of
them are columns.

Axes: H W pixels, K thresholds.
"""

from typing import NamedTuple

import numpy as np

from ..results.maps import is_flat, minmax, otsu_of_sorted
from .localisation import (
    THRESHOLDS,
    average_precision,
    heights,
    iou_of_sorted,
    known_part,
    precision_of_sorted,
    something,
)


class MapScores(NamedTuple):
    """What `localise` finds of one map, in per cent; or, from `columns`, of many maps (n,) each.

    Attributes
    ----------
    contrast, object_contrast : see `score_contrast`, `object_contrast`; NaN where there is nothing
        to compare with
    pointing : 100 or 0, see `pointing_hit`
    energy : see `energy_inside`
    average_precision : of all thresholds
    accuracy : of pixels at 0.5
    iou_half, iou_mean, iou_otsu : IoU at 0.5, at the map's own mean, and at Otsu's threshold:
        thresholds that need no choosing
    iou_curve : (K,) IoU at `THRESHOLDS`
    """

    contrast: float
    object_contrast: float
    pointing: float
    energy: float
    average_precision: float
    accuracy: float
    iou_half: float
    iou_mean: float
    iou_otsu: float
    iou_curve: np.ndarray

    def row(self) -> list[float]:
        """All numbers in one flat list, as a journal keeps them; `columns` reads it."""
        return [*map(float, self[:-1]), *self.iou_curve.tolist()]

    @classmethod
    def columns(cls, rows: np.ndarray) -> "MapScores":
        """Rows (n, 9 + K) of n maps: every field (n,), the curve (n, K)."""
        single = len(cls._fields) - 1
        return cls(*rows[:, :single].T, rows[:, single:])


def localise(
    heat: np.ndarray,
    mask: np.ndarray,
    others: np.ndarray | None = None,
    ignore: np.ndarray | None = None,
) -> MapScores:
    """All measures of `localisation` for one map, at the price of sorting its pixels once.

    Parameters
    ----------
    heat : (H, W) any scale; NaN where the score is not known
    mask, others : (H, W) bool, the named object and the other objects, if there are any
    ignore : (H, W) bool, pixels without a truth, which no measure counts

    Returns
    -------
    `MapScores`, in per cent; NaN for a contrast where there is nothing to compare with

    Examples
    --------
    >>> heat, mask = np.array([[0.0, 1, 2], [3, 4, 9]]), np.array([[0, 0, 0], [0, 1, 1]], bool)
    >>> found = localise(heat, mask)
    >>> round(found.contrast, 1), round(found.energy, 1), found.iou_half
    (55.6, 68.4, 50.0)
    """
    heat = something(heat)
    left_out = np.isnan(heat) if ignore is None else np.isnan(heat) | ignore
    # a copy of everything is what `ravel` spares
    counted = ~left_out if left_out.any() else ...
    others = None if others is None else others[counted].ravel().astype(bool)
    heat, mask = minmax(heat)[counted].ravel(), mask[counted].ravel().astype(bool)
    inside, everywhere = np.sort(heat[mask]), np.sort(heat)
    # sums in float64, as in `energy_inside`
    energy, total = inside.sum(dtype=float), everywhere.sum(dtype=float)
    outside = len(everywhere) - len(inside)
    mean_inside = inside.mean(dtype=float)
    contrast = object_contrast = np.nan
    if outside:
        contrast = 100 * (mean_inside - (total - energy) / outside)
    if others is not None and others.any():
        object_contrast = 100 * (mean_inside - heat[others].mean(dtype=float))
    cuts = np.array([0.5, everywhere.mean(), otsu_of_sorted(everywhere), *THRESHOLDS])
    varies = not is_flat(everywhere[:: max(1, len(everywhere) - 1)])  # the first and the last
    high = heat if varies else heights(heat)
    ious = iou_of_sorted(inside if varies else high[mask], everywhere if varies else high, cuts)
    iou_half, iou_mean, iou_otsu = ious[:3].tolist()
    return MapScores(
        contrast=float(contrast),
        object_contrast=float(object_contrast),
        pointing=100.0 * (varies and bool(mask[heat.argmax()])),
        energy=float(100 * energy / total),
        average_precision=100 * precision_of_sorted(inside, everywhere),
        accuracy=float(100 * ((high >= 0.5) == mask).mean()),
        iou_half=iou_half,
        iou_mean=iou_mean,
        iou_otsu=iou_otsu,
        iou_curve=ious[3:],
    )


class PixelCounts(NamedTuple):
    """What ImageNet-Segmentation counts of one image; or, column by column, of many (n,).

    Attributes
    ----------
    correct, labelled : pixels on the right side, and all that have a truth
    background_both, background_either : intersection and union of what is found and what is true
    object_both, object_either : the same of the foreground
    average_precision : of the map and its complement, x100
    """

    correct: float
    labelled: float
    background_both: float
    background_either: float
    object_both: float
    object_either: float
    average_precision: float


def imagenet_segmentation(heat: np.ndarray, mask: np.ndarray) -> PixelCounts:
    """What ImageNet-Segmentation's protocol counts of one image.

    The map is cut where it exceeds its mean; correct pixels, intersections and unions are counted
    of background and foreground; the average precision is that of the map and its complement,
    stacked, against the masks of foreground and background: about 50 for a random map, whatever the
    object's size (Chefer et al. 2021, arXiv 2012.09838, as its released code does it).

    Parameters
    ----------
    heat : (224, 224), any scale; NaN where the score is not known, which is not counted
    mask : (224, 224) bool

    Returns
    -------
    `PixelCounts`
    """
    heat, mask = known_part(heat, mask)
    found = heat > heat.mean()  # not ">=": a constant map finds nothing, as in the released code
    stacked, truth = np.stack([1 - heat, heat]), np.stack([~mask, mask])
    counts = PixelCounts(
        correct=np.count_nonzero(found == mask),
        labelled=mask.size,
        background_both=np.count_nonzero(~found & ~mask),
        background_either=np.count_nonzero(~found | ~mask),
        object_both=np.count_nonzero(found & mask),
        object_either=np.count_nonzero(found | mask),
        average_precision=average_precision(stacked, truth),
    )
    return PixelCounts(*map(float, counts))
