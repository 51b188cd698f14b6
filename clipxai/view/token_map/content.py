"""Which numbers does the figure show: a map for every word of a caption, on every path?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...results.findings import LEFT_OUT, TokenScores
from ..scales import Scale, around_zero, finite, scales_of
from ..word_units import Unit, merged, units_of

BLANK = 0.1  # of the highest patch: a map that stays below it shows nothing on the same scale


@dataclass(frozen=True, eq=False)
class WordMaps:
    """Token scores as maps of words, the mean of their pieces.

    Attributes
    ----------
    scores : what was found; a `path` is one of its ways from words to patches
    units : words
    pieces : their tokens, each by itself
    """

    scores: TokenScores
    units: list[Unit]
    pieces: list[Unit]

    @classmethod
    def of(cls, scores: TokenScores) -> "WordMaps":
        """What is shown of token scores."""
        return cls(scores, *units_of(scores))

    def maps(self, path: str, units: Sequence[Unit]) -> np.ndarray:
        """Patch scores of words or pieces on a `path`, (W, P) float32."""
        return merged(self.scores.scores[path], units)

    def whole(self, path: str, units: Sequence[Unit]) -> np.ndarray:
        """The same with the whole image in place of a patch, (W,)."""
        return merged(self.scores.whole[path], units)

    def scales(self, path: str, units: Sequence[Unit], *, own: bool = False) -> list[Scale]:
        """One scale for each of `units`.

        They share one that is symmetric about zero, or each map has its `own`, from its lowest to
        its highest patch.
        """
        maps = finite(self.maps(path, units))
        if own:
            return scales_of(list(maps), [path] * len(units), "minmax")
        return [around_zero(maps)] * len(units)

    def ranked(self, path: str, units: Sequence[Unit]) -> list[int]:
        """Which of `units` are ranked on a `path`: all that have a token, and words alone where
        what a word adds is told, as [start] and [end] add nothing.
        """
        ends = ("[start]", "[end]")
        words = [n for n, unit in enumerate(units) if unit.name not in ends]
        return words if path == LEFT_OUT and words else [*range(len(units))]

    def highest(self, path: str, most: int) -> list[int]:
        """The words with the highest patches, at `most` so many, and no [start] or [end].

        The very highest comes first, the others as they stand in the sentence; none that would look
        blank beside it.
        """
        peaks = np.nan_to_num(finite(self.maps(path, self.units)), nan=-np.inf).max(axis=1)
        starts = {start for _, start, _ in self.scores.words}
        no_words = np.array([unit.start not in starts for unit in self.units])
        first, *others = np.lexsort((-peaks, no_words))[:most].tolist()
        blank = (peaks < BLANK * peaks[first]) | (no_words & ~no_words[first])
        others = [n for n in others if not blank[n]]
        return [first, *sorted(others)]
