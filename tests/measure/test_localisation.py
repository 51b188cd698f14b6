"""Measures on maps whose score is known beforehand."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.measure import iou, iou_at, localisation, object_contrast, pointing_hit, score_contrast, zero_shot
from clipxai.measure.card import figures, stays_on

MASK = np.zeros((10, 10), bool)
MASK[2:5, 3:7] = True


def test_perfect_opposite_and_constant_maps():
    perfect = MASK * 7.0 - 3
    assert score_contrast(perfect, MASK) == pytest.approx(100) and pointing_hit(perfect, MASK)
    assert score_contrast(-perfect, MASK) == pytest.approx(-100) and not pointing_hit(-perfect, MASK)
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


def test_attention_that_stays():
    attention = torch.full((2, 4, 4), 0.25)
    on_object = torch.tensor([True, False, False, False])
    assert stays_on(attention, on_object) == pytest.approx(0.25)
    assert stays_on(torch.eye(4).expand(2, 4, 4), on_object) == pytest.approx(1)


def test_the_true_mask_as_a_map_scores_full_marks(embedded):
    scenes = [cx.scenes.sample(seed) for seed in range(8)]
    at = iter(scenes)

    def cheat(trace):
        masks = next(at).masks.astype(np.float32)
        grid = cx.Grid(112, 112, (112, 112), (0, 0, 112, 112))
        return cx.Explanation(masks, trace.texts, "cheat", grid, "mask", trace.images[0], np.zeros(len(masks)))

    score = localisation(embedded, scenes, cheat)
    assert score.msc == pytest.approx(100) and score.upside_down == 0 and score.miou_half == pytest.approx(100) and score.pointing == 100
    assert score.pairs == sum(len(scene.objects) for scene in scenes)


def test_an_untrained_model_guesses(embedded):
    state = {name: tensor.clone() for name, tensor in embedded.state_dict().items()}
    scenes = [cx.scenes.sample(seed) for seed in range(60)]
    trained = zero_shot(embedded, scenes)
    try:
        for tensor in embedded.state_dict().values():
            if tensor.ndim >= 2:
                tensor.copy_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(0)) * tensor.std())
        random = zero_shot(embedded, scenes)
    finally:
        embedded.load_state_dict(state)
    assert random["object_top1"] < 15 and random["background_top1"] < 40
    assert trained["object_top1"] > 75 and trained["background_top1"] > 80


def test_the_phenomenon_and_its_repair(embedded):
    """What the paper is about, on 60 held-out scenes: raw maps miss the object, many are upside down, CLIP Surgery repairs them."""
    scenes = [cx.scenes.sample(seed) for seed in range(60)]
    raw = localisation(embedded, scenes, "clip")
    repaired = localisation(embedded, scenes, "clip_surgery")
    assert raw.upside_down > 25 and repaired.upside_down < 8
    assert repaired.msc > 38 and repaired.msc > raw.msc + 30
    assert repaired.pointing > raw.pointing + 45 and repaired.miou_best > raw.miou_best + 25


def test_the_card_has_every_figure(embedded):
    text = figures(embedded, scenes=6)
    assert "Zero-shot top-1 on 6 held-out scenes" in text and "CLIP Surgery: 6 blocks, minus the empty text" in text
    assert "| q-k |" in text and "| FFN |" in text and "nan" not in text
