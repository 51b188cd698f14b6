"""Which numbers does the figure show: one signed map, and what each side has in all?"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ...results.explanation import Explanation
from ...results.findings import Picture
from ..scales import Scale, around_zero, finite

ADDS_UP = "decomposition"  # the method whose patches are shares of a cosine


@dataclass(frozen=True, eq=False)
class Sides:
    """A contrast as it is drawn.

    Attributes
    ----------
    explanation : the contrast; a and b are its `sides`
    truth : side -> true mask (H, W) bool, of the sides where it is known
    """

    explanation: Explanation
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def picture(self) -> Picture:
        """What the map lies on."""
        return Picture(self.explanation.image, self.explanation.grid)

    @property
    def values(self) -> np.ndarray:
        """(P,) what every patch says: above 0 for a, below for b."""
        return finite(self.explanation.scores[0].ravel())

    @property
    def difference(self) -> float:
        """Of the two cosines."""
        return float(self.explanation.presence[0])

    @property
    def shares(self) -> bool:
        """Whether patches are shares of the difference."""
        return self.explanation.method == ADDS_UP

    def speaks_most(self, side: int) -> int | None:
        """The patch that speaks most for a side; None where none does."""
        towards = np.nan_to_num(self.values if side == 0 else -self.values)
        return int(towards.argmax()) if towards.max() > 0 else None

    def scale(self) -> Scale:
        """Zero in the middle."""
        return around_zero(self.values)

    def parts(self) -> np.ndarray:
        """What all patches say for a, what for b, and, of shares, what came from no patch."""
        values = self.values.astype(float)
        sums = [np.nansum(values[values > 0]), np.nansum(values[values < 0])]
        rest = [self.difference - sum(sums)] if self.shares else []
        return np.array([*sums, *rest], np.float32)
