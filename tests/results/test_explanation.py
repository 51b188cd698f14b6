"""Maps land on the right pixels, whatever the crop; constant and broken maps say so."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.results.explanation import Explanation, Grid
from clipxai.results.findings import Picture
from clipxai.results.maps import minmax, otsu, otsu_of_sorted, resize_bilinear
from clipxai.view import MethodComparison


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
    with pytest.raises(ValueError, match="unknown normalize 'softmax'; choose one of minmax"):
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
    assert np.isnan(minmax(np.full((2, 2), np.nan))).all()
    with pytest.raises(ValueError, match="2 scores of 'text 0' are infinite"):
        explanation(np.where(broken > 13, -np.inf, broken))


def holed() -> np.ndarray:
    """(1, 6, 8) scores, some of which are not known."""
    scores = np.random.default_rng(3).standard_normal((1, 6, 8)).astype(np.float32)
    scores[0, 1, 2:4] = scores[0, 5, 7] = scores[0, 3:5, :2] = np.nan
    return scores


@pytest.mark.parametrize("box", [None, (3, 10, 51, 74)])
def test_what_is_not_known_stays_so_and_spoils_nothing(box):
    """Pixel by pixel, by hand: bilinear weights of the known neighbours, brought to a sum of 1."""
    e = explanation(holed(), (54, 81), box)
    heat, scores = e.heatmap(normalize="none"), e.scores[0]
    top, left, bottom, right = e.grid.box
    for y in range(0, 54):
        for x in range(0, 81):
            row = (y + 0.5 - top) / (bottom - top) * 6
            column = (x + 0.5 - left) / (right - left) * 8
            if not (0 <= row <= 6 and 0 <= column <= 8):
                assert np.isnan(heat[y, x])
                continue
            cell = scores[min(int(row), 5), min(int(column), 7)]
            assert np.isnan(heat[y, x]) == np.isnan(cell), "a pixel of a patch that is not known"
            if np.isnan(cell):
                continue
            pairs = [
                (max(0, 1 - abs(row - 0.5 - i)) * max(0, 1 - abs(column - 0.5 - j)), scores[i, j])
                for i in range(6)
                for j in range(8)
                if not np.isnan(scores[i, j])
            ]
            inner = 0.5 <= row <= 5.5 and 0.5 <= column <= 7.5  # at the rim centres go on unchanged
            expected = sum(w * s for w, s in pairs) / sum(w for w, _ in pairs)
            assert not inner or heat[y, x] == pytest.approx(expected, abs=1e-5)


def test_masks_and_points_know_nothing_of_what_is_not_known():
    e = explanation(holed(), (54, 81))
    heat = e.heatmap()
    unknown = np.isnan(heat)
    assert unknown.any()
    assert heat[~unknown].min() == 0 and heat[~unknown].max() == 1
    for threshold in (0.0, 0.5, "mean", "otsu"):
        assert not (e.mask(0, threshold) & unknown).any()
    assert (e.mask(0, 0.0) == ~unknown).all()
    blocks = holed()[0].reshape(3, 2, 4, 2).swapaxes(1, 2).reshape(12, 4)
    known = np.array([np.nan if np.isnan(four).all() else np.nanmean(four) for four in blocks])
    xy, labels = e.points(0, 0.0)
    cells = (xy[:, 1] // 18 * 4 + xy[:, 0] // 20.25).astype(int)
    order = [n for n in np.argsort(known, kind="stable") if not np.isnan(known[n])]
    half = len(order) // 2
    assert cells.tolist() == [*order[-half:], *order[:half]] and labels.sum() == half


@pytest.mark.parametrize("hole", [False, True])
def test_a_flat_map_has_no_region(hole: bool):
    scores = np.full((1, 7, 7), 0.1234567, np.float32)
    if hole:
        scores[0, 2, 3] = np.nan
    e = explanation(scores, (61, 83))
    assert not e.varies()
    heat = e.heatmap()
    assert set(heat[~np.isnan(heat)].tolist()) == {0.5} and np.isnan(heat).any() == hole
    for threshold in (0.0, 0.5, "mean", "otsu"):
        assert not e.mask(0, threshold).any()
    nothing = explanation(np.full((1, 7, 7), np.nan), (61, 83))
    assert not nothing.varies() and not nothing.mask(0, "mean").any()
    assert np.isnan(nothing.heatmap()).all()
    with pytest.raises(ValueError, match="has no variation: no point to choose"):
        nothing.points()


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
    with pytest.raises(
        ValueError,
        match="threshold='median', but a finite number from 0 to 1 or",
    ):
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
    edges = np.linspace(0, 1, 257)
    for few in (values, values.astype(np.float32), edges, edges.astype(np.float32), values[:1]):
        assert otsu_of_sorted(np.sort(few)) == otsu(few)


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
    needed = f"threshold={threshold}, but a finite number from 0 to 1"
    with pytest.raises(ValueError, match=f"{needed} or 'mean' or 'otsu' is needed"):
        e.mask(threshold=threshold)
    with pytest.raises(ValueError, match=f"{needed} is needed"):
        e.points(threshold=threshold)


def test_an_explanation_owns_its_arrays():
    """A buffer that is filled again, a trace's image that is drawn on: nothing of it arrives."""
    scores = np.random.default_rng(0).random((1, 4, 4)).astype(np.float32)
    image, presence = np.zeros((40, 40, 3), np.uint8), np.ones(1, np.float32)
    view = image[:]
    view.flags.writeable = False  # cannot be written into itself, but what it shows can
    options = {"model": "a"}
    grid = Grid(4, 4, (40, 40), (0, 0, 40, 40))
    e = Explanation(scores, ("a",), "clip", grid, "cosine", view, presence, (), options)
    heat = e.heatmap()
    scores[:], image[:], presence[:], options["model"] = 7, 7, 7, "b"
    np.testing.assert_array_equal(e.heatmap(), heat)
    assert not e.image.any() and e.presence == [1] and e.provenance == {"model": "a"}
    with pytest.raises(ValueError, match="read-only"):
        e.image[...] = 0
    again = replace(e, method="gem")
    assert again.image is e.image, "explanations of one image share its pixels"


def test_pictures_of_findings_and_masks_of_viewers_are_owned():
    image, mask = np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), bool)
    mask[:9] = True
    picture = Picture(image, Grid(4, 4, (40, 40), (0, 0, 40, 40)))
    e = explanation(np.arange(16.0).reshape(1, 4, 4), (40, 40))
    viewers = [MethodComparison(e, mask=given) for given in (mask, {"text 0": mask})]
    image[:], mask[:] = 7, False
    assert not picture.image.any()
    assert viewers[0].mask.sum() == viewers[1].mask["text 0"].sum() == 360


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"presence": np.zeros(3)}, r"presence has shape \(3,\), but 1 texts make \(1,\)"),
        ({"image": np.zeros((48, 60, 3))}, "the image is float64 of shape"),
        ({"image": np.zeros((60, 48, 3), np.uint8)}, r"uint8 of shape \(48, 60, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(change: dict, said: str):
    with pytest.raises(ValueError, match=said):
        replace(explanation(np.zeros((1, 4, 4))), **change)
