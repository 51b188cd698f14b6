"""Parts that add up, rows that sum to one, and the second route for each."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx


@pytest.fixture(scope="module")
def parts(trace):
    return cx.contributions(trace)


def test_contributions_add_up_to_the_score(trace, parts):
    assert parts.residual < 1e-5
    total = parts.attention.sum(0) + parts.ffn.sum(0) + parts.embedding + parts.bias
    cosine = (trace.model.encode_image(trace.pixels) @ trace.text_features.T)[0]
    np.testing.assert_allclose(total[:, 0], cosine, atol=1e-5)
    np.testing.assert_allclose(total, trace.similarity()[0].T, atol=1e-5)
    assert parts.attention.shape == parts.ffn.shape == (8, 3, 197)


def test_one_contribution_by_taking_the_module_out(trace, parts):
    """With the final norm's mean and deviation held, the score is linear in every part: remove one
    and its share is gone.
    """
    tower, final = trace.model.visual, trace.stream[0]
    mean, deviation = (
        final.mean(-1, keepdim=True),
        (final.var(-1, unbiased=False, keepdim=True) + tower.ln_post.eps).sqrt(),
    )
    length = trace.image_tokens(normalize=False)[0].norm(dim=-1, keepdim=True)

    def score(stream, centre):
        joint = (
            (stream - centre) / deviation * tower.ln_post.weight + tower.ln_post.bias
        ) @ tower.projection
        return (joint / length @ trace.text_features.T).T

    part = trace.ffn_output(5)[0]
    without = score(final - part, mean - part.mean(-1, keepdim=True))
    np.testing.assert_allclose(score(final, mean) - without, parts.ffn[5], atol=1e-5)


def test_lens_ends_at_the_raw_map(trace, parts):
    assert parts.lens.shape == (9, 3, 196)
    np.testing.assert_allclose(parts.lens[-1], trace.similarity()[0, 1:].T, atol=1e-6)
    early = (
        F.normalize(trace.model.visual.read_out(trace.residual(2)[0, 1:]), dim=-1)
        @ trace.text_features.T
    )
    np.testing.assert_allclose(parts.lens[2], early.T, atol=1e-6)


def test_last_ffns_disagree_with_the_final_feature(parts):
    """The paper's reason for skipping FFNs on the new path."""
    assert (parts.ffn_alignment[-3:] < parts.attention_alignment[-3:]).all()
    assert (abs(parts.attention_alignment) <= 1).all()


