"""How well do many maps tell what made the score? A meter of the rows of `effect_scores`.

It is a `torchmetrics.Metric`; its numbers do not depend on the order of rows, nor on how many
processes shared the work.
"""

import math

import numpy as np

from ..results.maps import rank_correlation
from .meters import DRAWS, RowMeter, bootstrap, mean

AT_ONCE = 1 << 20  # numbers of draws that are looked at together: 8 MB each

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
            value = rank_correlation(score[of], effect[of]) if of.any() else math.nan
            error = _error(place[of], score[of], effect[of])
            found |= _named(f"rank correlation{words}", value, error)
        hits = {
            "right first thing": first,
            # what has no effect, or no score, has no sign
            "right sign": np.where(score * effect == 0, np.nan, np.sign(score) == np.sign(effect)),
        }
        for name, values in hits.items():
            found |= _named(name, mean(values), bootstrap(place, values))
        return found


def _named(name: str, value: float, error: float) -> dict[str, float]:
    return {name: 100 * value, f"{name} error": 100 * error}


def _error(place: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """The deviation of the rank correlation of a and b (n,) when pictures are drawn with
    replacement; `place` (n,) says whose each row is.
    """
    if not len(place):
        return math.nan
    _, of_row = np.unique(place, return_inverse=True)
    count = of_row.max() + 1
    draws = np.random.default_rng(0).integers(count, size=(DRAWS, count))
    again = []
    for few in np.array_split(draws, math.ceil(DRAWS * len(place) / AT_ONCE)):
        times = np.stack([np.bincount(draw, minlength=count) for draw in few])
        again.append(_rank_correlations(a, b, times[:, of_row]))
    again = np.concatenate(again)
    return math.nan if np.isnan(again).all() else float(np.nanstd(again))


def _rank_correlations(a: np.ndarray, b: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(draws,) Spearman's rank correlation of a and b (n,), each row as many `times` (draws, n) as
    it was drawn; NaN where all of a or b are the same.
    """

    def summed(values: np.ndarray) -> np.ndarray:
        return np.einsum("dn,dn->d", times, values)

    x, y = (_ranks(values, times) for values in (a, b))
    x, y = (ranks - (summed(ranks) / times.sum(axis=1))[:, None] for ranks in (x, y))
    with np.errstate(invalid="ignore"):  # 0 by 0: nothing has an order
        return summed(x * y) / np.sqrt(summed(x**2) * summed(y**2))


def _ranks(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """What `results.maps.ranks` says of values that occur so many `times`, (draws, n)."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    begins = np.cumsum(counts) - counts
    of_each = np.add.reduceat(times[:, np.argsort(where, kind="stable")], begins, axis=1)
    return (np.cumsum(of_each, axis=1) - (of_each - 1) / 2)[:, where]
