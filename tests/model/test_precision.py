"""Half precision, autocast, other devices: the same maps, as far as they can be."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import clipxai as cx

FROM_THE_TRACE = [
    "clip",
    "clip_surgery",
    "clip_surgery_architecture",
    "clip_surgery_features",
    "maskclip",
    "gem",
    "sclip",
    "naclip",
    "clearclip",
]
QUICK = {"integrated_gradients": {"steps": 2}, "m2ib": {"steps": 2, "samples": 2}}
# both are there: the map of what is absent is flat, and has no ranks to keep
TEXTS = ["a dog", "a bicycle"]


def rank_correlation(a, b):
    """Spearman's, over the patches of one map."""
    return np.corrcoef(a.ravel().argsort().argsort(), b.ravel().argsort().argsort())[0, 1]


@pytest.fixture(scope="module")
def exact(embedded, scene):
    return {
        name: cx.explain(cx.record(embedded, scene.image, TEXTS), name) for name in FROM_THE_TRACE
    }


# ClearCLIP's maps of this model vary in the third digit only, bfloat16's last
@pytest.mark.parametrize("name", FROM_THE_TRACE[:-1])
@pytest.mark.parametrize("how", ["weights in bfloat16", "autocast"])
def test_bfloat16_ranks_patches_alike(exact, scene, name, how):
    model = cx.load(dtype=torch.bfloat16) if how.startswith("weights") else cx.load()
    with torch.autocast("cpu", torch.bfloat16, enabled=how == "autocast"):
        e = cx.explain(cx.record(model, scene.image, TEXTS), name)
    assert e.scores.shape == exact[name].scores.shape and e.scores.dtype == np.float32
    for mine, expected in zip(e.scores, exact[name].scores):
        assert rank_correlation(mine, expected) >= 0.99
        assert (np.sign(mine) == np.sign(expected))[abs(expected) > 0.05].all(), (
            "no clear score changes its sign"
        )
    np.testing.assert_allclose(e.presence, exact[name].presence, atol=0.02)


def test_float16_weights(embedded, scene):
    """Half precision is for GPUs; here only that it is kept, and close."""
    model = cx.load(dtype=torch.float16)
    pixels = embedded.preprocess(scene.image)
    assert model.dtype == torch.float16 and model.encode_image(pixels).dtype == torch.float32
    assert (model.encode_image(pixels) - embedded.encode_image(pixels)).abs().max() < 0.01


def test_to_moves_and_casts_everything(scene, exact):
    model = cx.load()
    model.encode_image(model.preprocess(scene.image, size=160))  # remembers resized positions
    model = model.to(torch.bfloat16)
    trace = cx.record(model, scene.image, TEXTS)
    assert {tensor.dtype for tensor in (trace.stream, trace.text_tokens, trace.layers[0].q)} == {
        torch.bfloat16
    }
    assert trace.text_features.dtype == trace.image_tokens().dtype == torch.float32
    assert rank_correlation(cx.explain(trace).scores[0], exact["clip_surgery"].scores[0]) >= 0.99
    model.encode_image(model.preprocess(scene.image, size=160))
    back = model.to(torch.float32)
    assert cx.record(back, scene.image, TEXTS, size=160).stream.dtype == torch.float32
    assert cx.load(device="meta").device.type == "meta"


class NoFloat64(TorchDispatchMode):
    """Fails on the first operation that makes a float64 tensor, which Apple's GPUs do not have."""

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        made = function(*arguments, **(options or {}))
        for tensor in made if isinstance(made, (tuple, list)) else [made]:
            assert not isinstance(tensor, torch.Tensor) or tensor.dtype != torch.float64, (
                f"{function} makes float64"
            )
        return made


def test_nothing_needs_float64(scene):
    with NoFloat64():
        with pytest.raises(AssertionError, match="makes float64"):
            torch.zeros(1, dtype=torch.float64)
        model = cx.load()
        trace = cx.record(model, scene.image, TEXTS, mode="aspect")
        for name in FROM_THE_TRACE:
            cx.explain(trace, name)
        cx.explain(trace.with_texts(["a cat", "an owl"]), "clip_surgery", redundant="labels")
        cx.attention_maps(trace)
        cx.contributions(trace)
        cx.token_scores(trace)


def answers(trace):
    """Name -> numbers of every question that needs only a few passes."""
    found = {
        row.name: cx.explain(trace, row.name, **QUICK.get(row.name, {})).scores
        for row in cx.methods()
        if row.works_on(trace.model) and row.needs != "covered pictures"
    }
    found["weights"] = cx.attention_maps(trace).mean["qk"]
    found["parts"] = cx.contributions(trace).attention
    found["heads"] = cx.head_contributions(trace).heads
    found["words"] = cx.word_relevance(trace).scores
    found["rewritten"] = cx.rewrite(trace, "gem").numpy()
    return found | dict(cx.token_scores(trace).scores)


def test_autocast_changes_nothing(embedded, scene):
    """A trace may be recorded under it and asked outside, or the other way round."""
    half = partial(torch.autocast, "cpu", torch.bfloat16)
    plain = cx.record(embedded, scene.image, TEXTS, size=56)
    with half():
        under = cx.record(embedded, scene.image, TEXTS, size=56)
        asked_under = answers(plain)
    assert {tensor.dtype for tape in under.layers for tensor in vars(tape).values()} == {
        torch.float32
    }
    expected, asked_outside = answers(plain), answers(under)
    assert len(expected) > 25
    for name, numbers in expected.items():
        np.testing.assert_array_equal(asked_outside[name], numbers, name)
        np.testing.assert_array_equal(asked_under[name], numbers, name)


def test_a_hunt_for_anomalies_changes_nothing(embedded, scene):
    """torch's own, which cannot look into batched backward passes."""
    trace = cx.record(embedded, scene.image, TEXTS, size=56)
    expected = answers(trace)
    with torch.autograd.set_detect_anomaly(True):
        found = answers(trace)
        assert torch.is_anomaly_enabled()
    for name, numbers in expected.items():
        np.testing.assert_array_equal(found[name], numbers, name)


def test_a_model_loaded_in_inference_mode(embedded, scene):
    with torch.inference_mode():
        model = cx.load()
    for size in (112, 56):
        trace = cx.record(model, scene.image, TEXTS, size=size)
        expected = cx.explain(cx.record(embedded, scene.image, TEXTS, size=size))
        np.testing.assert_array_equal(cx.explain(trace).scores, expected.scores)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_bottleneck_of_half_weights(embedded, scene, dtype):
    half, full = (
        cx.record(model, scene.image, "a dog on grass")
        for model in (cx.load(dtype=dtype), embedded)
    )
    found, expected = (cx.explain(trace, "m2ib", steps=4, samples=2) for trace in (half, full))
    assert (
        np.isfinite(found.scores).all()
        and rank_correlation(found.scores[0], expected.scores[0]) > 0.98
    )
    words = [cx.word_relevance(trace, "m2ib", steps=4, samples=2).by_word for trace in (half, full)]
    assert max(words[0], key=words[0].get) == max(words[1], key=words[1].get)
