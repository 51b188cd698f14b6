"""Does a page say what paper says?

Sentences are made in Python, and travel with their numbers or with places for them.
"""

import re
from pathlib import Path

import numpy as np
import pytest
from attention_examples import attention_example
from inside_examples import (
    contributions,
    effects,
    head_contributions,
    token_scores,
    traced,
    with_selection,
    word_relevance,
)
from surgery_examples import surgery_steps
from view_examples import MASKS, contrast, damaged, example, texts_of

import clipxai as cx
from clipxai.view import (
    BlindRanking,
    ContrastMap,
    EffectGrid,
    HeadGrid,
    LabelRanking,
    LayerAttentionViewer,
    MethodComparison,
    ModuleComparison,
    Prediction,
    RegionMap,
    SurgeryWalk,
    TokenMap,
    Tracing,
    TrainingSteps,
    Viewer,
    WordRanking,
)
from clipxai.view.html import stylesheet
from clipxai.view.number import WAYS, fill, number, signed, two_digits
from clipxai.view.palette import FRAME, MINUS, PLUS
from clipxai.view.payload import unpack
from clipxai.view.sentences import REMARKS, page_words, remark

FOLDER = Path(cx.view.__file__).parent
PARTS = with_selection(contributions())
EXAMPLES = [
    HeadGrid(head_contributions()),
    LayerAttentionViewer(attention_example(sinks=(7,), headed=(1,))),
    MethodComparison([example("clip"), example("gem")], mask=MASKS),
    ModuleComparison(PARTS),
    RegionMap(cx.segment(example("clip"), threshold=0.5, of="map")),
    SurgeryWalk(surgery_steps(), truth=MASKS),
    TokenMap(token_scores()),
    WordRanking(word_relevance()),
    ContrastMap(contrast()),
    LabelRanking(example("decomposition")),
    EffectGrid(effects(), head_contributions()),
    Tracing(traced()),
    TrainingSteps({"raw": [example("clip"), example("gem")]}, [0, 40], {"loss": [3.0, 2.0]}),
    Prediction(attention_example(), patch=(1, 2)),
    BlindRanking([example("clip"), example("gem")], MASKS),
]
each_viewer = pytest.mark.parametrize("viewer", EXAMPLES, ids=lambda viewer: viewer.module)


def scripts_of(viewer: Viewer) -> str:
    return "".join(path.read_text("utf-8") for path in (FOLDER / viewer.module).glob("*.js"))


@each_viewer
def test_all_words_that_travel_are_read_and_all_that_are_read_travel(viewer: Viewer):
    header = viewer.payload().header
    shared = set(page_words((1, 1), {}))
    own = set(header["words"]) - shared
    declared = re.findall(r'@typedef \{((?:"\w+"[\s*|]*)+)\}', scripts_of(viewer))
    assert own <= set(re.findall(r'"(\w+)"', " ".join(declared)))
    read = set(re.findall(r"\b(?:words|matrixWords)\.(\w+)", scripts_of(viewer)))
    assert own <= read, own - read
    assert read <= {*header["words"], *header.get("matrix", {})}, (
        "the script reads what is not sent"
    )


@each_viewer
def test_places_are_written_in_known_ways(viewer: Viewer):
    header = viewer.payload().header
    for sentence in (*header["words"].values(), *header.get("ranking", {}).values()):
        for way in re.findall(r"\{\w+:(\w+)\}", sentence):
            assert way in WAYS, sentence


def test_colours_of_paper_and_page_are_written_once():
    for colour in (PLUS, MINUS, FRAME):
        assert colour in stylesheet()
        for path in FOLDER.rglob("*.js"):
            assert colour not in path.read_text("utf-8"), path


def test_a_sentence_keeps_what_has_no_value_and_reads_no_value_twice():
    assert fill("{a} {b} {a:number}", a=2) == "2 {b} 2"
    assert fill("“{word}” {value:number}", word="{value:number}", value=1) == "“{value:number}” 1"
    assert fill("{a:unheard} {} {", a=1) == "{a:unheard} {} {"


