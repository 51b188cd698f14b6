"""Faithfulness on scores and maps whose answer is known."""

import numpy as np
import pytest
import torch
from torchmetrics.functional import spearman_corrcoef

import clipxai as cx
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.faithfulness import (
    FIELDS,
    agreement,
    area,
    curve,
    faithfulness,
    filled,
    probability,
    randomised,
    sensitivity,
)


def red(pixels):
    """A model that counts the red in the left half."""
    return pixels[:, 0, :, :4].mean((1, 2))


def test_deletion_and_insertion_by_hand():
    picture, empty = torch.ones(3, 4, 8), torch.zeros(3, 4, 8)
    left = np.repeat([[1.0] * 4 + [0.0] * 4], 4, axis=0)
    assert curve(red, picture, empty, left, 4).tolist() == [1, 0.5, 0, 0, 0]
    assert curve(red, empty, picture, left, 4).tolist() == [0, 0.5, 1, 1, 1]
    assert curve(red, picture, empty, -left, 4).tolist() == [1, 1, 1, 0.5, 0]
    assert area(torch.tensor([1, 0.5, 0, 0, 0])) == pytest.approx(25)
    steps = curve(red, picture, empty, np.arange(32.0).reshape(4, 8), 32)
    assert len(steps) == 33 and steps[0] == 1 and steps[-1] == 0 and (steps.diff() <= 0).all()


def test_fills(embedded, scene):
    pixels = embedded.preprocess(scene.image)[0]
    black = embedded.preprocessor.restore(filled(pixels, "black", embedded)[None])[0]
    grey = embedded.preprocessor.restore(filled(pixels, "mean", embedded)[None])[0]
    blurred = filled(pixels, "blur", embedded)
    assert (
        (black == 0).all() and len(np.unique(grey.reshape(-1, 3), axis=0)) == 1 and grey.mean() > 90
    )
    assert (
        blurred.diff().abs().mean() < 0.3 * pixels.diff().abs().mean()
        and blurred.mean() == pytest.approx(float(pixels.mean()), abs=0.05)
    )
    with pytest.raises(ValueError, match="choose one of mean, blur, black"):
        filled(pixels, "white", embedded)


def test_probability_is_the_models_own(embedded, scene):
    texts = ["a photo of a dog", "a photo of a bicycle", "a photo of a pizza"]
    pixels = embedded.preprocess(scene.image)
    with torch.no_grad():
        expected = embedded.probabilities(pixels, texts)[0, 1]
        assert probability(embedded, embedded.encode_text(texts), 1)(pixels)[0] == pytest.approx(
            float(expected), rel=1e-4
        )


def test_the_true_mask_is_more_faithful_than_its_opposite(embedded):
    names = ["dog", "clock", "owl", "banana"]
    with torch.no_grad():
        labels = embedded.encode_text([f"a photo of {cx.scenes.noun(name)}" for name in names])
    good, bad = [], []
    for seed in (1, 2):
        scene = cx.scenes.compose(names[seed], seed=seed)
        score, pixels = probability(embedded, labels, seed), embedded.preprocess(scene.image)[0]
        good.append(faithfulness(embedded, score, pixels, scene.masks[0].astype(np.float32)))
        bad.append(faithfulness(embedded, score, pixels, 1 - scene.masks[0].astype(np.float32)))
    difference = {
        name: np.mean([one[name] for one in good]) - np.mean([one[name] for one in bad])
        for name in FIELDS
    }
    for fill in ("mean", "blur", "black"):
        assert difference[f"deletion, {fill}"] < -5 and difference[f"insertion, {fill}"] > 5
    assert difference["drop"] < 0 and difference["increase"] >= 0


def test_shuffled_weights_forget_and_leave_the_model_alone(embedded, scene):
    before = {name: tensor.clone() for name, tensor in embedded.state_dict().items()}
    blind, top = randomised(embedded, 0), randomised(embedded, 0, blocks=1)
    assert blind.name == f"{embedded.name}, shuffled" and "since loading" not in embedded.provenance
    assert top.provenance["since loading"].endswith("shuffled in the last 1 blocks, seed 0")
    assert all(torch.equal(before[name], tensor) for name, tensor in embedded.state_dict().items())
    changed = {
        name for name, tensor in top.state_dict().items() if not torch.equal(before[name], tensor)
    }
    last = f"visual.blocks.{len(embedded.visual.blocks) - 1}."
    assert changed and all(name.startswith(last) for name in changed)
    weight = next(name for name in before if "blocks.0." in name and before[name].ndim == 2)
    assert torch.equal(
        before[weight].flatten().sort().values, blind.state_dict()[weight].flatten().sort().values
    )
    texts = ["a photo of a dog", "a photo of a pizza"]
    known, lost = (
        float(m.probabilities(m.preprocess(scene.image), texts)[0, 0]) for m in (embedded, blind)
    )
    assert known > 0.9 and abs(lost - 0.5) < abs(known - 0.5)


def test_signs_do_not_cancel_in_a_mean(embedded):
    """Maps of a shuffled model agree by chance, with either sign; half of each is not none."""
    names, seen = dataset("emoji-world").ids[:3], []
    bench = Bench(embedded, dataset("emoji-world"), ["clip"], ["randomisation"])
    for name in names:
        row, image = bench.measure(name), cx.scenes.sample(int(name)).image
        texts = [bench.data.prompts[label] for label in row["labels"]]
        maps = (
            torch.tensor(cx.explain(cx.record(model, image, texts), "clip").scores).flatten(1)
            for model in (embedded, randomised(embedded, bench.seed))
        )
        expected = [spearman_corrcoef(one, other).item() for one, other in zip(*maps)]
        found = np.ravel(row["scores"]["clip"]["randomisation"])
        np.testing.assert_allclose(found, np.abs(expected), atol=0.01)
        seen += expected
    assert min(seen) < -0.1 and max(seen) > 0.1, "signs that would cancel"


def test_agreement_is_spearmans():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 5)).astype(np.float32)
    ranks = [np.argsort(np.argsort(x.ravel())) for x in (a, b)]
    assert agreement(a, b) == pytest.approx(np.corrcoef(*ranks)[0, 1], abs=1e-5)
    assert agreement(a, np.exp(a)) == pytest.approx(1) and agreement(a, -a) == pytest.approx(-1)
    assert np.isnan(agreement(a, np.ones((5, 5))))
    a[0], b[:, 4] = np.nan, np.nan
    assert agreement(a, b) == agreement(a[1:, :4], b[1:, :4]), "where both are known"


def test_sensitivity_of_maps_that_are_steady_or_not():
    pixels = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))

    def maps(pixels):
        """Brightness by blocks, which noise moves little; and noise alone, which it moves
        wholly.
        """
        coarse = torch.nn.functional.avg_pool2d(pixels.mean(1, keepdim=True), 4)[:, 0]
        fine = (pixels - pixels[:1]).sum(1)[:, ::4, ::4] + 1e-3 * coarse
        return torch.stack([coarse, fine], dim=1).numpy()

    steady, noisy = sensitivity(maps, pixels, (1.0, 1.0, 1.0), seed=0)
    assert 0 < steady < 0.5 < noisy
    assert sensitivity(maps, pixels, (1.0, 1.0, 1.0), seed=0).tolist() == [steady, noisy]
