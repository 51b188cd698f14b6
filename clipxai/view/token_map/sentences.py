"""What does the map of words say?"""

from collections.abc import Sequence

from ..number import number
from ..sentences import caption
from ..texts import one_line
from ..word_units import Unit
from .content import WordMaps

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
FIRST = "Shown at first: the words with the highest patches."
RANKING = ("words by share of the match", "score of each word with the whole image")


def summary(words: WordMaps) -> str:
    """What the figure shows, in one line."""
    return f"Which word of {one_line(words.scores.text)!r} goes with which patch"


def unit_of(path: str) -> str:
    """What a score of a path is."""
    return UNITS.get(path, f"score ({path})")


def colours(words: WordMaps, path: str, units: Sequence[Unit], *, own: bool = False) -> str:
    """What the colours of `units` on a `path` mean, on one scale or each on its `own`."""
    scaling = "minmax" if own else "shared"
    return caption([unit_of(path)] * len(units), scaling, words.scales(path, units, own=own))


def notes(words: WordMaps) -> list[str]:
    """What a reader of the maps has to know."""
    repeated = any(unit.label != unit.name for unit in words.units)
    return [
        BARS,
        *([MERGED] if len(words.units) < len(words.pieces) else []),
        *([PLACES] if repeated else []),
        CAUSAL,
    ]


def map_subtitle(whole: float, pieces: int) -> str:
    """The line below a word: its score with the whole image, and of how many pieces it is."""
    return f"whole image {number(whole)}" + (f" · {pieces} pieces" if pieces > 1 else "")
