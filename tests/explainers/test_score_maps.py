"""Maps that carry gradients, against differences of maps."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.explainers.score_maps import DIFFERENTIABLE

TEXTS = ["a dog", "a bicycle"]
DIRECTIONS = (
    "visual.blocks.6.attn.qkv.weight",
    "text.blocks.1.mlp.up.weight",
    "visual.positions.table",
)
STEP = 2e-3


@pytest.fixture
def model():
    """Its own, in double precision: differences of maps then have digits to spare."""
    return cx.load(dtype="float64").requires_grad_(True)


def _usable(name):
    return cx.METHODS[name].works_on(cx.load())


@pytest.mark.parametrize("name", [name for name in DIFFERENTIABLE if _usable(name)])
def test_gradients_are_those_of_differences(model, scene, name):
    """Of weights of both towers at another size, and of pixels."""
    pixels = model.preprocess(scene.image, size=48).double().requires_grad_()
    weights = [dict(model.named_parameters())[at] for at in DIRECTIONS]
    seed = torch.Generator().manual_seed(1)
    inside = torch.randn(1, 2, 6, 6, generator=seed)

    def told(**options):
        return cx.record(model, pixels, TEXTS, normalized=True, **options)

    maps = cx.score_maps(told(differentiable=True), name)
    assert maps.shape == (1, 2, 6, 6)
    slopes = torch.autograd.grad((maps * inside).sum(), [*weights, pixels])
    right = cx.explain(told(), name).scores
    np.testing.assert_allclose(maps[0].detach(), right, atol=1e-6 * np.abs(right).max())
    for place, slope in zip([*weights, pixels], slopes):
        way = torch.randn(place.shape, generator=seed, dtype=torch.float64)
        values = []
        for step in (STEP, -STEP):
            with torch.no_grad():
                place += step * way
                values.append((_in_double(told(), name) * inside).sum())
                place -= step * way
        expected = float(values[0] - values[1]) / (2 * STEP)
        found = float((slope * way).sum())
        # scores are float32
        assert found == pytest.approx(expected, rel=1e-2, abs=2e-4), place.shape


def _in_double(trace, name):
    """What `explain` rounds to float32."""
    return cx.METHODS[name].function(trace).values.transpose(1, 2).unflatten(-1, trace.grid)


def test_a_loss_on_maps_is_learned(model, scene):
    """Ten steps towards a mask: the map is more inside it, and nothing else was switched on."""
    mask = torch.from_numpy(scene.mask("dog")[None, None]).float()
    inside = torch.nn.functional.adaptive_avg_pool2d(mask, (14, 14))
    inside = (inside - inside.mean()) / inside.std()
    pixels = model.preprocess(scene.image)
    optimizer = torch.optim.SGD(model.visual.parameters(), lr=0.05)
    losses = []
    for _ in range(5):
        trace = cx.record(model, pixels, ["a dog"], normalized=True, differentiable=True)
        loss = -(cx.score_maps(trace) * inside).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.01
    assert model.text.blocks[0].ln_1.weight.grad is not None, "the text tower is asked as well"


def test_other_recordings_have_no_graph(model, scene):
    """Whatever the weights ask for; and a differentiable one answers every method as any other."""
    plain = cx.record(model, scene.image, TEXTS, size=48)
    assert not any(
        part.requires_grad
        for part in (plain.stream, plain.text_features, plain.image_tokens(), cx.rewrite(plain))
    )
    flowing = cx.record(model, scene.image, TEXTS, size=48, differentiable=True)
    assert flowing.with_texts(["a cat"]).text_features.requires_grad
    assert flowing.empty_features.requires_grad and cx.rewrite(flowing).requires_grad
    for name in ("clip_surgery", "decomposition", "grad_cam", "gradient_x_input", "legrad"):
        right = cx.explain(plain, name).scores
        found = cx.explain(flowing, name).scores
        np.testing.assert_allclose(found, right, atol=1e-6 * np.abs(right).max(), err_msg=name)


def test_what_cannot_flow_is_refused(model, embedded, scene):
    with pytest.raises(ValueError, match=r"nothing requires gradients: call model\.requires_grad_"):
        cx.record(embedded, scene.image, TEXTS, differentiable=True)
    with pytest.raises(ValueError, match="this trace has no graph"):
        cx.score_maps(cx.record(model, scene.image, TEXTS))
    trace = cx.record(model, scene.image, TEXTS, differentiable=True)
    with pytest.raises(
        ValueError, match="the map of grad_cam carries no gradients; choose one of clip"
    ):
        cx.score_maps(trace, "grad_cam")
    with torch.no_grad(), pytest.raises(ValueError, match="gradients are switched off"):
        cx.score_maps(trace)
    picture = torch.rand(1, 3, 112, 112).requires_grad_()
    with pytest.raises(ValueError, match="has to be what the model reads"):
        cx.record(embedded, picture, TEXTS, differentiable=True)
    with torch.inference_mode():
        assert not cx.record(model, scene.image, TEXTS).stream.requires_grad


@pytest.mark.parametrize("alone", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize(
    ("name", "options"), [("clip", {}), ("clip_surgery", {"redundant": ["a car", "a tree"]})]
)
def test_who_asks_first_without_gradients_takes_none_from_the_next(
    model, scene, name, options, alone
):
    """What a trace keeps of its images, of the empty text and of labels is kept with its graph."""
    slopes = []
    for first in (False, True):
        trace = cx.record(model, scene.image, TEXTS, size=48, differentiable=True)
        if first:
            with alone():
                cx.explain(trace, name, **options)
                assert not trace.image_tokens().requires_grad and len(trace.empty_features)
        weights = [dict(model.named_parameters())[at] for at in DIRECTIONS]
        for one, told in ((name, options), ("clip_surgery", {})):
            total = cx.score_maps(trace, one, **told).square().sum()
            slopes.append(torch.autograd.grad(total, weights, retain_graph=True))
    for before, after in zip(slopes[:2], slopes[2:]):
        for one, other in zip(before, after):
            assert one.any()
            torch.testing.assert_close(one, other)


def test_numbers_of_a_pass_with_its_graph(model, scene):
    """Verbs that return numbers return those of a pass without."""
    plain = cx.record(model, scene.image, TEXTS, size=48)
    trace = cx.record(model, scene.image, TEXTS, size=48, differentiable=True)
    for of in ("heads", "tokens", "words"):
        found, right = (cx.effects(one, of, layers=None).change for one in (trace, plain))
        np.testing.assert_allclose(found, right, atol=1e-5)
    assert cx.contrast(trace, *TEXTS).scores.any() and cx.surgery_steps(trace)
