"""Does a map light up the thing it was asked for? Scores of one map against one true mask.

The paper's exact formulas could not be read; the definitions here are this project's, stated with
every function. All maps are brought to 0…1 by min-max over the pixels first (a constant map is 0.5
everywhere), because explanations have no common scale; pixels that the model did not see (NaN) do
not count. Whoever cuts a map in two has to say where: every IoU names its threshold.

Axes: H W pixels, K thresholds.
"""

import numpy as np

from ..results.maps import minmax, otsu

THRESHOLDS = np.arange(1, 20) / 20  # among which one for all images is chosen
CUTS = ("0.5", "mean", "otsu")  # thresholds that need no choosing
FIELDS = (
    "contrast",
    "object contrast",
    "pointing",
    "energy",
    "AP",
    "accuracy",
    *(f"IoU at {cut}" for cut in CUTS),
    *(f"IoU at {threshold:.2f}" for threshold in THRESHOLDS),
)


def _seen(heat: np.ndarray, *masks: np.ndarray) -> list[np.ndarray]:
    """The pixels (n,) that the model looked at, of a map (min-max) and of masks (H, W)."""
    there = ~np.isnan(heat)
    return [minmax(heat)[there], *(mask[there].astype(bool) for mask in masks)]


def score_contrast(heat: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the map inside the mask minus its mean outside, x100: -100…100, 0 is chance, negative
    is opposite visualisation.

    The mean over many (image, text) pairs is the mSC: named in CLIP Surgery (arXiv 2304.05653),
    defined here. `heat` (H, W) any scale, `mask` (H, W) bool with pixels in and out of it.
    """
    heat, mask = _seen(heat, mask)
    return 100 * float(heat[mask].mean() - heat[~mask].mean())


def object_contrast(heat: np.ndarray, mask: np.ndarray, others: np.ndarray) -> float:
    """Mean of `heat` inside `mask` minus its mean inside `others`, (H, W) each, -100…100: does a
    word pick *its* object, or any object?
    """
    heat, mask, others = _seen(heat, mask, others)
    return 100 * float(heat[mask].mean() - heat[others].mean())


def iou(predicted: np.ndarray, mask: np.ndarray) -> float:
    """Pixels shared by `predicted` and `mask` (H, W) bool over all pixels of either, x100: 0…100,
    and 100 where both are empty.
    """
    predicted, mask = predicted.astype(bool), mask.astype(bool)
    union = np.count_nonzero(predicted | mask)
    return 100 * np.count_nonzero(predicted & mask) / union if union else 100.0


def iou_at(heat: np.ndarray, mask: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """IoU (K,), 0…100, with `mask` of min-max `heat` (H, W) cut at K `thresholds`: foreground is
    what reaches the threshold.
    """
    heat, mask = _seen(heat, mask)
    return _iou_at(np.sort(heat[mask]), np.sort(heat), thresholds)


def _iou_at(inside: np.ndarray, everywhere: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """The same from the sorted values of the mask's pixels and of all pixels: how many reach a
    threshold is a place in the order.
    """
    hits = len(inside) - np.searchsorted(inside, thresholds)
    union = len(everywhere) - np.searchsorted(everywhere, thresholds) + len(inside) - hits
    return 100 * np.where(union > 0, hits / np.maximum(union, 1), 1.0)


def pointing_hit(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the hottest pixel of `heat` lies in the `mask` (pointing game; Zhang et al. 2016,
    arXiv 1608.00507, no tolerance).
    """
    return bool(mask.flat[np.nanargmax(heat)])


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Share of the sum of min-max `heat` that lies in the `mask`, (H, W) each, 0…100 (energy
    pointing game; Wang et al., arXiv 1910.01279).

    Chance is the mask's share of the picture. A map that never drops to its minimum spends energy
    everywhere.
    """
    heat, mask = _seen(heat, mask)
    return 100 * float(heat[mask].sum(dtype=float) / heat.sum(dtype=float))


def average_precision(heat: np.ndarray, mask: np.ndarray) -> float:
    """Area sum_n (R_n - R_{n-1}) P_n under the precision-recall curve of `heat` over all
    thresholds, 0…100; (H, W) each, `mask` bool.

    Not interpolated; chance is the share of the mask.
    """
    heat, mask = _seen(heat, mask)
    return 100 * _precision(np.sort(heat[mask]), np.sort(heat))


def _precision(inside: np.ndarray, everywhere: np.ndarray) -> float:
    """Mean over the mask's pixels of the precision at the pixel's own value, which is what the area
    adds up to.
    """
    hits = len(inside) - np.searchsorted(inside, inside)
    found = len(everywhere) - np.searchsorted(everywhere, inside)
    return float((hits / found).mean())


def pixel_accuracy(heat: np.ndarray, mask: np.ndarray, threshold: float = 0.5) -> float:
    """Share of pixels of min-max `heat` on the right side of the `threshold`, 0…100; (H, W) each,
    `mask` bool.

    A small mask makes an empty prediction look good.
    """
    heat, mask = _seen(heat, mask)
    return 100 * float(((heat >= threshold) == mask).mean())


def localise(
    heat: np.ndarray,
    mask: np.ndarray,
    others: np.ndarray | None = None,
    ignore: np.ndarray | None = None,
) -> np.ndarray:
    """All measures of this file for one map, in the order of `FIELDS`, at the price of sorting its
    pixels once.

    Parameters
    ----------
    heat : (H, W) any scale; NaN where the model did not look
    mask, others : (H, W) bool, the named object and the other objects, if there are any
    ignore : (H, W) bool, pixels without a truth, which no measure counts

    Returns
    -------
    (len(FIELDS),) float64 in per cent; NaN for a contrast where there is nothing to compare with
    """
    counted = ~np.isnan(heat) if ignore is None else ~(np.isnan(heat) | ignore)
    others = None if others is None else others[counted].astype(bool)
    heat, mask = minmax(heat)[counted], mask[counted].astype(bool)
    inside, everywhere = np.sort(heat[mask]), np.sort(heat)
    mean, outside = inside.mean(dtype=float), len(everywhere) - len(inside)
    cuts = np.array([0.5, everywhere.mean(), otsu(everywhere)])
    return np.array(
        [
            100 * (mean - (everywhere.sum(dtype=float) - inside.sum(dtype=float)) / outside)
            if outside
            else np.nan,
            100 * (mean - heat[others].mean(dtype=float))
            if others is not None and others.any()
            else np.nan,
            100.0 * mask[heat.argmax()],
            100 * inside.sum(dtype=float) / everywhere.sum(dtype=float),
            100 * _precision(inside, everywhere),
            100 * ((heat >= 0.5) == mask).mean(),
            *_iou_at(inside, everywhere, cuts),
            *_iou_at(inside, everywhere, THRESHOLDS),
        ]
    )


def imagenet_segmentation(heat: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What ImageNet-Segmentation's protocol counts of one image.

    The map (224, 224) is cut where it exceeds its mean; correct pixels, intersections and unions
    are counted of background and foreground; the average precision is that of the map and its
    complement, stacked, against the masks of foreground and background: about 50 for a random map,
    whatever the object's size (Chefer et al. 2021, arXiv 2012.09838, as its released code does it).

    Returns
    -------
    (7,) : correct pixels, labelled pixels, intersection and union of the background, of the
        foreground, average precision x100
    """
    heat = np.nan_to_num(minmax(heat))
    found = heat > heat.mean()
    counts = [
        count
        for a, b in ((~found, ~mask), (found, mask))
        for count in (np.count_nonzero(a & b), np.count_nonzero(a | b))
    ]
    stacked, truth = np.stack([1 - heat, heat]), np.stack([~mask, mask])
    return np.array(
        [np.count_nonzero(found == mask), mask.size, *counts, average_precision(stacked, truth)],
        dtype=float,
    )
