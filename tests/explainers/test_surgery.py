"""The heart against slower, plainer routes: written out as in the paper, or as brute force."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.explainers.mixing import neighbourhood_bias


def softmax_attention(a, b, v, scale, bias=0.0):
    return (a @ b.transpose(-1, -2) * scale + bias).softmax(-1) @ v


def test_clip_surgery_as_the_paper_writes_it(trace):
    """z <- z + W_o (A_vv V) over the last six blocks; patches from z, class token from the original
    stream.
    """
    tower = trace.model.visual
    z = trace.residual(2)
    for layer in range(2, 8):
        block = tower.blocks[layer]
        v = block.attn.project(block.ln_1(trace.residual(layer)))[2]
        z = z + block.attn.merge(softmax_attention(v, v, v, v.shape[-1] ** -0.5))
    expected = tower.read_out(torch.cat([trace.stream[:, :1], z[:, 1:]], dim=1))
    torch.testing.assert_close(cx.rewrite(trace, "clip_surgery"), expected, rtol=1e-4, atol=1e-4)


def test_class_token_is_never_touched(trace):
    for name, preset in cx.PRESETS.items():
        if preset.class_token == "original":
            assert torch.equal(
                cx.rewrite(trace, name)[:, 0], trace.image_tokens(normalize=False)[:, 0]
            )


def test_qk_with_everything_switched_on_is_the_model_itself(trace):
    change = cx.Rewrite("qk", blocks=8, ffn=True, dual_path=False)
    torch.testing.assert_close(
        cx.rewrite(trace, change), trace.image_tokens(normalize=False), rtol=1e-4, atol=1e-4
    )


def last_block(trace, mixed, residual, ffn):
    block, x = trace.model.visual.blocks[-1], trace.residual(7)
    z = block.attn.merge(mixed) + (x if residual else 0)
    z = z + block.ffn(z) if ffn else z
    return trace.model.visual.read_out(z)[:, 1:]


def test_last_block_methods_by_brute_force(trace):
    q, k, v = trace.layer(7).q, trace.layer(7).k, trace.layer(7).v
    s = q.shape[-1] ** -0.5
    places = torch.stack(
        torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij"), -1
    ).view(-1, 2)
    near = F.pad(
        torch.exp(-((places[:, None] - places[None]) ** 2).sum(-1) / (2 * 5.0**2)), (1, 0, 1, 0)
    )
    expected = {
        "maskclip": last_block(trace, v, residual=False, ffn=False),
        "sclip": last_block(
            trace,
            softmax_attention(q, q, v, s) + softmax_attention(k, k, v, s),
            residual=True,
            ffn=True,
        ),
        "naclip": last_block(trace, softmax_attention(k, k, v, s, near), residual=False, ffn=False),
        "clearclip": last_block(trace, softmax_attention(q, q, v, s), residual=False, ffn=False),
    }
    for name, tokens in expected.items():
        torch.testing.assert_close(
            cx.rewrite(trace, name)[:, 1:], tokens, rtol=1e-4, atol=1e-4, msg=name
        )


def test_gem_by_brute_force(trace):
    tower = trace.model.visual
    z = trace.residual(2)
    for layer in range(2, 8):
        block, tape = tower.blocks[layer], trace.layer(layer)
        sharp = (
            block.ln_1(tape.residual).norm(dim=-1).mean(-1).view(-1, 1, 1, 1)
            * tape.q.shape[-1] ** -0.5
        )
        outputs = []
        for x in (tape.q, tape.k, tape.v):
            x = x / x.norm(dim=-1, keepdim=True)
            x = softmax_attention(x, x, x, sharp)
            x = x / x.norm(dim=-1, keepdim=True)
            outputs.append(softmax_attention(x, x, tape.v, sharp))
        z = z + block.attn.merge(torch.stack(outputs).mean(0))
    torch.testing.assert_close(
        cx.rewrite(trace, "gem")[:, 1:], tower.read_out(z)[:, 1:], rtol=1e-4, atol=1e-4
    )


def test_resnet_surgery_is_the_papers_formula(golden_resnet):
    """k = q = v / (|v| + 1e-6), scale 8 / sqrt(d), class token from the true q-k attention."""
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    v = trace.layer(0).v
    unit = v / (v.norm(dim=-1, keepdim=True) + 1e-6)
    expected = model.visual.attention_pool.merge(
        softmax_attention(unit, unit, v, 8 * v.shape[-1] ** -0.5)
    )
    tokens = cx.rewrite(trace, "clip_surgery")
    torch.testing.assert_close(tokens[:, 1:], expected[:, 1:], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        F.normalize(tokens[:, 0], dim=-1), model.encode_image(arrays["image"])
    )
    released = cx.rewrite(trace, "clip_surgery_released")
    assert not torch.allclose(
        F.normalize(released[:, 0], dim=-1), model.encode_image(arrays["image"]), atol=1e-3
    )


@pytest.mark.parametrize("change", [dict(ffn=True), dict(dual_path=False), dict(attention="gem")])
def test_what_a_resnet_does_not_have(golden_resnet, change):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    with pytest.raises(ValueError, match="need a ViT"):
        cx.rewrite(trace, replace(cx.Rewrite(), **change))


def test_every_switch_changes_the_map(trace):
    base = cx.rewrite(trace, "clip_surgery")
    for change in [
        dict(attention="qk"),
        dict(blocks=5),
        dict(dual_path=False),
        dict(residual=False),
        dict(ffn=True),
        dict(neighbourhood=3.0),
        dict(normalize=True),
        dict(sharpen=2.0),
        dict(class_token="rewritten"),
    ]:
        assert not torch.allclose(
            cx.rewrite(trace, replace(cx.Rewrite(), **change)), base, atol=1e-3
        ), change


def test_neighbourhood_bias():
    bias = neighbourhood_bias((3, 5), 2.0)
    assert bias.shape == (16, 16) and torch.equal(bias, bias.T)
    assert (bias[0] == 0).all() and (bias[:, 0] == 0).all()
    assert (bias.diagonal()[1:] == 1).all()
    torch.testing.assert_close(bias[1, 2 + 5], torch.tensor(-2 / 8).exp())  # one down, one right


def features(*shape):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(0)), dim=-1)


def test_feature_surgery_equals_the_long_form():
    """Multiply element by element, weigh, subtract the mean over texts, then sum the channels: an
    (N, T, E) tensor per image.
    """
    image, text = features(3, 50, 64), features(7, 64) * 0.99
    text = F.normalize(text, dim=-1)
    w = (2 * image[:, :1] @ text.T).softmax(-1)
    w = w / w.mean(-1, keepdim=True)
    product = image[:, :, None] * text[None, None] * w[..., None]
    expected = (product - product.mean(2, keepdim=True)).sum(-1)
    torch.testing.assert_close(cx.feature_surgery(image, text), expected, rtol=0, atol=1e-6)
    empty = features(1, 64)
    torch.testing.assert_close(
        cx.feature_surgery(image, text, empty), image @ (text - empty).T, rtol=0, atol=1e-6
    )


def test_one_text_needs_a_redundant_feature():
    with pytest.raises(ValueError, match="one text has nothing to be compared with"):
        cx.feature_surgery(features(1, 5, 8), features(1, 8))
    assert cx.feature_surgery(features(1, 5, 8), features(1, 8), features(8)).shape == (1, 5, 1)


def test_wrong_rewrites(trace):
    with pytest.raises(
        ValueError, match="cannot rewrite 9 blocks of a model that has 8: pass blocks=8"
    ):
        cx.rewrite(trace, cx.Rewrite(blocks=9))
    with pytest.raises(ValueError, match="unknown attention 'kq'; choose one of qk, vv"):
        cx.Rewrite("kq")
    with pytest.raises(ValueError, match="unknown preset 'surgery'; choose one of clip, "):
        cx.rewrite(trace, "surgery")
    with pytest.raises(ValueError, match="blocks=-1, but a whole number of at least 0 is needed"):
        cx.Rewrite(blocks=-1)
