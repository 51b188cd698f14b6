"""Sinks are found where one was planted, and nowhere else."""

import copy

import numpy as np
import pytest
import torch

import clipxai as cx

SINK = 57  # a patch


@pytest.fixture(scope="module")
def planted(scene):
    """One neuron of layer 3 makes one patch long; every head of layer 5 looks at long tokens."""
    model = copy.deepcopy(cx.load())
    trace = cx.record(model, scene.image, ["a dog"])
    with torch.no_grad():
        ffn, between = model.visual.blocks[3], trace.residual(3) + trace.attention_output(3)
        normed = ffn.ln_2(between)[0]
        alone = torch.zeros(len(normed))
        alone[1 + SINK] = 1
        finder = torch.linalg.lstsq(normed.double(), alone.double(), rcond=1e-6).solution.float()
        fires = normed @ finder
        ffn.mlp.up.weight[0] = finder * 20 / fires[1 + SINK]
        ffn.mlp.up.bias[0] = -20 * float(fires.sort().values[-2] / fires[1 + SINK]) - 2
        long = torch.randn(128, generator=torch.Generator().manual_seed(3))
        ffn.mlp.down.weight[:, 0] = 40 * long
        looks = model.visual.blocks[5].attn.qkv
        weight, bias = looks.weight.unflatten(0, (3, 4, 32)), looks.bias.unflatten(0, (3, 4, 32))
        weight[0], bias[0] = 0, 0
        bias[0, :, 0] = 5
        weight[1, :, 0], bias[1, :, 0] = long - long.mean(), 0
    return cx.record(model, scene.image, ["a dog"])


def test_a_planted_sink_is_found(planted):
    found = cx.sinks(planted)
    assert found.patches() == (SINK,)
    assert not found.by_norm[:4].any() and found.by_norm[4:7, 1 + SINK].all()
    assert found.by_attention[5].nonzero()[0].tolist() == [1 + SINK]
    assert f"by length {1 + SINK} from layer 4" in repr(found)
    multiple = found.norms[5, 1 + SINK] / np.median(found.norms[5, 1:])
    longest, looked_at = f"{1 + SINK}: {multiple:.1f} × *", f"{found.received[5, 1 + SINK]:.1f} × *"
    line = repr(found).split("\n")[2 + 5]
    assert line.startswith("layer 5") and longest in line and line.endswith(looked_at)
    attention = planted.attention(5)[0].mean(0).numpy()
    np.fill_diagonal(attention, 0)
    expected = attention.sum(0) / (len(attention) - 1) * len(attention)
    np.testing.assert_allclose(found.received[5], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found.norms[4], np.linalg.norm(planted.residual(4)[0], axis=-1), 1e-5
    )


def test_taken_out_it_is_gone(planted):
    sink = cx.sinks(planted).patches()
    changed = cx.sinks(cx.ablate(planted, patches=sink, layer=4, to="mean"))
    assert changed.patches() == () and not changed.by_attention[5, 1 + SINK]


def test_the_embedded_model_has_no_long_tokens(trace):
    found = cx.sinks(trace)
    assert not found.by_norm.any() and repr(found).startswith("<Sinks: tokens by length none; ")
    strict = cx.sinks(trace, norm_above=1.0, attention_above=1.0)
    assert strict.by_norm.any() and not strict.by_norm[:, 0].any(), "no class token"
    with pytest.raises(ValueError, match="norm_above=0.5"):
        cx.sinks(trace, norm_above=0.5)


def test_towers_without_blocks_are_refused(golden_resnet):
    model, arrays, _ = golden_resnet
    resnet = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    with pytest.raises(ValueError, match="sinks cannot be asked"):
        cx.sinks(resnet)
