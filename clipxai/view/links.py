"""How does a word of the prose show something in a figure? A link that any figure above it follows,
in a notebook, in its saved copy, and on any page that figures stand on (`browser/links.js`).
"""

import json
import re
from urllib.parse import quote

from ..checks import of_its_kinds

BRACKETS = re.compile(r"([\[\]\\])")


class Link(str):
    """Markdown of a link, which a notebook shows as one."""

    def _repr_markdown_(self) -> str:
        return str(self)


@of_its_kinds
def link(words: str, **state: object) -> Link:
    """A link that sets the state of the nearest figure that knows such a state.

    Parameters
    ----------
    words : what the link says
    state : what it sets, by the names that a saved page's address has: `layer=6`, `head=2`,
        `text=1`, `smooth=False`, `pinned={"grid": 0, "row": 3, "column": 4}` …

    Returns
    -------
    Markdown, to stand in a cell of prose, or to be shown by a cell of its own. The figure is the
    last one above the link that can show all of it, else the first one below

    Raises
    ------
    TypeError : a value that JSON has no form for
    ValueError : no state, which would set nothing

    Examples
    --------
    >>> link("layer 6", layer=6, smooth=False)
    '[layer 6](#clipxai:layer=6&smooth=false)'
    """
    if not state:
        raise ValueError(f"a link has something to set, as in link({words!r}, layer=6)")
    asked = "&".join(f"{name}={_said(name, value)}" for name, value in state.items())
    shown = BRACKETS.sub(r"\\\1", words)
    return Link(f"[{shown}](#clipxai:{asked})")


def _said(name: str, value: object) -> str:
    """As `askedBy` of the scripts reads it."""
    if hasattr(value, "item"):
        value = value.item()  # numpy's numbers are numbers
    try:
        text = json.dumps(value)
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise TypeError(
            f"{name}= is a {kind}; a link sets numbers, texts, True, False, None, and lists or "
            "dictionaries of them"
        ) from None
    return quote(text.strip('"') if _is_plain(value) else text, safe="")


def _is_plain(value: object) -> bool:
    """A text that no script takes for something else."""
    if not isinstance(value, str) or not value or json.dumps(value) != f'"{value}"':
        return False
    try:
        json.loads(value)
    except ValueError:
        return True
    return False
