"""Registers are tokens between the class token and the patches: what is told of the patches is not
of them, and what they hold is counted with the class token.
"""

import numpy as np
import torch
import torch.nn.functional as F
from test_open_clip import same, written
from test_timm_towers import FEW, of, rewritten, small_trunks, traced, watched  # noqa: F401

import clipxai as cx
from clipxai.explainers.presets import PRESETS
from clipxai.explainers.table import METHODS
from clipxai.results.findings import on_patches
from clipxai.results.findings.attention import selection_ratio
from clipxai.view.model_overview.sentences import place_name

CLOSE = dict(rtol=0, atol=1e-4)
NAME, BEFORE = "vit_medium_patch16_gap_256", 5
VISION = {"timm_model_name": "vit_small_patch14_reg4_dinov2", "timm_pool": "token"}


def test_a_folder(tmp_path):
    module, config = of(NAME, **VISION)
    ours = cx.load(written(module, config, tmp_path))
    assert ours.visual.before == BEFORE and "class_token" in ours.visual.has
    same(module, config, ours)


def test_what_happens_inside_and_what_adds_up():
    module, trace = traced(NAME, **VISION)
    seen, stream = watched(module, trace.pixels)
    assert trace.model.visual.before == BEFORE and stream.shape[1] == BEFORE + 15
    for layer, at in enumerate(seen):
        torch.testing.assert_close(trace.attention(layer), at["weights"], **CLOSE)
        torch.testing.assert_close(trace.residual(layer), at["residual"], **CLOSE)
    texts = trace.text_features
    with torch.no_grad():
        cosine = module.encode_image(trace.pixels, normalize=True) @ texts.T
    found, parts = cx.head_contributions(trace, 1), cx.contributions(trace, 1)
    total = found.heads.sum((0, 1, 3)) + found.attention_bias.sum(0) + found.ffn.sum(0)
    total = torch.tensor(total + found.embedding + found.norm_bias)
    torch.testing.assert_close(total, cosine[1], **CLOSE)
    assert found.heads.shape[-1] == parts.ffn.shape[-1] == 1 + 15
    np.testing.assert_allclose(found.written, parts.attention[:, :, 1:], atol=1e-5)
    total = parts.attention.sum(0) + parts.ffn.sum(0) + parts.embedding + parts.bias
    assert abs(total - parts.similarity).max() < 1e-4
    by_patch = cx.explain(trace, "decomposition", image=1).scores
    np.testing.assert_allclose(by_patch.reshape(2, -1), found.heads.sum((0, 1))[:, 1:], atol=1e-5)


def test_rows_and_rollout():
    """By hand from timm's weights: registers' columns go to the class token's, rows sum to 1."""
    module, trace = traced(NAME, **VISION)
    seen, _ = watched(module, trace.pixels)
    maps, rolled = cx.attention_maps(trace, image=0), torch.eye(BEFORE + 15)
    for layer, at in enumerate(seen):
        mean = at["weights"][0].mean(0)
        rolled = (mean + torch.eye(BEFORE + 15)) / 2 @ rolled
        found = torch.tensor(maps.mean["qk"][layer])
        patches = mean[BEFORE:]
        torch.testing.assert_close(found[1:, 1:], patches[:, BEFORE:], **CLOSE)
        torch.testing.assert_close(found[1:, 0], patches[:, :BEFORE].sum(1), **CLOSE)
        torch.testing.assert_close(found.sum(1), torch.ones(16), **CLOSE)
        row = torch.tensor(maps.rollout[layer])
        torch.testing.assert_close(row[1:], rolled[0, BEFORE:], **CLOSE)
    scores = cx.explain(trace, "rollout", image=0).scores[0].ravel()
    torch.testing.assert_close(torch.tensor(scores), rolled[0, BEFORE:], **CLOSE)
    looked = seen[-1]["weights"][0, :, 0, BEFORE:].mean(0).numpy()
    np.testing.assert_allclose(
        cx.explain(trace, "attention", image=0).scores[0].ravel(), looked, atol=1e-5
    )