def test_whether_a_map_varies_is_decided_once():
    """Rounding is no variation, on paper and on the page alike: the rule is relative."""
    nearly = np.full(9, 1000, np.float32)
    nearly[0] = np.nextafter(np.float32(1000), np.float32(1001))
    assert len(set(nearly.tolist())) == 2
    assert REMARKS[remark(nearly)] == "no variation"
    assert REMARKS[remark(np.full(9, np.nan))] == "no finite value"
    assert REMARKS[remark(np.array([1, 2, np.inf]))] == ""
    parts = damaged(contributions())
    parts.attention[3, 0, 1:] = 1000
    parts.attention[3, 0, 1] = nearly[0]
    viewer = ModuleComparison(parts, layer=3)
    assert "no variation" in texts_of(viewer.figure())
    assert unpack(viewer.payload())["remarks"][3, 0].tolist() == [1, 0, 0]
    heads = damaged(head_contributions())
    heads.heads[2, 1, 0, 1:] = 0
    sent = unpack(HeadGrid(heads, head=(2, 1)).payload())["remarks"]
    assert sent.shape == (2, 13) and np.flatnonzero(sent).tolist() == [2 * 3 + 1]


def test_head_grid_tells_the_exact_sums_and_the_strongest_heads():
    viewer = HeadGrid(head_contributions())
    found, shares, header = unpack(viewer.payload()), viewer.shares, viewer.payload().header
    for text in range(2):
        exact = [shares.maps(text, layer, head)[0].sum() for layer in range(4) for head in range(3)]
        np.testing.assert_allclose(found["from_patches"][:, :, text].ravel(), exact, rtol=1e-6)
        total = shares.maps(text, 0, 0)[1].sum()
        np.testing.assert_allclose(found["all_from_patches"][text], total, rtol=1e-5)
        assert header["scales"][text]["one"] == vars(shares.scales(text)[0])
        table = header["tables"][text]
        cells = shares.cells(text)[:3]
        strongest = np.unravel_index(abs(cells).argmax(), cells.shape)
        assert table["rows"][0][:3] == [
            str(strongest[1]),
            str(strongest[0]),
            signed(float(cells[strongest])),
        ]
        assert len(table["rows"]) == 10 and len(table["head"]) == len(table["rows"][0])
    assert "from patches" in " ".join(texts_of(viewer.figure()))


def test_module_comparison_tells_means_tables_and_both_captions():
    viewer = ModuleComparison(PARTS, layer=3)
    header, found = viewer.payload().header, unpack(viewer.payload())
    mean = float(PARTS.ffn[3, 0, 1:].mean())
    assert fill(header["words"]["mean"], mean=found["means"][3, 0, 1]) in texts_of(viewer.figure())
    assert number(mean) == number(float(found["means"][3, 0, 1]))
    shared, own = header["captions"][0]
    reach = number(viewer.shares.scale(0).high)
    assert f"one scale for all layers, from −{reach} to {reach}, zero" in shared[-2]
    assert "this layer's scale, from {low:number} to {high:number}, zero" in own[-2]
    assert (
        shared[-1].endswith("at most.")
        and "mFSR" in shared[2]
        and len(header["captions"][1][0]) == 5
    )
    low, high = (float(limit(PARTS.lens[1, 0])) for limit in (np.min, np.max))
    told = f"after layer 0: cosines from {number(low)} to {number(high)}"
    assert header["lens_titles"][0][1] == told and len(header["lens_titles"][0]) == 5
    ratios = PARTS.selection["an owl"].ratio
    q, v = (two_digits(float(ratios[kind][1])) for kind in ("qk", "vv"))
    selection = header["selections"][0]
    assert selection["told"][1] == f"; selection ratio q-k {q}, v-v {v}"
    assert selection["titles"][1].startswith(f"layer 1; selection ratio q-k {q}, v-v {v}; chance")
    assert header["selections"][1] is None
    table = header["tables"][0]
    assert table["rows"][1][:2] == ["layer 1", signed(float(PARTS.attention[1, 0, 0]))]
    assert table["rows"][1][-2:] == [q, v] and len(table["head"]) == len(table["rows"][0]) == 8


