"""How do scores of single maps become one number, also when several processes measure?

Functions of `localisation`, `miou` and `faithfulness` measure one map and return a row of numbers;
a meter (a `torchmetrics.Metric`) collects rows and `compute`s, over all processes if
torch.distributed is initialised. Means are sums without rounding error (`math.fsum`), so they do
not depend on the order of rows or on how many processes shared the work: equal to the last digit.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_auroc, multilabel_average_precision
from torchmetrics.utilities import dim_zero_cat

from ..results.maps import ranks
from .localisation import THRESHOLDS
from .map_scores import MapScores, PixelCounts
from .miou import HITS, TRUE, miou, summed, with_background, without_background

DRAWS = 1000  # of a bootstrap
TUNED_ON = 500  # scenes of Emoji World, the first
HALF = int(np.argmin(abs(THRESHOLDS - 0.5)))  # place of 0.5 among the thresholds


def mean(values: np.ndarray) -> float:
    """Mean without rounding error of the values that are not NaN; NaN if there is none."""
    known = values[~np.isnan(values)].tolist()
    return math.fsum(known) / len(known) if known else math.nan


def best_of(curve: list[float]) -> int:
    """Place of the best threshold; the lowest of several."""
    return int(np.argmax(curve))


class RowMeter(Metric):
    """Rows of numbers (n, C), kept until they are asked for."""

    full_state_update = False  # torchmetrics: what is kept does not depend on what was kept before
    rows: list[Tensor]

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.add_state("rows", default=[], dist_reduce_fx="cat")

    def update(self, rows: object) -> None:
        """Add rows (n, C)."""
        self.rows.append(torch.from_numpy(np.array(rows, dtype=np.float64)))

    def table(self) -> np.ndarray:
        """All rows (n, C) so far."""
        return dim_zero_cat(self.rows).cpu().numpy()

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """The image's half (n,), 0 or 1, that stands in front of every row, and the rest (n, C)."""
        half, numbers = np.split(self.table(), [1], axis=1)
        return half[:, 0], numbers


class MeanMeter(RowMeter):
    """Mean of every column, NaN left out."""

    def compute(self) -> list[float]:
        """(C,) means."""
        return [mean(column) for column in self.table().T]


class LocalisationMeter(RowMeter):
    """mSC, mIoU and their kin over all (image, text) pairs, in per cent.

    Rows are `localise(...).row()` with the image's half, 0 or 1, in front. The threshold of "mIoU
    at best of other half" is chosen on the other half's images, so no image is scored at a
    threshold that it helped to choose; "oracle" is chosen on the very pairs it scores.
    """

    def compute(self) -> dict[str, object]:
        """Measure -> number; thresholds that were chosen stand beside their mIoU."""
        half, numbers = self.halves()
        of = MapScores.columns(numbers)
        curve = [mean(column) for column in of.iou_curve.T]
        fitted, chosen = self._cross_fitted(half, of.iou_curve)
        # an undefined contrast (a mask that covers everything) is neither below nor above
        below = np.where(np.isnan(of.contrast), np.nan, of.contrast < 0)
        return {
            "pairs": len(numbers),
            "mSC": mean(of.contrast),
            "upside down": 100 * mean(below),
            "object contrast": mean(of.object_contrast),
            "mIoU at 0.5": mean(of.iou_half),
            "mIoU at mean": mean(of.iou_mean),
            "mIoU at otsu": mean(of.iou_otsu),
            "mIoU at best of other half": mean(fitted),
            "thresholds of the halves": chosen,
            "mIoU at oracle": max(curve),
            "oracle threshold": float(THRESHOLDS[best_of(curve)]),
            "pointing": mean(of.pointing),
            "energy": mean(of.energy),
            "AP": mean(of.average_precision),
            "pixel accuracy at 0.5": mean(of.accuracy),
        }

    @staticmethod
    def _cross_fitted(half: np.ndarray, curves: np.ndarray) -> tuple[np.ndarray, list[float]]:
        """IoU (n,) of every pair at the threshold that is best for the other half, and the
        thresholds used on the two halves.
        """
        fitted, chosen = np.full(len(curves), np.nan), []
        for side in (0, 1):
            others = curves[half != side]
            if not len(others):
                chosen.append(math.nan)
                continue
            best = best_of([mean(column) for column in others.T])
            chosen.append(float(THRESHOLDS[best]))
            fitted[half == side] = curves[half == side, best]
        return fitted, chosen


