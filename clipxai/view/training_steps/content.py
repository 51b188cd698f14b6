"""Which maps and curves does the figure show, and do they belong to the same steps?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...checks import shown
from ...results.explanation import Explanation
from ..given import Truth, agreement, gather, truth_of
from ..scales import Scale, finite, scales_of, varies

MOST_MAPS, MOST_CURVES = 4, 6
# Okabe & Ito's, which colour-blind readers can tell apart, on white and on black
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


@dataclass(frozen=True, eq=False)
class Course:
    """Maps and curves over the steps of a training.

    Attributes
    ----------
    maps : name -> an explanation for every step
    text : what all maps are of
    steps : (S,) when they were made
    curves : name -> (S,) numbers
    truth : (H, W) bool, None if it is not known
    """

    maps: dict[str, tuple[Explanation, ...]]
    text: str
    steps: np.ndarray
    curves: dict[str, np.ndarray]
    truth: np.ndarray | None

    @classmethod
    def of(
        cls,
        maps: Mapping[str, Sequence[Explanation]],
        steps: Sequence[float],
        curves: Mapping[str, Sequence[float]],
        truth: Truth | None,
    ) -> "Course":
        """Maps and curves that belong together.

        Raises
        ------
        TypeError : no list where one is needed, curves of other things than numbers
        ValueError : no map or too many, steps that do not rise, another number of maps or of a
            curve's values than of steps, maps of different images, grids or texts
        """
        when = np.asarray(steps, float)
        for kind, given, most in (("maps", maps, MOST_MAPS), ("curves", curves, MOST_CURVES)):
            least = int(kind == "maps")
            if not least <= len(given) <= most:
                raise ValueError(
                    f"{len(given)} kinds of {kind}: this figure shows {least} to {most}"
                )
            for name, values in given.items():
                if not hasattr(values, "__len__"):
                    raise TypeError(f"{name!r} needs a list, one for each step: {shown(values)}")
                if len(values) != len(when):
                    what = "maps" if least else "values"
                    raise ValueError(f"{name!r} has {len(values)} {what}, for {len(when)} steps")
        if len(when) < 2 or not (np.diff(when) > 0).all():
            raise ValueError("steps= has to name two or more steps, each later than the last")
        all_of_them = gather([e for row in maps.values() for e in row])
        first = all_of_them[0]
        if any(e.texts[0] != first.texts[0] or e.grid != first.grid for e in all_of_them):
            raise ValueError("these maps are of different texts, or have different grids")
        known = truth_of(truth, first.texts[0], first.grid.image_size)
        rows = {name: tuple(row) for name, row in maps.items()}
        lines = {name: _numbers(name, values) for name, values in curves.items()}
        return cls(rows, first.texts[0], when, lines, known)

    @property
    def image(self) -> np.ndarray:
        """What all maps lie on."""
        return next(iter(self.maps.values()))[0].image

    @property
    def names(self) -> list[str]:
        """Of the maps."""
        return list(self.maps)

    def scores(self, name: str) -> np.ndarray:
        """(S, P) of one kind of map."""
        return np.stack([finite(e.scores[0].ravel()) for e in self.maps[name]])

    def scales(self, name: str) -> list[Scale]:
        """Of every step its own, from its lowest patch to its highest."""
        values = list(self.scores(name))
        return scales_of(values, [""] * len(values), "minmax")

    def contrast(self, name: str, step: int) -> float | None:
        """Of a map with the truth; None where one of them has nothing to say."""
        e = self.maps[name][step]
        if self.truth is None or not varies(e.scores[0]):
            return None
        return agreement(e, 0, self.truth).get("contrast")

    @property
    def span(self) -> tuple[float, float]:
        """Of all curves, with zero."""
        known = np.concatenate([[0.0], *self.curves.values()])
        known = known[np.isfinite(known)]
        return float(known.min()), float(known.max())


def _numbers(name: str, values: Sequence[float]) -> np.ndarray:
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        raise TypeError(f"the curve {name!r} is not of numbers: {shown(values)}") from None
