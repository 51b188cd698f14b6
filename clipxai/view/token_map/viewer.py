"""Which word goes with which patch?

A caption as chips and a map for every word, linked both ways.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, number_of
from ...results.findings import TokenScores
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, colour_table, finite, varies
from ..viewer import Viewer
from ..word_units import Unit
from .content import WordMaps
from .sentences import colours, notes, summary, unit_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_AT_FIRST = 6  # one large map and five small ones


class TokenMap(Viewer):
    """A caption as words, and for each the patches it goes with; for each patch, the words.

    Parameters
    ----------
    scores : from `clipxai.token_scores`
    path : which of its paths is shown first; the last by default
    pinned : words whose maps are shown first, the first of them large: as written or by number (0
        is [start]); by default those with the highest patches
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than TokenScores
    ValueError : unknown path or word
    IndexError : no word of that number

    Examples
    --------
    >>> TokenMap(token_scores(trace)).save("words.html")  # doctest: +SKIP
    """

    module = "token_map"

    def __init__(
        self,
        scores: TokenScores,
        *,
        path: str | None = None,
        pinned: Sequence[str | int] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(TokenScores, scores, "token_scores")
        self.scores, self.budget = scores, budget
        self.words = WordMaps.of(scores)
        self.paths = tuple(scores.scores)
        self.path = self.paths[-1] if path is None else path
        if self.path not in self.paths:
            known = ", ".join(map(repr, self.paths))
            raise ValueError(f"no path {path!r} in these scores; choose one of {known}")
        names = [unit.name for unit in self.words.units]
        if pinned is None:
            self.shown = self.words.highest(self.path, SHOWN_AT_FIRST)
        else:
            self.shown = [number_of(names, word, "word", "this text") for word in pinned]
        if not self.shown:
            raise ValueError("no word was chosen: pinned= is empty")

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.words)

    def figure(self) -> "Figure":
        """The photo, the words shown first as maps, and all words ranked by their share."""
        from .drawing import draw  # loads matplotlib

        return draw(self.words, self.path, self.shown)

    def payload(self) -> Payload:
        """Patch scores of every path, words and photo.

        `scores0` … are one array (S, P) per path, `whole` (paths, S) the same with the whole image,
        `attention` (L, S, S) that of the text tower.
        """
        found = self.scores
        arrays: Arrays = {
            **{
                f"scores{n}": (finite(found.scores[path]), "u16")
                for n, path in enumerate(self.paths)
            },
            "whole": (np.stack([found.whole[path] for path in self.paths]), "f32"),
            "attention": (found.attention, "u8sqrt"),
            **{name: (colour_table(name), "u8") for name in (SEQUENTIAL, DIVERGING)},
        }
        return pack(self._header(), arrays, self.budget, [smaller_photo(found.picture.image)])

    def _header(self) -> Header:
        found, (large, *small) = self.scores, self.shown
        return {
            **picture_header(found.picture),
            "summary": self.summary,
            "tokens": list(found.tokens),
            "layers": len(found.attention),
            "paths": [{"name": path, "unit": unit_of(path)} for path in self.paths],
            "path": self.paths.index(self.path),
            "modes": [self._mode(self.words.units), self._mode(self.words.pieces)],
            "word": large,
            "pins": small,
            "notes": notes(self.words),
        }

    def _mode(self, units: Sequence[Unit]) -> Header:
        """Chips, scales and captions when chips are words, or pieces."""
        return {
            "units": [vars(unit) for unit in units],
            "paths": [self._scalings(path, units) for path in self.paths],
        }

    def _scalings(self, path: str, units: Sequence[Unit]) -> Header:
        own, (shared, *_) = (self.words.scales(path, units, own=own) for own in (True, False))
        return {
            "flat": [not varies(values) for values in self.words.maps(path, units)],
            "shared": [shared.low, shared.high],
            "own": [[scale.low, scale.high] for scale in own],
            "captions": [colours(self.words, path, units, own=own) for own in (False, True)],
        }
