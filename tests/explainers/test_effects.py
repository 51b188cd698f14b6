"""Effects are what `ablate` and `patch` give part by part; estimates are what a slope says."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.results.findings import Effects, rank_correlation

TEXTS = ["a dog", "a bicycle on grass", "a pizza"]
MODULES = {"attention": "attention", "ffn": "ffns", "blocks": "blocks"}


@pytest.fixture(scope="module")
def clean(embedded, scene):
    return cx.record(embedded, scene.image, TEXTS, size=56)


@pytest.fixture(scope="module")
def other(embedded):
    image = cx.scenes.compose(["cat"], background="sand", seed=2).image
    return cx.record(embedded, image, TEXTS, size=56)


def cosines(trace):
    return trace.image_features @ trace.text_features.T


def own(trace):
    return cosines(trace)[0].numpy()


def instead(by, other):
    return other if by == "other" else by


BY = pytest.mark.parametrize("by", ["zero", "mean", "other"])
TOWERS = pytest.mark.parametrize("tower", ["image", "text"])
CLOSE = dict(rtol=0, atol=2e-6)


@BY
@TOWERS
def test_heads_one_by_one(clean, other, by, tower):
    by = instead(by, other)
    found = cx.effects(clean, "heads", by, tower=tower, batch=3)
    assert found.change.shape == ((8 if tower == "image" else 3), 4, 3)
    for layer, head in ((0, 1), (2, 3), (1, 0)):
        changed = cx.ablate(clean, heads={layer: [head]}, tower=tower, to=by)
        np.testing.assert_allclose(found.change[layer, head], own(changed) - own(clean), **CLOSE)
    np.testing.assert_allclose(found.similarity, own(clean), **CLOSE)


@BY
@TOWERS
@pytest.mark.parametrize("of", MODULES)
def test_modules_one_by_one(clean, other, by, tower, of):
    by = instead(by, other)
    found = cx.effects(clean, of, by, tower=tower)
    for layer in range(len(found.layers)):
        changed = cx.ablate(clean, **{MODULES[of]: [layer]}, tower=tower, to=by)
        np.testing.assert_allclose(found.change[layer], own(changed) - own(clean), **CLOSE)


@BY
def test_patches_tokens_and_words_one_by_one(clean, other, by):
    by = instead(by, other)
    patches = cx.effects(clean, "patches", by, layers=[0, 5], batch=20)
    assert patches.change.shape == (2, 49, 3) and patches.layers == (0, 5)
    for row, layer in enumerate((0, 5)):
        for patch in (0, 17, 48):
            changed = cx.ablate(clean, patches=[patch], layer=layer, to=by)
            expected = own(changed) - own(clean)
            np.testing.assert_allclose(patches.change[row, patch], expected, **CLOSE)
    words = cx.effects(clean, "words", by, text="a bicycle on grass", layers=[0, 2])
    assert words.words == ("a", "bicycle", "on", "grass") and words.change.shape == (2, 4, 1)
    for row, layer in enumerate((0, 2)):
        for word in range(4):
            changed = cx.ablate(clean, words=[word], text=1, layer=layer, to=by)
            expected = own(changed)[1] - own(clean)[1]
            np.testing.assert_allclose(words.change[row, word, 0], expected, **CLOSE)


def test_the_gap_of_texts_is_that_of_the_other_texts(embedded, clean):
    swapped = cx.record(
        embedded, clean.images[0], ["a cat", "a guitar on sand", "a horse"], size=56
    )
    found = cx.effects(clean, "attention", swapped, tower="text")
    np.testing.assert_allclose(found.gap, own(swapped) - own(clean), **CLOSE)
    word = cx.effects(clean, "words", swapped, text=1)
    np.testing.assert_allclose(word.gap, found.gap[1:2], **CLOSE)
    assert word.other is None and cx.effects(clean, "ffn").gap is None


def test_causal_tracing(clean, other):
    """Layer by token: all of the class token at the end, nothing of it at the embedding."""
    traced = cx.effects(clean, "tokens", other)
    assert traced.change.shape == (8, 50, 3)
    for layer, token in ((0, 0), (3, 12), (7, 0)):
        changed = cx.patch(clean, other, layer=layer, tokens=[token])
        np.testing.assert_allclose(traced.change[layer, token], own(changed) - own(clean), **CLOSE)
    np.testing.assert_allclose(traced.gap, own(other) - own(clean), **CLOSE)
    assert np.array_equal(traced.other.image, other.images[0])
    assert abs(traced.change[0, 0]).max() < 1e-6, "at the embedding it is the same for all images"


def test_one_image_of_a_batch_and_a_changed_trace(embedded, clean, other):
    both = cx.record(embedded, [other.images[0], clean.images[0]], TEXTS, size=56)
    found = cx.effects(both, "heads", "mean", image=1)
    expected = cx.effects(clean, "heads", "mean").change
    np.testing.assert_allclose(found.change, expected, rtol=0, atol=1e-5)
    start = cx.ablate(clean, heads={6: [2]}, ffns=[4], blocks=[1])
    mask = np.zeros((50, 50), bool)
    mask[0, 5:9] = True
    start = cx.ablate(start, mask={5: mask})
    for of, name in (("heads", None), *MODULES.items()):
        found = cx.effects(start, of, "mean")
        for layer in (1, 4, 5, 6):
            part = {name: [layer]} if name else dict(heads={layer: [1]})
            change = own(cx.ablate(start, **part, to="mean")) - own(start)
            there = found.change[layer] if name else found.change[layer, 1]
            np.testing.assert_allclose(there, change, **CLOSE)
    with pytest.raises(ValueError, match="text tower of this trace was changed already"):
        cx.effects(cx.ablate(clean, words="dog"), "heads", tower="text")


@BY
@pytest.mark.parametrize("to", ["zero", "mean", "other"])
def test_the_same_part_again(clean, other, to, by):
    """Of a part that was changed already, and of those beside it, the last change counts."""
    to, by = instead(to, other), instead(by, other)
    cut = cx.ablate(clean, patches=[17, 18], layer=2, to=to)
    for layer in (0, 2):
        if to == by == "mean" and layer == 2:
            match = (
                r"changed already \(patches 17, 18 entering layer 2 to the mean\), and a mean is"
            )
            with pytest.raises(ValueError, match=match):
                cx.effects(cut, "patches", by, layers=[layer])
            continue
        found = cx.effects(cut, "patches", by, layers=[layer])
        for patch in (0, 17):
            changed = cx.ablate(cut, patches=[patch], layer=layer, to=by)
            np.testing.assert_allclose(found.change[0, patch], own(changed) - own(cut), **CLOSE)
    cut = cx.patch(clean, other, layer=2, tokens=[3])
    found = cx.effects(cut, "tokens", other, layers=[2])
    changed = cx.patch(cut, other, layer=2, tokens=[0, 3])
    np.testing.assert_allclose(found.change[0, 0], own(changed) - own(cut), **CLOSE)
    for name in MODULES.values():
        cut = cx.ablate(clean, **{name: [3]}, to=to)
        for part, asked in MODULES.items():
            changed = cx.ablate(cut, **{asked: [3]}, to=by)
            found = cx.effects(cut, part, by, layers=[3]).change[0]
            np.testing.assert_allclose(found, own(changed) - own(cut), **CLOSE)


@pytest.mark.parametrize("estimate", [False, True])
@pytest.mark.parametrize("of", ["heads", *MODULES, "patches"])
def test_means_in_half_precision(embedded, clean, of, estimate):
    half = cx.load(dtype="bfloat16")
    trace = cx.record(half, clean.images[0], TEXTS, size=56)
    found = cx.effects(trace, of, "mean", layers=[6], estimate=estimate).change
    expected = cx.effects(clean, of, "mean", layers=[6], estimate=estimate).change
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.02)


@TOWERS
@pytest.mark.parametrize("of", ["heads", *MODULES])
def test_estimates_are_the_slope_of_the_way_there(clean, other, of, tower):
    """By a small step of every part towards the other pass."""
    estimated = cx.effects(clean, of, other, tower=tower, estimate=True)
    part = {"heads": dict(heads={1: [2]})}.get(of) or {MODULES[of]: [1]}
    found = estimated.change[1, 2] if of == "heads" else estimated.change[1]
    np.testing.assert_allclose(found, slope(clean, other, of, tower, part), rtol=0.02, atol=2e-4)
    assert estimated.estimated and "estimated" in repr(estimated)


def slope(clean, other, of, tower, part, step=1e-2):
    """Central difference, all in float64: the model's own forward pass with a hook of its own."""
    import copy

    model = copy.deepcopy(clean.model).double()
    blocks = (model.visual if tower == "image" else model.text).blocks
    tapes = {t: (t.layers if tower == "image" else t.text_layers)[1] for t in (clean, other)}

    def moved(by):
        def edit(layer, place, tensor):
            if layer != 1:
                return tensor
            if place == "heads" and of in ("heads", "attention"):
                read = [t.weights(causal=tower == "text") @ t.v for t in tapes.values()]
                change = by * (read[1] - read[0]).double()
                if of == "heads":
                    change[:, [0, 1, 3]] = 0
                return tensor + change
            if (place == "ffn" and of in ("ffn", "blocks")) or (
                place == "attention" and of == "blocks"
            ):
                old, new = (getattr(t, place) for t in tapes.values())
                return tensor + by * (new - old).double()
            return tensor

        with torch.no_grad():
            if tower == "image":
                stream = model.visual(clean.pixels.double(), edit=edit)
                image = torch.nn.functional.normalize(model.visual.whole(stream), dim=-1)
                text = clean.text_features.double()
            else:
                ids = clean.token_ids
                tokens = model.text(ids, edit=edit)
                text = tokens[torch.arange(len(ids)), model.text.end(ids)]
                text = torch.nn.functional.normalize(text, dim=-1)
                image = clean.image_features.double()
        return (image @ text.T)[0].numpy()

    assert len(blocks) > 1
    return (moved(step) - moved(-step)) / (2 * step)


