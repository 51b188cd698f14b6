"""Multi-label scores against torch and the heat-maps' own feature surgery."""

import numpy as np
import pytest
import torch

import clipxai as cx


def test_class_token_is_zero_shot(embedded, trace):
    e = cx.explain(trace)
    for scale in (100.0, float(embedded.logit_scale.exp())):
        expected = (scale * trace.image_features @ trace.text_features.T).double().softmax(-1)[0]
        np.testing.assert_allclose(
            cx.recognise(e, scale=scale), expected.detach(), rtol=1e-3, atol=1e-7
        )
    probabilities = embedded.probabilities(trace.pixels, list(trace.texts))[0].detach()
    np.testing.assert_allclose(
        cx.recognise(e, scale=float(embedded.logit_scale.exp())),
        probabilities,
        rtol=1e-3,
        atol=1e-7,
    )
    np.testing.assert_array_equal(cx.recognise(e, scale=None), e.presence)


@pytest.mark.parametrize("temperature", [2.0, 10.0])
def test_feature_surgery_is_that_of_the_maps_on_the_class_token(trace, temperature):
    tokens = trace.image_tokens()
    expected = cx.feature_surgery(tokens, trace.text_features, None, temperature)[0, 0]
    found = cx.recognise(cx.explain(trace, "clip"), "feature surgery", temperature=temperature)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert abs(found.mean()) < 1e-9
    # the paper's own order: multiply, weigh, subtract the mean of texts, then sum channels
    s = tokens[0, 0] @ trace.text_features.T
    w = (temperature * s).softmax(0) / (temperature * s).softmax(0).mean()
    products = tokens[0, 0] * trace.text_features * w[:, None]
    np.testing.assert_allclose(found, (products - products.mean(0)).sum(-1), atol=1e-6)


def test_the_order_of_texts_stays_but_that_of_images_does_not():
    """With weights near one, surgery shifts each image by its own mean."""
    grid = cx.Grid(1, 1, (4, 4), (0, 0, 4, 4))

    def image(*presence):
        presence = np.array(presence, np.float32)
        return cx.Explanation(
            presence[:, None, None],
            ("a", "b"),
            "clip",
            grid,
            "",
            np.zeros((4, 4, 3), np.uint8),
            presence,
        )

    likes_everything, shows_a = image(0.30, 0.29), image(0.28, 0.10)
    assert likes_everything.presence[0] > shows_a.presence[0]
    first, second = (cx.recognise(e, "feature surgery") for e in (likes_everything, shows_a))
    assert second[0] > first[0] and first[0] > first[1] and second[0] > second[1]


def test_maps_by_their_highest_patches(trace):
    e = cx.explain(trace, "clip_surgery_architecture")
    flat = torch.tensor(e.scores).flatten(1)
    np.testing.assert_allclose(cx.recognise(e, "maps"), flat.max(1).values)
    np.testing.assert_allclose(cx.recognise(e, "maps", top=5), flat.double().topk(5).values.mean(1))
    scores = np.array([[[1, np.nan, 3]], [[np.nan] * 3]], np.float32)
    grid = cx.Grid(1, 3, (3, 9), (0, 0, 3, 9))
    image, presence = np.zeros((3, 9, 3), np.uint8), np.zeros(2, np.float32)
    holed = cx.Explanation(scores, ("a", "b"), "clip", grid, "cosine", image, presence)
    assert cx.recognise(holed, "maps", top=3)[0] == 2 and np.isnan(cx.recognise(holed, "maps")[1])


def test_what_is_there_ranks_first(embedded):
    scenes = [cx.scenes.sample(seed) for seed in range(20)]
    texts = [f"a photo of {cx.scenes.noun(name)}" for name in cx.scenes.class_names()]
    spoken = cx.record(embedded, scenes[0].image, texts)
    for by, least in (("class token", 0.5), ("feature surgery", 0.5), ("maps", 0.15)):
        hits = 0
        for scene in scenes:
            trace = cx.record(embedded, scene.image, "")
            trace = type(trace)(
                **{**vars_of(trace), "texts": spoken.texts, "text_features": spoken.text_features}
            )
            best = int(cx.recognise(cx.explain(trace, "clip"), by).argmax())
            hits += cx.scenes.class_names()[best] in scene.objects
        assert hits / len(scenes) > least, by


def vars_of(trace):
    return {name: getattr(trace, name) for name in trace.__dataclass_fields__}


def test_wrong_input(trace):
    e = cx.explain(trace)
    with pytest.raises(
        ValueError,
        match=(
            "cannot recognise by 'softmax'; choose one of 'class token', 'feature surgery', 'maps'"
        ),
    ):
        cx.recognise(e, "softmax")
    with pytest.raises(
        ValueError, match="top=50, but a map has 49 patches|top=5000, but a map has"
    ):
        cx.recognise(e, "maps", top=5000)
    with pytest.raises(ValueError, match="one text has nothing to be compared with"):
        cx.recognise(cx.explain(trace.with_texts("a dog")), "feature surgery")
