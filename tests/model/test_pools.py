"""Where a pool speaks for the image, parts add up to the library's own cosine: SigLIP, PE, CoCa,
and means over patches.
"""

import json

import numpy as np
import pytest
import torch
from test_open_clip import built, ids_of
from test_open_clip import small as config_of
from test_siglip import ours, siglip  # noqa: F401
from test_timm_towers import small_trunks, traced  # noqa: F401

import clipxai as cx
from clipxai.results.findings import on_patches
from clipxai.results.findings.attention import selection_ratio
from clipxai.view import HeadGrid, ModuleComparison

CLOSE = dict(rtol=0, atol=1e-5)


def add_up(trace, cosines):
    """What modules, heads and tokens brought, against cosines (B, T) that the library says."""
    maps = cx.explain_all(trace, "decomposition")
    for n, expected in enumerate(cosines):
        parts, heads = cx.contributions(trace, n), cx.head_contributions(trace, n)
        total = parts.attention.sum(0) + parts.ffn.sum(0) + parts.embedding + parts.bias
        total = torch.tensor(total + parts.pool)
        torch.testing.assert_close(total[:, 0], expected, **CLOSE)
        torch.testing.assert_close(total, trace.similarity()[n].T, **CLOSE)
        ends = heads.embedding + heads.norm_bias + heads.pool
        by_layer = heads.heads.sum((1, 3)) + heads.attention_bias  # L T
        np.testing.assert_allclose(by_layer, parts.attention[:, :, 0], atol=1e-5)
        np.testing.assert_allclose(heads.ffn, parts.ffn[:, :, 0], atol=1e-5)
        np.testing.assert_allclose(heads.written, parts.attention[:, :, 1:], atol=1e-5)
        total = torch.tensor(by_layer.sum(0) + heads.ffn.sum(0) + ends)
        torch.testing.assert_close(total, expected, **CLOSE)
        read = maps[n].scores.sum((1, 2)) + parts.pool[:, 0] + parts.bias[:, 0]
        if not trace.model.visual.before:
            torch.testing.assert_close(torch.tensor(read), expected, **CLOSE)
    return maps


@torch.no_grad()
def test_siglips_parts(siglip, ours):  # noqa: F811
    """Token by token with transformers' weights, where its head looks and its norm held by hand."""
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    texts = torch.randint(3, 100, (3, 16), generator=torch.Generator().manual_seed(1))
    trace = cx.record(ours, pixels, texts, normalized=True)
    tower, seen = siglip.vision_model, {}
    head = tower.head
    hooks = [
        head.mlp.register_forward_hook(lambda _, __, out: seen.update(ffn=out[:, 0])),
        tower.post_layernorm.register_forward_pre_hook(lambda _, x: seen.update(stream=x[0])),
    ]
    said = siglip(input_ids=texts, pixel_values=pixels)
    for hook in hooks:
        hook.remove()
    maps = add_up(trace, said.image_embeds @ said.text_embeds.T)
    feature = tower(pixels).pooler_output
    length, x = feature.norm(dim=-1), tower.post_layernorm(seen["stream"])
    ffn = (seen["ffn"] @ said.text_embeds.T / length[:, None]).numpy()
    for n in range(2):
        np.testing.assert_allclose(cx.contributions(trace, n).pool[:, 0], ffn[n], atol=1e-5)
    probe = head.probe.expand(2, 1, -1)
    looked = head.attention(probe, x, x, average_attn_weights=False)[1][:, :, 0]  # B H P
    _, _, weight = head.attention.in_proj_weight.chunk(3)
    out = head.attention.out_proj.weight
    # without the norm's bias and the values', which no token brought
    normed = x - tower.post_layernorm.bias
    values = (normed @ weight.T).unflatten(-1, (4, -1))  # B P H d
    read = (looked.transpose(1, 2)[..., None] * values).flatten(2) @ out.T
    by_hand = read @ said.text_embeds.T / length[:, None, None]  # B P T
    found = np.stack([one.scores.reshape(3, -1).T for one in maps])
    np.testing.assert_allclose(found, by_hand.numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["PE-Core-B-16", "PE-Core-bigG-14-448"])
def test_pes_parts(name):
    module, trace = traced(name)
    with torch.no_grad():
        images = module.encode_image(trace.pixels, normalize=True)
    add_up(trace, images @ trace.text_features.T)
    assert abs(cx.contributions(trace).pool).max() > 1e-3, "its FFN says something"
    rolls_out(trace)
    assert "FFN added is of no patch" in cx.explain(trace, "decomposition", image=0).notes[0]


