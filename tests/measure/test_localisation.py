"""Measures on maps whose score is known beforehand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.measure import (
    iou,
    iou_at,
    localisation,
    localisations,
    object_contrast,
    pointing_hit,
    score_contrast,
    zero_shot,
)
from clipxai.measure.card import figures
from clipxai.measure.localisation import (
    average_precision,
    energy_inside,
    pixel_accuracy,
)
from clipxai.measure.map_scores import imagenet_segmentation, localise
from clipxai.results.maps import otsu

MASK = np.zeros((10, 10), bool)
MASK[2:5, 3:7] = True


def test_perfect_opposite_and_constant_maps():
    perfect = MASK * 7.0 - 3
    assert score_contrast(perfect, MASK) == pytest.approx(100) and pointing_hit(perfect, MASK)
    assert score_contrast(-perfect, MASK) == pytest.approx(-100) and not pointing_hit(
        -perfect, MASK
    )
    assert score_contrast(np.ones((10, 10)), MASK) == 0
    assert iou_at(perfect, MASK, np.array([0.1, 0.5, 0.9])).tolist() == [100, 100, 100]
    assert iou_at(perfect, MASK, np.array([0.0])) == pytest.approx(12)


def test_iou():
    other = np.zeros_like(MASK)
    other[2:5, 5:9] = True
    assert iou(MASK, other) == pytest.approx(100 * 6 / 18)
    assert iou(MASK, ~MASK) == 0 and iou(~MASK & MASK, ~MASK & MASK) == 100


def test_object_contrast_needs_its_own_object():
    other = np.zeros_like(MASK)
    other[7:9, 7:9] = True
    assert object_contrast(MASK * 1.0, MASK, other) == pytest.approx(100)
    assert object_contrast(MASK * 1.0 + other, MASK, other) == pytest.approx(0)


def test_the_true_mask_as_a_map_scores_full_marks(embedded):
    scenes = [cx.scenes.sample(seed) for seed in range(8)]
    at = iter(scenes)

    def cheat(trace):
        masks = next(at).masks.astype(np.float32)
        grid = cx.Grid(112, 112, (112, 112), (0, 0, 112, 112))
        return cx.Explanation(
            masks, trace.texts, "cheat", grid, "mask", trace.images[0], np.zeros(len(masks))
        )

    score = localisation(embedded, scenes, cheat)
    assert (
        score.msc == pytest.approx(100)
        and score.upside_down == 0
        and score.miou_half == pytest.approx(100)
        and score.pointing == 100
    )
    assert score.pairs == sum(len(scene.objects) for scene in scenes)


def test_an_untrained_model_guesses(embedded):
    state = {name: tensor.clone() for name, tensor in embedded.state_dict().items()}
    scenes = [cx.scenes.sample(seed) for seed in range(60)]
    trained = zero_shot(embedded, scenes)
    try:
        for tensor in embedded.state_dict().values():
            if tensor.ndim >= 2:
                tensor.copy_(
                    torch.randn(tensor.shape, generator=torch.Generator().manual_seed(0))
                    * tensor.std()
                )
        random = zero_shot(embedded, scenes)
    finally:
        embedded.load_state_dict(state)
    assert random["object_top1"] < 15 and random["background_top1"] < 40
    assert trained["object_top1"] > 75 and trained["background_top1"] > 80


def test_the_phenomenon_and_its_repair(embedded):
    """What the paper is about, on 60 held-out scenes: raw maps are upside down, CLIP Surgery turns
    them over.
    """
    scenes = [cx.scenes.sample(seed) for seed in range(60)]
    both = {method: (method, {}) for method in ("clip", "clip_surgery")}
    raw, repaired = localisations(embedded, scenes, both).values()
    assert raw.msc < -5 and raw.upside_down > 55 and repaired.upside_down < 5
    assert repaired.msc > 42 and repaired.msc > raw.msc + 45
    assert repaired.pointing > raw.pointing + 45 and repaired.miou_best > raw.miou_best + 25


def test_several_rows_are_as_one_by_one(embedded):
    scenes = [cx.scenes.compose(["dog", "clock"], seed=seed) for seed in (0, 1)]
    rows = {1: ("clip_surgery", dict(blocks=1)), 6: ("clip_surgery", {}), "raw": ("clip", {})}
    one_by_one = {
        name: localisation(embedded, scenes, method, **options)
        for name, (method, options) in rows.items()
    }
    assert localisations(embedded, scenes, rows) == one_by_one
    assert one_by_one[1] != one_by_one[6]
    with pytest.raises(TypeError, match=r"rows\['a'\]='clip', but \(method, options\) is needed"):
        localisations(embedded, scenes, {"a": "clip"})
    for row in ((3, {}), ("clip", None)):
        with pytest.raises(TypeError, match=r"\(method, options\) is needed"):
            localisations(embedded, scenes, {"a": row})
    with pytest.raises(ValueError, match="rows are empty"):
        localisations(embedded, scenes, {})
    with pytest.raises(TypeError, match="expected Scene"):
        localisation(embedded, [scenes[0].image], "clip")
    with pytest.raises(TypeError, match="rows=\\['clip'\\], but"):
        localisations(embedded, scenes, ["clip"])
    with pytest.raises(ValueError, match="no scene was given in which a thing is seen"):
        localisation(embedded, [], "clip")


def test_a_thing_that_is_everywhere_has_no_contrast(embedded):
    scene = cx.scenes.sample(1)
    everywhere = replace(scene, masks=np.ones_like(scene.masks))
    alone, both = (
        localisation(embedded, scenes, "reversed_clip") for scenes in ([scene], [everywhere, scene])
    )
    assert (both.msc, both.upside_down) == (alone.msc, alone.upside_down)
    assert np.isnan(localisation(embedded, [everywhere], "clip").upside_down)


def test_the_card_has_every_figure(embedded):
    text = figures(embedded, scenes=6)
    assert (
        "Zero-shot top-1 on 6 held-out scenes" in text
        and "CLIP Surgery: 6 blocks, minus the empty text" in text
    )
    assert "| q-k |" in text and "| FFN |" in text and "nan" not in text


def random_map(seed, shape=(9, 13), levels=None):
    rng = np.random.default_rng(seed)
    heat = rng.normal(size=shape).astype(np.float32)
    mask = rng.random(shape) < 0.3
    return (heat if levels is None else np.round(heat * levels) / levels), mask


@pytest.mark.parametrize("levels", [None, 2], ids=["distinct values", "ties"])
def test_sorted_pixels_count_like_masks_one_by_one(levels):
    heat, mask = random_map(0, levels=levels)
    scaled = (heat - heat.min()) / (heat.max() - heat.min())
    thresholds = np.array([0, 0.05, 0.5, 0.51, 1.0, 1.1])
    brute = [iou(scaled >= threshold, mask) for threshold in thresholds]
    assert iou_at(heat, mask, thresholds).tolist() == pytest.approx(brute, abs=1e-12)


@pytest.mark.parametrize("levels", [None, 2], ids=["distinct values", "ties"])
def test_average_precision_is_torchmetrics(levels):
    from torchmetrics.functional.classification import binary_average_precision

    heat, mask = random_map(1, levels=levels)
    scaled = torch.from_numpy(heat - heat.min()) / float(heat.max() - heat.min())
    theirs = binary_average_precision(scaled.flatten(), torch.from_numpy(mask).long().flatten())
    assert average_precision(heat, mask) == pytest.approx(100 * float(theirs), abs=1e-4)


def test_one_sort_gives_what_single_functions_give():
    heat, mask = random_map(2)
    others = random_map(3)[1] & ~mask
    of = localise(heat, mask, others)
    scaled = (heat - heat.min()) / (heat.max() - heat.min())
    assert of.contrast == pytest.approx(score_contrast(heat, mask), abs=1e-4)
    assert of.object_contrast == pytest.approx(object_contrast(heat, mask, others), abs=1e-4)
    assert of.pointing == 100 * pointing_hit(heat, mask)
    assert (
        of.energy
        == pytest.approx(energy_inside(heat, mask))
        == pytest.approx(100 * scaled[mask].sum() / scaled.sum(), abs=1e-4)
    )
    assert of.average_precision == pytest.approx(average_precision(heat, mask))
    assert (
        of.accuracy
        == pytest.approx(pixel_accuracy(heat, mask))
        == pytest.approx(100 * ((scaled >= 0.5) == mask).mean())
    )
    assert of.iou_half == of.iou_curve[9] == pytest.approx(iou(scaled >= 0.5, mask))
    assert of.iou_mean == pytest.approx(iou(scaled >= scaled.mean(), mask))
    assert of.iou_otsu == pytest.approx(iou(scaled >= otsu(scaled), mask))


def test_pixels_without_truth_do_not_count():
    heat, mask = random_map(4)
    ignore = np.zeros_like(mask)
    ignore[:, 6:] = True
    changed, altered = heat.copy(), mask.copy()
    altered[:, 6:] = ~altered[:, 6:]
    np.testing.assert_array_equal(
        localise(heat, mask, ignore=ignore).row(), localise(changed, altered, ignore=ignore).row()
    )
    assert localise(heat, mask, ignore=ignore).contrast != localise(heat, mask).contrast
    cropped = heat.copy()
    cropped[:, :2] = np.nan  # where the model did not look
    of = localise(cropped, mask)
    assert np.isfinite([of.contrast, of.pointing, of.energy, of.average_precision]).all()


def test_imagenet_segmentation_by_plain_loops():
    from torchmetrics.functional.classification import binary_average_precision

    heat, mask = random_map(5, (12, 12))
    scaled = (heat - heat.min()) / (heat.max() - heat.min())
    found = scaled > scaled.mean()
    pairs = [(bool(f), bool(m)) for f, m in zip(found.flat, mask.flat)]
    expected = [sum(f == m for f, m in pairs), len(pairs)]
    for side in (False, True):
        expected += [sum(f == m == side for f, m in pairs), sum(side in (f, m) for f, m in pairs)]
    measured = imagenet_segmentation(heat, mask)
    assert list(measured[:6]) == expected
    stacked, truth = (
        torch.from_numpy(np.stack([1 - scaled, scaled])).flatten(),
        torch.from_numpy(np.stack([~mask, mask])).flatten().long(),
    )
    assert measured.average_precision == pytest.approx(
        100 * float(binary_average_precision(stacked, truth)), abs=1e-3
    )
    noise = [
        imagenet_segmentation(
            random_map(seed, (40, 40))[0], np.arange(1600).reshape(40, 40) < 160
        ).average_precision
        for seed in range(20)
    ]
    assert np.mean(noise) == pytest.approx(50, abs=3)  # whatever the object's share


def test_pixels_that_the_model_did_not_see_do_not_count():
    """Cropping a map and its masks to what was seen is the second route."""
    rng = np.random.default_rng(5)
    heat, mask, others = (
        rng.random((12, 16)),
        rng.random((12, 16)) < 0.3,
        rng.random((12, 16)) < 0.2,
    )
    heat[:, :3] = heat[:, 14:] = np.nan
    seen = (slice(None), slice(3, 14))
    measures = (
        cx.measure.score_contrast,
        cx.measure.energy_inside,
        cx.measure.average_precision,
        cx.measure.pixel_accuracy,
        cx.measure.pointing_hit,
    )
    for measure in measures:
        assert measure(heat, mask) == pytest.approx(measure(heat[seen], mask[seen])), (
            measure.__name__
        )
    assert cx.measure.object_contrast(heat, mask, others) == pytest.approx(
        cx.measure.object_contrast(heat[seen], mask[seen], others[seen])
    )
    cuts = np.array([0.3, 0.7])
    np.testing.assert_allclose(
        cx.measure.iou_at(heat, mask, cuts), cx.measure.iou_at(heat[seen], mask[seen], cuts)
    )


def test_masks_from_files_count_as_masks():
    random = np.random.default_rng(0)
    heat, mask, others = (
        random.random((20, 30)),
        random.random((20, 30)) > 0.7,
        random.random((20, 30)) > 0.8,
    )
    as_read, others_read = mask.astype(np.uint8) * 255, others.astype(np.uint8) * 255
    for measure in (score_contrast, energy_inside, average_precision, pixel_accuracy, pointing_hit):
        assert measure(heat, as_read) == measure(heat, mask), measure.__name__
    assert iou(heat > 0.5, as_read // 2 * 2) == iou(heat > 0.5, mask)
    assert object_contrast(heat, as_read, others_read) == object_contrast(heat, mask, others)
    np.testing.assert_array_equal(
        localise(heat, as_read, others_read).row(), localise(heat, mask, others).row()
    )


@pytest.mark.parametrize("value", [3.0, np.nan])
def test_a_map_that_says_nothing_has_no_region(value: float):
    """Drawn as 0.5, it reached every threshold up to that and hit wherever the first pixel was."""
    nothing, mask = np.full((10, 10), value), ~MASK  # the first pixel lies in this one
    assert not pointing_hit(nothing, mask)
    assert iou_at(nothing, mask, np.array([0.1, 0.5])).tolist() == [0, 0]
    assert pixel_accuracy(nothing, mask) == pytest.approx(12)
    of = localise(nothing, mask)
    assert (of.iou_half, of.iou_mean, of.iou_otsu, of.pointing, of.contrast) == (0, 0, 0, 0, 0)
    assert not of.iou_curve.any() and of.accuracy == pytest.approx(12)
    assert [of.energy, of.average_precision] == pytest.approx([88, 88]), "chance: the share"
    counted = imagenet_segmentation(nothing, mask)
    assert (counted.correct, counted.labelled, counted.object_both) == (12, 100, 0)


def test_imagenet_segmentation_counts_what_is_known():
    heat, mask = random_map(6, (12, 16))
    heat[:, :3] = np.nan
    assert imagenet_segmentation(heat, mask) == imagenet_segmentation(heat[:, 3:], mask[:, 3:])
