"""Which maps does the figure show, and which way up are they?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...results.findings import SurgerySteps
from ..given import agreement, truths_of
from ..scales import Scale, finite, scales_of, varies
from ..sentences import no_verdict

LITTLE = 0.005  # of a contrast, by which two are written alike


@dataclass(frozen=True, eq=False)
class Walk:
    """The steps of some texts, and the truth.

    Attributes
    ----------
    found : from `surgery_steps`
    truth : text -> (H, W) bool, of the texts whose mask is known
    rows : numbers of the texts that are shown
    """

    found: SurgerySteps
    truth: Mapping[str, np.ndarray]
    rows: list[int]

    @classmethod
    def of(
        cls, found: SurgerySteps, truth: Mapping[str, np.ndarray] | None, rows: list[int]
    ) -> "Walk":
        """Steps and true masks that belong together; a ValueError if they do not."""
        known = truths_of(truth, found.texts, found.picture.image.shape[:2])
        return cls(found, known, rows)

    @property
    def texts(self) -> list[str]:
        """Those that are shown."""
        return [self.found.texts[row] for row in self.rows]

    def mask(self, text: int) -> np.ndarray | None:
        """(H, W) bool of one of the texts; None where it is not known."""
        return self.truth.get(self.texts[text])

    def scores(self, text: int) -> np.ndarray:
        """(steps, P) of one of the texts."""
        row = self.rows[text]
        return np.stack([finite(e.scores[row].ravel()) for e in self.found.maps])

    def scales(self, text: int) -> list[Scale]:
        """Of every step its own, from its lowest patch to its highest."""
        values = list(self.scores(text))
        return scales_of(values, [""] * len(values), "minmax")

    @cached_property
    def contrasts(self) -> list[list[float | None]]:
        """Of every text and step, −1…1; None where which way up a map is is not known."""
        return [[self._contrast(n, step) for step in self._steps] for n in range(len(self.rows))]

    def gains(self, text: int) -> list[float | None]:
        """What each step but the first changed the contrast by."""
        known = self.contrasts[text]
        pairs = zip(known, known[1:])
        return [None if a is None or b is None else b - a for a, b in pairs]

    def alike(self, text: int, step: int) -> bool:
        """Whether a map is the one before it."""
        row, maps = self.rows[text], self.found.maps
        now, before = (maps[n].scores[row] for n in (step, step - 1))
        return bool(np.allclose(now, before, atol=1e-6, equal_nan=True))

    @property
    def _steps(self) -> range:
        return range(len(self.found.maps))

    def _contrast(self, text: int, step: int) -> float | None:
        e, row, mask = self.found.maps[step], self.rows[text], self.mask(text)
        if mask is None or not varies(e.scores[row]) or no_verdict(e, row):
            return None
        return agreement(e, row, mask).get("contrast")
