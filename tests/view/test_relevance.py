"""Does the viewer of word relevance show the numbers it was given?"""

import numpy as np
import pytest
from inside_examples import token_scores, word_relevance
from view_examples import HOSTILE, texts_of

import clipxai as cx
from clipxai.scenes import compose
from clipxai.view import WordRanking, save, show
from clipxai.view.html import page
from clipxai.view.payload import unpack
from clipxai.view.word_ranking.sentences import notes

FOUND = word_relevance()


def test_words_are_the_sum_of_their_pieces_and_their_names_those_of_the_result():
    viewer = WordRanking(FOUND)
    shown = {
        unit.label: float(value)
        for unit, value, word in zip(viewer.words.units, viewer.words.values, viewer.words.is_word)
        if word
    }
    assert {name.split(" ")[0] for name in shown} == {name.split(" ")[0] for name in FOUND.by_word}
    assert sorted(shown.values()) == pytest.approx(sorted(FOUND.by_word.values())) and shown[
        "owl"
    ] == pytest.approx(0.5)


def test_shares_are_parts_of_all_that_words_matter():
    """Also of words that speak against the match; [start] and [end] have none."""
    shares = WordRanking(FOUND).words.shares
    np.testing.assert_allclose(shares[1:-1], [0.1, 0.5, -0.25, 0.1, -0.05], rtol=1e-5)
    assert np.isnan(shares[[0, -1]]).all() and np.nansum(abs(shares)) == pytest.approx(1)
    nothing = WordRanking(word_relevance((0,) * 8))
    assert not np.nansum(abs(nothing.words.shares)) and nothing.figure()


def test_zero_lies_in_the_middle_and_the_ends_do_not_stretch_the_scale():
    scale = WordRanking(FOUND).words.scale()
    assert (scale.low, scale.high) == (-0.5, 0.5)
    assert "[start] and [end] are not words" in " ".join(notes(WordRanking(FOUND).words))
    bare = word_relevance(words=())
    assert WordRanking(bare).words.scale().high == 1, "a text without words has its tokens only"


def test_payload_holds_the_numbers_exactly():
    viewer = WordRanking(FOUND)
    payload = viewer.payload()
    np.testing.assert_array_equal(unpack(payload)["values"], viewer.words.values)
    assert (
        payload.header["scale"] == {"low": -0.5, "high": 0.5, "colours": "RdBu_r"}
        and payload.header["units"][payload.header["first"]]["name"] == "owl"
    )


def test_figure_shows_the_sentence_the_numbers_and_the_ranking():
    words = texts_of(WordRanking(FOUND).figure())
    assert words.count("owl") == 2, "in the sentence and in the ranking"
    assert words.count("[end]") == 1 and words.count("−25.0 %") == 2
    assert "words by relevance" in words and "part of what all words matter" in words
    everything = " ".join(words)
    assert "Colour: relevance (made up)" in everything
    assert "whatever their signs, which is 1;" in everything
    assert (
        "from −0.5 to 0.5, zero in the middle" in everything
        and "pieces has their sum" in everything
    )


def test_a_long_text_breaks_its_lines_within_the_page():
    tokens = ("[start]", *(f"word{n}" for n in range(60)), "[end]")
    long = word_relevance(
        tuple(np.linspace(-1, 1, 62)), tuple((f"word{n}", n + 1, n + 2) for n in range(60)), tokens
    )
    figure = WordRanking(long).figure()
    figure.canvas.draw()
    assert all(area.get_position().x1 <= 1 and area.get_position().y0 >= 0 for area in figure.axes)
    assert any(line.startswith("and ") and " more, from" in line for line in texts_of(figure))


def test_scores_that_are_no_numbers_are_drawn():
    broken = word_relevance((0, np.nan, 0.3, 0.2, -0.25, 0.1, -0.05, 1))
    viewer = WordRanking(broken)
    assert np.isnan(unpack(viewer.payload())["values"][1]) and "not a number" in texts_of(
        viewer.figure()
    )


def test_a_models_word_relevance_is_shown_and_saved(embedded, tmp_path):
    import clipxai as cx

    trace = cx.record(embedded, compose(["dog"], "grass", seed=1).image, ["a dog on the grass"])
    found = cx.word_relevance(trace)
    viewer = show(found)
    assert isinstance(viewer, WordRanking)
    owned = [float(value) for value, word in zip(viewer.words.values, viewer.words.is_word) if word]
    np.testing.assert_allclose(owned, list(found.by_word.values()), rtol=1e-5, atol=1e-12)
    for suffix in (".html", ".png", ".svg", ".pdf"):
        assert save(found, tmp_path / f"words{suffix}").stat().st_size > 5000


def test_wrong_input_and_hostile_words():
    with pytest.raises(TypeError, match="expected WordRelevance .* got TokenScores"):
        WordRanking(token_scores())
    hostile = word_relevance((0, 1, 0), ((HOSTILE, 1, 2),), ("[start]", HOSTILE, "[end]"))
    assert "<img src=x" not in page(WordRanking(hostile))


def test_one_of_several_texts_is_said_to_be_one(trace):
    shown = WordRanking(cx.word_relevance(trace, text=2)).payload().header["notes"]
    assert (
        "This is “a pizza”, one of 3 texts: cx.word_relevance(trace, text=0) shows “a dog”."
    ) in shown
    other = cx.record(cx.load(), [compose(["dog"]).image, compose(["cat"]).image], ["a dog", "xyz"])
    second = WordRanking(cx.word_relevance(other, "bimodal", image=1)).payload().header["notes"]
    asked = 'cx.word_relevance(trace, "bimodal", text=1, image=1) shows “xyz”.'
    assert any(note.endswith(asked) for note in second), "the same of the same image"
    alone = cx.word_relevance(trace.with_texts("a dog"))
    assert not any("one of" in note for note in WordRanking(alone).payload().header["notes"])
