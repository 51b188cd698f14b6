"""CLIP Surgery, GEM and the decomposition by head, written out from the weights and the papers."""

import numpy as np
import pytest
import torch
from method_examples import second_route
from plain import PlainTower, softmax_of, unit

import clipxai as cx

LABELS = ["a cat", "an owl"]


@pytest.fixture(scope="module")
def tower(embedded):
    return PlainTower(embedded)


@pytest.fixture(scope="module")
def streams(tower, trace):
    return tower.streams(trace.pixels[0])


def test_the_tower_written_out_is_the_tower(tower, streams, trace):
    for layer, stream in enumerate(streams):
        torch.testing.assert_close(stream, trace.residual(layer)[0], rtol=1e-4, atol=1e-4)
    tokens = tower.read_out(streams[-1])
    torch.testing.assert_close(tokens, trace.image_tokens(normalize=False)[0], rtol=1e-4, atol=1e-4)


def value_value_tokens(tower, streams, blocks=6):
    """z <- z + W_o (softmax(V V^T / sqrt(d)) V) with V of the original stream, and no FFN: unit
    tokens (N, E), the class token from the original stream.
    """
    z = streams[-1 - blocks]
    for layer in range(tower.layers - blocks, tower.layers):
        v = tower.qkv(layer, streams[layer])[2]
        z = z + tower.merge(layer, softmax_of(v, v, v.shape[-1] ** -0.5) @ v)
    return unit(torch.cat([tower.read_out(streams[-1])[:1], tower.read_out(z)[1:]]))


def without_what_texts_share(tokens, texts, temperature=2.0):
    """The paper's feature surgery with its (N, T, E) tensor: multiply element by element, weigh,
    subtract the mean over texts, then sum the channels. (P, T).
    """
    weights = (temperature * texts @ tokens[0]).exp()
    weights = weights / weights.mean()
    product = tokens[1:, None] * texts * weights[:, None]
    return (product - product.mean(1, keepdim=True)).sum(-1)


def assert_scores(e, expected, tolerance=1e-5):
    """An explanation against (P, T)."""
    found = e.scores.reshape(len(e.scores), -1)
    np.testing.assert_allclose(found, expected.T, rtol=0, atol=tolerance, err_msg=e.method)


@second_route("clip_surgery")
@pytest.mark.parametrize("blocks", [1, 6])
def test_clip_surgery(tower, streams, trace, blocks):
    tokens, texts = value_value_tokens(tower, streams, blocks), trace.text_features
    (empty,) = trace.model.encode_text([""])
    against_empty = (tokens[1:, None] * (texts - empty)).sum(-1)
    assert_scores(cx.explain(trace, "clip_surgery", blocks=blocks), against_empty)
    against_each_other = without_what_texts_share(tokens, texts)
    assert_scores(
        cx.explain(trace, "clip_surgery", blocks=blocks, redundant="labels"), against_each_other
    )
    all_texts = torch.cat([texts, trace.model.encode_text(LABELS)])
    e = cx.explain(trace, "clip_surgery", blocks=blocks, redundant=LABELS, temperature=3.0)
    assert_scores(e, without_what_texts_share(tokens, all_texts, 3.0)[:, : len(texts)])
    assert e.unit == "cosine similarity minus what 5 texts share"


@second_route("clip_surgery_architecture")
def test_architecture_surgery_alone(tower, streams, trace):
    tokens = value_value_tokens(tower, streams)
    expected = tokens[1:] @ trace.text_features.T
    assert_scores(cx.explain(trace, "clip_surgery_architecture"), expected)


@second_route("clip_surgery_features")
def test_feature_surgery_alone(tower, streams, trace):
    tokens = unit(tower.read_out(streams[-1]))
    (empty,) = trace.model.encode_text([""])
    expected = (tokens[1:, None] * (trace.text_features - empty)).sum(-1)
    assert_scores(cx.explain(trace, "clip_surgery_features"), expected)


@second_route("clip_surgery_released")
def test_what_was_released_for_a_resnet(golden_resnet):
    """Values of the attention pool attend by themselves, the class token too; no sharpening."""
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"][:1], arrays["tokens"], normalized=True)
    pool = model.visual.attention_pool
    (x,) = pool.tokens(model.visual.features(arrays["image"][:1]))
    v = torch.stack(pool.value(x).chunk(pool.heads, -1))  # H N d
    mixed = softmax_of(v, v, v.shape[-1] ** -0.5) @ v
    tokens = unit(pool.out(torch.cat(list(mixed), -1)))
    (empty,) = trace.empty_features
    expected = (tokens[1:, None] * (trace.text_features - empty)).sum(-1)
    assert_scores(cx.explain(trace, "clip_surgery_released"), expected)


@second_route("gem")
def test_gem(tower, streams, trace):
    """GEM (arXiv 2312.00878): queries, keys and values each refine themselves once by their own
    attention, and the mean of the three attentions reads the values; every vector of unit length,
    the inverse temperature is the mean length of the normed tokens by sqrt(d).
    """
    z = streams[2]
    for layer in range(2, 8):
        q, k, v = tower.qkv(layer, streams[layer])
        lengths = tower.norm(streams[layer], f"blocks.{layer}.ln_1").norm(dim=-1)
        sharpness = lengths.mean() * q.shape[-1] ** -0.5
        heads = []
        for head in range(tower.heads):
            outputs = []
            for x in (q[head], k[head], v[head]):
                refined = softmax_of(unit(x), unit(x), sharpness) @ unit(x)
                outputs.append(softmax_of(unit(refined), unit(refined), sharpness) @ v[head])
            heads.append(sum(outputs) / 3)
        z = z + tower.merge(layer, heads)
    expected = unit(tower.read_out(z)[1:]) @ trace.text_features.T
    assert_scores(cx.explain(trace, "gem"), expected)


@second_route("decomposition", "decomposition_among_texts")
def test_decomposition_by_taking_out_what_was_fetched(tower, streams, trace):
    """Without what all heads of all layers fetched from a patch, the score with the final norm's
    deviation held falls by that patch's share.
    """
    final, w = streams[-1][0], tower.weights
    fetched = torch.zeros(len(streams[0]), len(final))  # N D
    for layer in range(tower.layers):
        q, k, v = tower.qkv(layer, streams[layer])
        looked = softmax_of(q[:, :1], k, q.shape[-1] ** -0.5)[:, 0]  # H N
        brought = torch.cat(list(looked[..., None] * v), -1)
        fetched += brought @ w[f"blocks.{layer}.attn.out.weight"].T
    deviation = (final.var(unbiased=False) + 1e-5).sqrt()
    length = tower.read_out(final).norm()

    def score(x):
        normed = (x - x.mean(-1, keepdim=True)) / deviation * w["ln_post.weight"]
        return (normed + w["ln_post.bias"]) @ w["projection"] @ trace.text_features.T / length

    shares = score(final) - score(final - fetched[1:])
    assert_scores(cx.explain(trace, "decomposition"), shares)
    contrast = cx.explain(trace, "decomposition", minus_mean=True)
    assert_scores(contrast, shares - shares.mean(-1, keepdim=True))
    among = cx.explain(trace, "decomposition_among_texts")
    assert_scores(among, shares - shares.mean(-1, keepdim=True))
    alone = cx.explain(trace.with_texts(trace.texts[0]), "decomposition_among_texts")
    assert "nothing was subtracted" in " ".join(alone.notes) and not among.notes
    assert_scores(alone, shares[..., :1])