@pytest.mark.parametrize("name", ["coca_ViT-B-32", "ViT-L-14-CLIPA", "vit_medium_patch16_gap_256"])
def test_parts_of_other_pools(name):
    if name.startswith("vit"):
        module, trace = traced(name)
    else:
        module, config = built(config_of(name)), config_of(name)
        ours = cx.load(module)
        pixels = torch.randn(2, 3, *ours.visual.image_size)
        trace = cx.record(ours, pixels, ids_of(module, config), normalized=True)
    with torch.no_grad():
        images = module.encode_image(trace.pixels, normalize=True)
    add_up(trace, images @ trace.text_features.T)
    rolls_out(trace)


def rolls_out(trace):
    """Rollout and the row of the image by a plain recursion, the tokens before the patches and all;
    a mean over patches reads them alike.
    """
    maps, before = cx.attention_maps(trace, image=1), trace.model.visual.before
    asked = "learned_query" in trace.model.visual.has
    P, read = trace.grids[1].patches, maps.pool.mean(0)
    assert maps.pool.shape[1] == before + P and maps.seen == P + (before > 0)
    assert (maps.whole, maps.beside) == ("[pool]" if asked else "[mean]", "[class]" * before)
    np.testing.assert_allclose(maps.pool.sum(-1), 1, atol=1e-6)
    if not asked:
        assert maps.pool.tolist() == [[0] * before + [np.float32(1 / P)] * P]
    row = read
    for layer in reversed(range(len(trace.layers))):
        weights = trace.attention(layer)[1].mean(0).numpy()
        of_image = (read @ weights)[before:]
        np.testing.assert_allclose(maps.mean["qk"][layer, 0, 1:], of_image, atol=1e-6)
        np.testing.assert_allclose(maps.mean["qk"][layer, 1:, 1:], weights[before:, before:])
        np.testing.assert_allclose(maps.mean["qk"][layer].sum(-1), 1, atol=1e-5)
        row = (row @ weights + row) / 2
    np.testing.assert_allclose(maps.rollout[-1, 1:], row[before:], atol=1e-6)
    scores = cx.explain(trace, "rollout", image=1).scores[0].ravel()
    np.testing.assert_allclose(scores, row[before:], atol=1e-6)
    last = cx.explain(trace, "attention", image=1).scores[0].ravel()
    received = read if asked else read @ trace.attention(-1)[1].mean(0).numpy()
    np.testing.assert_allclose(last, received[before:], atol=1e-6)


def test_parts_of_a_changed_pass_add_up_too(ours):  # noqa: F811
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)
    changed = cx.ablate(trace, patches=[3], layer=2, ffns=[4], attention=[1])
    parts, heads = cx.contributions(changed), cx.head_contributions(changed)
    assert parts.residual < 1e-5 and heads.residual < 1e-5
    assert (
        not parts.ffn[4].any() and abs(parts.similarity - cx.contributions(trace).similarity).any()
    )
    with pytest.raises(ValueError, match="split='even' spreads the mean of a class token"):
        cx.explain(trace, "decomposition", split="even")


def test_figures_say_that_a_pool_reads_the_image(ours):  # noqa: F811
    """No class token is spoken of where there is none, and no part is missing in what adds up."""
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)
    modules = ModuleComparison(cx.contributions(trace))
    heads = HeadGrid(cx.head_contributions(trace))
    told = modules.payload().header
    assert told["words"]["bias"] == "biases, pool's FFN"
    assert "cosine of the image with the text" in " ".join(told["captions"][0][0])
    assert "class token" not in json.dumps(told)
    total = modules.shares.cumulative(0)[-1]
    np.testing.assert_allclose(total, trace.similarity()[0, 0, 0], atol=1e-5)
    told = heads.payload().header
    assert "what the pool read of what each head" in " ".join(told["captions"][0])
    assert "the pool's FFN" in told["closures"][0] and "class token" not in json.dumps(told)
    assert told["gathers"] == "the image" and "{mean:signed} into each" in told["messages"][0]


def test_attention_stays_on_a_thing_where_no_token_stands_before_the_patches(ours):  # noqa: F811
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)
    grid, thing = trace.grids[0], np.zeros((32, 32), bool)
    thing[:16] = True
    found = cx.contributions(trace).with_masks(trace, {"a dog": thing}).selection["a dog"]
    by_hand = selection_ratio(trace.attention(1)[0].numpy(), on_patches(thing, grid))
    assert found.ratio["qk"][1] == pytest.approx(by_hand, abs=1e-6)
    assert found.patches == grid.patches // 2
