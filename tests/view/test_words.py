"""Does the viewer of words show the numbers it was given?"""

import re

import numpy as np
import pytest
from inside_examples import (
    PATHS,
    PICTURE,
    TOKENS,
    WORDS,
    contributions,
    left_out,
    token_scores,
)
from view_examples import HOSTILE, SCENE, damaged, texts_of

import clipxai as cx
from clipxai.view import TokenMap, save, show
from clipxai.view.html import page
from clipxai.view.number import number
from clipxai.view.payload import unpack

SCORES = token_scores()
LARGEST = 200_000  # bytes of a figure without its photo


UNITS = TokenMap(SCORES).words.units


def test_payload_holds_the_scores_within_the_codings_bounds():
    arrays = unpack(TokenMap(SCORES).payload())
    for n, path in enumerate(PATHS):
        bound = np.ptp(SCORES.scores[path], axis=1, keepdims=True) / 131068 + 1e-7
        assert (abs(arrays[f"scores{n}"] - SCORES.scores[path]) <= bound).all()
        np.testing.assert_array_equal(arrays["whole1"][n], SCORES.whole[path])
        words = [SCORES.whole[path][unit.start : unit.stop].mean() for unit in UNITS]
        np.testing.assert_array_equal(arrays["whole0"][n], np.array(words, np.float32))
    assert abs(arrays["attention"] - SCORES.attention).max() <= SCORES.attention.max() * 2 / 255


def test_words_are_the_mean_of_their_pieces_and_no_token_is_lost():
    viewer = TokenMap(SCORES)
    assert [unit.label for unit in viewer.words.units] == [
        "[start]",
        "an (1)",
        "owl",
        "by",
        "an (4)",
        "oak",
        "[end]",
    ]
    np.testing.assert_allclose(
        viewer.words.maps("raw", viewer.words.units)[2],
        SCORES.scores["raw"][2:4].mean(0),
        atol=1e-7,
    )
    assert [unit.name for unit in viewer.words.pieces] == list(TOKENS)
    without = token_scores(words=WORDS[:2])  # a vocabulary that cut the rest into no words
    assert [unit.name for unit in TokenMap(without).words.units] == [
        "[start]",
        "an",
        "owl",
        "by",
        "an",
        "oak",
        "[end]",
    ]


def test_one_scale_for_all_words_is_symmetric_and_reaches_the_strongest():
    viewer = TokenMap(SCORES)
    reach = float(abs(viewer.words.maps(PATHS[-1], viewer.words.units)).max())
    assert {(s.low, s.high) for s in viewer.words.scales(PATHS[-1], viewer.words.units)} == {
        (-reach, reach)
    }
    own = viewer.words.scales(PATHS[-1], viewer.words.units, own=True)
    assert (own[2].low, own[2].high) == (
        float(viewer.words.maps(PATHS[-1], viewer.words.units)[2].min()),
        float(viewer.words.maps(PATHS[-1], viewer.words.units)[2].max()),
    )
    header = viewer.payload().header["modes"][0]["paths"][2]
    assert header["shared"] == {"low": -reach, "high": reach, "colours": "RdBu_r"}
    assert header["own"][2] == vars(own[2])
    assert (
        f"from {number(-reach)} to {number(reach)}" in header["captions"][0]
        and "own scale" in header["captions"][1]
    )


def test_the_highest_words_come_first_unless_others_are_asked_for():
    viewer = TokenMap(SCORES)
    peaks = viewer.words.maps(PATHS[-1], viewer.words.units).max(1)
    first, *others = (n for n in np.argsort(-peaks).tolist() if 0 < n < 6)  # no [start], no [end]
    assert viewer.shown == [first, *sorted(others)] and first == 2
    assert TokenMap(SCORES, pinned=["oak", -1]).shown == [5, 6]
    assert TokenMap(SCORES, path="raw").payload().header["path"] == 0


def test_figure_shows_words_numbers_and_ranking():
    viewer = TokenMap(SCORES)
    words = texts_of(viewer.figure())
    assert "“an owl by an oak”" in words and "words by the whole image" in words
    assert words.count("owl") == 2, "once above its map, once in the ranking"
    whole = SCORES.whole[PATHS[-1]]
    assert (
        f"whole image {number(float(whole[2:4].mean()))} · 2 pieces" in words
        and number(float(whole[-1])) in words
    )
    everything = " ".join(words)
    assert (
        "mean of its pieces" in everything
        and "place in the text" in everything
        and "zero" in everything
    )


