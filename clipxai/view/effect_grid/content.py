"""Which numbers does the figure show: what the score loses without each part, and its share?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...results.findings import Effects, HeadContributions
from ..scales import Scale, around_zero

APART = 0.5  # of the largest of each grid: where effect and share differ by more, they disagree


@dataclass(frozen=True, eq=False)
class Grids:
    """Parts down, layers across.

    Attributes
    ----------
    effects : of heads, whole modules or words
    shares : of the same heads and texts; None where none are known
    rows : numbers of the chosen texts
    truth : text -> true mask (H, W) bool, where it is known
    """

    effects: Effects
    shares: HeadContributions | None
    rows: Sequence[int]
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The chosen texts."""
        return tuple(self.effects.texts[row] for row in self.rows)

    @property
    def parts(self) -> list[str]:
        """What stands beside the rows of a grid."""
        if self.effects.of == "heads":
            return [f"head {n}" for n in range(self.effects.change.shape[1])]
        return list(self.effects.words) if self.effects.of == "words" else [self.effects.of]

    def mask(self, text: int) -> np.ndarray | None:
        """(H, W) bool, where the thing of a text is; None where that is not known."""
        return self.truth.get(self.texts[text])

    def lost(self, text: int) -> np.ndarray:
        """(parts, layers) what the cosine loses without each: the change, turned over."""
        change = -self.effects.change[..., self.rows[text]]
        return change.T if change.ndim == 2 else change[None]

    def added(self, text: int) -> np.ndarray | None:
        """(parts, layers) what each head added to the cosine."""
        if self.shares is None:
            return None
        layers = list(self.effects.layers)
        return self.shares.heads[layers, :, self.rows[text]].sum(-1).T

    def grids(self, text: int) -> list[np.ndarray]:
        """What is shown: what is lost, and what was added, if that is known."""
        added = self.added(text)
        return [self.lost(text), *([] if added is None else [added])]

    def scales(self, text: int) -> list[Scale]:
        """Of each grid, zero in the middle."""
        return [around_zero(grid) for grid in self.grids(text)]

    def apart(self, text: int) -> np.ndarray:
        """(parts, layers) bool, where effect and share disagree."""
        lost, added = self.lost(text), self.added(text)
        if added is None:
            return np.zeros(lost.shape, bool)
        one, other = (grid / (abs(grid).max() or 1) for grid in (lost, added))
        return abs(one - other) > APART

    def strongest(self) -> tuple[int, int]:
        """(row, column) of the largest effect on the first text."""
        lost = np.nan_to_num(abs(self.lost(0)))
        row, column = np.unravel_index(lost.argmax(), lost.shape)
        return int(row), int(column)
