"""Prose that sets a figure's state: what a link says; the browser's side is in tests/browser."""

import numpy as np
import pytest

from clipxai.view import link


def test_what_it_says():
    assert link("the last block", layer=-1, head=None) == (
        "[the last block](#clipxai:layer=-1&head=null)"
    )
    assert link("a [b]", kind="q-q & k-k", text=np.int64(1)) == (
        r"[a \[b\]](#clipxai:kind=q-q%20%26%20k-k&text=1)"
    )
    assert link("x", name="6", other="true") == (
        "[x](#clipxai:name=%226%22&other=%22true%22)"  # texts, not a number and a truth value
    )
    shown = link("x", a=1)
    assert shown._repr_markdown_() == shown


def test_refused():
    with pytest.raises(ValueError, match=r"has something to set, as in link\('x', layer=6\)"):
        link("x")
    with pytest.raises(TypeError, match="layer= is a set"):
        link("x", layer={1})
    with pytest.raises(TypeError, match="a text is needed"):
        link(6, layer=1)
