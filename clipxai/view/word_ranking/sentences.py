"""What does the ranking of words say?"""

import numpy as np

from ...results.what_if import what_if
from ..number import fill, number, percent
from ..scales import finite
from ..sentences import ZERO_IN_THE_MIDDLE, Table, one_of_several
from ..texts import one_line
from .content import RankedWords

SUMMED = "A word of several pieces has their sum."
ENDS = (
    "[start] and [end] are not words and are left out of the scale; where they exceed it they "
    "have its last colour."
)
SHARES = (
    "Per cent: the word's part of what all words matter, whatever their signs, which is "
    "{total:number}; a word below zero speaks against the match."
)
RANKING = {
    "title": "words by relevance",
    "subtitle": "part of what all words matter",
    "row": "{word}: {value:percent}",
    "number": "{value:percent}",
}
WORDS = {
    "help": (
        "Move over a word to read it, click to keep it. Keys: [ and ] move by one word, ? shows "
        "this line."
    ),
    "keys": "Brackets move over the words, question mark helps.",
    "table": "Table: all words",
}


def summary(words: RankedWords) -> str:
    """What the figure shows, in one line."""
    relevance = words.relevance
    return f"Which word of {one_line(relevance.text)!r} mattered, by {relevance.method}"


def notes(words: RankedWords) -> list[str]:
    """What the colours mean, and what a reader has to know."""
    scale, pieces = words.scale(), any(unit.pieces > 1 for unit in words.units)
    ends = f"from {number(scale.low)} to {number(scale.high)}, {ZERO_IN_THE_MIDDLE}"
    one = one_of_several(words.relevance, "word_relevance")
    return [
        *what_if(words.relevance.picture.provenance),
        *([one] if one else []),
        f"Colour: {words.relevance.unit}, {ends}",
        fill(SHARES, total=float(np.nansum(abs(words.values[words.is_word])))),
        *([] if words.is_word.all() else [ENDS]),
        *([SUMMED] if pieces else []),
    ]


OUTLINED = "Outlined on the image: what the word names that is told of, where that is known."
STORY = "“{word}” matters most, with {share} of what all words matter{other}."
AGAINST = "; “{word}” speaks most against the match ({share})"
NONE_SPEAKS = "No word speaks for the match; “{word}” speaks most against it ({share})."


def story(words: RankedWords) -> str:
    """Which word mattered most for the match, and which spoke against it; empty where no number is
    known.
    """
    places = [int(n) for n in np.flatnonzero(words.is_word) if np.isfinite(words.values[n])]
    if not places:
        return ""
    most, least = (pick(places, key=lambda n: words.values[n]) for pick in (max, min))
    ends = [
        {"word": words.units[n].label, "share": percent(float(words.shares[n]))}
        for n in (most, least)
    ]
    if words.values[most] <= 0:
        return fill(NONE_SPEAKS, **ends[1]) if words.values[least] < 0 else ""
    other = fill(AGAINST, **ends[1]) if words.values[least] < 0 else ""
    return fill(STORY, other=other, **ends[0])


def below(words: RankedWords, n: int) -> str:
    """What stands below a word in the sentence; nothing below [start] and [end]."""
    return percent(float(words.shares[n])) if words.is_word[n] else ""


def told(words: RankedWords, n: int) -> str:
    """A word, its relevance, its rank among the words, and what it is the sum of."""
    unit, value = words.units[n], words.values[n]
    others = words.values[words.is_word]
    rank = fill(", rank {rank} of {count}", rank=1 + int((others > value).sum()), count=len(others))
    spelled = unit.spelled(words.relevance.tokens)
    share = f"{percent(float(words.shares[n]))}; " if words.is_word[n] else ""
    return (
        f"“{unit.label}”: {share}{number(float(value))}{rank if words.is_word[n] else ''}"
        f"{f', the sum of {spelled}' if spelled else ''}"
    )


def table(words: RankedWords) -> Table:
    """All words by falling relevance."""
    order = np.argsort(-np.nan_to_num(finite(words.values), nan=-np.inf), kind="stable")
    tokens = words.relevance.tokens
    rows = [
        [
            words.units[n].label,
            percent(float(words.shares[n])) if words.is_word[n] else "",
            number(float(words.values[n])),
            words.units[n].spelled(tokens),
        ]
        for n in order
    ]
    head = ["word", "part", "relevance", "pieces"]
    return {"title": words.relevance.unit, "head": head, "rows": rows}
