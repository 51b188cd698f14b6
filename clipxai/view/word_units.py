"""What does one chip of a sentence stand for: which tokens make a word?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..results.findings import TokenScores, WordRelevance

MOST_WORDS = 3  # of a thing's name, as of a cup of coffee


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


def known_as(units: Sequence[Unit]) -> list[str]:
    """What words may be called: their names, and their labels."""
    return [*dict.fromkeys(name for unit in units for name in (unit.name, unit.label))]


def truth_of_word(truth: Mapping[str, np.ndarray], unit: Unit) -> np.ndarray | None:
    """The true mask of a word, by its label or its name."""
    return truth.get(unit.label, truth.get(unit.name))


def masks_of_words(
    units: Sequence[Unit], truth: Callable[[list[str]], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """True masks (H, W) bool, by label, of the words that name a thing, alone or with words beside
    them: of a fire truck both words do, and none of them names a truck.

    `truth` gives the masks of texts that name something, as `Scene.truth`.
    """
    beside = MOST_WORDS - 1  # as many words more may make it another name
    runs = [
        (start, start + size)
        for size in range(1, MOST_WORDS + beside + 1)
        for start in range(len(units) + 1 - size)
    ]
    said = {run: " ".join(unit.name for unit in units[slice(*run)]) for run in runs}
    masks = truth(list(said.values()))
    known = {run: masks[text] for run, text in said.items() if text in masks}
    named: dict[int, np.ndarray] = {}
    for (start, stop), mask in known.items():  # the shortest first
        if stop - start > MOST_WORDS:
            break
        around = [
            run
            for run in runs
            if run[0] <= start and stop <= run[1] and run[1] - run[0] <= stop - start + beside
        ]
        if not all(run in known and (known[run] | ~mask).all() for run in around):
            continue  # part of another name
        inside = range(start, stop)
        for n in inside:  # what words of it name is theirs
            mask = mask & ~named[n] if n in named else mask
        if mask.any():
            named |= {n: mask | named[n] if n in named else mask for n in inside}
    return {units[n].label: mask for n, mask in named.items()}