class ImageNetSegmentationMeter(RowMeter):
    """ImageNet-Segmentation's three numbers, in per cent; rows are `imagenet_segmentation(...)`,
    one per image.

    Pixels are summed over the data set before they are divided; the average precision is a mean
    over images.
    """

    def compute(self) -> dict[str, float]:
        """Pixel accuracy, mIoU of background and foreground, mAP."""
        of = PixelCounts(*self.table().T)
        total = PixelCounts(*(math.fsum(column) for column in of))
        background = total.background_both / total.background_either
        foreground = total.object_both / total.object_either
        return {
            "pixel accuracy": 100 * total.correct / total.labelled,
            "mIoU": 50 * (background + foreground),
            "mAP": mean(of.average_precision),
        }


class PresenceMeter(RowMeter):
    """AUROC x100 of evidence for present against absent labels, all images together.

    50 is chance; NaN if one side is missing. Rows are (evidence, 1 or 0).

    torchmetrics' AUROC, on ranks: it would squash evidence outside 0…1 through a sigmoid, where
    close values become equal.
    """

    def compute(self) -> dict[str, float]:
        """{"AUROC": number}."""
        evidence, present = self.table().T
        if present.all() or not present.any():
            return {"AUROC": math.nan}
        places, truth = torch.from_numpy(_places(evidence)), torch.from_numpy(present).long()
        return {"AUROC": 100 * float(binary_auroc(places, truth))}


class RecognitionMeter(RowMeter):
    """mAP x100: the average precision of ranking images by their score for a class, mean over
    classes that are in some image.

    Rows are (scores of all C classes, 1 or 0 for each), one per image. torchmetrics' average
    precision, on ranks for the reason given with `PresenceMeter`.
    """

    def compute(self) -> dict[str, float]:
        """mAP, and of how many classes it is the mean."""
        scores, present = np.split(self.table(), 2, axis=1)
        shown = present.any(0)
        places = np.stack([_places(column) for column in scores[:, shown].T], axis=1)
        truth = present[:, shown].astype(int)
        found = multilabel_average_precision(
            torch.from_numpy(places), torch.from_numpy(truth), truth.shape[1], average="none"
        )
        # of a single class torchmetrics returns a number without a dimension
        return {"mAP": 100 * mean(found.double().numpy().reshape(-1)), "classes": int(shown.sum())}


class SegmentationMeter(RowMeter):
    """Semantic mIoU in per cent: pixels are summed over the data set for each class, then divided,
    then averaged over classes.

    Rows are `miou.counts(...)` with the image's half, 0 or 1, in front. The mean goes over the
    classes (and the background, where it counts) that have a pixel in the truth of the measured
    images. The threshold of "best of other half" is chosen as in `LocalisationMeter`.
    """

    def compute(self) -> dict[str, object]:
        """Measure -> number; "by threshold" holds the mIoU with background at each of `THRESHOLDS`;
        none of these without a background.
        """
        half, numbers = self.halves()
        classes = 1 + int(numbers[:, 0].max())
        sides = [summed(numbers[half == side], classes) for side in (0, 1)]
        both = sum(sides)
        of_classes, of_background = both[:-1], both[-1]
        found = {
            "classes": int((of_classes[:, TRUE] > 0).sum()),
            "mIoU": miou(*without_background(both)),
            "pixel accuracy": 100 * float(of_classes[:, HITS].sum() / of_classes[:, TRUE].sum()),
        }
        if not of_background[TRUE]:
            return found
        curve = _curve(both)
        best = best_of(curve)
        return {
            **found,
            **self._cross_fitted(*sides),
            "with background at 0.5": curve[HALF],
            "with background at oracle": curve[best],
            "oracle threshold": float(THRESHOLDS[best]),
            "by threshold": curve,
        }

    @staticmethod
    def _cross_fitted(one: np.ndarray, other: np.ndarray) -> dict[str, object]:
        """mIoU of both halves together, each cut at the threshold that is best for the other."""
        fitted, chosen = math.nan, [math.nan, math.nan]
        if one[:, TRUE].any() and other[:, TRUE].any():
            cuts = best_of(_curve(other)), best_of(_curve(one))
            cut = [with_background(sums)[..., at] for sums, at in zip((one, other), cuts)]
            fitted = miou(*sum(cut))
            chosen = [float(THRESHOLDS[at]) for at in cuts]
        return {"with background at best of other half": fitted, "thresholds of the halves": chosen}


