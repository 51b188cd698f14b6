"""Which numbers does the figure show: the relevance of every word?"""

from dataclasses import dataclass

import numpy as np

from ...results.findings import WordRelevance
from ..scales import Scale, around_zero
from ..word_units import Unit, units_of


@dataclass(frozen=True, eq=False)
class RankedWords:
    """Relevance by word: a word of several pieces has their sum.

    Attributes
    ----------
    relevance : what was found
    units : words, [start] and [end] among them
    values : (W,) float32
    is_word : (W,) bool, whether a unit is a word and not [start] or [end]; all of them where
        nothing is a word
    """

    relevance: WordRelevance
    units: list[Unit]
    values: np.ndarray
    is_word: np.ndarray

    @classmethod
    def of(cls, relevance: WordRelevance) -> "RankedWords":
        """What is shown of the relevance of tokens."""
        units, _ = units_of(relevance)
        sums = [relevance.scores[unit.start : unit.stop].sum() for unit in units]
        starts = {start for _, start, _ in relevance.words}
        words = np.array([unit.start in starts for unit in units])
        is_word = words if words.any() else ~words
        return cls(relevance, units, np.array(sums, np.float32), is_word)

    @property
    def shares(self) -> np.ndarray:
        """(W,) float32, of all words' relevance without its signs; NaN for what is no word."""
        whole = np.nansum(np.abs(self.values[self.is_word], dtype=float))
        shares = self.values / (whole if whole > 0 else 1)
        return np.where(self.is_word, shares, np.nan).astype(np.float32)

    def scale(self) -> Scale:
        """Zero in the middle, reaching to the word that mattered most."""
        return around_zero(self.values[self.is_word])

    def first(self) -> int:
        """Number of the word that mattered most."""
        words = np.where(self.is_word, self.values, -np.inf)
        return int(np.nan_to_num(words, nan=-np.inf).argmax())
