"""One recipe of a block: recorded, written out, in another way, edited, it is the same block."""

import itertools
from functools import partial

import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.explainers.mixing import PAIRS, mix, mix_gem, neighbourhood_bias
from clipxai.model.towers.block import Block, through
from clipxai.trace.replay import WrittenOut


@pytest.fixture(scope="module")
def blocks():
    torch.manual_seed(0)
    return torch.nn.ModuleList(Block(32, 4, 64, "gelu") for _ in range(3)).eval()


@pytest.fixture(scope="module")
def stream():
    return torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
@pytest.mark.parametrize("causal", [False, True])
def test_a_block_is_what_its_docstring_says(blocks, stream, causal):
    """By plain operations on the raw weights: no method of the block is called."""
    w = blocks[0].state_dict()
    normed = F.layer_norm(stream, (32,), w["ln_1.weight"], w["ln_1.bias"])
    q, k, v = (normed @ w["attn.qkv.weight"].T + w["attn.qkv.bias"]).chunk(3, -1)
    read = []
    for head in range(4):
        at = slice(8 * head, 8 * head + 8)
        logits = q[..., at] @ k[..., at].mT / 8**0.5
        if causal:
            logits = logits + torch.full((7, 7), -torch.inf).triu(1)
        read.append(logits.softmax(-1) @ v[..., at])
    z = stream + torch.cat(read, -1) @ w["attn.out.weight"].T + w["attn.out.bias"]
    normed = F.layer_norm(z, (32,), w["ln_2.weight"], w["ln_2.bias"])
    hidden = F.gelu(normed @ w["mlp.up.weight"].T + w["mlp.up.bias"])
    expected = z + hidden @ w["mlp.down.weight"].T + w["mlp.down.bias"]
    torch.testing.assert_close(blocks[0](stream, causal=causal), expected)
    written = WrittenOut(causal)
    torch.testing.assert_close(blocks[0](stream, mix=written), expected)
    assert written.weights[0].shape == (2, 4, 7, 7)


@torch.no_grad()
def test_recording_and_an_edit_that_changes_nothing_are_equal_to_the_last_bit(blocks, stream):
    plain, tape, places = through(blocks, stream), [], []

    def edit(layer, place, tensor):
        places.append((layer, place))
        return tensor

    assert torch.equal(through(blocks, stream, tape=tape, edit=edit), plain)
    assert places == [(n, p) for n in range(3) for p in ("residual", "heads", "attention", "ffn")]
    last = tape[-1]
    assert torch.equal(last.residual + last.attention + last.ffn, plain)
    assert torch.equal(through(blocks, tape[1].residual, start=1), plain)
    torch.testing.assert_close(through(blocks, stream, first=1), plain[:, :1])

    def values_with_values(q, k, v):
        return F.scaled_dot_product_attention(v, v, v)

    whole = through(blocks, stream, mix=values_with_values)
    torch.testing.assert_close(
        through(blocks, stream, mix=values_with_values, first=1), whole[:, :1]
    )


@torch.no_grad()
def test_edits_do_what_hooks_on_the_modules_would(blocks, stream):
    """A silenced head against its columns of the output projection set to zero; attention and FFN
    against hooks that return zeros."""

    def head(layer, place, tensor):
        if (layer, place) == (1, "heads"):
            tensor = tensor.clone()
            tensor[:, 2] = 0
        return tensor

    edited = through(blocks, stream, edit=head)
    kept = blocks[1].attn.out.weight.clone()
    blocks[1].attn.out.weight[:, 16:24] = 0
    torch.testing.assert_close(edited, through(blocks, stream))
    blocks[1].attn.out.weight.copy_(kept)
    for place, module in {"attention": blocks[1].attn.out, "ffn": blocks[1].mlp.down}.items():
        silent = module.register_forward_hook(lambda module, given, out: out * 0)
        expected = through(blocks, stream)
        silent.remove()
        tape = []
        found = through(
            blocks,
            stream,
            tape=tape,
            edit=lambda n, at, x, place=place: x * 0 if (n, at) == (1, place) else x,
        )
        torch.testing.assert_close(found, expected)
        assert not getattr(tape[1], place).any(), "the tape holds what went on"


