"""How well do many maps tell what made the score? A meter of the rows of `effect_scores`.

It is a `torchmetrics.Metric`; its numbers do not depend on the order of rows, nor on how many
processes shared the work.
"""

import math
from collections.abc import Callable

import numpy as np

from ..results.maps import rank_correlation
from .meters import DRAWS, RowMeter, mean

WHICH = {"": (0, 1), " on own text": (1,), " on others' texts": (0,)}  # values of `own`


class EffectMeter(RowMeter):
    """Rank correlation of scores and effects over all pairs (x100), and per cent of right first
    things and right signs; "… error" beside each.

    Rows are those of `effect_scores` with the picture's place in the data set in front. An error is
    the standard deviation over `DRAWS` times as many pictures drawn with replacement, as pairs of
    one picture are no independent trials.
    """

    def compute(self) -> dict[str, float]:
        """Measure -> number; NaN where nothing was asked, or where all scores are the same."""
        table = self.table()
        # rows of one picture stand together, however they came
        table = table[np.lexsort(table.T[::-1])]
        place, own, score, effect, first = table.T
        found = {"pairs": len(table)}
        for words, values in WHICH.items():
            of = np.isin(own, values)
            both = np.stack([score[of], effect[of]], axis=1)
            numbers = _with_error(place[of], both, lambda rows: rank_correlation(*rows.T))
            found |= _named(f"rank correlation{words}", numbers)
        hits = {
            "right first thing": first,
            # what has no effect, or no score, has no sign
            "right sign": np.where(score * effect == 0, np.nan, np.sign(score) == np.sign(effect)),
        }
        for name, values in hits.items():
            asked = ~np.isnan(values)
            found |= _named(name, _with_error(place[asked], values[asked], mean))
        return found


def _named(name: str, numbers: tuple[float, float]) -> dict[str, float]:
    value, error = numbers
    return {name: 100 * value, f"{name} error": 100 * error}


def _with_error(
    place: np.ndarray, rows: np.ndarray, measure: Callable[[np.ndarray], float]
) -> tuple[float, float]:
    """A measure of rows, and its deviation when pictures are drawn with replacement."""
    if not len(rows) or math.isnan(value := measure(rows)):
        return math.nan, math.nan
    of_picture = np.split(np.arange(len(rows)), np.flatnonzero(np.diff(place)) + 1)
    draws = np.random.default_rng(0).integers(len(of_picture), size=(DRAWS, len(of_picture)))
    again = [measure(rows[np.concatenate([of_picture[n] for n in draw])]) for draw in draws]
    return value, float(np.nanstd(again))
