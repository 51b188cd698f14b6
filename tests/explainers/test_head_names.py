"""Heads are named by the texts that explain how they vary; a planted head is found."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.explainers.head_names import descriptions, text_span
from clipxai.scenes import factors
from clipxai.trace.readout import head_vectors

PHRASES = ["on the grass", "in the snow", "a dog", "a car", "in the night sky", "a photo of a cat"]


@pytest.fixture(scope="module")
def scenes():
    kinds, names = cx.scenes.backgrounds(), cx.scenes.class_names()
    return [
        cx.scenes.compose([names[seed % 8]], background=kinds[seed % 9], seed=seed)
        for seed in range(72)
    ]


@pytest.fixture(scope="module")
def recorded(embedded, scenes):
    return cx.record(embedded, [scene.image for scene in scenes], "a photo")


def by_projections(vectors, texts, count, rank):
    """TextSpan with projection matrices written out, nothing taken away step by step."""
    vectors, texts = vectors.double().numpy(), texts.double().numpy()
    _, _, vh = np.linalg.svd(vectors, full_matrices=False)
    onto = vh[:rank].T @ vh[:rank]
    centred, spoken = vectors - vectors.mean(0), texts @ onto
    E, chosen, shares = vectors.shape[1], [], []
    for _ in range(count):
        basis = np.linalg.qr(spoken[chosen].T)[0] if chosen else np.zeros((E, 0))
        apart = np.eye(E) - basis @ basis.T
        spread = (centred @ apart @ (spoken @ apart).T).std(0)
        spread[chosen] = -1
        chosen.append(int(spread.argmax()))
        basis = np.linalg.qr(spoken[chosen].T)[0]
        rest = centred - centred @ basis @ basis.T
        shares.append(1 - (rest**2).sum() / (centred**2).sum())
    return chosen, shares


@pytest.mark.parametrize("rank", [3, 80])
def test_text_span_by_explicit_projections(embedded, recorded, rank):
    texts = embedded.encode_text(descriptions())
    for layer, head in ((6, 0), (7, 2), (2, 1)):
        vectors = head_vectors(recorded, layer)[:, head]
        found, shares = text_span(vectors, texts, 3, rank)
        expected, explained = by_projections(vectors, texts, 3, rank)
        assert found == expected
        np.testing.assert_allclose(shares, explained, atol=1e-9)
        assert 0 < shares[0] <= shares[1] <= shares[2] <= 1


def test_a_planted_head_gets_its_name(scenes):
    """One head's value matrix is set to carry whether it snows, its output to say so."""
    model = copy.deepcopy(cx.load())
    images = [scene.image for scene in scenes]
    trace = cx.record(model, images, PHRASES)
    snows = torch.tensor([scene.background == "snow" for scene in scenes])
    block, at = model.visual.blocks[7], slice(32, 64)  # head 1 of the last layer
    with torch.no_grad():
        seen = block.norm(trace.residual(7)).mean(1)  # what a head reads that looks everywhere
        told = snows.float() - snows.float().mean()
        apart = torch.linalg.lstsq(seen - seen.mean(0), told).solution
        block.attn.qkv.weight.unflatten(0, (3, 128))[:, at] = 0
        block.attn.qkv.bias.unflatten(0, (3, 128))[:, at] = 0
        block.attn.qkv.weight[256 + 32] = apart
        block.attn.out.weight[:, at] = 0
        matrix, _ = model.visual.linear_read_out()
        said = trace.text_features[PHRASES.index("in the snow")]
        block.attn.out.weight[:, 32] = torch.linalg.lstsq(matrix.T, said).solution
    told = {"snow": snows.tolist(), "object": factors(scenes)["object"]}
    found = cx.name_heads(model, images, PHRASES, count=2, layers=[7], factors=told)
    assert found.of(7, 1)[0] == found.of(-1, 1)[0] == "in the snow"
    assert found.explained[0, 1, 0] > 0.999
    assert found.factors["snow"][0, 1] > 0.6 > 0.2 > found.factors["object"][0, 1]
    assert (7, 1) in found.top("snow", 1)


