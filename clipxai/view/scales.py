"""What does a colour mean? From scores to colours, and the words and numbers that say so on the
figure.

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
AWAY = 1 + 1e-12  # a number halfway between two is rounded away from zero, as browsers do
LABELS: dict[Scaling, str] = {
    "minmax": "each map on its own scale",
    "shared": "one scale for all",
    "signed": "own scale, zero in the middle",
}
MEANING: dict[Scaling, str] = {
    "minmax": (
        "each map on its own scale, from its lowest patch (dark violet) to its highest (yellow)"
    ),
    "shared": "one scale for all maps, from {low} to {high}, so colours compare across maps",
    "signed": "each map on its own scale, red above zero, blue below, zero neutral",
}


@dataclass(frozen=True)
class Scale:
    """Scores `low` to `high`, in the explanation's unit, run through the 256 colours of a map named
    `colours`.
    """

    low: float
    high: float
    colours: str

    def place(self, scores: np.ndarray) -> np.ndarray:
        """Scores of any shape as 0…1 along the scale, clipped; the middle where the scale has no
        extent. NaN stays NaN.
        """
        if not self.high > self.low:
            return np.where(np.isnan(scores), np.nan, 0.5).astype(np.float32)
        return np.clip((scores - self.low) / (self.high - self.low), 0, 1)

    def paint(self, scores: np.ndarray) -> np.ndarray:
        """Scores (H, W) as colours (H, W, 3) uint8; what NaN becomes is for the caller to cover."""
        return colour_table(self.colours)[
            np.rint(np.nan_to_num(self.place(scores)) * 255).astype(int)
        ]


def scales_of(maps: Sequence[np.ndarray], units: Sequence[str], scaling: Scaling) -> list[Scale]:
    """One scale per map.

    Parameters
    ----------
    maps : score arrays of any shape; NaN is ignored
    units : unit of each; a shared scale is shared by maps of one unit only
    scaling : "minmax" (each from its own lowest to its highest patch), "signed" (each symmetric
        about zero) or "shared" (all maps of a unit alike: symmetric about zero if any score is
        negative)

    Raises
    ------
    ValueError : unknown scaling
    """
    if scaling not in get_args(Scaling):
        raise ValueError(
            f"unknown normalisation {scaling!r}; choose one of "
            f"{', '.join(map(repr, get_args(Scaling)))}"
        )
    if scaling != "shared":
        return [_scale(values, signed=scaling == "signed") for values in maps]
    groups = {
        unit: np.concatenate([np.ravel(m) for m, u in zip(maps, units, strict=True) if u == unit])
        for unit in dict.fromkeys(units)
    }
    shared = {
        unit: _scale(values, signed=bool((values < 0).any())) for unit, values in groups.items()
    }
    return [shared[unit] for unit in units]


def _scale(values: np.ndarray, *, signed: bool) -> Scale:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if signed:
        reach = max(abs(low), abs(high))
        return Scale(-reach, reach, DIVERGING)
    if finite.size and is_flat(finite):
        high = low
    return Scale(low, high, SEQUENTIAL)


def caption(units: Sequence[str], scaling: Scaling, scales: Sequence[Scale]) -> str:
    """A sentence that says what the colours of a figure mean: unit and normalisation in words."""
    distinct = list(dict.fromkeys(units))
    what = f"Colour: {' or '.join(distinct)}"
    if scaling != "shared":
        return (
            f"{what}; {MEANING[scaling]}"
            f"{', so colours do not compare across maps' if len(units) > 1 else ''}."
        )
    if len(distinct) > 1:
        return f"{what}; one scale for all maps of one unit, so colours compare across those only."
    words = MEANING["shared"].format(low=number(scales[0].low), high=number(scales[0].high))
    return (
        f"{what}; {words}"
        f"{'; red above zero, blue below' if scales[0].colours == DIVERGING else ''}."
    )


def colour_table(name: str) -> np.ndarray:
    """The 256 colours of a matplotlib colour map, (256, 3) uint8."""
    from matplotlib import colormaps

    return np.rint(colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8)


def number(value: float) -> str:
    """A score for people: three significant digits and a real minus sign."""
    if not np.isfinite(value):
        return "not a number"
    return f"{value * AWAY:.3g}".replace("-", "−")


def two_digits(value: float) -> str:
    """A cosine, overlap or correlation for people: two decimals and a real minus sign."""
    return f"{value * AWAY:.2f}".replace("-", "−")