class WordsMeter(RowMeter):
    """Do words point at their own thing? Per cent of hits, with errors.

    Rows are those of `word_scores` with the picture's place in the data set in front. An error is
    the standard deviation of `DRAWS` means over pictures that are drawn with replacement, as rows
    of one picture are no independent trials.
    """

    def compute(self) -> dict[str, float]:
        """Measure -> per cent, and "… error" -> its error; NaN where nothing was asked."""
        table = self.table()
        place, objects, noun, presence, peak, trough = table[np.argsort(table[:, 0])].T
        answers = {
            "present above absent": presence,
            "present above absent, one thing": np.where(objects == 1, presence, np.nan),
        }
        for count, words in ((2, "two"), (3, "three")):
            for name, hits in (("right object", noun), ("peak", peak), ("trough", trough)):
                answers[f"{name} of {words}"] = np.where(objects == count, hits, np.nan)
        found = {}
        for name, hits in answers.items():
            found[name], found[f"{name} error"] = 100 * mean(hits), 100 * bootstrap(place, hits)
        return found


class RefinedMeter(RowMeter):
    """IoU of masks before and after refinement, in per cent, means over objects.

    Rows are those of `refined` with the picture's place in the data set in front. GrabCut's
    thresholds were chosen on Emoji World's first `TUNED_ON` scenes, so those behind them stand
    alone, too; and so do objects that the map's peak misses, of which a sharp mask persuades most.
    """

    def compute(self) -> dict[str, float]:
        """Measure -> number; NaN where there is nothing to average."""
        table = self.table()
        place, plain, grabcut, pamr, points, right, pointing = table[np.argsort(table[:, 0])].T
        ways = {"plain": plain, "grabcut": grabcut, "pamr": pamr}
        subsets = {
            "": np.ones(len(place), bool),
            ", later scenes": place >= TUNED_ON,
            ", peak elsewhere": pointing == 0,
        }
        found = {
            f"{way}{name}": mean(values[of]) if of.any() else math.nan
            for name, of in subsets.items()
            for way, values in ways.items()
        }
        return {
            **found,
            "points": mean(points),
            "right points": 100 * mean(right),
            "peak elsewhere": 100 * mean(1 - pointing),
            "made worse": 100 * mean(np.where(np.isnan(plain), np.nan, grabcut < plain)),
        }


def bootstrap(place: np.ndarray, hits: np.ndarray) -> float:
    """Standard deviation of the mean of hits over pictures drawn with replacement."""
    known = ~np.isnan(hits)
    _, picture = np.unique(place[known], return_inverse=True)
    if not len(picture):
        return math.nan
    of_each = np.bincount(picture, hits[known]), np.bincount(picture)
    drawn = np.random.default_rng(0).integers(len(of_each[0]), size=(DRAWS, len(of_each[0])))
    right, asked = (sums[drawn].sum(1) for sums in of_each)
    return float(np.std(right / asked))


def _curve(sums: np.ndarray) -> list[float]:
    """mIoU with background at every threshold."""
    return [miou(*at) for at in np.moveaxis(with_background(sums), -1, 0)]


def _places(values: np.ndarray) -> np.ndarray:
    """Places in the order of all values, between 0 and 1; equal ones share theirs, and what is not
    known (NaN) comes first: it is evidence of nothing.
    """
    return (ranks(np.nan_to_num(values, nan=-np.inf)) - 0.5) / len(values)
