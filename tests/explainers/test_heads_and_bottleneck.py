"""Shares that close, information that is counted another way, and the two newer similarity maps by
brute force.
"""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from method_examples import second_route
from torch.distributions import Normal, kl_divergence

import clipxai as cx
from clipxai.model.towers.vit import VisionTransformer


@pytest.fixture(scope="module")
def heads(trace):
    return cx.head_contributions(trace)


def test_heads_close_to_the_cosine(trace, heads):
    assert heads.heads.shape == (8, 4, 3, 197) and heads.residual < 1e-5
    total = (
        heads.heads.sum((0, 1, 3))
        + heads.attention_bias.sum(0)
        + heads.ffn.sum(0)
        + heads.embedding
        + heads.norm_bias
    )
    np.testing.assert_allclose(
        total, (trace.model.encode_image(trace.pixels) @ trace.text_features.T)[0], atol=1e-4
    )
    np.testing.assert_allclose(
        cx.explain(trace, "decomposition").scores.reshape(3, 196),
        heads.heads.sum((0, 1))[:, 1:],
        atol=1e-6,
    )
    contrast = cx.explain(trace, "decomposition", minus_mean=True).scores
    np.testing.assert_allclose(contrast.sum(0), 0, atol=1e-6)
    with pytest.raises(ValueError, match="minus_mean=True with one text leaves 0 everywhere"):
        cx.explain(trace.with_texts("a dog"), "decomposition", minus_mean=True)


def test_heads_of_a_layer_are_its_attention(trace, heads):
    """The sum over heads and tokens is what `contributions` gives by another route, module by
    module.
    """
    modules = cx.contributions(trace)
    np.testing.assert_allclose(
        heads.heads.sum((1, 3)) + heads.attention_bias, modules.attention[:, :, 0], atol=1e-5
    )
    np.testing.assert_allclose(heads.ffn, modules.ffn[:, :, 0], atol=1e-5)
    np.testing.assert_allclose(heads.embedding, modules.embedding[:, 0], atol=1e-5)
    np.testing.assert_allclose(heads.norm_bias, modules.bias[:, 0], atol=1e-5)


def test_an_even_split_is_that_of_the_released_code(trace):
    """Part by part as TextSpan's `prs_hook` writes it down: mean and biases in equal parts."""
    tower, (L, H, N) = trace.model.visual, (8, 4, 197)
    final, norm = trace.stream[0, 0], tower.ln_post
    deviation, length = (final.var(unbiased=False) + norm.eps).sqrt(), trace.whole_image[0].norm()

    def share(part, parts):
        normed = (part - final.mean() / parts) / deviation * norm.weight + norm.bias / parts
        return normed @ tower.projection @ trace.text_features.T / length

    found = cx.head_contributions(trace, split="even")
    for layer in (0, 5, 7):
        block = tower.blocks[layer]
        looked = trace.attention(layer)[0, :, 0]  # H N
        matrices = block.attn.out.weight.T.unflatten(0, (H, -1))
        fetched = torch.einsum("hn,hnc,hcd->hnd", looked, trace.layer(layer).v[0], matrices)
        parts = fetched + block.attn.out.bias / (H * N)
        expected = share(parts, (2 * L + 1) * H * N).permute(0, 2, 1)
        np.testing.assert_allclose(found.heads[layer], expected, atol=1e-6)
        ffn = share(trace.ffn_output(layer)[0, 0], 2 * L + 1)
        np.testing.assert_allclose(found.ffn[layer], ffn, atol=1e-6)
    embedding = share(trace.residual(0)[0, 0], 2 * L + 1)
    np.testing.assert_allclose(found.embedding, embedding, atol=1e-6)
    assert found.residual < 1e-5 and not found.norm_bias.any() and not found.attention_bias.any()
    own = cx.head_contributions(trace)
    assert abs(found.heads - own.heads).max() > 1e-4, "two ways to split"
    maps = cx.explain(trace, "decomposition", split="even").scores
    np.testing.assert_allclose(maps.reshape(3, 196), found.heads.sum((0, 1))[:, 1:], atol=1e-6)


