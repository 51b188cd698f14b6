"""Which word mattered? The words of a text, coloured by their relevance for its match with an
image.
"""

from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import WordRelevance
from ..lettering import one_line
from ..payload import BUDGET, Header, Payload, pack
from ..pictures import picture_header, reach_of, smaller_photo
from ..scales import DIVERGING, Scale, colour_table, number
from ..token_map.viewer import Unit, units_of
from ..viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUMMED = "A word of several pieces has their sum."
ENDS = (
    "[start] and [end] are not words and are left out of the scale; where they exceed it they "
    "have its last colour."
)


class WordRanking(Viewer):
    """A text as words, each with its relevance: in the sentence, and ranked.

    Parameters
    ----------
    relevance : from `clipxai.word_relevance`
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than WordRelevance

    Examples
    --------
    >>> WordRanking(word_relevance(trace)).save("words.html")  # doctest: +SKIP
    """

    module = "word_ranking"

    def __init__(self, relevance: WordRelevance, *, budget: int = BUDGET) -> None:
        expect(WordRelevance, relevance, "word_relevance")
        self.relevance, self.budget = relevance, budget
        self.units: list[Unit] = units_of(relevance)[0]
        self.values = np.array(
            [relevance.scores[unit.start : unit.stop].sum() for unit in self.units], np.float32
        )

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return (
            f"Which word of {one_line(self.relevance.text)!r} mattered, by {self.relevance.method}"
        )

    @property
    def is_word(self) -> np.ndarray:
        """(W,) bool, whether a unit is a word and not [start] or [end]; all of them where nothing
        is a word.
        """
        starts = {start for _, start, _ in self.relevance.words}
        words = np.array([unit.start in starts for unit in self.units])
        return words if words.any() else ~words

    def scale(self) -> Scale:
        """Zero in the middle, reaching to the word that mattered most."""
        reach = reach_of(self.values[self.is_word])
        return Scale(-reach, reach, DIVERGING)

    def notes(self) -> list[str]:
        """What the colours mean, and what a reader has to know."""
        scale, pieces = self.scale(), any(unit.stop - unit.start > 1 for unit in self.units)
        ends = (
            f"from {number(scale.low)} to {number(scale.high)}, zero in the middle: red above, "
            "blue below."
        )
        return [
            f"Colour: {self.relevance.unit}, {ends}",
            *([] if self.is_word.all() else [ENDS]),
            *([SUMMED] if pieces else []),
        ]

    def figure(self) -> "Figure":
        """The sentence with its colours and numbers, the photo, and all words ranked."""
        from .drawing import relevance_figure

        return relevance_figure(self)

    def payload(self) -> Payload:
        """Relevance of every word (W,), colour table, words and photo."""
        scale = self.scale()
        header: Header = {
            **picture_header(self.relevance.picture),
            "summary": self.summary,
            "units": [
                {**vars(unit), "word": bool(word)}
                for unit, word in zip(self.units, self.is_word, strict=True)
            ],
            "tokens": list(self.relevance.tokens),
            "unit": self.relevance.unit,
            "scale": [scale.low, scale.high],
            "first": int(
                np.nan_to_num(np.where(self.is_word, self.values, -np.inf), nan=-np.inf).argmax()
            ),
            "notes": self.notes(),
        }
        arrays = {"values": (self.values, "f32"), DIVERGING: (colour_table(DIVERGING), "u8")}
        return pack(header, arrays, self.budget, [smaller_photo(self.relevance.picture.image)])
