"""How do scores of single maps become one number, also when several processes measure? `torchmetrics.Metric`s.

Functions of `localisation`, `inside` and `faithfulness` measure one map and return a row of numbers; a meter collects rows and
`compute`s, over all processes if torch.distributed is initialised. Means are sums without rounding error (`math.fsum`), so they do not
depend on the order of rows or on how many processes shared the work: equal to the last digit.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.functional.classification import binary_auroc
from torchmetrics.utilities import dim_zero_cat

from .localisation import CUTS, FIELDS, THRESHOLDS


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

    Rows are `localise(...)` with the image's half, 0 or 1, in front. The threshold of "mIoU at best of other half" is chosen on the other
    half's images, so no image is scored at a threshold that it helped to choose; "oracle" is chosen on the very pairs it scores.
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
        """IoU (n,) of every pair at the threshold that is best for the other half, and the thresholds used on the two halves."""
        fitted, chosen = np.full(len(curves), np.nan), []
        for side in (0, 1):
            others = curves[half != side]
            best = int(np.argmax([mean(column) for column in others.T])) if len(others) else None
            chosen.append(math.nan if best is None else float(THRESHOLDS[best]))
            if best is not None:
                fitted[half == side] = curves[half == side, best]
        return fitted, chosen


class ImageNetSegmentation(Rows):
    """ImageNet-Segmentation's three numbers, in per cent; rows are `imagenet_segmentation(...)`, one per image.

    Pixels are summed over the data set before they are divided; the average precision is a mean over images.
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
    """AUROC x100 of evidence for present against absent labels, all images together; 50 is chance; NaN if one side is missing.

    Rows are (evidence, 1 or 0).

    torchmetrics' AUROC, on ranks: it would squash evidence outside 0…1 through a sigmoid, where close values become equal.
    """

    def compute(self) -> dict[str, float]:
        """{"AUROC": number}."""
        evidence, present = self.table().T
        if present.all() or not present.any():
            return {"AUROC": math.nan}
        order = np.sort(evidence)
        ranks = (np.searchsorted(order, evidence) + np.searchsorted(order, evidence, side="right")) / (2 * len(order))
        return {"AUROC": 100 * float(binary_auroc(torch.from_numpy(ranks), torch.from_numpy(present).long()))}
