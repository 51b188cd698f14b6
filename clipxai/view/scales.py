"""What does a colour mean? From scores to colours.

Only colour maps that a colour-blind reader can read: a sequential one for "low to high", a
diverging one whose middle is zero for signed scores. The same tables of 256 colours go to
matplotlib figures and to the interactive ones, so both show the same colour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..results.maps import is_flat

Scaling = Literal["minmax", "shared", "signed"]
SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"


@dataclass(frozen=True)
class Scale:
    """Scores `low` to `high`, in the unit of the map, run through the 256 colours of `colours`."""

    low: float
    high: float
    colours: str

    def place(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape as 0…1 along the scale, clipped.

        The middle where the scale has no extent; NaN stays NaN.
        """
        if not self.high > self.low:
            return np.where(np.isnan(scores), np.nan, 0.5).astype(np.float32)
        return np.clip((scores - self.low) / (self.high - self.low), 0, 1)

    def paint(self, scores: np.ndarray) -> np.ndarray:
        """Scores (H, W) as colours (H, W, 3) uint8; what NaN becomes is for the caller to cover."""
        places = np.nan_to_num(self.place(scores))
        return colour_table(self.colours)[np.rint(places * 255).astype(int)]


def around_zero(*maps: np.ndarray) -> Scale:
    """The scale of signed maps, zero in the middle: it reaches to the strongest of them all."""
    reach = max(map(reach_of, maps))
    return Scale(-reach, reach, DIVERGING)


def scales_of(
    maps: Sequence[np.ndarray], units: Sequence[str], scaling: Scaling, *, differences: bool = False
) -> list[Scale]:
    """One scale per map.

    Parameters
    ----------
    maps : score arrays of any shape; NaN is ignored
    units : unit of each; a shared scale is shared by maps of one unit only
    scaling : "minmax" (each from its own lowest to its highest patch), "signed" (each symmetric
        about zero) or "shared" (all maps of a unit alike, from the lowest of all patches to the
        highest)
    differences : whether the maps add and subtract; shared scales are then symmetric about zero

    Raises
    ------
    ValueError : unknown scaling
    """
    if scaling not in get_args(Scaling):
        known = ", ".join(map(repr, get_args(Scaling)))
        raise ValueError(f"unknown normalisation {scaling!r}; choose one of {known}")
    if scaling == "signed":
        return [around_zero(values) for values in maps]
    if scaling == "minmax":
        return [_lowest_to_highest(values) for values in maps]
    shared = {}
    for unit in dict.fromkeys(units):
        all_of_it = [np.ravel(m) for m, own in zip(maps, units, strict=True) if own == unit]
        values = np.concatenate(all_of_it)
        shared[unit] = around_zero(values) if differences else _lowest_to_highest(values)
    return [shared[unit] for unit in units]


def _lowest_to_highest(values: np.ndarray) -> Scale:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    if known.size and is_flat(known):
        high = low
    return Scale(low, high, SEQUENTIAL)


def reach_of(values: np.ndarray) -> float:
    """The largest absolute value; 0 if nothing is finite."""
    known = values[np.isfinite(values)]
    return float(abs(known).max()) if known.size else 0.0


def finite(values: np.ndarray) -> np.ndarray:
    """Values with NaN in place of infinities: neither has a colour, and both travel as NaN."""
    return np.where(np.isfinite(values), values, np.nan)


def varies(values: np.ndarray) -> bool:
    """Whether there is any variation to show; what is not finite does not count."""
    known = finite(values)
    return not (np.isnan(known).all() or is_flat(known))


def colour_table(name: str) -> np.ndarray:
    """The 256 colours of a matplotlib colour map, (256, 3) uint8."""
    # loaded when the first colour is asked for, so that `import clipxai.view` is light
    from matplotlib import colormaps

    # at 256 colours, whatever its reader's settings (`image.lut`) say
    table = colormaps[name].resampled(256)
    return np.rint(table(np.arange(256))[:, :3] * 255).astype(np.uint8)
