"""Which word goes with which patch?

A caption as chips and a map for every word, linked both ways.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, number_of
from ...results.findings import TokenScores
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, colour_table, finite
from ..sentences import REMARKS, page_words, remark
from ..viewer import Viewer
from ..word_units import Unit, known_as, truth_of_word
from .content import WordMaps
from .sentences import (
    MATRIX,
    colours,
    map_subtitle,
    mean_of,
    notes,
    path_name,
    said_of,
    story,
    summary,
    table,
    words_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_AT_FIRST = 6  # one large map and five small ones


class TokenMap(Viewer):
    """A caption as words, and for each the patches it goes with; for each patch, the words.

    Parameters
    ----------
    scores : from `clipxai.token_scores`
    path : which of its paths is shown first; by default the last, "leaving the word out" where
        words were left out
    pinned : words whose maps are shown first, the first of them large: as written or by number (0
        is [start]); by default those with the highest patches
    truth : word, as written (or with its place, as its chip has it where it stands twice) -> true
        mask (H, W) bool: its outline is drawn on the word's map
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
        truth: Mapping[str, np.ndarray] | None = None,
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
        size = scores.picture.grid.image_size
        self.truth = truths_of(owned(truth), known_as(self.words.units), size)
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

        return draw(self.words, self.path, self.shown, self.truth)

    def payload(self) -> Payload:
        """Patch scores of every path, words and photo.

        `scores0` … are one array (S, P) per path. `whole0` (paths, W) are those of words with the
        whole image, `whole1` (paths, S) those of pieces; `attention` (L, S, S) is that of the text
        tower.
        """
        words, found = self.words, self.scores
        modes = enumerate((words.units, words.pieces))
        arrays: Arrays = {
            **{
                f"scores{n}": (finite(found.scores[path]), "u16")
                for n, path in enumerate(self.paths)
            },
            **{
                f"whole{n}": (np.stack([words.whole(path, units) for path in self.paths]), "f32")
                for n, units in modes
            },
            "attention": (found.attention, "u8sqrt"),
            **{name: (colour_table(name), "u8") for name in (SEQUENTIAL, DIVERGING)},
        }
        return pack(self._header(), arrays, self.budget, [smaller_photo(found.picture.image)])

    def _header(self) -> Header:
        found, (large, *small) = self.scores, self.shown
        return {
            **picture_header(found.picture.image, found.picture.grid),
            "summary": self.summary,
            "tokens": list(found.tokens),
            "layers": len(found.attention),
            "paths": list(map(path_name, self.paths)),
            "path": self.paths.index(self.path),
            "modes": [self._mode(self.words.units), self._mode(self.words.pieces)],
            "word": large,
            "pins": small,
            "matrix": MATRIX,
            "words": page_words(found.picture.image.shape, words_of(self.words)),
        }

    def _mode(self, units: Sequence[Unit]) -> Header:
        """Chips, scales and captions when chips are words, or pieces."""
        return {
            "units": [
                {
                    **vars(unit),
                    "pieces": mean_of(unit, self.scores.tokens),
                    "outlines": outlines(truth_of_word(self.truth, unit)),
                }
                for unit in units
            ],
            "paths": [self._path(path, units) for path in self.paths],
        }

    def _path(self, path: str, units: Sequence[Unit]) -> Header:
        words, whole = self.words, self.words.whole(path, units)
        own, (shared, *_) = (words.scales(path, units, own=own) for own in (True, False))
        lines = zip(units, whole, strict=True)
        return {
            "subtitles": [map_subtitle(path, float(value), unit.pieces) for unit, value in lines],
            "remarks": [REMARKS[remark(values)] for values in words.maps(path, units)],
            "shared": vars(shared),
            "own": [vars(scale) for scale in own],
            "captions": [colours(words, path, units, own=own) for own in (False, True)],
            "notes": notes(words, path),
            "story": story(words, path),
            "ranked": words.ranked(path, units),
            "said": said_of(path),
            "table": table(words, path, units),
        }
