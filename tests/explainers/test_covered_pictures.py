"""Methods that cover parts of the picture or leave out words, one forward pass at a time."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from method_examples import second_route

import clipxai as cx
from clipxai.explainers.perturbation import _random_masks
from clipxai.results.maps import ranks


@pytest.fixture(scope="module")
def small(embedded, scene):
    return cx.record(embedded, scene.image, ["a dog", "a bicycle"], size=64)


def cosines(trace, pixels):
    return (trace.model.encode_image(pixels) @ trace.text_features.T)[0]


@second_route("occlusion")
def test_occlusion(small):
    for window in (1, 3):
        scores, reach = cx.explain(small, "occlusion", window=window).scores, window // 2
        for y, x in ((0, 0), (3, 4), (7, 2)):
            covered = small.pixels.clone()
            covered[
                ...,
                8 * max(y - reach, 0) : 8 * (y + reach + 1),
                8 * max(x - reach, 0) : 8 * (x + reach + 1),
            ] = 0
            np.testing.assert_allclose(
                scores[:, y, x], cosines(small, small.pixels) - cosines(small, covered), atol=1e-5
            )


@second_route("rise", draws=[_random_masks])
def test_rise_is_the_published_sum_less_a_constant_in_expectation(small):
    """sum_n s_n m_n / (N p), pixel by pixel, and then the mean score times the uneven coverage
    taken off.
    """
    masks = torch.cat(list(_random_masks(80, 7, 0.5, small, seed=3)))
    assert masks.shape == (80, 64, 64) and masks.min() >= 0 and masks.max() <= 1
    scores = torch.stack([cosines(small, small.pixels * mask) for mask in masks])  # N T
    published = sum(s[:, None, None] * mask for s, mask in zip(scores, masks)) / (80 * 0.5)
    expected = F.avg_pool2d(published - scores.mean(0)[:, None, None] * masks.mean(0) / 0.5, 8)
    np.testing.assert_allclose(
        cx.explain(small, "rise", masks=80, seed=3).scores, expected, atol=1e-5
    )


def test_rise_says_how_far_two_halves_of_its_masks_agree(small):
    masks = torch.cat(list(_random_masks(80, 7, 0.5, small, seed=3)))
    scores = torch.stack([cosines(small, small.pixels * mask) for mask in masks])  # N T
    maps = []
    for half in (slice(0, None, 2), slice(1, None, 2)):
        own, s = masks[half], scores[half]
        centred = torch.einsum("nt,nhw->thw", s - s.mean(0), own)
        maps.append(F.avg_pool2d(centred, 8).flatten(1).numpy())
    alike = np.mean([np.corrcoef(*map(ranks, pair))[0, 1] for pair in zip(*maps)])
    (note,) = cx.explain(small, "rise", masks=80, seed=3).notes
    assert f"agree to {alike:.2f} (" in note
    more = cx.explain(small, "rise", masks=400, seed=3).notes[0]
    assert float(more.split("agree to ")[1].split(" ")[0]) > alike
    assert cx.explain(small, "rise", masks=2).notes == ()
    (flat,) = cx.explain(small, "rise", masks=40, share=1.0).notes
    assert "are flat, so nothing says how far they agree" in flat


def test_rise_says_so_of_each_image_by_itself(embedded):
    scenes = [cx.scenes.compose(name, seed=2, size=56) for name in ("dog", "cat")]
    both = cx.record(embedded, [one.image for one in scenes], ["a dog"], size=56)
    notes = [e.notes for e in cx.explain_all(both, "rise", masks=40)]
    assert notes == [cx.explain(both, "rise", image=n, masks=40).notes for n in (0, 1)]
    assert notes[0] != notes[1]


def test_random_masks_are_open_as_often_as_asked(small):
    masks = torch.cat(list(_random_masks(1500, 7, 0.3, small, seed=0)))
    assert abs(masks.mean() - 0.3) < 0.01
    everywhere = masks.mean(0)
    assert everywhere.min() > 0.25 and everywhere.max() < 0.35, (
        "some places are seen more often than others"
    )
    assert not torch.equal(masks[0], masks[1])


def gscorecam_by_hand(trace, features, slope, text, k):
    """One channel after the other, for one text; features (D, gh, gw), slope (D,)."""
    logits = torch.zeros(len(features))
    for channel in slope.argsort(descending=True)[:k]:
        large = F.interpolate(
            features[None, None, channel],
            trace.pixels.shape[-2:],
            mode="bilinear",
            align_corners=True,
        )[0, 0]
        mask = (large - large.min()) / (large.max() - large.min() + 1e-6)
        logits[channel] = (
            trace.model.logit_scale.exp() * cosines(trace, trace.pixels[:1] * mask)[text]
        )
    return (logits.softmax(0)[:, None, None] * features).sum(0)


@second_route("gscorecam")
def test_gscorecam(small):
    found = cx.explain(small, "gscorecam", channels=10).scores
    features = small.stream[0, 1:].T.unflatten(1, (8, 8))
    for text in range(2):
        cls = small.stream[:, 0].clone().requires_grad_()
        score = F.normalize(small.model.visual.read_out(cls), dim=-1)[0] @ small.text_features[text]
        (slope,) = torch.autograd.grad(score, cls)
        expected = gscorecam_by_hand(small, features, slope[0], text, 10)
        np.testing.assert_allclose(found[text], expected, rtol=0, atol=1e-3 * abs(expected).max())


@second_route("gscorecam")
def test_gscorecam_on_a_resnet(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"][:1], arrays["tokens"][:3], normalized=True)
    features = model.visual.features(arrays["image"][:1])[0].detach().requires_grad_()
    pool = model.visual.attention_pool
    x = pool.tokens(features[None])
    pooled = F.normalize(pool.merge(F.scaled_dot_product_attention(*pool.qkv(x)))[:, 0], dim=-1)
    found = cx.explain(trace, "gscorecam", channels=6).scores
    for text in range(3):
        (slope,) = torch.autograd.grad(
            pooled[0] @ trace.text_features[text], features, retain_graph=True
        )
        expected = gscorecam_by_hand(trace, features.detach(), slope.mean((1, 2)), text, 6)
        np.testing.assert_allclose(found[text], expected, rtol=0, atol=1e-3 * abs(expected).max())


def test_gscorecam_runs_every_channel_once_for_all_texts(small, monkeypatch):
    seen = []
    embed = small.model.visual.embed
    monkeypatch.setattr(
        small.model.visual,
        "embed",
        lambda pixels, keep: seen.append(len(pixels)) or embed(pixels, keep),
    )
    cx.explain(small, "gscorecam", channels=300)
    assert sum(seen) == 128, "the embedded model has 128 channels"


@second_route("words of occlusion")
def test_leaving_out_words(trace):
    two = trace.with_texts(["a dog and a pizza", ""])
    found = cx.word_relevance(two, "occlusion")
    image, whole = two.image_features[0], two.text_features[0] @ two.image_features[0]
    for token, text in ((2, "a and a pizza"), (3, "a dog a pizza"), (5, "a dog and a")):
        np.testing.assert_allclose(
            found.scores[token], whole - two.model.encode_text([text])[0] @ image, atol=1e-5
        )
    assert found.scores[0] == found.scores[6] == 0
    assert cx.word_relevance(two, "occlusion", text=1).tokens == ("[start]", "[end]")
