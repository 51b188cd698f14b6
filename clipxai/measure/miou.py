"""How much of every class was found? Pixels counted in one picture, so that they can be summed over
a data set before they are divided.

A mean of per-picture IoUs would let a class count more in pictures where it is small; the field
sums first, and so does this.

Axes: C classes, K thresholds, one bin of confidence more: bin k holds the pixels between threshold
k - 1 and threshold k.
"""

import math

import numpy as np

from .localisation import THRESHOLDS
from .samples import Sample

BINS = len(THRESHOLDS) + 1
BEHIND, UNCOUNTED = -1, -2  # in a true label map: of no class of the list; without a truth

# Columns of sums by class (C + 1, 2 + 2 BINS); `counts` puts the number of the class in front.
TRUE = 0  # pixels that are of it
GIVEN = 1  # pixels given to it that are of some class
HITS = slice(2, 2 + BINS)  # its pixels that were given to it, by bins of confidence
GIVEN_BINS = slice(2 + BINS, 2 + 2 * BINS)  # all pixels given to it, by bins


def truth(sample: Sample) -> np.ndarray:
    """(H, W) int16, the class of every pixel, `BEHIND` or `UNCOUNTED`.

    Where masks overlap, as COCO's do, the smaller is on top: a cup is not to vanish in its table.
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
    found : (H, W) class of every pixel, as if there were no background; -1 for none
    confidence : (H, W) what a threshold would cut, 0…1; NaN where the model did not look
    true : (H, W) from `truth`

    Returns
    -------
    Rows of 3 + 2 BINS: number of the class, then the columns `TRUE`, `GIVEN`, `HITS`,
    `GIVEN_BINS`. Of the background (`BEHIND`) nothing is given before a threshold is chosen: its
    `HITS` are its true pixels by bins, its `GIVEN_BINS` all pixels by bins.
    """
    counted = (true != UNCOUNTED) & ~np.isnan(confidence)
    found, true, bins = found[counted], true[counted], np.digitize(confidence[counted], THRESHOLDS)

    def by_bins(chosen: np.ndarray) -> np.ndarray:
        return np.bincount(bins[chosen], minlength=BINS)

    rows = []
    for number in np.union1d(found[found >= 0], true[true >= 0]).tolist():
        given, its = found == number, true == number
        pixels = [np.count_nonzero(its), np.count_nonzero(given & (true >= 0))]
        rows.append([number, *pixels, *by_bins(given & its), *by_bins(given)])
    behind, everywhere = true == BEHIND, np.full(len(bins), True)
    rows.append([BEHIND, np.count_nonzero(behind), 0, *by_bins(behind), *by_bins(everywhere)])
    return np.array(rows).tolist()


def summed(rows: np.ndarray, classes: int) -> np.ndarray:
    """Rows of many pictures, (n, 3 + 2 BINS), added up by class: (C + 1, 2 + 2 BINS), the
    background last.
    """
    sums = np.zeros((classes + 1, 2 + 2 * BINS))
    # the background's number, -1, is the last row; add.at, since a class stands in many rows
    np.add.at(sums, rows[:, 0].astype(int), rows[:, 1:])
    return sums


def without_background(sums: np.ndarray) -> np.ndarray:
    """Intersection, union and true pixels of every class, (3, C), over the pixels that belong to a
    class.
    """
    of_classes = sums[:-1]
    true, given, hits = of_classes[:, TRUE], of_classes[:, GIVEN], of_classes[:, HITS].sum(1)
    return np.stack([hits, true + given - hits, true])


def with_background(sums: np.ndarray) -> np.ndarray:
    """The same of every class and then of the background, over all pixels, at every threshold: (3,
    C + 1, K).
    """
    hits, given = _at_thresholds(sums[:, HITS]), _at_thresholds(sums[:, GIVEN_BINS])
    true = np.repeat(sums[:, TRUE : TRUE + 1], len(THRESHOLDS), axis=1)
    return np.stack([hits, true + given - hits, true])


def _at_thresholds(bins: np.ndarray) -> np.ndarray:
    """(C + 1, BINS) to (C + 1, K): of a class what reaches the threshold, of the background what
    does not.
    """
    below = np.cumsum(bins, axis=1)
    of_classes = below[:-1, -1:] - below[:-1, :-1]
    of_background = below[-1:, :-1]
    return np.concatenate([of_classes, of_background])


def miou(intersection: np.ndarray, union: np.ndarray, true: np.ndarray) -> float:
    """Mean over the classes with a true pixel, x100."""
    there = true > 0
    return 100 * math.fsum(intersection[there] / union[there]) / int(np.count_nonzero(there))