@pytest.mark.parametrize(("of", "tower"), [("heads", "image"), ("ffn", "text"), ("words", "text")])
def test_the_largest_estimates_are_measured_as_well(clean, of, tower):
    exact = cx.effects(clean, of, "mean", tower=tower)
    found = cx.effects(clean, of, "mean", tower=tower, estimate=True)
    size = abs(found.change).max(-1)
    count = len(found.checked)
    assert min(size[place] for place in found.checked) == np.sort(size, axis=None)[-count]
    layers = 8 if tower == "image" else 3
    assert sum(layers - found.layers[place[0]] for place in found.checked) <= 1.5 * layers
    off, true = 0, 0
    for place, change in found.checked.items():
        np.testing.assert_allclose(change, exact.change[place], **CLOSE)
        off += abs(found.change[place] - exact.change[place]).sum()
        true += abs(exact.change[place]).sum()
    assert found.off_by == pytest.approx(off / true, rel=1e-3) and 1 <= count <= 4
    assert f"off by {found.off_by:.0%} where checked" in repr(found) and exact.off_by is None


def test_many_texts_are_estimated_a_few_at_a_time(clean, monkeypatch):
    whole = cx.effects(clean, "heads", estimate=True).change
    monkeypatch.setattr("clipxai.explainers.effect_estimates.TEXTS_AT_ONCE", 2)
    np.testing.assert_allclose(cx.effects(clean, estimate=True).change, whole, rtol=0, atol=1e-6)