def test_surgery_is_that_of_hooks_on_timms_modules():
    module, trace = traced(NAME, **VISION)
    by_hand = F.normalize(rewritten(module, trace.pixels, "vv", 2), dim=-1)
    ours = cx.rewrite(trace, cx.Rewrite(attention="vv", blocks=2, ffn=False, dual_path=True))
    torch.testing.assert_close(F.normalize(ours[:, 1:], dim=-1), by_hand, **CLOSE)


def test_every_method_tells_of_the_patches():
    """Of an image turned upside down they tell the same, patch by patch, upside down: positions
    are taken out and patches are symmetric, so a shift by one token would show.
    """
    module, config = of(NAME, **VISION)
    with torch.no_grad():
        module.visual.trunk.pos_embed.zero_()
        kernel = module.visual.trunk.patch_embed.proj.weight
        kernel.copy_((kernel + kernel.flip(2)) / 2)
    ours = cx.load(module)
    pixels = torch.randn(1, 3, *ours.visual.image_size)
    ids = torch.tensor([[298, 5, 6, 299], [298, 9, 3, 299]])
    traces = [cx.record(ours, x, ids, normalized=True) for x in (pixels, pixels.flip(2))]
    asked = [n for n, row in METHODS.items() if row.works_on(ours) and n not in ("m2ib", "rise")]
    assert {"legrad", "bimodal", "grad_eclip", "grad_cam", "naclip", "resclip"} <= {*asked}
    for name in asked:
        row = METHODS[name]
        options = {key: value for key, value in FEW.items() if key in row.options}
        if row.preset and PRESETS[row.preset].blocks < 2:
            del options["blocks"]
        plain, turned = (cx.explain(trace, name, **options).scores for trace in traces)
        assert plain.std() > 0, name
        tolerance = 1e-4 * max(1e-3, abs(plain).max())
        np.testing.assert_allclose(turned, plain[:, ::-1], atol=10 * tolerance, err_msg=name)


def test_the_model_as_one_picture():
    """Where a head fetched from is told by place, what it fetched by the same token."""
    _, trace = traced(NAME, **VISION)
    found, heads = cx.overview(trace), cx.head_contributions(trace).heads
    assert found.leading == BEFORE
    np.testing.assert_allclose(found.shares.heads, heads.sum(-1), atol=1e-5)
    tokens, fetched = found.class_rows.tokens[1, 2], found.shares.fetched[1, 2, 0]
    assert sorted(tokens) == list(range(BEFORE + 15)), "all of them are kept"
    of_patch = {token: share for token, share in zip(tokens, fetched) if token >= BEFORE}
    expected = heads[1, 2, 0, 1:]
    np.testing.assert_allclose([of_patch[BEFORE + n] for n in range(15)], expected, atol=1e-6)
    before = sum(share for token, share in zip(tokens, fetched) if token < BEFORE)
    np.testing.assert_allclose(before, heads[1, 2, 0, 0], atol=1e-6)
    assert place_name(found, 1) == "[class] or a register"


def test_single_heads_and_whether_they_stay_on_a_thing():
    module, trace = traced(NAME, **VISION)
    seen, _ = watched(module, trace.pixels)
    weights = seen[1]["weights"][0]  # H N N, by timm
    heads = cx.attention_maps(trace, image=0).with_heads(trace, 1).heads[1]["qk"]
    np.testing.assert_allclose(heads[:, 1:, 1:], weights[:, BEFORE:, BEFORE:], atol=1e-4)
    np.testing.assert_allclose(heads[:, 0, 0], weights[:, 0, :BEFORE].sum(-1), atol=1e-4)
    grid, text = trace.grids[0], trace.texts[0]
    thing = np.zeros(grid.image_size, bool)
    thing[:, : grid.image_size[1] // 2] = True
    found = cx.contributions(trace, image=0).with_masks(trace, {text: thing}).selection[text]
    on_object = on_patches(thing, grid)
    by_hand = selection_ratio(weights[:, BEFORE:, BEFORE:].numpy(), on_object)
    np.testing.assert_allclose(found.ratio["qk"][1], by_hand, atol=1e-5)