def test_one_head_by_taking_it_out(trace, heads):
    """Without what head 2 of layer 5 fetched from patch 17, the score with the final norm held
    fixed falls by exactly that share.
    """
    tower, final = trace.model.visual, trace.stream[0, 0]
    fetched = torch.zeros_like(trace.layer(5).v[:, :, :1])
    fetched[:, 2] = trace.attention(5)[:, 2, :1, 18:19] * trace.layer(5).v[:, 2, 18:19]
    part = (tower.blocks[5].attn.merge(fetched) - tower.blocks[5].attn.out.bias)[0, 0]
    deviation = (final.var(unbiased=False) + tower.ln_post.eps).sqrt()

    def score(cls):
        normed = (cls - cls.mean()) / deviation * tower.ln_post.weight + tower.ln_post.bias
        return (
            trace.text_features
            @ (normed @ tower.projection)
            / trace.image_tokens(normalize=False)[0, 0].norm()
        )

    np.testing.assert_allclose(
        score(final) - score(final - part), heads.heads[5, 2, :, 18], atol=1e-6
    )


def test_what_layers_wrote_into_patches_adds_up_to_their_cosines(trace, heads):
    """Attention of every block run again by hand, the final norm held fixed by hand; with the FFNs
    and what was there at the beginning it is every patch's cosine.
    """
    tower, final = trace.model.visual, trace.stream[0]
    deviation = (final.var(-1, unbiased=False, keepdim=True) + tower.ln_post.eps).sqrt()
    features = tower.ln_post(final) @ tower.projection

    def share(part, bias=0.0):
        part = (part - part.mean(-1, keepdim=True)) / deviation * tower.ln_post.weight + bias
        in_text = part @ tower.projection @ trace.text_features.T
        return (in_text / features.norm(dim=-1, keepdim=True))[1:].T  # T P

    other = share(trace.residual(0)[0], tower.ln_post.bias)
    for layer, block in enumerate(tower.blocks):
        stream = trace.residual(layer)
        read = F.scaled_dot_product_attention(*block.qkv(stream))
        added = block.merge(read)
        np.testing.assert_allclose(heads.written[layer], share(added[0]), atol=1e-5)
        other = other + share(block.ffn(stream + added)[0])
    total = torch.tensor(heads.written.sum(0)) + other
    cosines = F.normalize(features, dim=-1)[1:] @ trace.text_features.T
    torch.testing.assert_close(total, cosines.T, atol=1e-5, rtol=0)
    assert cx.head_contributions(trace, split="even").written is None


