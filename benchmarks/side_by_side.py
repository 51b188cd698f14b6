"""Two ways to do something, measured in turns in one run, so that a busy machine slows both."""

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np


class Spread(NamedTuple):
    """The median of some rounds, and between what the middle two thirds of them lie.

    Formatted, `f"{spread:.2f}"` reads 1.08 (1.05 to 1.12).
    """

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """That of one value a round."""
        low, high = np.percentile(values, (16, 84))
        return cls(median(values), float(low), float(high))

    def __format__(self, spec: str) -> str:
        return f"{self.middle:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


class Pairs(NamedTuple):
    """What a and b took in every round, in seconds."""

    rounds: list[tuple[float, float]]

    @property
    def a(self) -> float:
        """Median seconds of a."""
        return median(a for a, _ in self.rounds)

    @property
    def b(self) -> float:
        """Median seconds of b."""
        return median(b for _, b in self.rounds)

    @property
    def ratio(self) -> Spread:
        """a / b, round by round."""
        return Spread.of([a / b for a, b in self.rounds])

    @property
    def inverse(self) -> Spread:
        """b / a, round by round."""
        return Spread.of([b / a for a, b in self.rounds])

    @property
    def difference(self) -> Spread:
        """a - b, round by round."""
        return Spread.of([a - b for a, b in self.rounds])


def in_turns(
    a: Callable[[], float], b: Callable[[], float], rounds: int = 15, warm_up: int = 2
) -> Pairs:
    """Pairs of what a and b say they took; who comes first changes, as the second may find caches
    warm.
    """
    for _ in range(warm_up):
        a(), b()
    pairs = []
    for n in range(rounds):
        if n % 2:
            first = a()
            pairs.append((first, b()))
        else:
            first = b()
            pairs.append((a(), first))
    return Pairs(pairs)


def compare(
    a: Callable[[], object], b: Callable[[], object], rounds: int = 15, warm_up: int = 2
) -> Pairs:
    """The same of how long each runs, by the clock."""
    return in_turns(timed(a), timed(b), rounds, warm_up)


def timed(
    run: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> Callable[[], float]:
    """A function that runs it and says how long that took."""

    def seconds() -> float:
        start = clock()
        run()
        return clock() - start

    return seconds
