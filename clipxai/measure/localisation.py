"""Does a map light up the thing it was asked for? Scores of one map against one true mask.

The paper's exact formulas could not be read; the definitions here are this project's, stated with
every function. All maps are brought to 0…1 by min-max over the pixels first, because
explanations have no common scale; pixels whose score is not known (NaN) do not count. A map without
variation, or of which nothing is known, is 0.5 everywhere and has no region: no hottest pixel, and
nothing that reaches a threshold. Whoever cuts a map in two has to say where: every IoU names its
threshold. All of them at once: `map_scores.localise`.

Axes: H W pixels, K thresholds.
"""

import math

import numpy as np

from ..results.maps import is_flat, minmax

THRESHOLDS = np.arange(1, 20) / 20  # (K,) among which one for all images is chosen


def known_part(heat: np.ndarray, *masks: np.ndarray) -> list[np.ndarray]:
    """The pixels (n,) whose score is known, of a map (min-max) and of masks (H, W)."""
    heat = something(heat)
    there = ~np.isnan(heat)
    return [minmax(heat)[there], *(mask[there].astype(bool) for mask in masks)]


def something(heat: np.ndarray) -> np.ndarray:
    """A map as it is; constant if nothing of it is known, which says as little."""
    return np.zeros_like(heat) if np.isnan(heat).all() else heat


def heights(heat: np.ndarray) -> np.ndarray:
    """A min-max map as it is held against thresholds; -1, below all of them, if it has no
    variation.
    """
    return np.full_like(heat, -1) if is_flat(heat) else heat