def test_what_was_written_on_a_thing_is_a_mean_over_its_patches(heads, scene):
    """Patches counted one by one: 16 pixels a side, more than half of them inside."""
    mask = np.zeros(scene.image.shape[:2], bool)
    side = mask.shape[0] // 14
    mask[: 3 * side, : 2 * side] = mask[3 * side : 4 * side, : side // 2 - 1] = True
    inside = [14 * row + column for row in range(3) for column in range(2)]
    outside = sorted({*range(196)} - {*inside})
    found = heads.written_on(1, mask)
    for layer in range(8):
        means = [float(heads.written[layer, 1, of].mean()) for of in (inside, outside)]
        np.testing.assert_allclose(found[layer], means, atol=1e-7)
    np.testing.assert_array_equal(heads.written_on(heads.texts[1], mask), found)
    with pytest.raises(ValueError, match="covers 0 of 196 patches by more than half"):
        heads.written_on(1, np.zeros_like(mask))
    with pytest.raises(ValueError, match='head_contributions.trace, split="own".'):
        replace(heads, written=None).written_on(1, mask)


def test_resnets_have_no_heads_to_take_apart(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    with pytest.raises(
        ValueError,
        match="a ResNet with an attention pool: .* transformer blocks, which CLIP's ViTs and ",
    ):
        cx.head_contributions(trace)


def bottleneck_by_hand(x, cosine, steps, samples):
    """One bottleneck trained with plain `backward`; x (N, D), cosine: (samples, N, D) ->
    (samples,).
    """
    noise = torch.Generator().manual_seed(5)
    alpha = torch.full_like(x, 5.0).requires_grad_()
    optimizer = torch.optim.Adam([alpha], lr=1.0)
    for _ in range(steps):
        kept = alpha.sigmoid()
        passed = Normal(kept * x, 1 - kept)
        nats = kl_divergence(passed, Normal(torch.zeros_like(x), torch.ones_like(x)))
        drawn = passed.mean + passed.stddev * torch.randn(samples, *x.shape, generator=noise).to(x)
        optimizer.zero_grad()
        (0.1 * nats.mean() - cosine(drawn).mean()).backward()
        optimizer.step()
    return nats.detach().sum(-1)


@pytest.fixture(scope="module")
def double(embedded, scene):
    return cx.record(
        copy.deepcopy(embedded).double(), scene.image, ["a dog and a bicycle", "a pizza"]
    )


@second_route("m2ib")
def test_m2ib(double):
    """In float64, as 1 - lambda loses its digits where nearly everything passes."""
    found = cx.explain(double, "m2ib", steps=4, samples=3, seed=5).scores
    tower = double.model.visual
    for text in range(2):

        def cosine(stream, text=text):
            for block in tower.blocks[6:]:
                stream = block(stream)
            return (
                F.normalize(tower.read_out(stream[:, 0]), dim=-1)
                @ double.text_features[text].double()
            )

        expected = bottleneck_by_hand(double.residual(6)[0], cosine, 4, 3)
        np.testing.assert_allclose(found[text].ravel(), expected[1:], rtol=1e-4)
    assert not np.allclose(
        found, cx.explain(double, "m2ib", steps=4, samples=3, seed=6).scores, rtol=1e-3
    )


def test_m2ib_and_bimodal_where_the_mean_of_patches_is_read(embedded):
    """No token stands for the image: the score is that of the mean, and so is the first row."""
    torch.manual_seed(0)
    tower = VisionTransformer(
        image_size=(32, 32),
        patch=8,
        width=64,
        layers=3,
        heads=2,
        ffn_width=128,
        joint=128,
        pooling="mean",
        class_token=False,
    )
    model = cx.CLIP(tower, copy.deepcopy(embedded.text), embedded.tokenizer).eval().double()
    trace = cx.record(model, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)

    def cosine(stream, mix=None):
        for block in tower.blocks[1:]:
            stream = block(stream, mix=mix)
        feature = tower.ln_post(stream.mean(-2)) @ tower.projection
        return F.normalize(feature, dim=-1) @ trace.text_features[0].double()

    found = cx.explain(trace, "m2ib", steps=4, samples=3, seed=5).scores[0].ravel()
    expected = bottleneck_by_hand(trace.residual(1)[0], cosine, 4, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-4)

    looked = []

    def mix(q, k, v):
        looked.append((q @ k.mT * 32**-0.5).softmax(-1))
        return looked[-1] @ v

    score = cosine(trace.residual(1).clone().requires_grad_(), mix) * model.logit_scale.exp()
    slopes = torch.autograd.grad(score.sum(), looked)
    first, last = ((a * slope).clamp(min=0).mean(1)[0] for a, slope in zip(looked, slopes))
    row = torch.full((16,), 1 / 16).double()
    row = row + row @ last
    row = (row + row @ first).detach()
    found = cx.explain(trace, "bimodal", blocks=2).scores[0].ravel()
    np.testing.assert_allclose(found, row, rtol=1e-4)


@second_route("words of m2ib")
def test_m2ib_words(double):
    tower = double.model.text

    def cosine(stream):
        for block in tower.blocks[1:]:
            stream = block(stream, causal=True)
        return (
            F.normalize((tower.ln_final(stream) @ tower.projection)[:, 6], dim=-1)
            @ double.image_features[0].double()
        )

    expected = bottleneck_by_hand(double.text_layers[1].residual[0], cosine, 4, 3)
    found = cx.word_relevance(double, "m2ib", steps=4, samples=3, seed=5).scores
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def cosine_of_last(trace, mixed, residual=False, ffn=False):
    """Cosines (T, P) of the patches when the last block's attention gives `mixed`."""
    block, z = trace.model.visual.blocks[-1], 0
    z = block.attn.merge(mixed) + (trace.residual(7) if residual else 0)
    z = z + block.ffn(z) if ffn else z
    tokens = F.normalize(trace.model.visual.read_out(z)[0, 1:], dim=-1)
    return (tokens @ trace.text_features.T).T


@second_route("resclip")
def test_resclip(trace):
    k, v = trace.layer(7).k, trace.layer(7).v
    places = torch.stack(
        torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij"), -1
    ).view(-1, 2)
    near = F.pad(torch.exp(-((places[:, None] - places[None]) ** 2).sum(-1) / 50), (1, 0, 1, 0))
    own = (k @ k.transpose(-1, -2) * k.shape[-1] ** -0.5 + near).softmax(-1)
    middle = torch.stack([trace.attention(layer) for layer in (3, 4, 5)]).mean(0)
    expected = cosine_of_last(trace, 2 * (0.4 * own + 0.6 * middle) @ v)
    np.testing.assert_allclose(
        cx.explain(trace, "resclip").scores.reshape(3, 196), expected, atol=1e-5
    )


@second_route("resclip")
def test_resclip_reads_the_released_layers_of_a_deep_model(trace):
    """Layers 6 to 9 of any model of 12 and more, or the same share of all of them."""
    deep = replace(trace, layers=trace.layers * 3)
    v = trace.layer(7).v
    own = cx.explain(trace, "resclip", share=0.0).scores  # without the middle layers
    for middle, layers in (("released", range(5, 9)), ("fraction", range(10, 18))):
        seen = torch.stack([deep.attention(layer) for layer in layers]).mean(0)
        expected = cosine_of_last(trace, 2 * seen @ v)
        found = cx.explain(deep, "resclip", share=1.0, middle=middle)
        np.testing.assert_allclose(found.scores.reshape(3, 196), expected, atol=1e-5)
        assert (
            found.notes[0] == f"The middle layers were {layers[0] + 1} to {layers[-1] + 1} of 24."
        )
    default = cx.explain(deep, "resclip", share=1.0).scores
    assert np.array_equal(default, cx.explain(deep, "resclip", share=1.0, middle="released").scores)
    assert np.array_equal(own, cx.explain(deep, "resclip", share=0.0).scores)


def test_resclip_without_middle_layers_is_naclip(trace):
    alone = cx.explain(trace, "resclip", share=0.0, strength=1.0).scores
    np.testing.assert_allclose(alone, cx.explain(trace, "naclip").scores, atol=1e-4)


@second_route("eclip_pooling")
def test_masked_max_pooling(trace):
    tokens = F.normalize(trace.model.visual.read_out(trace.residual(8)[0, 1:]), dim=-1)
    e, raw = cx.explain(trace, "eclip_pooling"), (tokens @ trace.text_features.T).T.numpy()
    looked = trace.attention(7)[0].mean(0)[0, 1:]
    for patch in range(196):
        expected = raw[:, patch] if looked[patch] > looked.mean() else raw.min(1)
        np.testing.assert_allclose(e.scores.reshape(3, 196)[:, patch], expected, atol=1e-6)
    assert "need training" in e.notes[0]


@second_route(
    "clip",
    "reversed_clip",
    "maskclip",
    "maskclip_released",
    "sclip",
    "naclip",
    "clearclip",
)
def test_similarity_maps_by_brute_force(trace):
    """Equations written out; `test_surgery.py` proves the rewritten tokens of the same presets."""
    q, k, v = trace.layer(7).q, trace.layer(7).k, trace.layer(7).v

    def mix(a, bias=0.0):
        return (a @ a.transpose(-1, -2) * a.shape[-1] ** -0.5 + bias).softmax(-1) @ v

    places = torch.stack(
        torch.meshgrid(torch.arange(14.0), torch.arange(14.0), indexing="ij"), -1
    ).view(-1, 2)
    near = F.pad(torch.exp(-((places[:, None] - places[None]) ** 2).sum(-1) / 50), (1, 0, 1, 0))
    own = trace.attention(7) @ v
    expected = {
        "clip": cosine_of_last(trace, own, residual=True, ffn=True),
        "reversed_clip": -cosine_of_last(trace, own, residual=True, ffn=True),
        "maskclip": cosine_of_last(trace, v),
        "maskclip_released": cosine_of_last(trace, v, residual=True, ffn=True),
        "sclip": cosine_of_last(trace, mix(q) + mix(k), residual=True, ffn=True),
        "naclip": cosine_of_last(trace, mix(k, near)),
        "clearclip": cosine_of_last(trace, mix(q)),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(
            cx.explain(trace, name).scores.reshape(3, 196), values, rtol=0, atol=1e-4, err_msg=name
        )