def test_factors_explain_what_lies_between_their_values(embedded, scenes, recorded):
    images, known = [scene.image for scene in scenes], factors(scenes)
    found = cx.name_heads(embedded, images, PHRASES, count=1, factors=known)
    vectors = head_vectors(recorded, 6)[:, 0].numpy()
    centred, within = vectors - vectors.mean(0), 0
    for value in set(known["background"]):
        some = vectors[[told == value for told in known["background"]]]
        within += ((some - some.mean(0)) ** 2).sum()
    adjusted = 1 - within / (centred**2).sum() * 71 / (72 - 9)
    assert found.factors["background"][6, 0] == pytest.approx(adjusted, abs=1e-4)
    np.testing.assert_allclose(
        found.variance[6, 0], (centred**2).sum(1).mean(), rtol=1e-3, atol=1e-6
    )
    assert found.factors["background"][6, 0] > 0.8 > 0.3 > found.factors["object"][6, 0]
    assert len(found.table()) == 32 and "8 layers" in repr(found)
    most = np.argsort(-found.variance, axis=None)[:6]
    assert repr(found).split("\n")[1:] == [found.table()[n] for n in most]


def test_without_background_heads_only_backgrounds_are_lost(embedded):
    """Heads are named by scenes that are composed, and silenced on others."""
    places, names = cx.scenes.backgrounds(), cx.scenes.class_names()
    seen = [
        cx.scenes.compose([names[7 * n % len(names)]], background=places[n % 12], seed=n)
        for n in range(96)
    ]
    images, told = [scene.image for scene in seen], {"background": factors(seen)["background"]}
    found = cx.name_heads(embedded, images, PHRASES, count=1, factors=told)
    heads = {}
    for layer, head in found.top("background", 8):
        heads.setdefault(layer, []).append(head)
    others = [scene for scene in map(cx.scenes.sample, range(110)) if len(scene.objects) == 1]
    trace = cx.record(embedded, [scene.image for scene in others], "a photo")
    mean_of = cx.record(embedded, images, "a photo")
    changed = cx.ablate(trace, heads=heads, to="mean", reference=mean_of)
    before, after = (hits(embedded, t.image_features, others) for t in (trace, changed))
    lost = [a - b for a, b in zip(before, after)]
    assert lost[1] > 0.2 and lost[1] >= 3 * lost[0], (before, after)


def hits(model, features, scenes):
    """Shares of the scenes whose object, and whose background, is said right."""
    told = []
    for names, own in (
        (cx.scenes.class_names(), [scene.objects[0] for scene in scenes]),
        (cx.scenes.backgrounds(), [scene.background for scene in scenes]),
    ):
        texts = [f"a photo of {cx.scenes.noun(name)}" for name in names]
        if own[0] in cx.scenes.backgrounds():
            texts = [f"a photo {cx.scenes.background_phrases(name)[0]}" for name in names]
        best = (features @ model.encode_text(texts).T).argmax(1)
        told.append(np.mean([names[n] == one for n, one in zip(best, own)]))
    return told


def test_descriptions_are_many_and_read_by_every_model(embedded):
    words = descriptions()
    assert 300 <= len(words) == len(set(words))
    assert embedded.tokenize(words).shape[1] <= embedded.text.context


def test_wrong_questions(embedded, scenes, golden_resnet):
    images = [scene.image for scene in scenes]
    with pytest.raises(ValueError, match="too few images to say what varies"):
        cx.name_heads(embedded, images[:3])
    with pytest.raises(ValueError, match="of the 12 images only 1 differ"):
        cx.name_heads(embedded, [images[0]] * 12)
    with pytest.raises(ValueError, match="is a folder, but a list of images is needed"):
        cx.name_heads(embedded, str(Path(__file__).parent))
    with pytest.raises(ValueError, match="count=5 texts a head, but the vocabulary has 1"):
        cx.name_heads(embedded, images, ["a dog"])
    with pytest.raises(ValueError, match="factor 'x' has 2 values for 72 images"):
        cx.name_heads(embedded, images, PHRASES, factors={"x": [1, 2]})
    with pytest.raises(ValueError, match="a value of its own for every image"):
        cx.name_heads(embedded, images, PHRASES, factors={"x": range(72)})
    with pytest.raises(ValueError, match="names of heads cannot be asked"):
        cx.name_heads(golden_resnet[0], images, PHRASES)
    found = cx.name_heads(embedded, images, PHRASES, layers=[7])
    with pytest.raises(ValueError, match="no factor 'colour'; known are none"):
        found.top("colour")
    with pytest.raises(ValueError, match="layer 3 was not named"):
        found.of(3, 0)