def test_estimates_of_what_stands_in_the_stream(clean, other):
    exact = cx.effects(clean, "patches", other)
    estimated = cx.effects(clean, "patches", other, estimate=True)
    assert estimated.change.shape == exact.change.shape
    x = clean.residual(0).clone()
    x[:, 18] += 1e-2 * (other.residual(0) - clean.residual(0))[:, 18]
    from clipxai.trace.replay import from_stream

    with torch.no_grad():
        step = (from_stream(clean, 0, x)[1][0] - cosines(clean)[0]).numpy() / 1e-2
    np.testing.assert_allclose(estimated.change[0, 17], step, rtol=0.2, atol=1e-3)
    words = cx.effects(clean, "words", "mean", text=1, estimate=True)
    assert words.change.shape == (1, 4, 1) and np.isfinite(words.change).all()


def test_a_siglip_has_effects_too(tmp_path):
    from transformers import SiglipConfig, SiglipModel

    small = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4)
    torch.manual_seed(0)
    SiglipModel(
        SiglipConfig(
            text_config=dict(**small, vocab_size=63, max_position_embeddings=6, projection_size=64),
            vision_config=dict(**small, image_size=32, patch_size=8),
        )
    ).save_pretrained(tmp_path)
    model, ids = cx.load(tmp_path), torch.tensor([[0, 5, 9, 33, 61, 62], [0, 8, 7, 21, 17, 62]])
    trace = cx.record(model, torch.randn(1, 3, 32, 32), ids, normalized=True)
    for tower in ("image", "text"):
        found = cx.effects(trace, "heads", "mean", tower=tower)
        changed = cx.ablate(trace, heads={1: [2]}, tower=tower, to="mean")
        np.testing.assert_allclose(found.change[1, 2], own(changed) - own(trace), **CLOSE)
        assert cx.effects(trace, "ffn", estimate=True, tower=tower).change.shape == (3, 2)