def score_contrast(heat: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the min-max map inside the mask minus its mean outside.

    The mean over many (image, text) pairs is the mSC: named in CLIP Surgery (arXiv 2304.05653),
    defined here.

    Parameters
    ----------
    heat : (H, W), any scale
    mask : (H, W) bool

    Returns
    -------
    -100…100; 0 is chance, negative is opposite visualisation: the background outscores the object.
    NaN if no known pixel is inside, or none outside

    Examples
    --------
    >>> heat, mask = np.array([[0.0, 1, 2], [3, 4, 9]]), np.array([[0, 0, 0], [0, 1, 1]], bool)
    >>> round(score_contrast(heat, mask), 1)
    55.6
    """
    heat, mask = known_part(heat, mask)
    if mask.all() or not mask.any():
        return math.nan
    return 100 * float(heat[mask].mean() - heat[~mask].mean())


def object_contrast(heat: np.ndarray, mask: np.ndarray, others: np.ndarray) -> float:
    """Mean of the min-max map inside the named object minus its mean inside the others: does a word
    pick *its* object, or any object?

    Parameters
    ----------
    heat : (H, W), any scale
    mask, others : (H, W) bool, the named object and the other objects

    Returns
    -------
    -100…100; 0 is a map that knows objects, but not which

    Examples
    --------
    >>> heat, mask = np.array([[0.0, 1, 2], [3, 4, 9]]), np.array([[0, 0, 0], [0, 1, 1]], bool)
    >>> round(object_contrast(heat, mask, others=heat == 3), 1)
    38.9
    """
    heat, mask, others = known_part(heat, mask, others)
    return 100 * float(heat[mask].mean() - heat[others].mean())


def iou(predicted: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union: pixels of both over pixels of either.

    Parameters
    ----------
    predicted, mask : (H, W) bool

    Returns
    -------
    0…100; 100 where both are empty, which is right

    Examples
    --------
    >>> round(iou(np.array([[1, 1, 0]], bool), np.array([[0, 1, 1]], bool)), 1)
    33.3
    """
    predicted, mask = predicted.astype(bool), mask.astype(bool)
    union = np.count_nonzero(predicted | mask)
    return float(100 * np.count_nonzero(predicted & mask) / union) if union else 100.0


def iou_at(heat: np.ndarray, mask: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """IoU of a mask with the min-max map, cut at some thresholds.

    Parameters
    ----------
    heat : (H, W), any scale
    mask : (H, W) bool
    thresholds : (K,) 0…1; foreground is what reaches the threshold

    Returns
    -------
    (K,) float64, 0…100

    Examples
    --------
    >>> heat, mask = np.array([[0.0, 1, 2], [3, 4, 9]]), np.array([[0, 0, 0], [0, 1, 1]], bool)
    >>> iou_at(heat, mask, np.array([0.25, 0.5])).round(1)
    array([66.7, 50. ])
    """
    heat, mask = known_part(heat, mask)
    heat = heights(heat)
    return iou_of_sorted(np.sort(heat[mask]), np.sort(heat), thresholds)


def iou_of_sorted(inside: np.ndarray, everywhere: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """`iou_at` from the sorted values of the mask's pixels and of all pixels: how many reach a
    threshold is a place in the order.
    """
    hits = len(inside) - np.searchsorted(inside, thresholds)
    found = len(everywhere) - np.searchsorted(everywhere, thresholds)
    union = found + len(inside) - hits
    return 100 * np.where(union > 0, hits / np.maximum(union, 1), 1.0)


def pointing_hit(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the hottest pixel lies on the object.

    The pointing game of Zhang et al. 2016 (arXiv 1608.00507), without a tolerance around it.

    Parameters
    ----------
    heat : (H, W), any scale
    mask : (H, W) bool

    Returns
    -------
    True for a hit, False also for a map without variation; the mean over many pairs is the pointing
    game's accuracy

    Examples
    --------
    >>> pointing_hit(np.array([[0.0, 1, 9]]), np.array([[0, 1, 1]], bool))
    True
    """
    return not is_flat(heat) and bool(mask.flat[np.nanargmax(heat)])


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Share of the sum of the min-max map that lies on the object.

    The energy-based pointing game of Score-CAM (Wang et al., arXiv 1910.01279). A map that never
    drops to its minimum spends energy everywhere.

    Parameters
    ----------
    heat : (H, W), any scale
    mask : (H, W) bool

    Returns
    -------
    0…100; chance is the mask's share of the picture

    Examples
    --------
    >>> heat, mask = np.array([[0.0, 1, 2], [3, 4, 9]]), np.array([[0, 0, 0], [0, 1, 1]], bool)
    >>> round(energy_inside(heat, mask), 1)
    68.4
    """
    heat, mask = known_part(heat, mask)
    # float64: the sum over a photograph's pixels has more digits than float32 keeps
    return 100 * float(heat[mask].sum(dtype=float) / heat.sum(dtype=float))


def average_precision(heat: np.ndarray, mask: np.ndarray) -> float:
    """Area sum_n (R_n - R_{n-1}) P_n under the precision-recall curve over all thresholds; not
    interpolated.

    Parameters
    ----------
    heat : (H, W), any scale; only the order of its values counts
    mask : (H, W) bool

    Returns
    -------
    0…100; chance is the mask's share of the picture

    Examples
    --------
    >>> average_precision(np.array([[4.0, 3, 2, 1]]), np.array([[1, 0, 1, 0]], bool))
    83.33333333333333
    """
    heat, mask = known_part(heat, mask)
    return 100 * precision_of_sorted(np.sort(heat[mask]), np.sort(heat))


def precision_of_sorted(inside: np.ndarray, everywhere: np.ndarray) -> float:
    """`average_precision` / 100, from the same: mean over the mask's pixels of the precision at the
    pixel's own value, which is what the area adds up to.
    """
    order = np.arange(len(inside))
    # the first place of equal values is that of the first
    first = np.maximum.accumulate(np.where(np.diff(inside, prepend=-np.inf) > 0, order, 0))
    hits = len(inside) - first
    found = len(everywhere) - np.searchsorted(everywhere, inside)
    return float((hits / found).mean())


def pixel_accuracy(heat: np.ndarray, mask: np.ndarray, threshold: float = 0.5) -> float:
    """Share of pixels on the right side of the threshold; a small mask makes an empty prediction
    look good.

    Parameters
    ----------
    heat : (H, W), any scale
    mask : (H, W) bool
    threshold : 0…1 of the min-max map; foreground is what reaches it

    Returns
    -------
    0…100

    Examples
    --------
    >>> pixel_accuracy(np.array([[0.0, 1, 2, 3]]), np.array([[0, 1, 1, 1]], bool))
    75.0
    """
    heat, mask = known_part(heat, mask)
    return 100 * float(((heights(heat) >= threshold) == mask).mean())
