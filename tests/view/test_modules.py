"""Does the viewer of modules show the parts it was given, and do they add up?"""

import re

import numpy as np
import pytest
from inside_examples import TEXTS, contributions, token_scores, with_selection
from view_examples import HOSTILE, damaged, texts_of

from clipxai.view import ModuleComparison, save, show
from clipxai.view.html import page
from clipxai.view.module_comparison.sentences import captions, proof
from clipxai.view.number import number
from clipxai.view.payload import unpack

PARTS = contributions()


def test_payload_holds_the_class_tokens_parts_exactly_and_the_patches_within_bounds():
    arrays = unpack(ModuleComparison(PARTS).payload())
    np.testing.assert_array_equal(arrays["class_attention"], PARTS.attention[:, :, 0])
    np.testing.assert_array_equal(arrays["class_ffn"], PARTS.ffn[:, :, 0])
    for name in ("embedding", "bias", "similarity", "attention_alignment", "ffn_alignment"):
        np.testing.assert_array_equal(arrays[name], getattr(PARTS, name))
    for name, values in (
        ("attention", PARTS.attention[..., 1:]),
        ("ffn", PARTS.ffn[..., 1:]),
        ("lens", PARTS.lens),
    ):
        assert (
            abs(arrays[name] - values) <= np.ptp(values, axis=-1, keepdims=True) / 131068 + 1e-7
        ).all(), name


def test_sums_close_and_the_figure_says_so():
    viewer = ModuleComparison(PARTS)
    sums = viewer.shares.cumulative(1)
    assert sums.shape == (6,) and sums[0] == PARTS.embedding[1, 0]
    np.testing.assert_allclose(
        sums[2] - sums[1], float(PARTS.attention[1, 1, 0]) + float(PARTS.ffn[1, 1, 0]), atol=1e-7
    )
    np.testing.assert_allclose(sums[-1], PARTS.similarity[1, 0], atol=1e-6)
    np.testing.assert_array_equal(
        unpack(viewer.payload())["cumulative"][1], sums.astype(np.float32)
    )
    assert re.fullmatch(
        rf"parts add up to {number(sums[-1])}; difference \d(e−\d+)?", proof(viewer.shares, 1)
    )
    assert proof(viewer.shares, 0) in texts_of(viewer.figure())


def test_a_missing_part_shows_in_the_closure():
    broken = damaged(contributions())
    broken.similarity[0, 0] += 0.1
    assert proof(ModuleComparison(broken).shares, 0).endswith("difference 0.1")


def test_maps_share_one_scale_with_zero_in_the_middle():
    viewer = ModuleComparison(PARTS)
    attention, ffn, difference = viewer.shares.maps(1, 2)
    np.testing.assert_array_equal(attention, PARTS.attention[2, 1, 1:])
    np.testing.assert_array_equal(difference, attention - ffn)
    assert (
        viewer.shares.scale(1, 2).high
        == -viewer.shares.scale(1, 2).low
        == abs(viewer.shares.maps(1, 2)).max()
    )
    assert viewer.shares.scale(1).high == max(viewer.shares.scale(1, n).high for n in range(4))
    scales = viewer.payload().header["scales"][1]
    assert scales["all"] == vars(viewer.shares.scale(1))
    assert scales["layers"][2] == vars(viewer.shares.scale(1, 2))
    reach = abs(PARTS.lens[:, 1]).max()
    assert scales["lens"] == {"low": -reach, "high": reach, "colours": "RdBu_r"}


def test_figure_shows_every_layers_numbers_and_the_maps_of_the_largest_part():
    words = texts_of(ModuleComparison(PARTS).figure())
    for layer in range(4):
        assert f"{PARTS.attention[layer, 0, 0]:+.3f}".replace("-", "−") in words
    parts = abs(np.stack([PARTS.attention[:, 0, 0], PARTS.ffn[:, 0, 0]]))
    layer = int(parts.max(0).argmax())
    assert layer != 3
    titles = {f"layer {layer}: attention", f"layer {layer}: FFN", "attention − FFN"}
    assert {"“an owl”", *titles} <= set(words)
    everything = " ".join(words)
    assert (
        "zero in the middle" in everything
        and "Other texts of this viewer: a clock" in everything
        and "logit lens" in everything
    )