def test_what_effects_say(clean, other):
    found = cx.effects(clean, "heads", other)
    name, change = found.top("a dog", 1)[0]
    column = found.change[..., 0]
    layer, head = np.unravel_index(abs(column).argmax(), column.shape)
    assert (name, change) == (f"layer {layer}, head {head}", pytest.approx(column[layer, head]))
    assert f"{name}  {change:+.4f}" in repr(cx.effects(clean.with_texts(["a dog"]), "heads", other))
    assert found.by == "another pass" and "32 heads of the image tower" in repr(found)
    assert found.agreement(found) == 1
    words = cx.effects(clean, "words", text=1)
    assert words.top(0, 99)[0][0].startswith("layer 0, '") and len(words.top(0, 99)) == 4
    with pytest.raises(ValueError, match="cannot be compared"):
        found.agreement(cx.effects(clean, "ffn"))


def test_ranks_are_counted():
    """Pair by pair: how many are smaller, and half of those that are equal."""
    random = np.random.default_rng(0)
    a, b = random.integers(0, 9, (2, 50)).astype(float)
    by_pairs = [(x[:, None] > x).sum(1) + 0.5 * (x[:, None] == x).sum(1) for x in (a, b)]
    expected = np.corrcoef(*by_pairs)[0, 1]
    assert rank_correlation(a, b) == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match="all alike"):
        rank_correlation(a, np.zeros(50))


def test_wrong_questions(clean, golden_resnet):
    with pytest.raises(ValueError, match="patches are the image's"):
        cx.effects(clean, "patches", tower="text")
    with pytest.raises(ValueError, match=r"layers=\[\] asks about nothing"):
        cx.effects(clean, layers=[])
    with pytest.raises(ValueError, match="effects requires texts, and none were recorded"):
        cx.effects(cx.record(clean.model, clean.images[0]))
    with pytest.raises(ValueError, match="unknown of 'mlp'"):
        cx.effects(clean, "mlp")
    model, arrays, _ = golden_resnet
    with pytest.raises(ValueError, match="requires transformer blocks"):
        cx.effects(cx.record(model, arrays["image"], arrays["tokens"], normalized=True).of(0))
    assert isinstance(cx.effects(clean, layers=[-1]), Effects)


def test_texts_of_no_letter_or_several_lines_head_one_column(trace):
    told = repr(cx.effects(trace.with_texts(["", "a\ncat"]), "ffn")).splitlines()
    assert told[1].split() == ["(empty", "text)", "a", "cat"]
