"""Which things does a text name, and which true mask is the text's?"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .sprites import WORLD


def things_named(text: str, things: Iterable[str]) -> list[str]:
    """Those of `things` that a text names, as words of their own, also more than one of them. Of
    the names of Emoji World the longest counts: a fire truck is no truck.

    Examples
    --------
    >>> things_named("two Cats, no catfish, a fire truck", ["cat", "fish", "truck"])
    ['cat']
    """
    things, found, rest = list(things), set(), text
    for name in sorted({*things, *WORLD["objects"]}, key=len, reverse=True):
        rest, times = re.subn(rf"\b{re.escape(name)}(s|es)?\b", "|", rest, flags=re.IGNORECASE)
        found |= {name} if times else set()
    return [name for name in things if name in found]


def masks_of(texts: Sequence[str], masks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """True masks (H, W) of the texts that name something whose mask is known; of all things it
    names, if it names several.
    """
    found = {}
    for text in texts:
        named = [masks[name] for name in things_named(text, masks)]
        if named:
            found[text] = np.logical_or.reduce(named)
    return found
