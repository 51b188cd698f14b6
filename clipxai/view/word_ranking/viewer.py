"""Which word mattered?

The words of a text, coloured by their relevance for its match with an image.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import WordRelevance
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table
from ..sentences import page_words
from ..viewer import Viewer
from ..word_units import known_as, truth_of_word
from .content import RankedWords
from .sentences import OUTLINED, RANKING, WORDS, below, notes, story, summary, table, told

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class WordRanking(Viewer):
    """A text as words, each with its relevance: in the sentence, and ranked.

    Parameters
    ----------
    relevance : from `clipxai.word_relevance`
    truth : word, as written (or with its place, as the ranking has it where it stands twice) ->
        true mask (H, W) bool: its outline is drawn on the image while the word is told of
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than WordRelevance
    ValueError : masks, and none is for a word of the text, or of another size than the image

    Examples
    --------
    >>> WordRanking(word_relevance(trace)).save("words.html")  # doctest: +SKIP
    """

    module = "word_ranking"

    def __init__(
        self,
        relevance: WordRelevance,
        *,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(WordRelevance, relevance, "word_relevance")
        self.relevance, self.budget = relevance, budget
        self.words = RankedWords.of(relevance)
        size = relevance.picture.grid.image_size
        self.truth = truths_of(owned(truth), known_as(self.words.units), size)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.words)

    def figure(self) -> "Figure":
        """The sentence with its colours and numbers, the photo, and all words ranked."""
        from .drawing import draw  # loads matplotlib

        return draw(self.words, self.truth)

    def payload(self) -> Payload:
        """Relevance of every word and its share (W,), colour table, words and photo."""
        words, picture = self.words, self.relevance.picture
        header: Header = {
            **picture_header(picture.image, picture.grid),
            "summary": self.summary,
            "units": [
                {
                    **vars(one),
                    "pieces": "",
                    "word": bool(words.is_word[n]),
                    "below": below(words, n),
                    "told": told(words, n),
                    "outlines": outlines(truth_of_word(self.truth, one)),
                }
                for n, one in enumerate(words.units)
            ],
            "scale": vars(words.scale()),
            "story": story(words),
            "first": words.first(),
            "table": table(words),
            "notes": [*notes(words), *([OUTLINED] if self.truth else [])],
            "ranking": RANKING,
            "words": page_words(picture.image.shape, WORDS),
        }
        arrays: Arrays = {
            "values": (words.values, "f32"),
            "shares": (words.shares, "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(picture.image)])
