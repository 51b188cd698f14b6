"""Segmentation and recognition over a data set: against loops over pixels, torchmetrics, and other
orders of the same pictures.
"""

import json
import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_jaccard_index

import clipxai as cx
from clipxai.cli import main
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.localisation import THRESHOLDS
from clipxai.measure.meters import RecognitionMeter, SegmentationMeter
from clipxai.measure.miou import BEHIND, UNCOUNTED, counts, truth
from clipxai.measure.run import run
from clipxai.measure.samples import Dataset, Sample
from clipxai.measure.summary import summary

C, SIZE = 5, (12, 17)


def pictures(count=8, seed=0, background=True):
    """(found, confidence, true) of made-up pictures; the last class is never true."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        true = rng.integers(UNCOUNTED if background else 0, C - 1, SIZE)
        found = np.where(rng.random(SIZE) < 0.6, np.maximum(true, 0), rng.integers(0, C, SIZE))
        yield found, rng.random(SIZE).astype(np.float32), true


def measured(several):
    meter = SegmentationMeter()
    for n, picture in enumerate(several):
        meter.update([[n % 2, *row] for row in counts(*picture)])
    return meter.compute()


def jaccard(found, true, classes):
    """mIoU by torchmetrics over all pixels of all pictures, of the classes that are true
    somewhere.
    """
    found, true = torch.from_numpy(np.array(found)), torch.from_numpy(np.array(true))
    each = multiclass_jaccard_index(found, true, classes, average="none", ignore_index=UNCOUNTED)
    return 100 * float(each[[n for n in range(classes) if (true == n).any()]].double().mean())


def test_without_background_against_torchmetrics():
    several = [*pictures()]
    found, _, true = zip(*several)
    assert measured(several)["mIoU"] == pytest.approx(
        jaccard(found, [np.where(t == BEHIND, UNCOUNTED, t) for t in true], C), rel=1e-5
    )
    hits = sum(((f == t) & (t >= 0)).sum() for f, t in zip(found, true)) / sum(
        (t >= 0).sum() for t in true
    )
    assert (
        measured(several)["pixel accuracy"] == pytest.approx(100 * hits)
        and measured(several)["classes"] == C - 1
    )


def cut(several, threshold):
    """(found, true) with the background as class C."""
    found = [np.where(confidence < threshold, C, f) for f, confidence, _ in several]
    return found, [np.where(t == BEHIND, C, t) for _, _, t in several]


def test_with_background_against_torchmetrics_at_every_threshold():
    several = [*pictures()]
    result = measured(several)
    curve = [jaccard(*cut(several, threshold), C + 1) for threshold in THRESHOLDS]
    assert result["by threshold"] == pytest.approx(curve, rel=1e-5)
    assert result["with background at oracle"] == pytest.approx(max(curve), rel=1e-5)
    assert result["oracle threshold"] == THRESHOLDS[np.argmax(curve)]
    assert (
        result["with background at 0.5"] == pytest.approx(curve[9], rel=1e-5)
        and THRESHOLDS[9] == 0.5
    )
    best = [
        max(THRESHOLDS, key=lambda at, half=half: jaccard(*cut(several[half::2], at), C + 1))
        for half in (0, 1)
    ]
    assert result["thresholds of the halves"] == best[::-1]
    parts = [cut([picture], best[1 - n % 2]) for n, picture in enumerate(several)]
    fitted = jaccard(
        [f for found, _ in parts for f in found], [t for _, true in parts for t in true], C + 1
    )
    assert result["with background at best of other half"] == pytest.approx(fitted, rel=1e-5)


def test_the_order_of_pictures_does_not_matter():
    several = [*pictures(9)]
    result, other = measured(several), measured(several[0::2][::-1] + several[1::2])
    # to the last digit
    assert result["mIoU"] == other["mIoU"] and result["by threshold"] == other["by threshold"]
    assert measured(several + several)["mIoU"] == pytest.approx(result["mIoU"])


def test_pictures_without_background_have_no_number_for_it():
    result = measured(pictures(background=False))
    assert "with background at 0.5" not in result and result["mIoU"] > 0
    one = measured([*pictures(1)])
    assert (
        math.isnan(one["with background at best of other half"])
        and one["with background at oracle"] > 0
    )


def test_what_the_model_did_not_see_is_not_counted():
    found, confidence, true = next(pictures(1))
    confidence[:, :5] = np.nan
    assert counts(found, confidence, true) == counts(found[:, 5:], confidence[:, 5:], true[:, 5:])


def test_pixels_that_are_given_to_no_class_are_missed():
    found, confidence, true = next(pictures(1))
    confidence[found == found[0, 0]], lost = 0, int(found[0, 0])
    given = {row[0]: row[1:] for row in counts(found, confidence, true)}
    none = {row[0]: row[1:] for row in counts(np.where(found == lost, -1, found), confidence, true)}
    assert none[lost] == [given[lost][0], *[0] * (len(given[lost]) - 1)]
    assert none[-1] == given[-1], "the background has one row"
    for other in set(given) - {lost}:
        assert none[other] == given[other]


def test_the_smaller_of_two_overlapping_masks_is_on_top():
    masks = np.zeros((2, 4, 4), bool)
    masks[0, 1:3, 1:3], masks[1, :, 1:] = True, True
    ignore = np.zeros((4, 4), bool)
    ignore[0] = True
    expected = [[-2, -2, -2, -2], [-1, 7, 7, 3], [-1, 7, 7, 3], [-1, 3, 3, 3]]
    assert truth(Sample(None, (7, 3), masks, ignore)).tolist() == expected


def test_map_is_the_mean_of_average_precisions_by_hand():
    rng = np.random.default_rng(0)
    present = rng.random((30, 6)) < 0.3
    present[:, 4] = False  # a class that is nowhere does not count
    scores = (rng.normal(size=(30, 6)) + present) * 40  # far outside 0…1
    meter = RecognitionMeter()
    for n in rng.permutation(30):
        meter.update([[*scores[n], *present[n]]])
    precisions = []
    for c in (0, 1, 2, 3, 5):
        order = np.argsort(-scores[:, c])
        hits = present[order, c]
        precisions.append((np.cumsum(hits) / np.arange(1, 31))[hits].mean())
    assert meter.compute() == {
        "mAP": pytest.approx(100 * np.mean(precisions), abs=1e-3),
        "classes": 5,
    }


def test_the_bench_measures_what_a_loop_measures(embedded, tmp_path):
    """Segmentation and recognition of a few scenes: `segment` and `recognise` on all classes,
    compared pixel by pixel.
    """
    bench = Bench(
        embedded,
        dataset("emoji-world"),
        ["clip_surgery_architecture"],
        ["segmentation", "given-labels", "recognition"],
    )
    scores = summary(bench, run(bench, tmp_path, limit=6))["scores"]
    scenes = [cx.scenes.sample(seed) for seed in range(6)]
    names, several, given, ranked, zero_shot = cx.scenes.class_names(), [], [], [], []
    spoken = cx.record(
        embedded, scenes[0].image, [f"a photo of {cx.scenes.noun(name)}" for name in names]
    )
    for scene in scenes:
        numbers = [names.index(name) for name in scene.objects]
        trace = cx.record(embedded, scene.image, list(spoken.texts))
        e = cx.explain(trace, "clip_surgery_architecture")
        found, true = cx.segment(e), truth(Sample(None, tuple(numbers), scene.masks))
        several.append((found.labels, found.confidence, true))
        heats = np.stack([e.heatmap(n) for n in numbers])
        given.append((np.array(numbers)[heats.argmax(0)], heats.max(0), true))
        there = np.isin(np.arange(len(names)), numbers)
        ranked.append([*e.scores.max((1, 2)), *there])
        zero_shot.append(
            [*embedded.probabilities(trace.pixels, list(spoken.texts))[0].tolist(), *there]
        )
    of = scores["clip_surgery_architecture"]
    for name, expected in (("segmentation", measured(several)), ("given-labels", measured(given))):
        for measure, value in expected.items():
            assert of[name][measure] == pytest.approx(value, abs=0.02), (name, measure)
    for row, table in (("clip_surgery_architecture", ranked), ("(class token)", zero_shot)):
        meter = RecognitionMeter()
        meter.update(table)
        assert scores[row]["recognition"] == pytest.approx(meter.compute(), abs=0.5)
    assert set(scores) == {
        "clip_surgery_architecture",
        "(class token)",
        "(class token, cosine)",
        "(class token, feature surgery)",
    }


def test_only_what_is_asked_for_is_measured(embedded, tmp_path):
    default = Bench(embedded, dataset("emoji-world"), ["clip"])
    # what benchmarks/leaderboard.md was made with
    assert default.metrics == ["localisation", "presence"]
    assert set(default.measure("0")["scores"]) == {"(class token)", "clip"}
    bare = Bench(embedded, dataset("emoji-world"), ["clip"], ["localisation"])
    assert set(bare.measure("0")["scores"]) == {"clip"}


def test_nameless_pictures_cannot_be_segmented_by_name(embedded):
    nameless = Dataset("imagenet-segmentation", ("dog",), "a photo of a {}.", ("0",), None)
    for metric in ("segmentation", "given-labels", "recognition", "presence"):
        with pytest.raises(ValueError, match=f"{metric} needs to know what is in a picture"):
            Bench(embedded, nameless, metrics=[metric])


def test_on_the_command_line(tmp_path, capsys):
    command = [
        "bench",
        "--limit",
        "3",
        "--methods",
        "clip_surgery",
        "--metrics",
        "segmentation,given-labels,recognition",
    ]
    assert main([*command, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "(class token, feature surgery)" in printed and "recognition" in printed
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["protocol"]["texts"].endswith("all 110 classes for recognition and segmentation")
    assert "Recognition, per cent: mean over classes" in (tmp_path / "leaderboard.md").read_text(
        encoding="utf-8"
    )
    assert "Segmentation, per cent: every pixel" in (tmp_path / "report.html").read_text(
        encoding="utf-8"
    )
