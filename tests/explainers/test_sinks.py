"""Sinks are found where one was planted, and nowhere else."""

import copy

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.measure.faithfulness import randomised

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


NEURONS = [(3, 0)]  # the one that was planted


def test_the_planted_neuron_is_found_as_the_paper_scores_it(planted):
    """By hooks on what every FFN's last map reads, at the long patch."""
    read, model = [], planted.model
    hooks = [
        block.mlp.down.register_forward_pre_hook(lambda _, given: read.append(given[0][0]))
        for block in model.visual.blocks
    ]
    with torch.no_grad():
        model.encode_image(planted.pixels)
    for hook in hooks:
        hook.remove()
    found = cx.register_neurons(model, planted.images, count=3)
    assert next(iter(found)) == NEURONS[0] and all(layer <= 3 for layer, _ in found)
    said = torch.stack(read)[:4, 1 + SINK].abs()
    expected = said.flatten().topk(3)
    assert list(found) == [divmod(int(at), said.shape[1]) for at in expected.indices]
    np.testing.assert_allclose(list(found.values()), expected.values, rtol=1e-4)


def test_a_register_takes_the_sink_out_of_the_picture(planted, trace):
    moved = cx.record(cx.with_registers(planted.model, NEURONS), planted.images, ["a dog"])
    assert cx.sinks(planted).patches() == (SINK,) and cx.sinks(moved).patches() == ()
    for layer in (4, 5, 6):
        lengths = moved.residual(layer)[0].norm(dim=-1)
        assert lengths[1] > 4 * lengths[2:].median(), "the register"
        assert lengths[2:].max() < 4 * lengths[2:].median()
    looked = moved.attention(5)[0].mean(0)
    assert looked[2:, 1].mean() > 0.9 and looked[2:, 2 + SINK].mean() < 0.01
    # where the FFN was not changed by hand, it says of patches what it said before
    before, after = planted.ffn_output(2)[0, 1:], moved.ffn_output(2)[0, 2:]
    assert (before - after).norm() < 0.1 * before.norm()


def test_what_moves_by_hooks(planted):
    """The FFN's own maps, with the neuron's loudest word put into the register by hand."""
    moved = cx.record(cx.with_registers(planted.model, NEURONS, count=2), planted.images)
    block = planted.model.visual.blocks[3]
    stream = moved.residual(3) + moved.attention_output(3)
    with torch.no_grad():
        said = block.mlp.activation(block.mlp.up(block.ln_2(stream)))
        loudest = said[:, :, 0].max()
        said[:, 1:3, 0], said[:, 3:, 0] = loudest, 0
        expected = block.mlp.down(said)
    torch.testing.assert_close(moved.ffn_output(3), expected, rtol=0, atol=1e-5)


def test_a_register_that_nobody_looks_at_changes_nothing(planted):
    alone = cx.record(cx.with_registers(planted.model, []), planted.images, ["a dog"])
    hidden = np.zeros((198, 198), bool)
    hidden[:, 1], hidden[1, 1] = True, False
    unseen = cx.ablate(alone, mask={layer: hidden for layer in range(8)})
    torch.testing.assert_close(unseen.image_tokens(), planted.image_tokens(), rtol=0, atol=3e-5)
    assert (alone.image_tokens() - planted.image_tokens()).abs().max() > 1e-3


def test_what_a_model_with_registers_is(planted):
    before, model = planted.model.weights_sha256(), planted.model
    moved = cx.with_registers(model, [(3, 0), (-1, 7)])
    assert model.weights_sha256() == before and model.visual.before == 1
    assert moved.visual.blocks[3].mlp.up.weight is model.visual.blocks[3].mlp.up.weight
    assert "neurons 0 of layer 3; 7 of layer 7" in moved.provenance["since loading"]
    trace = cx.record(moved, planted.images, ["a dog", "a cat"])
    heads = cx.head_contributions(trace)
    assert heads.residual < 1e-5 and cx.contributions(trace).residual < 1e-5
    assert cx.explain(trace, "legrad").scores.shape == (2, 14, 14)
    for wrong, error, match in (
        ([3], TypeError, "pairs"),
        ([(9, 0)], IndexError, "layer 9"),
        ([(0, 512)], IndexError, "neuron 512, but"),
    ):
        with pytest.raises(error, match=match):
            cx.with_registers(model, wrong)
    with pytest.raises(ValueError, match="begin with the model as it was"):
        cx.with_registers(moved, NEURONS)
    with pytest.raises(ValueError, match="no patch of these 1 images is 4 times as long"):
        cx.register_neurons(moved, planted.images)


def test_towers_that_have_no_place_for_registers(golden_resnet):
    with pytest.raises(ValueError, match="test-time registers need a ViT"):
        cx.with_registers(golden_resnet[0], NEURONS)


def test_a_patch_that_comes_in_long_was_made_so_by_no_neuron(embedded, scene):
    model, longer = copy.deepcopy(embedded), torch.ones(197, 1)
    longer[1 + 50] = 40  # as it enters the first block
    model.visual.ln_pre.register_forward_hook(lambda norm, given, out: out * longer)
    with pytest.raises(ValueError, match="so no neuron makes one so"):
        cx.register_neurons(model, [scene.image], norm_above=8)


def test_a_changed_pass_of_a_changed_model_says_both(embedded, scene):
    model = cx.with_registers(randomised(embedded, 3), [(0, 1)])
    told = cx.ablate(cx.record(model, scene.image, "a dog"), heads={6: [3]}).provenance
    assert told["since loading"].startswith("weights shuffled everywhere, seed 3; 1 test-time reg")
    assert "head 3 of layer 6" in told["changed"] and told["model"] == model.name