def test_selection_ratios_are_sent_and_drawn_where_the_mask_is_known():
    viewer = ModuleComparison(with_selection(PARTS))
    ratio = viewer.shares.selections[0].ratio
    sent = unpack(viewer.payload())["selection"]
    np.testing.assert_array_equal(sent[0], [ratio["qk"], ratio["vv"]])
    assert np.isnan(sent[1]).all() and viewer.payload().header["selections"][1] is None
    words = texts_of(viewer.figure())
    assert {"selection ratio", "q-k", "v-v", "0.75", "0.13"} <= set(words)
    assert "of the 19 patches that each of the object's 20 patches" in " ".join(
        captions(viewer.shares, 0)
    )
    other = ModuleComparison(with_selection(PARTS), texts=[1])
    assert "selection ratio" not in texts_of(other.figure()) and not any(
        "election" in line for line in captions(other.shares, 0)
    )
    assert "selection" not in unpack(ModuleComparison(PARTS).payload())


def test_texts_and_layer_can_be_chosen():
    viewer = ModuleComparison(PARTS, texts=["a clock"], layer=1)
    assert viewer.shares.texts == ("a clock",) and "layer 1: FFN" in texts_of(viewer.figure())
    np.testing.assert_array_equal(unpack(viewer.payload())["class_ffn"], PARTS.ffn[:, 1:, 0])


def test_a_deep_model_is_drawn_without_numbers_on_bars():
    deep = contributions(texts=("an owl",), layers=24)
    words = texts_of(ModuleComparison(deep).figure())
    assert "23" in words and f"{deep.attention[5, 0, 0]:+.3f}".replace("-", "−") not in words


def test_four_texts_at_twelve_layers_stay_small():
    payload = ModuleComparison(contributions(texts=("a", "b", "c", "d"), layers=12)).payload()
    assert payload.size - len(payload.header["photo"]) < 200_000


def test_values_that_are_no_numbers_survive():
    broken = damaged(contributions())
    broken.attention[1, 0, 5], broken.attention[3, 0, 7:9] = np.inf, np.nan
    viewer = ModuleComparison(broken)
    assert np.isnan(unpack(viewer.payload())["attention"][1, 0, 4]) and np.isfinite(
        viewer.shares.scale(0).high
    )
    viewer.figure()


def test_show_and_save_know_contributions(tmp_path):
    assert isinstance(show(PARTS), ModuleComparison)
    for suffix in (".html", ".png", ".svg", ".pdf"):
        assert save(PARTS, tmp_path / f"modules{suffix}").stat().st_size > 5000


def test_hostile_texts_never_become_markup():
    text = page(ModuleComparison(contributions(texts=(HOSTILE, "<b>"))))
    assert "<img src=x" not in text and "<b>" not in text and text.count("</script>") == 2


def test_wrong_input_is_explained():
    with pytest.raises(TypeError, match="expected Contributions .* got TokenScores"):
        ModuleComparison(token_scores())
    with pytest.raises(IndexError, match=r"layer 4, but this model has 4 \(0 to 3\)"):
        ModuleComparison(PARTS, layer=4)
    with pytest.raises(ValueError, match="no text 'a dog'.*'an owl'"):
        ModuleComparison(PARTS, texts=["a dog"])
    with pytest.raises(ValueError, match="no text was chosen"):
        ModuleComparison(PARTS, texts=[])
    with pytest.raises(IndexError, match="this figure has 2"):
        ModuleComparison(PARTS, texts=[len(TEXTS)])