def test_it_opens_on_leaving_the_word_out():
    viewer = TokenMap(left_out())
    assert viewer.path == "leaving the word out"
    assert viewer.shown == [2, 5], "no [end], and nothing that looks blank beside the owl"
    written = texts_of(viewer.figure())
    assert {"words by what they add", "adds 0.3 to the cosine · 2 pieces", "owl"} <= {*written}
    everything = " ".join(written)
    assert "what the word adds to the map of the text, by decomposition" in everything
    assert "minus that of the text without the word" in everything
    assert "never those after" not in everything, "which is said of tokens"
    header = viewer.payload().header
    assert header["paths"][3] == "leaving the word out" and header["path"] == 3
    assert header["paths"][0] == "token itself, raw"
    raw, last = (header["modes"][0]["paths"][n] for n in (0, 3))
    assert "never those after" in " ".join(raw["notes"]) and raw["said"]["column"] == "whole image"
    assert last["table"]["head"][1] == "adds to the cosine"
    assert last["ranked"] == [1, 2, 3, 4, 5] and raw["ranked"] == [*range(7)]
    assert written.count("[end]") == 0, "it adds nothing: what stands there is the whole text"
    own = texts_of(TokenMap(left_out(), path="raw").figure())
    assert "words by the whole image" in own and "never those after" in " ".join(own)


def test_long_captions_say_what_the_ranking_leaves_out():
    tokens = ("[start]", *(f"w{n}" for n in range(40)), "[end]")
    many = token_scores(tuple((f"w{n}", n + 1, n + 2) for n in range(40)), tokens)
    assert any(re.match(r"and \d+ more, from", line) for line in texts_of(TokenMap(many).figure()))
    payload = TokenMap(many).payload()
    assert payload.size - len(payload.header["photo"]) < LARGEST


def test_constant_and_missing_patches_are_drawn_and_sent():
    broken = damaged(token_scores())
    broken.scores[PATHS[-1]][1], broken.scores[PATHS[-1]][6, :3] = 0.25, np.nan
    viewer = TokenMap(broken, pinned=[1, "oak"])
    assert "no variation" in texts_of(viewer.figure())
    assert viewer.payload().header["modes"][0]["paths"][2]["remarks"][1] == "no variation"
    broken.scores[PATHS[-1]][1] = np.nan
    assert "no finite value" in texts_of(TokenMap(broken, pinned=[1]).figure())
    assert np.isnan(unpack(viewer.payload())["scores2"][6, :3]).all()


def test_show_and_save_know_token_scores(tmp_path):
    assert isinstance(show(SCORES), TokenMap)
    for suffix in (".html", ".png", ".svg", ".pdf"):
        assert save(SCORES, tmp_path / f"words{suffix}").stat().st_size > 5000
    with pytest.raises(ValueError, match="one Explanation"):
        save(SCORES, tmp_path / "words.npz")


def test_hostile_words_never_become_markup():
    hostile = token_scores(((HOSTILE, 1, 2),), ("[start]", HOSTILE, "[end]"))
    text = page(TokenMap(hostile))
    assert "<img src=x" not in text and text.count("</script>") == 2


def test_wrong_input_is_explained():
    with pytest.raises(TypeError, match="expected TokenScores .* got Contributions"):
        TokenMap(contributions())
    with pytest.raises(ValueError, match="no path 'new'.*'raw'"):
        TokenMap(SCORES, path="new")
    with pytest.raises(ValueError, match="no word 'dog' in this text; it has:.*'owl'"):
        TokenMap(SCORES, pinned=["dog"])
    with pytest.raises(IndexError, match="this text has 7"):
        TokenMap(SCORES, pinned=[7])
    with pytest.raises(ValueError, match="no word was chosen"):
        TokenMap(SCORES, pinned=[])


def test_photo_is_given_up_last_and_declared():
    whole = TokenMap(SCORES).payload()
    tight = TokenMap(SCORES, budget=whole.size - 100).payload()
    assert "photo" in tight.header["dropped"][0] and PICTURE.image.shape[0] == 112


def test_of_several_texts_the_figure_says_which_it_shows_and_how_to_see_the_next(embedded):
    trace = cx.record(embedded, SCENE.image, ["an owl", "a {clock}"])
    idle = [
        cx.show(cx.token_scores(one, text)).payload().header["words"]["idle"]
        for one, text in ((trace, 0), (trace, 1), (cx.record(embedded, SCENE.image, ["an owl"]), 0))
    ]
    assert idle[0].endswith(
        "This is “an owl”, one of 2 texts: cx.token_scores(trace, text=1) shows “a {clock}”."
    )
    assert "text=0) shows “an owl”" in idle[1] and "token_scores" not in idle[2]
