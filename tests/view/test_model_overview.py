"""Does the model as one picture say what its numbers say, and does it fit into a notebook?"""

import re
from dataclasses import replace

import numpy as np
import pytest
from overview_examples import overview

import clipxai as cx
from clipxai.results.findings import Overview
from clipxai.view import ModelOverview
from clipxai.view.html import mimebundle
from clipxai.view.model_overview.content import of_texts
from clipxai.view.model_overview.sentences import captions, codes, opening, rail_codes
from clipxai.view.payload import unpack

FOUND = overview()
TEXTS = FOUND.texts


def test_what_fills_a_text_is_shown_as_one_token():
    rows = np.arange(21, dtype=np.float32).reshape(3, 7) / 100
    lens = np.zeros(4, np.float32)
    tokens = ("[pad]", "a", "owl", "[end]", "[pad]", "[pad]", "[pad]")
    filled = replace(FOUND.readings[0], tokens=tokens, rows=rows, lens=lens)
    found = replace(FOUND, readings=tuple(filled for _ in FOUND.readings))
    payload = ModelOverview(found).payload()
    header, arrays = payload.header, unpack(payload)
    assert header["readings"][0] == ["1 pad", "a", "owl", "[end]", "3 pads"]
    shown = arrays["reading_0"].reshape(3, 5)
    np.testing.assert_allclose(shown[:, :4], rows[:, :4], atol=1e-6)
    np.testing.assert_allclose(shown[:, 4], rows[:, 4:].sum(1), atol=1e-6)
    assert any(told.startswith("Pads fill a text") for told in captions(found))
    assert not any(told.startswith("Pads") for told in captions(FOUND))
    assert found.readings[0].tokens == tokens, "and the data stay"


def changed(found: Overview = FOUND, **arrays: np.ndarray) -> Overview:
    """The same with other shares."""
    return replace(found, shares=replace(found.shares, **arrays))


def of_module(layer: int, value: float, others: float = 0.0) -> np.ndarray:
    """(L, T, 1 + P) shares of which one is told."""
    values = np.full((4, 2, 197), others, np.float32)
    values[layer, 0, 0] = value
    return values


def test_the_story_names_the_block_the_head_and_the_patch_that_add_most():
    assert opening(FOUND, 0).startswith(
        "Layer 2's attention adds most to “an owl”: +0.250 of +0.500; head 1 alone +0.200, most of "
        "all from row 3, column 5. CLIP Surgery redraws the map (rank correlation "
    )
    tokens = FOUND.class_rows.tokens.copy()
    tokens[2, 1, 4] = 0
    itself = replace(FOUND, class_rows=replace(FOUND.class_rows, tokens=tokens))
    assert "most of all from [class] itself." in opening(itself, 0)


@pytest.mark.parametrize(
    ("attention", "ffn", "said"),
    [
        (
            of_module(2, 0.1),
            of_module(3, 0.2),
            "Layer 3's FFN adds most to “an owl”: +0.200 of +0.500. ",
        ),
        (
            of_module(2, 0.09),
            of_module(3, 0.01),
            "No single part makes “an owl” (cosine 0.50): the largest, layer 2's attention, adds "
            "+0.090. ",
        ),
        (
            of_module(1, -0.1, -0.1),
            of_module(1, -0.2, -0.1),
            "No layer adds to “an owl”: its cosine with the whole image is 0.50. ",
        ),
    ],
)
def test_the_story_is_another_where_the_numbers_are(
    attention: np.ndarray, ffn: np.ndarray, said: str
):
    assert opening(changed(attention=attention, ffn=ffn), 0).startswith(said)


def test_no_head_is_named_where_none_adds_or_none_is_known():
    assert "+0.250 of +0.500. " in opening(changed(heads=-abs(FOUND.shares.heads)), 0)
    assert "+0.250 of +0.500. " in opening(changed(heads=None, fetched=None), 0)


def test_without_shares_the_stations_are_told():
    lens = FOUND.lens.copy()
    lens[:, 0, 0] = 0.1, 0.2, 0.6, 0.3, 0.5
    siglip = replace(FOUND, shares=None, lens=lens)
    said = "cosine of 0.50. Of 5 stations on the way it is highest after layer 1. CLIP Surgery"
    assert said in opening(siglip, 0)
    lens[0, 0, 0] = 0.9
    assert "highest before the first layer. " in opening(replace(siglip, lens=lens), 0)
    assert "No class token" not in captions(FOUND)[0] and "no class token" in captions(siglip)[0]


def test_what_is_counted_is_a_layer_and_a_block_is_said_once_to_be_its_boxes():
    header = ModelOverview(FOUND).payload().header
    shown = [*header["words"].values(), *header["openings"]]
    assert not [said for said in shown if "block" in said.lower()]
    told = [said for said in header["captions"] if "block" in said.lower()]
    assert len(told) == 1 and told[0].startswith("A layer is a block of two boxes: attention (A)")


