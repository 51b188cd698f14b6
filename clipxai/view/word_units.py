"""What does one chip of a sentence stand for: which tokens make a word?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..results.findings import TokenScores, WordRelevance


@dataclass(frozen=True)
class Unit:
    """A word or a piece of one.

    Attributes
    ----------
    name : as it is written
    start, stop : its first token, and one behind its last
    label : the name, with its place in the text where the name occurs more than once
    """

    name: str
    start: int
    stop: int
    label: str

    @property
    def pieces(self) -> int:
        """How many tokens it has."""
        return self.stop - self.start

    def spelled(self, tokens: Sequence[str]) -> str:
        """Its tokens, if it has several."""
        return " + ".join(tokens[self.start : self.stop]) if self.pieces > 1 else ""


def units_of(found: TokenScores | WordRelevance) -> tuple[list[Unit], list[Unit]]:
    """Words and pieces of a text.

    A token that belongs to no word, as [start] and [end], is a word by itself.
    """
    pieces = [(token, n, n + 1) for n, token in enumerate(found.tokens)]
    inside = {n for _, start, stop in found.words for n in range(start, stop)}
    alone = [piece for piece in pieces if piece[1] not in inside]
    words = sorted([*found.words, *alone], key=lambda word: word[1])
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
