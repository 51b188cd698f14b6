"""Attention and redundancy on tokens whose answer is known, and by plain loops."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.measure.layers import (
    KINDS,
    attention_on,
    redundancies,
    redundancy,
    selection_ratio,
    stays_on,
)
from clipxai.results.explanation import Grid
from clipxai.results.findings import on_patches


def test_attention_that_stays():
    on_object = np.array([True, False, False, False])
    assert stays_on(np.full((2, 4, 4), 0.25), on_object) == pytest.approx(0.25)
    assert stays_on(np.tile(np.eye(4), (2, 1, 1)), on_object) == pytest.approx(1)


def test_selection_ratio_by_plain_loops():
    random = torch.Generator().manual_seed(0)
    attention = torch.rand(3, 9, 9, generator=random).softmax(-1)
    on_object = torch.tensor([1, 1, 0, 1, 0, 0, 0, 1, 0]).bool()
    shares = []
    for head in attention:
        for query in on_object.nonzero()[:, 0].tolist():
            ranked = sorted(
                (key for key in range(9) if key != query), key=lambda key: -float(head[query, key])
            )
            shares.append(np.mean([bool(on_object[key]) for key in ranked[:3]]))
    assert selection_ratio(attention.numpy(), on_object.numpy()) == pytest.approx(np.mean(shares))


def test_selection_ratio_reaches_its_ends():
    on_object = np.array([True, True, True, False, False, False, False])
    together = (on_object[:, None] == on_object[None]).astype(np.float32)[None]
    assert (
        selection_ratio(together, on_object) == 1 and selection_ratio(1 - together, on_object) == 0
    )
    with pytest.raises(ValueError, match="no other patch"):
        selection_ratio(together, np.arange(7) == 2)


def test_patches_of_a_mask():
    mask = np.zeros((8, 12), bool)
    mask[:4, :4] = True
    mask[4:6, 4:8] = True  # half of its patch, not more
    assert on_patches(mask, Grid(2, 3, (8, 12), (0, 0, 8, 12))).tolist() == [
        True,
        False,
        False,
        False,
        False,
        False,
    ]


def test_redundancy_by_hand(trace):
    patches, (one, other) = (
        torch.tensor([[1.0, 2.0], [3.0, 0.0]]),
        torch.tensor([[0.5, 1.0], [0.25, 1.0]]),
    )
    assert redundancy(patches, one, other) == pytest.approx(2 * 0.25 / (2 * 0.5 + 1 * 1.0))
    assert redundancy(patches, one, one) == 0
    features = trace.image_tokens()[0, 1:, None] * torch.stack(
        [trace.text_features[0], trace.empty_features[0]]
    )
    product = features.mean(0)  # the paper's order: multiply every patch, then average
    assert redundancies(trace, 0, 2)[0] == pytest.approx(
        float((product[0] - product[1]).abs().sum() / product[0].abs().sum()), rel=1e-4
    )


def test_every_layer_and_kind_is_measured(trace, scene):
    on_object = on_patches(scene.masks[0], trace.grids[0])
    both = attention_on(trace, on_object)
    assert both.shape == (2, len(KINDS), len(trace.layers))
    assert both[0, KINDS.index("vv"), 3] == pytest.approx(
        selection_ratio(trace.attention(3, "vv")[0, :, 1:, 1:].numpy(), on_object)
    )
    assert both[1, KINDS.index("qk"), 5] == pytest.approx(
        stays_on(trace.attention(5, "qk")[0, :, 1:, 1:].numpy(), on_object)
    )
    assert isinstance(cx.measure.iou(scene.masks[0], scene.masks[0]), float)
