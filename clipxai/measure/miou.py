"""How much of every class was found? Pixels counted in one picture, so that they can be summed over
a data set before they are divided.

A mean of per-picture IoUs would let a class count more in pictures where it is small; the field
sums first, and so does this.

Axes: C classes, K thresholds, one bin of confidence more: bin k holds the pixels between threshold
k - 1 and threshold k.
"""

import math

import numpy as np

from .data import Sample
from .localisation import THRESHOLDS

BINS = len(THRESHOLDS) + 1
BEHIND, UNCOUNTED = -1, -2  # in a true label map: of no class of the list; without a truth


def truth(sample: Sample) -> np.ndarray:
    """(H, W) int16, the class of every pixel, `BEHIND` or `UNCOUNTED`; where masks overlap (COCO),
    the smaller is on top.
    """
    labels = np.full(sample.masks.shape[1:], BEHIND, np.int16)
    for n in np.argsort([-np.count_nonzero(mask) for mask in sample.masks], kind="stable"):
        labels[sample.masks[n]] = sample.labels[n]
    if sample.ignore is not None:
        labels[sample.ignore] = UNCOUNTED
    return labels


def counts(found: np.ndarray, confidence: np.ndarray, true: np.ndarray) -> list[list[int]]:
    """Pixels of one picture, a row for every class that is there or was found, and one for the
    background.

    Parameters
    ----------
    found : (H, W) class of every pixel, as if there were no background
    confidence : (H, W) what a threshold would cut, 0…1; NaN where the model did not look
    true : (H, W) from `truth`

    Returns
    -------
    Rows of 3 + 2 BINS: number of the class, its true pixels, the pixels given to it that are of
    some class; by bins of confidence its pixels that were found, and all that were given to it. The
    background's row (`BEHIND`): its true pixels, 0, these by bins, and all pixels by bins.
    """
    counted = (true != UNCOUNTED) & ~np.isnan(confidence)
    found, true, bins = found[counted], true[counted], np.digitize(confidence[counted], THRESHOLDS)

    def histogram(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(bins[chosen], minlength=BINS)

    rows = []
    for number in np.union1d(found, true[true >= 0]).tolist():
        given, its = found == number, true == number
        inside = np.count_nonzero(given & (true >= 0))
        rows.append(
            [number, np.count_nonzero(its), inside, *histogram(given & its), *histogram(given)]
        )
    behind = true == BEHIND
    rows.append(
        [
            BEHIND,
            np.count_nonzero(behind),
            0,
            *histogram(behind),
            *histogram(np.full(len(bins), True)),
        ]
    )
    return np.array(rows).tolist()


def summed(rows: np.ndarray, classes: int) -> np.ndarray:
    """Rows of many pictures, (n, 3 + 2 BINS), added up by class: (C + 1, 2 + 2 BINS), the
    background last.
    """
    sums = np.zeros((classes + 1, 2 + 2 * BINS))
    np.add.at(sums, rows[:, 0].astype(int), rows[:, 1:])
    return sums


def without_background(sums: np.ndarray) -> np.ndarray:
    """Intersection, union and true pixels of every class, (3, C), over the pixels that belong to a
    class.
    """
    true, given, hits = sums[:-1, 0], sums[:-1, 1], sums[:-1, 2 : 2 + BINS].sum(1)
    return np.stack([hits, true + given - hits, true])


def with_background(sums: np.ndarray) -> np.ndarray:
    """The same of every class and then of the background, over all pixels, at every threshold: (3,
    C + 1, K).
    """
    hits, given = sums[:, 2 : 2 + BINS], sums[:, 2 + BINS :]

    def at_thresholds(bins: np.ndarray) -> np.ndarray:
        below = np.cumsum(bins, axis=1)
        # classes: what reaches it; background: what does not
        return np.concatenate([below[:-1, -1:] - below[:-1, :-1], below[-1:, :-1]])

    hits, given, true = (
        at_thresholds(hits),
        at_thresholds(given),
        np.repeat(sums[:, :1], len(THRESHOLDS), axis=1),
    )
    return np.stack([hits, true + given - hits, true])


def miou(intersection: np.ndarray, union: np.ndarray, true: np.ndarray) -> float:
    """Mean over the classes with a true pixel, x100."""
    there = true > 0
    return 100 * math.fsum(intersection[there] / union[there]) / int(np.count_nonzero(there))