def test_resnets_cannot_be_taken_apart(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    with pytest.raises(
        ValueError, match="requires transformer blocks, which CLIP's ViTs and SigLIPs have"
    ):
        cx.contributions(trace)
    assert cx.attention_maps(trace, image=1).mean["vv"].shape == (1, 17, 17)


def test_attention_maps(trace):
    maps = cx.attention_maps(trace, kinds=("qk", "vv", "kk"))
    for kind in ("qk", "vv", "kk"):
        expected = trace.attention(3, kind)[0]
        np.testing.assert_allclose(maps.mean[kind][3], expected.mean(0), atol=1e-6)
        np.testing.assert_allclose(maps.class_rows[kind][3], expected[:, 0], atol=1e-6)
        np.testing.assert_allclose(maps.mean[kind].sum(-1), 1, atol=1e-4)
    np.testing.assert_allclose(maps.rollout.sum(-1), 1, atol=1e-4)


def test_head_statistics_by_brute_force(trace):
    maps, w = cx.attention_maps(trace), trace.attention(2)[0].numpy().astype(float)
    head = 1
    np.testing.assert_allclose(
        maps.entropy[2, head], -(w[head] * np.log2(w[head])).sum(-1).mean(), rtol=1e-4
    )
    np.testing.assert_allclose(maps.on_class[2, head], w[head, 1:, 0].mean(), rtol=1e-4)
    places = np.array([(y, x) for y in range(14) for x in range(14)])
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.testing.assert_allclose(
        maps.distance[2, head], (w[head, 1:, 1:] * apart).sum() / w[head, 1:, 1:].sum(), rtol=1e-4
    )


def test_rollout_by_brute_force(trace):
    maps, rolled = cx.attention_maps(trace), np.eye(197)
    for layer in range(8):
        mixed = trace.attention(layer)[0].mean(0).numpy() + np.eye(197)
        rolled = mixed / mixed.sum(-1, keepdims=True) @ rolled
        np.testing.assert_allclose(maps.rollout[layer], rolled[0], atol=1e-5)


def test_a_planted_sink_is_found(trace):
    from dataclasses import replace

    def plant(tape):
        k = tape.k.clone()
        k[:, :, 1 + 40] = 6 * F.normalize(tape.q.mean(2), dim=-1) * tape.q.norm(dim=-1).mean()
        return replace(tape, k=k)

    assert 40 in cx.attention_maps(replace(trace, layers=tuple(map(plant, trace.layers)))).sinks


def test_token_scores(trace):
    found = cx.token_scores(trace.with_texts("an ambulance and a dog"))
    assert found.tokens[0] == "[start]" and found.tokens[-1] == "[end]" and len(found.words) == 5
    start, stop = found.words[1][1:]
    assert stop - start > 1 and "".join(found.tokens[start:stop]) == "ambulance"
    S = len(found.tokens)
    assert all(values.shape == (S, 196) for values in found.scores.values())
    np.testing.assert_allclose(
        found.scores["raw"][-1],
        cx.explain(trace.with_texts("an ambulance and a dog"), "clip").scores.ravel(),
        atol=1e-5,
    )
    by_method = cx.explain(
        trace.with_texts("an ambulance and a dog"), "clip_surgery", redundant="empty"
    ).scores.ravel()
    np.testing.assert_allclose(
        found.scores["surgery minus the empty text"][-1], by_method, atol=1e-5
    )
    left_out = found.scores["leaving the word out"]
    apart = cx.explain(
        trace.with_texts(["an ambulance and a dog", "and a dog"]), "decomposition"
    ).scores.reshape(2, -1)
    np.testing.assert_allclose(left_out[-1], apart[0], atol=1e-6)
    for piece in range(start, stop):
        np.testing.assert_allclose(left_out[piece], apart[0] - apart[1], atol=1e-6)
    assert not left_out[0].any() and found.left_out_by == "decomposition"
    assert found.attention.shape == (3, S, S)
    assert np.triu(found.attention, 1).max() == 0, "a token never sees what comes after it"
    np.testing.assert_allclose(found.attention.sum(-1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="texts recorded as they are"):
        cx.token_scores(trace.with_texts(["dog"], templates=["a photo of a {}"]))


def test_text_attention_is_what_the_text_tower_did(trace):
    found, tape = cx.token_scores(trace, text=1), trace.text_layers[1]
    S = len(found.tokens)
    weights = torch.tensor(found.attention[1])
    assert weights.shape == (S, S)
    bias = torch.full((S, S), float("-inf")).triu(1)
    q, k, v = (x[1, :, :S] for x in (tape.q, tape.k, tape.v))
    explicit = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + bias).softmax(-1)
    torch.testing.assert_close(explicit.mean(0), weights, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        explicit @ v, F.scaled_dot_product_attention(q, k, v, is_causal=True), rtol=1e-4, atol=1e-5
    )


def arrays_of(answer):
    """(name, array) of everything that an answer holds, those by name too."""
    for name, value in vars(answer).items():
        for key, array in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(array, np.ndarray):
                yield f"{name} {key}".strip(), array


@pytest.mark.parametrize(
    "verb",
    [cx.contributions, cx.head_contributions, cx.attention_maps, cx.token_scores],
    ids=lambda verb: verb.__name__,
)
def test_half_precision_weights_give_nearly_the_same_parts(scene, verb):
    """A whole array differs by a few roundings (measured: up to 3.8), a single number by a few more
    of its own and the array's usual size (measured: up to 13.6), and every part, such as one layer
    or one text, by a few of its own (measured: up to 14.8).
    """
    rounding = 2.0**-8  # of bfloat16
    exact, half = (
        verb(cx.record(cx.load(dtype=dtype), scene.image, ["a dog"]))
        for dtype in (torch.float32, torch.bfloat16)
    )
    for (name, expected), (_, found) in zip(arrays_of(exact), arrays_of(half), strict=True):
        error, usual = abs(found - expected), np.sqrt(np.square(expected).mean())
        if name in ("bias", "norm_bias"):  # large terms that cancel: a rounding of the cosine
            assert error.max() <= rounding * abs(exact.similarity).max(), name
            continue
        assert np.sqrt(np.square(error).mean()) <= 6 * rounding * usual, name
        assert (error <= 24 * rounding * (abs(expected) + usual)).all(), name
        if expected.ndim > 1 and expected.shape[-1] > 1:  # of one number that was asked above
            wrong, right = (np.linalg.norm(part, axis=-1) for part in (error, expected))
            assert (wrong <= 16 * rounding * right).all(), name


def test_a_typed_end_token_ends_the_text(trace):
    """The model reads [end] wherever it stands; what comes behind it has no token to show."""
    words = cx.token_scores(trace.with_texts("a dog <|endoftext|> cat"))
    assert words.tokens == ("[start]", "a", "dog", "[end]") and [
        word for word, _, _ in words.words
    ] == ["a", "dog"]
    np.testing.assert_allclose(
        words.scores["leaving the word out"][2],
        cx.token_scores(trace.with_texts("a dog")).scores["leaving the word out"][2],
        atol=1e-6,
    )
