"""Equal to the authors' released code, array by array, within 1e-4."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.results.explanation import Explanation, Grid

CLOSE = dict(rtol=0, atol=1e-4)
SURGERY = {"vit": "clip_surgery", "resnet": "clip_surgery_released"}


@pytest.fixture(scope="module")
def recorded(golden):
    model, arrays, kind = golden
    return cx.record(model, arrays["image"], arrays["tokens"], normalized=True), arrays, kind


def test_text_features(recorded):
    trace, arrays, _ = recorded
    torch.testing.assert_close(trace.text_features, arrays["text_features"], **CLOSE)


def test_raw_tokens_and_similarity(recorded):
    trace, arrays, _ = recorded
    torch.testing.assert_close(trace.image_tokens(normalize=False), arrays["raw_tokens"], **CLOSE)
    torch.testing.assert_close(trace.similarity(), arrays["raw_similarity"], **CLOSE)


def test_surgery_tokens_and_similarity(recorded):
    trace, arrays, kind = recorded
    tokens = cx.rewrite(trace, SURGERY[kind])
    torch.testing.assert_close(tokens, arrays["surgery_tokens"], **CLOSE)
    torch.testing.assert_close(
        F.normalize(tokens, dim=-1) @ trace.text_features.T, arrays["surgery_similarity"], **CLOSE
    )


def test_twice_the_size(golden):
    model, arrays, kind = golden
    if "surgery_tokens_2x" not in arrays:
        assert kind == "resnet"
        return
    trace = cx.record(model, arrays["image_2x"], arrays["tokens"], normalized=True)
    torch.testing.assert_close(
        cx.rewrite(trace, "clip_surgery"), arrays["surgery_tokens_2x"], **CLOSE
    )


def test_feature_surgery(recorded):
    trace, arrays, kind = recorded
    tokens = F.normalize(cx.rewrite(trace, SURGERY[kind]), dim=-1)
    text = trace.text_features
    torch.testing.assert_close(
        cx.feature_surgery(tokens, text), arrays["feature_surgery_labels"], **CLOSE
    )
    torch.testing.assert_close(
        cx.feature_surgery(tokens, text[1:], text[0]), arrays["feature_surgery_empty"], **CLOSE
    )


@pytest.mark.parametrize("name", ["raw", "surgery"])
def test_maps_on_the_image(recorded, name):
    _, arrays, _ = recorded
    similarity = arrays[f"{name}_similarity"][:, 1:]
    side = round(similarity.shape[1] ** 0.5)
    grid = Grid(side, side, (48, 60), (0, 0, 48, 60))
    for image, expected in zip(similarity, arrays[f"{name}_map"]):
        explanation = explanation_of(image.T.reshape(-1, side, side).numpy(), grid)
        maps = np.stack([explanation.heatmap(n, normalize="patches") for n in range(12)], axis=-1)
        np.testing.assert_allclose(maps, expected, atol=1e-4)


def test_points_for_sam(golden_vit):
    _, arrays, _ = golden_vit
    scores = arrays["feature_surgery_labels"][0, 1:, 3].reshape(1, 8, 8).numpy()
    xy, labels = explanation_of(scores, Grid(8, 8, (48, 60), (0, 0, 48, 60))).points(
        0, threshold=0.8
    )
    np.testing.assert_array_equal(xy.astype(int), arrays["points"])
    np.testing.assert_array_equal(labels, arrays["point_labels"])


def explanation_of(scores, grid):
    texts = tuple(f"text {n}" for n in range(len(scores)))
    return Explanation(
        scores,
        texts,
        "clip",
        grid,
        "cosine",
        np.zeros((*grid.image_size, 3), np.uint8),
        np.zeros(len(scores)),
    )
