"""Which word goes with which patch? A caption as chips and a map for every word, linked both
ways.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, number_of
from ...results.findings import TokenScores, WordRelevance
from ..lettering import one_line
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import as_panel, finite, picture_header, reach_of, smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, Scale, caption, colour_table, number, scales_of
from ..viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PINNED_AT_FIRST = 5  # small maps beside the large one
UNITS = {
    "raw": "cosine of word and patch",
    "surgery": "cosine of word and patch on the path of CLIP Surgery",
    "surgery minus the empty text": (
        "cosine of word and patch minus that of the empty text, on the path of CLIP Surgery"
    ),
}
BARS = (
    "Bars: the same score with the class token in place of a patch: how much of the image-text "
    "match a word carries."
)
CAUSAL = (
    "A word knows the words before it and never those after; [end] knows them all, and it alone "
    "was trained to match images."
)
MERGED = "A word of several pieces shows the mean of its pieces."
PLACES = (
    "A number in brackets tells words apart that occur more than once: the place in the text, "
    "[start] being 0."
)


@dataclass(frozen=True)
class Unit:
    """What one chip stands for: tokens `start` to `stop` (one behind the last), a word or a piece
    of one.

    Its `label` is the name, with its place in the text where the name occurs more than once.
    """

    name: str
    start: int
    stop: int
    label: str


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
        self.paths = tuple(scores.scores)
        self.path = self.paths[-1] if path is None else path
        if self.path not in self.paths:
            raise ValueError(
                f"no path {path!r} in these scores; choose one of "
                f"{', '.join(map(repr, self.paths))}"
            )
        self.units, self.pieces = units_of(scores)
        names = [unit.name for unit in self.units]
        self.shown = (
            self._highest()
            if pinned is None
            else [number_of(names, word, "word", "this text") for word in pinned]
        )
        if not self.shown:
            raise ValueError("no word was chosen: pinned= is empty")

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return f"Which word of {one_line(self.scores.text)!r} goes with which patch"

    def maps(self, path: str | None = None, units: Sequence[Unit] | None = None) -> np.ndarray:
        """Patch scores of every word (W, P) float32: the mean of its pieces.

        Parameters
        ----------
        path : one of `paths`, another is a KeyError; the shown one by default
        units : words (the default) or pieces
        """
        return merged(self.scores.scores[path or self.path], units or self.units)

    def figure(self) -> "Figure":
        """The photo, the words shown first as maps, and all words ranked by the share of the match
        they carry.
        """
        from .drawing import word_figure

        return word_figure(self)

    def scales(self, path: str, units: Sequence[Unit], *, own: bool = False) -> list[Scale]:
        """One scale for each of `units` on a `path`: symmetric about zero and shared, or each map's
        `own`, from lowest to highest.
        """
        maps = finite(self.maps(path, units))
        if own:
            return scales_of(list(maps), [path] * len(units), "minmax")
        reach = reach_of(maps)
        return [Scale(-reach, reach, DIVERGING)] * len(units)

    def caption(self, path: str, units: Sequence[Unit], *, own: bool = False) -> str:
        """What the colours of `units` on a `path` mean, on one scale or each on its `own`, in a
        sentence.
        """
        return caption(
            [unit_of(path)] * len(units),
            "minmax" if own else "shared",
            self.scales(path, units, own=own),
        )

    def notes(self) -> list[str]:
        """What a reader of the maps has to know."""
        repeated = any(unit.label != unit.name for unit in self.units)
        return [
            BARS,
            *([MERGED] if len(self.units) < len(self.pieces) else []),
            *([PLACES] if repeated else []),
            CAUSAL,
        ]

    def payload(self) -> Payload:
        """Patch scores (`scores0` … one array (S, P) per path), `whole` (paths, S), `attention` (L,
        S, S), words and photo.
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
        large, *small = self.shown
        return {
            **picture_header(self.scores.picture),
            "summary": self.summary,
            "tokens": list(self.scores.tokens),
            "layers": len(self.scores.attention),
            "paths": [{"name": path, "unit": unit_of(path)} for path in self.paths],
            "path": self.paths.index(self.path),
            "modes": [self._mode(self.units), self._mode(self.pieces)],
            "word": large,
            "pins": small,
            "notes": self.notes(),
        }

    def _mode(self, units: Sequence[Unit]) -> Header:
        """Chips, scales and captions when chips are words, or pieces."""
        return {
            "units": [vars(unit) for unit in units],
            "paths": [self._scalings(path, units) for path in self.paths],
        }

    def _scalings(self, path: str, units: Sequence[Unit]) -> Header:
        own, (shared, *_) = self.scales(path, units, own=True), self.scales(path, units)
        return {
            "flat": [
                as_panel(self.scores.picture, values, "", path).flat
                for values in self.maps(path, units)
            ],
            "shared": [shared.low, shared.high],
            "own": [[scale.low, scale.high] for scale in own],
            "captions": [self.caption(path, units), self.caption(path, units, own=True)],
        }

    def _highest(self) -> list[int]:
        """The words with the highest patches, the very highest first, the others as they stand in
        the sentence.
        """
        peaks = np.nan_to_num(finite(self.maps()), nan=-np.inf).max(axis=1)
        first, *others = np.argsort(-peaks, kind="stable")[: 1 + PINNED_AT_FIRST].tolist()
        return [first, *sorted(others)]


def units_of(scores: TokenScores | WordRelevance) -> tuple[list[Unit], list[Unit]]:
    """Words and pieces of a text; a token that belongs to no word, as [start] and [end], is a word
    by itself.
    """
    pieces = [(token, n, n + 1) for n, token in enumerate(scores.tokens)]
    inside = {n for _, start, stop in scores.words for n in range(start, stop)}
    words = sorted(
        [*scores.words, *(piece for piece in pieces if piece[1] not in inside)],
        key=lambda word: word[1],
    )
    return _labelled(words), _labelled(pieces)


def _labelled(parts: Sequence[tuple[str, int, int]]) -> list[Unit]:
    names = [name for name, _, _ in parts]
    return [
        Unit(*part, label=part[0] if names.count(part[0]) == 1 else f"{part[0]} ({n})")
        for n, part in enumerate(parts)
    ]


def merged(values: np.ndarray, units: Sequence[Unit]) -> np.ndarray:
    """Token values (S, …) as values of words (W, …): the mean over each one's tokens."""
    return np.stack([values[unit.start : unit.stop].mean(axis=0) for unit in units])


def unit_of(path: str) -> str:
    """What a score of a path is, in words."""
    return UNITS.get(path, f"score ({path})")


def subtitle(viewer: TokenMap, unit: Unit, path: str) -> str:
    """The line below a word: its score with the whole image, and how many pieces it is the mean of,
    if several.
    """
    whole = float(merged(viewer.scores.whole[path], [unit])[0])
    pieces = unit.stop - unit.start
    return f"whole image {number(whole)}" + (f" · {pieces} pieces" if pieces > 1 else "")
