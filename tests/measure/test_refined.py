"""What is counted of refinement is what one counts by hand, over any number of processes."""

import math

import numpy as np
import pytest

import clipxai as cx
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.localisation import iou
from clipxai.measure.meters import RefinedMeter
from clipxai.measure.refined import FIELDS, refined
from clipxai.measure.summary import summary


@pytest.fixture(scope="module")
def two():
    return cx.scenes.compose(["dog", "ice cream"], "grass", seed=1)


def test_rows_by_hand(embedded, two):
    texts = ["a photo of a dog", "a photo of an ice cream", "a photo of a bus"]
    e = cx.explain(cx.record(embedded, two.image, texts), "clip_surgery")
    ignore = np.zeros(two.masks.shape[1:], bool)
    ignore[:, ::3] = True
    rows = refined(e, 2, two.masks, ignore)
    for n, (row, mask) in enumerate(zip(rows, two.masks)):
        said = dict(zip(FIELDS, row))
        for by in ("grabcut", "pamr"):
            made = cx.refine(e, by, texts[:2]).mask(texts[n])
            assert said[by] == iou(made[~ignore], mask[~ignore])
        assert said["plain"] == iou(e.mask(n)[~ignore], mask[~ignore])
        xy, labels = e.points(n)
        right = [mask[int(y), int(x)] == label for (x, y), label in zip(xy, labels)]
        assert (said["points"], said["right points"]) == (len(xy), np.mean(right))
        peak = np.unravel_index(np.argmax(e.heatmap(n)), mask.shape)
        assert said["pointing"] == (mask & ~ignore)[peak]
    hidden = np.zeros_like(two.masks)
    assert len(refined(e, 2, hidden, None)) == 1 and np.isnan(refined(e, 2, hidden, None)).all()


def test_a_mask_of_another_size_than_the_picture(embedded, two):
    e = cx.explain(cx.record(embedded, two.image, ["a photo of a dog"]), "clip_surgery")
    small = two.masks[:1, ::2, ::2]
    [row] = refined(e, 1, small, None)
    [full] = refined(e, 1, two.masks[:1], None)
    assert abs(row[1] - full[1]) < 6 and row[3] == full[3]


def test_means_and_subsets_by_hand():
    #        place plain grab pamr points right peak
    rows = [
        [3, 40, 60, 50, 4, 1.0, 1],
        [499, 20, 10, 20, 6, 0.5, 0],
        [500, 60, 90, 70, 8, 1.0, 1],
        [501, *[math.nan] * 6],
    ]
    meter = RefinedMeter()
    meter.update(rows[2:])
    meter.update(rows[:2])
    found = meter.compute()
    expected = {
        "plain": 40,
        "grabcut": 160 / 3,
        "pamr": 140 / 3,
        "plain, later scenes": 60,
        "grabcut, later scenes": 90,
        "plain, peak elsewhere": 20,
        "grabcut, peak elsewhere": 10,
        "points": 6,
        "right points": 250 / 3,
        "peak elsewhere": 100 / 3,
        "made worse": 100 / 3,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value), name


def test_in_a_run(embedded):
    bench = Bench(embedded, dataset("emoji-world"), ["clip_surgery", "clip"], ["refined"])
    rows = [bench.measure(name) for name in bench.data.ids[:6]]
    found = summary(bench, rows)["scores"]
    assert found["clip_surgery"]["refined"]["grabcut"] > found["clip"]["refined"]["grabcut"]
    assert math.isnan(found["clip"]["refined"]["plain, later scenes"])
