"""Which numbers does the figure show: a value and a map for each of the best labels?"""

from dataclasses import dataclass

import numpy as np

from ...results.explanation import Explanation
from ...results.findings import Picture
from ..scales import Scale, around_zero, finite

MOST = 24  # labels that are shown, the best


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as they are drawn.

    Attributes
    ----------
    explanation : of all labels
    values : (T,) how strongly the image shows each, from `recognise`
    by : how that was asked
    """

    explanation: Explanation
    values: np.ndarray
    by: str

    @property
    def picture(self) -> Picture:
        """What the maps lie on."""
        return Picture(self.explanation.image, self.explanation.grid)

    @property
    def order(self) -> list[int]:
        """Numbers of the shown labels, the best first."""
        known = np.nan_to_num(self.values, nan=-np.inf)
        return np.argsort(-known, kind="stable")[:MOST].tolist()

    @property
    def chosen(self) -> list[int]:
        """Places among the shown labels of those that are looked at first: the best, and the next
        that the model tells apart from it, if there is one.
        """
        best, *others = self.maps()
        return [0, *(n for n, other in enumerate(others, 1) if (other != best).any())][:2]

    def maps(self) -> np.ndarray:
        """(shown, P) the map of each shown label."""
        shown = self.explanation.scores[self.order]
        return finite(shown.reshape(len(shown), -1))

    def first_map(self) -> np.ndarray:
        """(P,) what is looked at first: the best label's map, less that of the next."""
        one, *other = self.maps()[self.chosen]
        return one - other[0] if other else one

    def scale(self) -> Scale:
        """That of the first map, zero in the middle."""
        return around_zero(self.first_map())
