"""Which method for which question? Where a thing is, what made the score, which word is about what:
one short table of what a run measured of all three.

A method that is best at one need not be good at another, so no column decides for all.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ..explainers.method import SCORE, WHERE
from ..explainers.table import find_method
from .columns import is_number

WORD = "which word"


class Asked(NamedTuple):
    """A column: its question and heading, and where its number stands in the scores."""

    question: str
    heading: str
    metric: str
    number: str

    def of(self, scores: Mapping) -> float | None:
        """The number of a method; None where it was not measured or is not defined."""
        value = scores.get(self.metric, {}).get(self.number)
        return value if is_number(value) else None

    def cell(self, scores: Mapping) -> str:
        """The number with its error, where there is one."""
        value = self.of(scores)
        if value is None:
            return "–"
        error = scores[self.metric].get(f"{self.number} error")
        return f"{value:.1f} ± {error:.1f}" if is_number(error) else f"{value:.1f}"


ASKED = (
    Asked(WHERE, "mIoU at best of other half", "localisation", "mIoU at best of other half"),
    Asked(WHERE, "pointing %", "localisation", "pointing"),
    Asked(SCORE, "rank correlation x100", "effect", "rank correlation"),
    Asked(SCORE, "right first thing %", "effect", "right first thing"),
    Asked(WORD, "noun's object of 2, %", "words", "right object of two"),
    Asked(WORD, "of 3, %", "words", "right object of three"),
)
PLACE, EFFECT = ASKED[0], ASKED[2]  # the two that are drawn against one another


def is_method(row: str) -> bool:
    """Whether a row of results is a method, not what needs no map: those stand in brackets."""
    return not row.startswith("(")


def answers(method: str) -> str:
    """The question that a method was made for; nothing for a row that is no method."""
    return find_method(method).answers if is_method(method) else ""


def questions(results: Mapping, order: Sequence[str]) -> list[tuple[str, ...]]:
    """A head and a row a method, in the order given; nothing unless two questions were measured."""
    scores = results["scores"]
    measured = [
        asked for asked in ASKED if any(asked.of(scores[name]) is not None for name in order)
    ]
    if len({asked.question for asked in measured}) < 2:
        return []
    head = ("method", "says", *(f"{asked.question}: {asked.heading}" for asked in measured))
    rows = [
        (name, answers(name), *(asked.cell(scores[name]) for asked in measured))
        for name in order
        if is_method(name)
    ]
    return [head, *rows]


def place_and_effect(results: Mapping) -> list[tuple[float, float, str]]:
    """(where, what made the score, method) of the methods of which both were measured."""
    found = [
        (PLACE.of(scores), EFFECT.of(scores), name)
        for name, scores in results["scores"].items()
        if is_method(name)
    ]
    return [point for point in found if None not in point]
