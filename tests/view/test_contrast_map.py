"""Does the figure of a contrast show its numbers, and both names?"""

from dataclasses import replace

import numpy as np
import pytest
from view_examples import HOSTILE, contrast, example, texts_of

from clipxai.view import ContrastMap, MethodComparison, save, show
from clipxai.view.html import page
from clipxai.view.number import number
from clipxai.view.payload import unpack

E = contrast()


def test_parts_are_those_of_the_map_and_close():
    parts = ContrastMap(E).sides.parts()
    up, down = E.scores[E.scores > 0].sum(), E.scores[E.scores < 0].sum()
    np.testing.assert_allclose(parts, [up, down, -0.125 - up - down], rtol=1e-5)
    assert parts.sum() == pytest.approx(-0.125)
    assert len(ContrastMap(contrast("clip")).sides.parts()) == 2, "which are no shares"


def test_both_names_stand_at_their_colours():
    written = texts_of(ContrastMap(E).figure())
    assert "◀ a clock" in written and "an owl ▶" in written
    assert "“a clock” fits the whole image better than “an owl”, by 0.125 of the cosine." in written
    assert {"for “an owl”", "for “a clock”", "from no patch"} <= {*written}
    everything = " ".join(written)
    assert "add up to −0.125" in everything and "zero in the middle" in everything
    assert "no shares of the cosine" in " ".join(texts_of(ContrastMap(contrast("clip")).figure()))
    even = replace(E, presence=np.zeros(1, np.float32))
    assert "“an owl” and “a clock” fit the whole image alike." in texts_of(
        ContrastMap(even).figure()
    )


def test_payload_holds_the_numbers_exactly():
    viewer = ContrastMap(E)
    payload = viewer.payload()
    np.testing.assert_array_equal(unpack(payload)["values"], E.scores.ravel())
    reach = float(abs(E.scores).max())
    assert payload.header["map"]["scale"] == {"low": -reach, "high": reach, "colours": "RdBu_r"}
    assert payload.header["sides"] == ["an owl", "a clock"]
    assert number(reach) in payload.header["notes"][0]


def test_patches_that_are_not_known():
    broken = E.scores.copy()
    broken[0, :2] = np.nan
    viewer = ContrastMap(replace(E, scores=broken))
    assert np.isfinite(viewer.sides.parts()).all() and viewer.figure()
    nothing = ContrastMap(replace(E, scores=np.full_like(broken, np.nan)))
    assert "no finite value" in texts_of(nothing.figure())


def test_show_and_save(tmp_path):
    assert isinstance(show(E), ContrastMap)
    assert isinstance(show([E, example("clip")]), MethodComparison)
    for suffix in (".html", ".png", ".svg", ".pdf", ".npz"):
        assert save(E, tmp_path / f"contrast{suffix}").stat().st_size > 5000


def test_wrong_input_and_hostile_texts():
    with pytest.raises(ValueError, match="no two sides: make one with clipxai.contrast"):
        ContrastMap(example())
    with pytest.raises(TypeError, match="expected Explanation"):
        ContrastMap("e")
    hostile = replace(E, sides=(HOSTILE, "b\nc"))
    text = page(ContrastMap(hostile))
    assert "<img src=x" not in text and text.count("</script>") == 2
