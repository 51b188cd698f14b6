"""Meters against sums by hand, in any order, and over two processes."""

import math
import os
from fractions import Fraction

import numpy as np
import pytest
import torch.distributed as dist
from two_processes import by_two

from clipxai.measure.localisation import THRESHOLDS
from clipxai.measure.map_scores import MapScores
from clipxai.measure.meters import (
    ImageNetSegmentationMeter,
    LocalisationMeter,
    MeanMeter,
    PresenceMeter,
    RecognitionMeter,
    SegmentationMeter,
)

K = len(THRESHOLDS)


def pairs(count=40, seed=0):
    """Rows with a half in front, as `bench` makes them."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(30, 20, (count, len(MapScores._fields) + K))
    rows[:, 0] = np.arange(count) % 2
    return rows


def segmented(count):
    """Rows of pictures with five classes and a background, and of recognition among four
    classes.
    """
    rng = np.random.default_rng(1)
    counted = rng.integers(0, 50, (count, 6, 4 + 2 * (K + 1)))
    counted[:, :, 0], counted[:, :, 1] = np.arange(count)[:, None] % 2, [0, 1, 2, 3, 4, -1]
    return counted, np.column_stack([rng.normal(size=(count, 4)), rng.random((count, 4)) < 0.4])


def test_means_are_exact_and_know_no_order():
    rows = np.array([[1e16, np.nan], [1.0, 2.0], [-1e16, 4.0]])
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        meter = MeanMeter()
        for n in order:
            meter.update(rows[n : n + 1])
        # a plain sum gives 0 for the first in some orders
        assert meter.compute() == [float(Fraction(1, 3)), 3.0]


def test_localisation_by_hand():
    rows = pairs()
    meter = LocalisationMeter()
    for few in np.array_split(rows, 7):
        meter.update(few)
    found = meter.compute()
    column = dict(zip(("half", *MapScores._fields), rows.T))
    assert found["pairs"] == 40 and found["mSC"] == pytest.approx(column["contrast"].mean())
    assert found["upside down"] == pytest.approx(100 * (column["contrast"] < 0).mean())
    curves = rows[:, -K:]
    oracle = max(range(K), key=lambda k: curves[:, k].mean())
    assert (
        found["mIoU at oracle"] == pytest.approx(curves[:, oracle].mean())
        and found["oracle threshold"] == THRESHOLDS[oracle]
    )
    honest, chosen = [], []
    for half in (0, 1):
        best = max(range(K), key=lambda k: curves[column["half"] != half][:, k].mean())
        chosen.append(THRESHOLDS[best])
        honest += curves[column["half"] == half][:, best].tolist()
    assert found["thresholds of the halves"] == chosen
    assert (
        found["mIoU at best of other half"] == pytest.approx(np.mean(honest))
        and np.mean(honest) <= found["mIoU at oracle"]
    )


def test_an_undefined_contrast_is_not_upside_down_and_not_right():
    """A mask that covers the whole picture leaves nothing to compare it with."""
    rows = pairs(4)
    rows[:, 1 + MapScores._fields.index("contrast")] = [-10, math.nan, 10, 20]
    meter = LocalisationMeter()
    meter.update(rows)
    assert meter.compute()["upside down"] == pytest.approx(100 / 3)


def test_a_single_image_has_no_other_half():
    meter = LocalisationMeter()
    meter.update(pairs(1))
    assert math.isnan(meter.compute()["mIoU at best of other half"])


def test_imagenet_segmentation_divides_sums():
    meter = ImageNetSegmentationMeter()
    meter.update([[90, 100, 80, 90, 10, 20, 70]])
    meter.update([[10, 100, 0, 50, 10, 100, 50]])
    assert meter.compute() == {
        "pixel accuracy": 50.0,
        "mIoU": pytest.approx(50 * (80 / 140 + 20 / 120)),
        "mAP": 60.0,
    }


def test_presence_counts_pairs_in_order():
    rng = np.random.default_rng(0)
    # ties, and far outside 0...1
    rows = np.column_stack([np.round(rng.normal(size=60), 1) - 7, rng.random(60) < 0.4])
    meter = PresenceMeter()
    meter.update(rows)
    yes, no = rows[rows[:, 1] == 1, 0], rows[rows[:, 1] == 0, 0]
    won = np.mean([(a > b) + 0.5 * (a == b) for a in yes for b in no])
    assert meter.compute()["AUROC"] == pytest.approx(100 * won, abs=1e-4)
    close = PresenceMeter()
    close.update([[20 + 1e-9, 1], [20, 0]])  # a sigmoid in float32 would make these equal
    assert close.compute()["AUROC"] == 100
    unknown = PresenceMeter()
    unknown.update([[math.nan, 1], [0.1, 0], [0.2, 0], [0.3, 1]])
    assert unknown.compute()["AUROC"] == 50, "what is not known is evidence of nothing"
    only = PresenceMeter()
    only.update([[0.2, 1], [0.3, 1]])
    assert math.isnan(only.compute()["AUROC"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_add_up_to_one(tmp_path):
    def share():
        dist.init_process_group("gloo")
        localisation, segmentation = LocalisationMeter(), SegmentationMeter()
        recognition, (counted, ranked) = RecognitionMeter(), segmented(41)
        for n in range(dist.get_rank(), 41, 2):  # 21 pictures here, 20 there
            localisation.update(pairs(41)[n : n + 1])
            segmentation.update(counted[n])
            recognition.update(ranked[n : n + 1])
        found = [meter.compute() for meter in (localisation, segmentation, recognition)]
        if dist.get_rank() == 1:
            print(repr(found))
        dist.destroy_process_group()

    done = by_two(share, tmp_path)
    assert done.returncode == 0, done.stderr
    counted, ranked = segmented(41)
    alone = []
    for meter, rows in (
        (LocalisationMeter(), pairs(41)),
        (SegmentationMeter(), counted.reshape(41 * 6, -1)),
        (RecognitionMeter(), ranked),
    ):
        meter.update(rows[::-1])
        alone.append(meter.compute())
    assert done.stdout.strip() == repr(alone)  # to the last digit
