"""Maps land on the right pixels, whatever the crop; constant and broken maps say so."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.results.explanation import Explanation, Grid
from clipxai.results.maps import minmax, otsu, resize_bilinear


def explanation(scores, image_size=(48, 60), box=None, **more):
    scores = np.asarray(scores, np.float32)
    grid = Grid(*scores.shape[1:], image_size, box or (0, 0, *image_size))
    texts = tuple(f"text {n}" for n in range(len(scores)))
    image = np.zeros((*image_size, 3), np.uint8)
    return Explanation(
        scores,
        texts,
        "clip",
        grid,
        "cosine similarity",
        image,
        np.zeros(len(scores), np.float32),
        **more,
    )


@pytest.mark.parametrize("size", [(48, 60), (7, 9), (3, 200)])
def test_interpolation_equals_torch(size):
    values = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)
    expected = F.interpolate(
        torch.from_numpy(values)[None], size, mode="bilinear", align_corners=False
    )[0].numpy()
    np.testing.assert_allclose(resize_bilinear(values, *size), expected, atol=1e-5)
    np.testing.assert_allclose(
        explanation(values, size).heatmap(1, normalize="none"), expected[1], atol=1e-5
    )


def test_a_crop_goes_back_to_where_it_was():
    scores = np.zeros((1, 4, 4), np.float32)
    scores[0, 1, 2] = 1
    e = explanation(scores, (100, 200), (0, 50, 100, 150))
    heat = e.heatmap()
    assert (
        np.isnan(heat[:, :50]).all()
        and np.isnan(heat[:, 150:]).all()
        and not np.isnan(heat[:, 50:150]).any()
    )
    y, x = np.unravel_index(np.nanargmax(heat), heat.shape)
    assert 25 <= y < 50 and 100 <= x < 125, "the patch in row 1, column 2 of the crop"
    assert not e.mask(threshold=0.0)[:, :50].any()
    np.testing.assert_allclose(
        heat[:, 50:150], explanation(scores, (100, 100)).heatmap(), atol=1e-6
    )
    xy, labels = explanation(
        np.kron(scores, np.ones((1, 2, 2))), (100, 200), (0, 50, 100, 150)
    ).points()
    np.testing.assert_allclose(xy[labels == 1], [[50 + 2.5 * 25, 1.5 * 25]])


def test_normalisations():
    scores = np.array([[[-1.0, 0.0], [0.5, 3.0]]])
    e = explanation(scores)
    assert e.heatmap().min() == 0 and e.heatmap().max() == 1
    assert e.heatmap(normalize="none").min() >= -1 and e.heatmap(normalize="none").max() <= 3
    np.testing.assert_allclose(
        e.heatmap(normalize="patches"), (e.heatmap(normalize="none") + 1) / 4, atol=1e-6
    )
    with pytest.raises(ValueError, match="unknown normalisation 'softmax'"):
        e.heatmap(normalize="softmax")


@pytest.mark.parametrize("value", [0.0, 0.31, -5.0, 1e-30])
def test_a_constant_map_is_flat_and_has_no_points(value):
    e = explanation(np.full((1, 4, 4), value))
    assert not e.varies() and (e.heatmap() == 0.5).all()
    with pytest.raises(ValueError, match="the map of 'text 0' has no variation"):
        e.points()
    noisy = explanation(
        np.full((1, 4, 4), 0.31) + np.random.default_rng(0).normal(0, 1e-9, (1, 4, 4))
    )
    assert not noisy.varies(), "rounding is no variation"


def test_negative_and_nan_maps():
    negative = explanation(-np.arange(16.0).reshape(1, 4, 4) - 1)
    assert negative.heatmap().max() == 1 and negative.heatmap()[0, 0] == 1
    broken = np.arange(16.0).reshape(1, 4, 4)
    broken[0, 0, 0] = np.nan
    assert np.isnan(explanation(broken).heatmap()[0, 0])
    with pytest.raises(ValueError, match="not finite"):
        explanation(broken).points()
    assert np.isnan(minmax(np.full((2, 2), np.nan))).all()


def test_masks_and_thresholds():
    scores = np.zeros((1, 8, 8))
    scores[0, 2:5, 3:6] = 1
    e = explanation(scores, (80, 80))
    assert (
        e.mask(threshold=0.5)[20:50, 30:60].mean() > 0.95
        and e.mask(threshold=0.5).sum() < 1.1 * 900
    )
    heat = e.heatmap()
    assert (e.mask(threshold="mean") == (heat >= heat.mean())).all()
    assert 0.2 < otsu(heat) < 0.8
    with pytest.raises(ValueError, match="unknown threshold 'median'"):
        e.mask(threshold="median")


def test_otsu_equals_opencv():
    import cv2

    values = np.clip(
        np.concatenate(
            [np.random.default_rng(n).normal(m, 0.08, 3000) for n, m in enumerate((0.25, 0.7))]
        ),
        0,
        1,
    )
    quantised = np.floor(values * 255.999).astype(np.uint8)
    expected, _ = cv2.threshold(quantised[None], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    assert abs(otsu(values) - (expected + 1) / 256) < 2 / 256


def test_points_follow_the_threshold():
    scores = np.linspace(0, 1, 144).reshape(1, 12, 12)
    xy, labels = explanation(scores, (120, 240)).points(threshold=0.8)
    assert (labels == 1).sum() == (labels == 0).sum() > 0 and xy.shape == (len(labels), 2)
    assert xy[labels == 1, 1].min() > xy[labels == 0, 1].max(), "hot rows are at the bottom"
    assert (xy >= 0).all() and (xy[:, 0] < 240).all() and (xy[:, 1] < 120).all()
    _, few = explanation(scores, (120, 240)).points(threshold=0.95)
    assert len(few) < len(labels)


def test_texts_by_name_and_number():
    e = explanation(np.arange(8.0).reshape(2, 2, 2))
    assert (e.heatmap("text 1") == e.heatmap(1)).all() and (e.heatmap(-1) == e.heatmap(1)).all()
    with pytest.raises(
        ValueError, match="no text 'dog' in this explanation; it has: 'text 0', 'text 1'"
    ):
        e.heatmap("dog")
    with pytest.raises(IndexError, match="text number 2, but this explanation has 2"):
        e.mask(2)
    with pytest.raises(
        ValueError,
        match=r"scores have shape \(1, 2, 2\), but 2 texts on this grid make \(2, 2, 2\)",
    ):
        Explanation(e.scores[:1], e.texts, "clip", e.grid, e.unit, e.image, e.presence)


def test_npz_round_trip(trace, tmp_path):
    e = cx.explain(trace, "clip_surgery")
    e.to_npz(tmp_path / "e.npz")
    again = Explanation.from_npz(tmp_path / "e.npz")
    for name in ("scores", "image", "presence"):
        np.testing.assert_array_equal(getattr(again, name), getattr(e, name))
    for name in ("texts", "method", "grid", "unit", "notes", "provenance"):
        assert getattr(again, name) == getattr(e, name), name


@pytest.mark.parametrize("threshold", [50, -0.1, float("nan")])
def test_a_threshold_is_a_share(threshold):
    e = explanation(np.linspace(0, 1, 144).reshape(1, 12, 12), (120, 240))
    with pytest.raises(
        ValueError, match=f"unknown threshold {threshold}; choose a number in 0…1, 'mean' or 'otsu'"
    ):
        e.mask(threshold=threshold)
    with pytest.raises(ValueError, match=f"unknown threshold {threshold}; choose a number in 0…1"):
        e.points(threshold=threshold)