@torch.no_grad()
def test_heads_and_bias_add_up_to_the_attention(blocks, stream):
    tape = []
    blocks[0](stream, tape=tape)
    mixed = F.scaled_dot_product_attention(tape[0].q, tape[0].k, tape[0].v)
    merge = blocks[0].linear_merge(mixed)
    by_head = torch.einsum("bhnd,hdw->bhnw", mixed, merge.matrices)
    torch.testing.assert_close(by_head.sum(1) + merge.bias, tape[0].attention)


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu", "gelu_pytorch_tanh"])
def test_the_sum_of_an_ffn_to_first_order_has_its_gradient(stream, activation):
    torch.manual_seed(2)
    block = Block(32, 4, 64, activation)
    x = stream.clone().requires_grad_()
    direction = torch.randn(2, 32, generator=torch.Generator().manual_seed(3))
    (plain,) = torch.autograd.grad(block.ffn(x).sum(1), x, direction)
    (quick,) = torch.autograd.grad(block.ffn_sum_to_first_order(x), x, direction)
    torch.testing.assert_close(quick, plain)


SCALES = {"residual": 1.5, "heads": 0.5, "attention": 2.0, "ffn": 3.0}
MIXES = {
    "its own": None,
    **{kind: partial(mix, attention=kind) for kind in (*PAIRS, "identity")},
    "near patches": partial(mix, attention="qk", bias=neighbourhood_bias((2, 3), 2.0)),
    "gem": partial(mix_gem, length=torch.ones(2), iterations=1),
}


def by_steps(block, x, first, heads, way, residual, ffn, edit):
    """Everything for every token; what was asked for is cut out at the very end."""
    x = edit("residual", x)
    q, k, v = heads or block.qkv(x)
    read = (q @ k.mT / 8**0.5).softmax(-1) @ v if way is None else way(q, k, v)
    added = edit("attention", block.merge(edit("heads", read)))
    z = x + added if residual else added
    return (z + edit("ffn", block.ffn(z)) if ffn else z)[:, :first]


@torch.no_grad()
@pytest.mark.parametrize("way", MIXES)
def test_every_argument_goes_with_every_other(blocks, stream, way):
    other = blocks[1].qkv(stream.flip(1))
    for first, heads, residual, ffn, edit in itertools.product(
        (None, 1, 3),
        (None, other),
        (True, False),
        (True, False),
        (lambda place, tensor: tensor, lambda place, tensor: SCALES[place] * tensor),
    ):
        switches = dict(residual=residual, ffn=ffn, edit=edit)
        expected = by_steps(blocks[0], stream, first, heads, MIXES[way], **switches)
        found = blocks[0](stream, first=first, heads=heads, mix=MIXES[way], **switches)
        torch.testing.assert_close(found, expected)


@torch.no_grad()
def test_text_towers_are_edited_like_image_towers(embedded):
    """A silenced FFN against a hook that returns zeros."""
    tower, ids = embedded.text, embedded.tokenize(["a dog on grass", "a cat"])

    def silent(layer, place, tensor):
        return torch.zeros_like(tensor) if (layer, place) == (2, "ffn") else tensor

    edited = tower(ids, edit=silent)
    hook = tower.blocks[2].mlp.register_forward_hook(lambda module, given, out: 0 * out)
    expected = tower(ids)
    hook.remove()
    torch.testing.assert_close(edited, expected)
    assert not torch.allclose(edited, tower(ids), atol=1e-2)


def test_a_replay_tells_every_block_where_patches_lie(embedded, scene, monkeypatch):
    """Positions that turn queries and keys need it."""
    trace = cx.record(embedded, scene.image, ["a dog"], size=(56, 112))
    told, plain = [], Block.qkv

    def qkv(block, x, grid=None):
        told.append(grid)
        return plain(block, x, grid)

    monkeypatch.setattr(Block, "qkv", qkv)
    for method in ("bimodal", "grad_cam", "m2ib", "gradient_x_input", "maskclip"):
        cx.explain(trace, method, **({"steps": 1, "samples": 1} if method == "m2ib" else {}))
    assert set(told) == {(7, 14)}