def test_a_map_is_turned_over_only_if_its_ranks_are():
    raw = FOUND.lens[-1, :, 1:]
    maps, empty = FOUND.rail.maps.copy(), np.zeros((8, 196), np.float32)
    for sign, said in (
        (-1, "turns the map over (rank correlation −1.00)."),
        (1, "redraws the map (rank correlation 1.00)."),
    ):
        maps[-1, -1] = sign * raw
        found = replace(FOUND, rail=replace(FOUND.rail, maps=maps, empty=empty))
        assert opening(found, 0).endswith(f"CLIP Surgery {said}")
    assert "Surgery" not in opening(replace(FOUND, rail=None), 0)


def test_a_long_text_leaves_room_for_its_story():
    long = replace(FOUND, texts=("a very long text about an owl " * 4, "b"))
    assert re.match(
        r"Layer 2's attention adds most to “a very long text about an owl…”: ", opening(long, 0)
    )


def test_it_opens_at_the_story_and_travels_whole():
    viewer = ModelOverview(FOUND, text=TEXTS[0])
    payload = viewer.payload()
    assert payload.header["stories"][0] == {"box": "attention", "layer": 2, "head": 1}
    assert payload.header["dropped"] == [] and payload.header["followed"] is None
    arrays, rows = unpack(payload), FOUND.patch_rows
    tokens = arrays["patch_low"].astype(int) + 256 * arrays["patch_high"].astype(int)
    np.testing.assert_array_equal(tokens, rows.tokens)
    np.testing.assert_allclose(arrays["patch_weights"], rows.weights, atol=0.51 / 255)
    np.testing.assert_allclose(arrays["lens"], FOUND.lens, atol=1e-5)
    np.testing.assert_allclose(arrays["rail"], FOUND.rail.maps, atol=1e-5)
    patch = int((FOUND.rail.maps[-1, -1, 0] - FOUND.rail.empty[-1]).argmax())
    assert payload.header["asked"][0] == patch


def test_what_is_given_up_is_said():
    whole = ModelOverview(FOUND).payload().size
    for part in (0.9, 0.6):
        small = ModelOverview(FOUND, budget=int(part * whole)).payload()
        assert (
            small.size <= part * whole and small.header["kept"] < FOUND.patch_rows.tokens.shape[-1]
        )
        assert small.header["dropped"][-1].startswith("To keep the figure small")
    assert small.header["patch_heads"] == 0 and small.header["rail_stations"] == 1
    with pytest.raises(ValueError, match="give more budget="):
        ModelOverview(FOUND, budget=10_000).payload()
    with pytest.raises(TypeError, match="expected Overview"):
        ModelOverview(FOUND.picture)


def test_of_many_texts_a_few_are_shown_and_it_is_said():
    rows = [*[0, 1] * 20, 0]
    many = of_texts(FOUND, rows)
    viewer = ModelOverview(many, text=40)
    header = viewer.payload().header
    assert header["numbers"] == [0, 1, 2, 40] and header["text"] == 3
    assert header["captions"][-1] == "It has 4 of 41 texts: ModelOverview(…, text=…) shows another."
    assert header["openings"] == [opening(FOUND, row) for row in (0, 1, 0, 0)]
    np.testing.assert_array_equal(viewer.shown.rail.maps[:, :, 1], FOUND.rail.maps[:, :, 1])
    assert not any("texts:" in line for line in ModelOverview(FOUND).payload().header["captions"])


def test_a_trace_is_shown_so_and_fits_into_a_notebook(trace):
    viewer = cx.show(trace)
    assert isinstance(viewer, ModelOverview) and viewer.overview.texts == trace.texts
    assert sum(map(len, mimebundle(viewer).values())) < 600_000
    assert (
        viewer.summary
        == "The model as one picture: a vision transformer with a class token, "
        + ("'a dog', 'a bicycle', 'a pizza'")
    )


def test_every_line_of_code_opens_a_viewer(trace):
    """And no line asks for what would be refused."""
    found = cx.overview(trace)
    places = {"layer": 3, "head": 2, "text": 1, "query": ", query=(4, 5)", "row": 4, "column": 5}
    lines = [line.format(**places) for line in codes(found).values()]
    lines += [line for both in rail_codes(found) for line in both]
    assert len(lines) == 7 + 16
    shown = {type(eval(line, {"cx": cx, "trace": trace})).__name__ for line in lines}
    assert shown == {
        *("HeadGrid", "LayerAttentionViewer", "MethodComparison", "ModuleComparison", "TokenMap"),
    }


def test_a_tower_is_asked_only_what_it_has():
    pooled = replace(FOUND, shares=None, class_rows=None, leading=0, readings=())
    assert {*codes(pooled)} == {"image", "joint", "stream", "attention"}
    assert "attention" not in codes(replace(pooled, patch_rows=None))
    second = replace(FOUND, picture=replace(FOUND.picture, number=2))
    assert all(", image=2" in line for line in codes(second).values())
