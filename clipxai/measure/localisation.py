"""Does a map light up the thing it was asked for? Scores of one map against one true mask.

The paper's exact formulas could not be read; the definitions here are this project's, stated with every function. All maps are brought
to 0…1 by min-max over the pixels first (a constant map is 0.5 everywhere), because explanations have no common scale.
"""

import numpy as np

from ..maps import minmax


def score_contrast(heat: np.ndarray, mask: np.ndarray) -> float:
    """Mean of the map inside the mask minus its mean outside, x100: -100…100, 0 is chance, negative is opposite visualisation.

    The mean over many (image, text) pairs is the mSC. `heat` (H, W) any scale, `mask` (H, W) bool with pixels in and out of it.
    """
    heat = minmax(heat)
    return 100 * float(heat[mask].mean() - heat[~mask].mean())


def object_contrast(heat: np.ndarray, mask: np.ndarray, others: np.ndarray) -> float:
    """Mean inside the named object minus mean inside the other objects, x100: does a word pick *its* object, or any object?"""
    heat = minmax(heat)
    return 100 * float(heat[mask].mean() - heat[others].mean())


def iou(predicted: np.ndarray, mask: np.ndarray) -> float:
    """Shared pixels of two masks (H, W) bool over all pixels of either, x100: 0…100."""
    union = np.count_nonzero(predicted | mask)
    return 100 * np.count_nonzero(predicted & mask) / union if union else 100.0


def iou_at(heat: np.ndarray, mask: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """IoU (K,) of the min-max map cut at each of K thresholds: a pixel is foreground where its value reaches the threshold."""
    heat = minmax(heat)
    return np.array([iou(heat >= threshold, mask) for threshold in thresholds])


def pointing_hit(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the hottest pixel lies in the mask (pointing game; Zhang et al. 2016, arXiv 1608.00507, without tolerance margin)."""
    return bool(mask.flat[np.nanargmax(heat)])