def test_a_lens_without_a_finite_cosine_says_so():
    parts = damaged(contributions())
    parts.lens[0] = np.nan
    titles = ModuleComparison(parts).payload().header["lens_titles"][0]
    assert titles[0] == "after the embedding: cosines from not a number"


def test_token_map_tells_subtitles_pieces_and_tables():
    viewer = TokenMap(token_scores())
    header = viewer.payload().header
    words, pieces = header["modes"]
    assert [unit["pieces"] for unit in words["units"] if unit["name"] == "owl"] == [
        ", mean of the pieces o + wl"
    ]
    assert not any(unit["pieces"] for unit in pieces["units"])
    for path, name in enumerate(viewer.paths):
        whole = viewer.words.whole(name, viewer.words.units)
        for n, subtitle in enumerate(words["paths"][path]["subtitles"]):
            assert subtitle.startswith(f"whole image {number(float(whole[n]))}")
        best = viewer.words.units[int(whole.argmax())].label
        assert words["paths"][path]["table"]["rows"][0][0] == best
    shown = words["paths"][2]["subtitles"][viewer.shown[0]]
    assert shown in texts_of(viewer.figure())


def test_word_ranking_tells_rank_and_pieces():
    header = WordRanking(word_relevance()).payload().header
    told = [unit["told"] for unit in header["units"]]
    assert told[2] == "“owl”: 50.0 %; 0.5, rank 1 of 5, the sum of o + wl"
    assert told[3] == "“by”: −25.0 %; −0.25, rank 5 of 5" and told[-1] == "“[end]”: 1"
    assert header["table"]["rows"][0] == ["[end]", "", "1", ""]
    assert header["table"]["rows"][1] == ["owl", "50.0 %", "0.5", "o + wl"]
    below = [unit["below"] for unit in header["units"]]
    assert below == ["", "10.0 %", "50.0 %", "−25.0 %", "10.0 %", "−5.0 %", ""]


def test_comparison_has_the_photo_once_and_even_rows_on_a_screen():
    many = MethodComparison([example(name, seed=n) for n, name in enumerate("abcd")])
    header = many.payload().header
    every, owl, clock = header["layouts"]
    assert owl["rows"] == [[None, 0, 1, 2, 3]] and clock["rows"] == [[None, 4, 5, 6, 7]]
    assert every["rows"] == [[None, 0, 1, 2, 3], [4, 5, 6, 7]] and every["text"] is None
    assert owl["title"] == "an owl" == header["text"], "one text at a time"
    assert MethodComparison(example("a")).payload().header["text"] is None
    for methods, columns in ((5, [3, 2]), (8, [4, 4]), (12, [4, 4, 4])):
        some = MethodComparison([example(str(n), texts=("a",)) for n in range(methods)])
        first, *others = some.payload().header["layouts"][1]["rows"]
        assert [len(first) - 1, *map(len, others)] == columns


def test_attention_says_the_same_of_its_first_state():
    maps = attention_example(sinks=(7,))
    viewer = LayerAttentionViewer(maps)
    header = viewer.payload().header
    told = " ".join(texts_of(viewer.figure()))
    row, column = divmod(viewer.query - 1, 6)
    place = fill(header["words"]["place"], row=row, column=column)
    assert fill(header["words"]["query"], name=place, head="", held="") in told
    assert header["words"]["mean_of_heads"] in told and header["words"]["every_kind"] == "both"
    assert header["ticks"] == ["layer 0", "1", "2"]


def test_layers_that_are_left_out_lose_their_names_too():
    whole = LayerAttentionViewer(attention_example(8, 2), steps=15)
    less = LayerAttentionViewer(whole.maps, steps=15, budget=whole.payload().size - 2000)
    header = less.payload().header
    assert header["layers"] == [1, 3, 5, 7] and header["ticks"] == ["layer 1", "3", "5", "7"]


def test_regions_fill_in_what_is_known_of_all_pixels():
    words = EXAMPLES[4].payload().header["words"]
    assert words["found"] == "{name}; best height {confidence:number}"
    assert words["found_and_true"] == f"{words['found']}; in truth {{truth}}"
