"""Which word goes with which patch, and which word mattered?

Axes: L layers, P patches, S text tokens.
"""

from dataclasses import dataclass

import numpy as np

from ..owned import Owning
from .picture import Picture

LEFT_OUT = "leaving the word out"  # a path of `TokenScores`


@dataclass(frozen=True, eq=False)
class TokenScores(Owning):
    """Which text token goes with which patch.

    Attributes
    ----------
    picture : the image
    text : the sentence
    tokens : S strings, "[start]" and "[end]" included
    words : (text, first token, one behind its last token) for every word
    scores : path -> (S, P), signed. On "raw", "surgery" and "surgery minus the empty text" the
        token's own cosine with a patch, or a difference of cosines. On "leaving the word out" the
        map of the text minus that without the token's word: alike for all its pieces, of [end] the
        map of the text, of [start] 0
    whole : path -> (S,) the same with the class token instead of a patch; on "leaving the word out"
        what the word adds to the cosine of image and text, of [end] the cosine
    attention : (L, S, S) the text tower's own attention, averaged over heads
    left_out_by : method of the maps of "leaving the word out"; empty where that path is not there
    number : of the text among `all_texts`
    all_texts : all that were recorded; empty where that is not known
    """

    picture: Picture
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[str, int, int], ...]
    scores: dict[str, np.ndarray]
    whole: dict[str, np.ndarray]
    attention: np.ndarray
    left_out_by: str = ""
    number: int = 0
    all_texts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        paths = ", ".join(self.scores)
        return f"<TokenScores of {len(self.tokens)} tokens of {self.text!r}: {paths}>"


@dataclass(frozen=True, eq=False)
class WordRelevance(Owning):
    """Which word of a text mattered for its cosine with an image.

    Attributes
    ----------
    picture : the image
    text : the sentence
    tokens : S strings, "[start]" and "[end]" included
    words : (text, first token, one behind its last token) for every word
    scores : (S,) relevance of each token, signed unless the method knows no sign
    method : "leave_out", or a name in `clipxai.methods()`
    unit : what a score is
    number : of the text among `all_texts`
    all_texts : all that were recorded; empty where that is not known
    """

    picture: Picture
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[str, int, int], ...]
    scores: np.ndarray
    method: str
    unit: str
    number: int = 0
    all_texts: tuple[str, ...] = ()

    @property
    def by_word(self) -> dict[str, float]:
        """Word -> sum over its tokens; [start] and [end] are not words.

        A word that occurs twice is told apart by its place.
        """
        names = [word for word, _, _ in self.words]
        found = {}
        for word, start, stop in self.words:
            name = word if names.count(word) == 1 else f"{word} ({start})"
            found[name] = float(self.scores[start:stop].sum())
        return found

    def __repr__(self) -> str:
        ranked = sorted(self.by_word.items(), key=lambda item: -item[1])
        said = ", ".join(f"{word} {score:+.3g}" for word, score in ranked)
        return f"<WordRelevance by {self.method} ({self.unit}): {said}>"
