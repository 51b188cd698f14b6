"""How do scores of single maps become one number, also when several processes measure?
`torchmetrics.Metric`s.

Functions of `localisation`, `inside` and `faithfulness` measure one map and return a row of
numbers; a meter collects rows and `compute`s, over all processes if torch.distributed is
initialised. Means are sums without rounding error (`math.fsum`), so they do not depend on the order
of rows or on how many processes shared the work: equal to the last digit.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_auroc, multilabel_average_precision
from torchmetrics.utilities import dim_zero_cat

from .localisation import CUTS, FIELDS, THRESHOLDS
from .miou import BINS, miou, summed, with_background, without_background


def mean(values: np.ndarray) -> float:
    """Mean without rounding error of the values that are not NaN; NaN if there is none."""
    known = values[~np.isnan(values)].tolist()
    return math.fsum(known) / len(known) if known else math.nan


class Rows(Metric):
    """Rows of numbers (n, C), kept until they are asked for."""

    full_state_update = False
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


class Means(Rows):
    """Mean of every column, NaN left out."""

    def compute(self) -> list[float]:
        """(C,) means."""
        return [mean(column) for column in self.table().T]


class Localisation(Rows):
    """mSC, mIoU and their kin over all (image, text) pairs, in per cent.

    Rows are `localise(...)` with the image's half, 0 or 1, in front. The threshold of "mIoU at best
    of other half" is chosen on the other half's images, so no image is scored at a threshold that
    it helped to choose; "oracle" is chosen on the very pairs it scores.
    """

    def compute(self) -> dict[str, float]:
        """Measure -> number; thresholds that were chosen stand beside their mIoU."""
        half, numbers = np.split(self.table(), [1], axis=1)
        of = dict(zip(FIELDS, numbers.T))
        curves = numbers[:, -len(THRESHOLDS) :]
        best = int(np.argmax([mean(column) for column in curves.T]))
        fitted, chosen = self._cross_fitted(half[:, 0], curves)
        return {
            "pairs": len(numbers),
            "mSC": mean(of["contrast"]),
            "upside down": 100 * mean((of["contrast"] < 0).astype(float)),
            "object contrast": mean(of["object contrast"]),
            **{f"mIoU at {cut}": mean(of[f"IoU at {cut}"]) for cut in CUTS},
            "mIoU at best of other half": mean(fitted),
            "thresholds of the halves": chosen,
            "mIoU at oracle": mean(curves[:, best]),
            "oracle threshold": float(THRESHOLDS[best]),
            "pointing": mean(of["pointing"]),
            "energy": mean(of["energy"]),
            "AP": mean(of["AP"]),
            "pixel accuracy at 0.5": mean(of["accuracy"]),
        }

    @staticmethod
    def _cross_fitted(half: np.ndarray, curves: np.ndarray) -> tuple[np.ndarray, list[float]]:
        """IoU (n,) of every pair at the threshold that is best for the other half, and the
        thresholds used on the two halves.
        """
        fitted, chosen = np.full(len(curves), np.nan), []
        for side in (0, 1):
            others = curves[half != side]
            best = int(np.argmax([mean(column) for column in others.T])) if len(others) else None
            chosen.append(math.nan if best is None else float(THRESHOLDS[best]))
            if best is not None:
                fitted[half == side] = curves[half == side, best]
        return fitted, chosen


class ImageNetSegmentation(Rows):
    """ImageNet-Segmentation's three numbers, in per cent; rows are `imagenet_segmentation(...)`,
    one per image.

    Pixels are summed over the data set before they are divided; the average precision is a mean
    over images.
    """

    def compute(self) -> dict[str, float]:
        """Pixel accuracy, mIoU of background and foreground, mAP."""
        correct, labelled, *shares, precision = self.table().T
        shared_0, union_0, shared_1, union_1 = (math.fsum(column) for column in shares)
        return {
            "pixel accuracy": 100 * math.fsum(correct) / math.fsum(labelled),
            "mIoU": 50 * (shared_0 / union_0 + shared_1 / union_1),
            "mAP": mean(precision),
        }


class Presence(Rows):
    """AUROC x100 of evidence for present against absent labels, all images together; 50 is chance;
    NaN if one side is missing.

    Rows are (evidence, 1 or 0).

    torchmetrics' AUROC, on ranks: it would squash evidence outside 0…1 through a sigmoid, where
    close values become equal.
    """

    def compute(self) -> dict[str, float]:
        """{"AUROC": number}."""
        evidence, present = self.table().T
        if present.all() or not present.any():
            return {"AUROC": math.nan}
        return {
            "AUROC": 100
            * float(
                binary_auroc(torch.from_numpy(_ranks(evidence)), torch.from_numpy(present).long())
            )
        }


class Recognition(Rows):
    """mAP x100: the average precision of ranking images by their score for a class, mean over
    classes that are in some image.

    Rows are (scores of all C classes, 1 or 0 for each), one per image. torchmetrics' average
    precision, on ranks as above.
    """

    def compute(self) -> dict[str, float]:
        """mAP, and of how many classes it is the mean."""
        scores, present = np.split(self.table(), 2, axis=1)
        shown = present.any(0)
        ranks, truth = (
            np.stack([_ranks(column) for column in scores[:, shown].T], axis=1),
            present[:, shown].astype(int),
        )
        found = multilabel_average_precision(
            torch.from_numpy(ranks), torch.from_numpy(truth), truth.shape[1], average="none"
        )
        return {"mAP": 100 * mean(found.double().numpy().reshape(-1)), "classes": int(shown.sum())}


class Segmentation(Rows):
    """Semantic mIoU in per cent: pixels are summed over the data set for each class, then divided,
    then averaged over classes.

    Rows are `segmentation.counts(...)` with the image's half, 0 or 1, in front. The mean goes over
    the classes (and the background, where it counts) that have a pixel in the truth of the measured
    images. The threshold of "best of other half" is chosen as in `Localisation`.
    """

    def compute(self) -> dict[str, object]:
        """Measure -> number; "by threshold" holds the mIoU with background at each of `THRESHOLDS`;
        none of these without a background.
        """
        half, numbers = np.split(self.table(), [1], axis=1)
        sides = [
            summed(numbers[half[:, 0] == side], 1 + int(numbers[:, 0].max())) for side in (0, 1)
        ]
        both = sum(sides)
        found = {
            "classes": int((both[:-1, 0] > 0).sum()),
            "mIoU": miou(*without_background(both)),
            "pixel accuracy": 100 * float(both[:-1, 2 : 2 + BINS].sum() / both[:-1, 0].sum()),
        }
        if not both[-1, 0]:
            return found
        curve = _curve(both)
        best = int(np.argmax(curve))
        return (
            found
            | self._cross_fitted(*sides)
            | {
                "with background at 0.5": curve[int(np.argmin(abs(THRESHOLDS - 0.5)))],
                "with background at oracle": curve[best],
                "oracle threshold": float(THRESHOLDS[best]),
                "by threshold": curve,
            }
        )

    @staticmethod
    def _cross_fitted(one: np.ndarray, other: np.ndarray) -> dict[str, object]:
        """mIoU of both halves together, each cut at the threshold that is best for the other."""
        fitted, chosen = math.nan, [math.nan, math.nan]
        if one[:, 0].any() and other[:, 0].any():
            at, at_other = int(np.argmax(_curve(other))), int(np.argmax(_curve(one)))
            fitted = miou(*(with_background(one)[..., at] + with_background(other)[..., at_other]))
            chosen = [float(THRESHOLDS[at]), float(THRESHOLDS[at_other])]
        return {"with background at best of other half": fitted, "thresholds of the halves": chosen}


def _curve(sums: np.ndarray) -> list[float]:
    """mIoU with background at every threshold."""
    return [miou(*at) for at in np.moveaxis(with_background(sums), -1, 0)]


def _ranks(values: np.ndarray) -> np.ndarray:
    """Places in the order of all values, 0…1; equal ones share theirs."""
    order = np.sort(values)
    return (np.searchsorted(order, values) + np.searchsorted(order, values, side="right")) / (
        2 * len(order)
    )
