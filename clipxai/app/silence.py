"""What is silenced, and how is that said in Python? Parts of a pass, as they were clicked, that
`clipxai.ablate` takes out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

import numpy as np

from ..model.clip import cosines
from ..trace.ablate import ablate
from ..trace.trace import Trace


@dataclass(frozen=True)
class Silence:
    """Parts of the image tower, patches and words; nothing by default. Equal if the same is silent.

    Attributes
    ----------
    heads : layer and number of each
    attention, ffns : layers
    patches : numbers
    words : number of the text and of the word
    """

    heads: tuple[tuple[int, int], ...] = ()
    attention: tuple[int, ...] = ()
    ffns: tuple[int, ...] = ()
    patches: tuple[int, ...] = ()
    words: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, told: Mapping[str, Iterable]) -> "Silence":
        """As a browser tells it: lists, in the order of the clicks."""
        pairs = {name: sorted(map(tuple, told.get(name, ()))) for name in ("heads", "words")}
        alone = {name: sorted(told.get(name, ())) for name in ("attention", "ffns", "patches")}
        return cls(**{name: tuple(found) for name, found in (pairs | alone).items()})

    def __bool__(self) -> bool:
        return self.count > 0

    @property
    def count(self) -> int:
        """How many parts are silent."""
        return sum(len(getattr(self, one.name)) for one in fields(self))

    @property
    def calls(self) -> list[dict[str, Any]]:
        """What `ablate` is asked, one call after another: words of each text are a call."""
        first: dict[str, Any] = {}
        if self.heads:
            first["heads"] = _by_first(self.heads)
        for name in ("attention", "ffns", "patches"):
            if getattr(self, name):
                first[name] = list(getattr(self, name))
        calls = [first] if first else []
        for text, words in _by_first(self.words).items():
            calls.append({"words": words} | ({"text": text} if text else {}))
        return calls

    def of_trace(self, trace: Trace) -> Trace:
        """The pass without these parts; the same one if nothing is silent."""
        for call in self.calls:
            trace = ablate(trace, **call)
        return trace

    @property
    def code(self) -> str:
        """What stands for the trace in a line of Python."""
        said = "trace"
        for call in self.calls:
            said = f"cx.ablate({said}, {', '.join(f'{name}={it!r}' for name, it in call.items())})"
        return said


def cosines_of(trace: Trace) -> np.ndarray:
    """(T,) cosine of the whole image with every text."""
    return cosines(trace.image_features, trace.text_features)[0].detach().cpu().numpy()


def _by_first(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    return {first: [n for _, n in some] for first, some in groupby(pairs, lambda pair: pair[0])}
