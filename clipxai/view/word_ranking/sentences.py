"""What does the ranking of words say?"""

from ..number import number
from ..sentences import ZERO_IN_THE_MIDDLE
from ..texts import one_line
from .content import RankedWords

SUMMED = "A word of several pieces has their sum."
ENDS = (
    "[start] and [end] are not words and are left out of the scale; where they exceed it they "
    "have its last colour."
)
RANKING = "words by relevance"


def summary(words: RankedWords) -> str:
    """What the figure shows, in one line."""
    relevance = words.relevance
    return f"Which word of {one_line(relevance.text)!r} mattered, by {relevance.method}"


def notes(words: RankedWords) -> list[str]:
    """What the colours mean, and what a reader has to know."""
    scale, pieces = words.scale(), any(unit.pieces > 1 for unit in words.units)
    ends = f"from {number(scale.low)} to {number(scale.high)}, {ZERO_IN_THE_MIDDLE}"
    return [
        f"Colour: {words.relevance.unit}, {ends}",
        *([] if words.is_word.all() else [ENDS]),
        *([SUMMED] if pieces else []),
    ]
