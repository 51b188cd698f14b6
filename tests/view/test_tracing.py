"""Does tracing show layer by layer where what matters lies, and say when it moves?"""

from dataclasses import replace

import numpy as np
import pytest
from inside_examples import PICTURE, effects, traced
from view_examples import HOSTILE, texts_of

from clipxai.view import EffectGrid, Tracing, save, show
from clipxai.view.html import page
from clipxai.view.payload import unpack

FOUND, WORDS = traced(), traced("words")
VIEWER = Tracing(FOUND)


def test_payload_holds_the_numbers_exactly():
    arrays = unpack(VIEWER.payload())
    patches, alone = arrays["patches"].reshape(2, 4, 196), arrays["alone"].reshape(2, 4)
    np.testing.assert_array_equal(patches, FOUND.change[:, 1:].transpose(2, 0, 1))
    np.testing.assert_array_equal(alone, FOUND.change[:, 0].T)
    header = VIEWER.payload().header
    assert header["first"][0] == 0 and header["best"][0] == [3, 0] and header["other"]
    assert [scale["high"] for scale in header["scales"][0]] == [0.25, 0.5]


def test_the_first_sentence_says_what_carries_most_and_when_it_moves():
    told = VIEWER.payload().header["verdicts"][0]
    assert "by −0.750" in told and "the class token entering layer 3 most, by −0.500" in told
    assert told.endswith("From layer 2 on it carries more than any patch.")
    assert told.split(";")[0] in " ".join(texts_of(VIEWER.figure()))
    lost = Tracing(replace(traced("patches"), by="zero", gap=None, other=None))
    told = lost.payload().header["verdicts"][0]
    row, column = divmod(30, 14)
    assert f"0.5 with “an owl” owes most to the patch in row {row}, column {column}" in told
    assert "+0.250" in told and "set to zero" in lost.payload().header["captions"][0][0]


def test_where_nothing_changes_nothing_is_most():
    same = replace(FOUND, change=0 * FOUND.change)
    told = Tracing(same).payload().header["verdicts"][0]
    assert told == "No token of any layer changes the cosine with “an owl”, which stays 0.5."


def test_words_stand_across_and_layers_down():
    header = Tracing(WORDS).payload().header
    assert (
        header["names"] == ["an", "owl", "here"]
        and "“owl” entering layer 0" in header["verdicts"][0]
    )
    written = texts_of(Tracing(WORDS).figure())
    assert {"an", "owl", "here", "layer 3", "−0.250"} <= {*written}


def test_show_opens_it_and_the_grid_for_the_others(tmp_path):
    for found in (FOUND, WORDS, traced("patches")):
        assert isinstance(show(found), Tracing)
    for found in (effects(), replace(WORDS, by="mean", gap=None)):
        assert isinstance(show(found), EffectGrid)
    for suffix in (".html", ".png", ".npz", ".csv"):
        assert save(FOUND, tmp_path / f"found{suffix}").stat().st_size > 2000


def test_estimates_say_so_and_wrong_input_is_refused():
    checked = {(0, 31): FOUND.change[0, 31] * 2}
    guessed = Tracing(replace(FOUND, estimated=True, checked=checked)).payload().header
    assert (
        "Measured as well: the 1 largest; the estimates are off by 50" in guessed["captions"][0][1]
    )
    with pytest.raises(ValueError, match="effects of heads have no place on the image"):
        Tracing(effects())
    with pytest.raises(ValueError, match="no text 'a dog'"):
        Tracing(FOUND, texts="a dog")
    text = page(Tracing(replace(FOUND, texts=(HOSTILE, "b"))))
    assert "<img src=x" not in text and text.count("</script>") == 2
    assert PICTURE.grid.patches == 196
