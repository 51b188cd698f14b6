"""How is a number written for people? `browser/number.js` writes it the same way."""

import math

# a number halfway between two is rounded away from zero, as browsers do
AWAY = 1 + 1e-12


def number(value: float) -> str:
    """A score for people: three significant digits and a real minus sign."""
    if not math.isfinite(value):
        return "not a number"
    return _real_minus(f"{value * AWAY:.3g}")


def two_digits(value: float) -> str:
    """A cosine, overlap or correlation for people: two decimals and a real minus sign."""
    return _real_minus(f"{value * AWAY:.2f}")


def signed(value: float) -> str:
    """A share for people: its sign and three decimals, so that a row compares at a glance."""
    if not math.isfinite(value):
        return number(value)
    return _real_minus(f"{value:+.3f}")


def _real_minus(written: str) -> str:
    return written.replace("-", "−")
