"""Every method of the table, by being in the table."""

import numpy as np
import pytest
import torch

import clipxai as cx

VIT = [name for name, method in cx.METHODS.items() if "vit" in method.architectures]
RESNET = [name for name, method in cx.METHODS.items() if "resnet" in method.architectures]
TEXTS = ["a dog", "a bicycle", "a pizza"]


@pytest.fixture(scope="module")
def images():
    return [cx.scenes.sample(seed).image for seed in (3, 4)]


@pytest.mark.parametrize("name", VIT)
def test_shape_sign_and_meaning(trace, name):
    e = cx.explain(trace, name)
    assert e.scores.shape == (3, 14, 14) and e.scores.dtype == np.float32
    assert np.isfinite(e.scores).all() and e.varies(0)
    assert e.texts == tuple(TEXTS) and e.method == name and e.unit and e.presence.shape == (3,)
    assert e.provenance["source"] == "embedded"


@pytest.mark.parametrize("name", RESNET)
def test_on_a_resnet(golden_resnet, name):
    model, arrays, _ = golden_resnet
    explained = cx.explain(cx.record(model, arrays["image"], arrays["tokens"]), name)
    assert [e.scores.shape for e in explained] == [(12, 4, 4)] * 2
    assert all(np.isfinite(e.scores).all() and e.varies() for e in explained)


@pytest.mark.parametrize("name", VIT)
def test_batch_equals_one_by_one(embedded, images, name):
    together = cx.explain(cx.record(embedded, images, TEXTS), name)
    for image, e in zip(images, together):
        alone = cx.explain(cx.record(embedded, image, TEXTS), name)
        np.testing.assert_allclose(alone.scores, e.scores, atol=2e-5)


@pytest.mark.parametrize("name", VIT)
def test_order_of_texts_does_not_matter(embedded, scene, name):
    e = cx.explain(cx.record(embedded, scene.image, TEXTS), name)
    turned = cx.explain(cx.record(embedded, scene.image, TEXTS[::-1]), name)
    np.testing.assert_allclose(e.scores[::-1], turned.scores, atol=1e-5)


@pytest.mark.parametrize("name", VIT)
def test_permuting_patches_permutes_the_map(embedded, name):
    """Without positions a transformer does not know where a patch is; only NACLIP looks at places by itself."""
    image = torch.randn(1, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(196, generator=torch.Generator().manual_seed(2))
    patches = image.unfold(2, 8, 8).unfold(3, 8, 8).reshape(1, 3, 196, 8, 8)
    shuffled = patches[:, :, order].reshape(1, 3, 14, 14, 8, 8).permute(0, 1, 2, 4, 3, 5).reshape(1, 3, 112, 112)
    table = embedded.visual.positions.table
    kept = table.clone()
    try:
        table[1:] = 0
        plain, moved = (cx.explain(cx.record(embedded, x, TEXTS), name).scores.reshape(3, 196) for x in (image, shuffled))
    finally:
        table.copy_(kept)
    same = np.allclose(plain[:, order], moved, atol=2e-5)
    assert same == (name != "naclip")


@pytest.mark.parametrize("name", VIT)
def test_a_random_model_gives_another_map(embedded, scene, name):
    """Model-randomisation sanity check (Adebayo et al. 2018): a map that ignores the weights explains nothing."""

    def maps():
        return cx.explain(cx.record(embedded, scene.image, TEXTS), name).scores.reshape(3, -1)

    trained, state, agreement = maps(), {key: tensor.clone() for key, tensor in embedded.state_dict().items()}, []
    try:
        for seed in range(6):
            noise = torch.Generator().manual_seed(seed)
            for tensor in (tensor for tensor in embedded.state_dict().values() if tensor.ndim >= 2):
                tensor.copy_(torch.randn(tensor.shape, generator=noise) * tensor.std())
            agreement += [np.corrcoef(a, b)[0, 1] for a, b in zip(trained, maps())]
    finally:
        embedded.load_state_dict(state)
    assert abs(np.mean(agreement)) < 0.4, "one random model may agree by chance, six do not"


def test_reversed_is_minus_raw(trace):
    np.testing.assert_array_equal(cx.explain(trace, "reversed_clip").scores, -cx.explain(trace, "clip").scores)


def surgery_by_hand(trace, text_features, redundant=None):
    tokens = torch.nn.functional.normalize(cx.rewrite(trace, "clip_surgery"), dim=-1)
    return cx.feature_surgery(tokens, text_features, redundant)[0, 1:, :3].T.reshape(3, 14, 14)


def test_clip_surgery_is_rewrite_then_feature_surgery(trace):
    against_empty = surgery_by_hand(trace, trace.text_features, trace.empty_features)
    np.testing.assert_allclose(cx.explain(trace, "clip_surgery").scores, against_empty, atol=1e-6)
    against_each_other = surgery_by_hand(trace, trace.text_features)
    np.testing.assert_allclose(cx.explain(trace, "clip_surgery", redundant="labels").scores, against_each_other, atol=1e-6)
    names = ["a cat", "an owl"]
    against_list = surgery_by_hand(trace, torch.cat([trace.text_features, trace.model.encode_text(names)]))
    e = cx.explain(trace, "clip_surgery", redundant=names)
    np.testing.assert_allclose(e.scores, against_list, atol=1e-6)
    assert e.unit == "cosine similarity minus what 5 texts share"


def test_a_single_text_uses_the_empty_one_and_says_so(trace):
    one = trace.with_texts("a dog")
    e = cx.explain(one, "clip_surgery", redundant="labels")
    assert e.varies() and "the empty text was subtracted" in e.notes[0] and "empty text" in e.unit
    np.testing.assert_array_equal(e.scores, cx.explain(one, "clip_surgery").scores)


def test_switches(trace):
    assert not np.allclose(cx.explain(trace, blocks=3).scores, cx.explain(trace).scores, atol=1e-3)
    assert cx.explain(trace, "clip_surgery", ffn=True).provenance["options"] == "ffn=True"
    with pytest.raises(ValueError, match="clip_surgery has no option 'depth'; its options: redundant, temperature, attention, blocks"):
        cx.explain(trace, depth=3)
    with pytest.raises(ValueError, match="reversed_clip has no option 'blocks'; its options: none"):
        cx.explain(trace, "reversed_clip", blocks=3)
    with pytest.raises(ValueError, match="unknown redundant='all'; choose 'empty', 'labels' or a list"):
        cx.explain(trace, redundant="all")


def test_unknown_methods_and_architectures(trace, golden_resnet):
    with pytest.raises(ValueError, match="unknown method 'clip_sugery'; nearest: clip_surgery"):
        cx.explain(trace, "clip_sugery")
    with pytest.raises(ValueError, match="clip_surgery_released is defined for resnet models, but .* is a vit"):
        cx.explain(trace, "clip_surgery_released")
    model, arrays, _ = golden_resnet
    with pytest.raises(ValueError, match="gem is defined for vit models, but .* is a resnet"):
        cx.explain(cx.record(model, arrays["image"], arrays["tokens"]), "gem")


def test_the_table_prints():
    table = cx.methods()
    assert len(repr(table).splitlines()) == 1 + len(cx.METHODS)
    assert "arXiv 2304.05653" in repr(table) and "<td" in table._repr_html_()
