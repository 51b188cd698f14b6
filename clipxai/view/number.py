"""How are numbers and sentences with numbers written? `browser/number.js` does it the same way."""

import math
import re

# a number halfway between two is rounded away from zero, as browsers do; nor do they write −0
AWAY = 1 + 1e-12


def number(value: float) -> str:
    """A score for people: three significant digits and a real minus sign."""
    if not math.isfinite(value):
        return "not a number"
    return _real_minus(f"{value * AWAY or 0.0:.3g}")


def two_digits(value: float) -> str:
    """A cosine, overlap or correlation for people: two decimals and a real minus sign."""
    if not math.isfinite(value):
        return number(value)
    return _fixed(value, ".2f")


def signed(value: float) -> str:
    """A share for people: its sign and three decimals, so that a row compares at a glance."""
    if not math.isfinite(value):
        return number(value)
    return _fixed(value, "+.3f")


def tenth(value: float) -> str:
    """A length for people: one decimal."""
    if not math.isfinite(value):
        return number(value)
    return _fixed(value, ".1f")


def percent(value: float) -> str:
    """A share of a whole for people, in hundredths: one decimal."""
    if not math.isfinite(value):
        return number(value)
    return f"{tenth(100 * value)} %"


def hundredths(value: float) -> str:
    """A contrast for people: its sign, in hundredths, without decimals."""
    if not math.isfinite(value):
        return number(value)
    return _fixed(100 * value, "+.0f") if round(100 * value * AWAY) else "0"


def fill(sentence: str, **values: str | float) -> str:
    """A sentence with values in its places, so that a browser can fill in others.

    Places are `{name}`, or `{name:signed}` for a number in one of the `WAYS`. What has no value
    stays, so that words that somebody typed may have braces.

    >>> fill("layer {layer} adds {share:signed}", layer=3, share=0.25)
    'layer 3 adds +0.250'
    """

    def filled(place: re.Match[str]) -> str:
        name, way = place.groups()
        if name not in values or (way and way not in WAYS):
            return place[0]
        return WAYS[way](float(values[name])) if way else str(values[name])

    return PLACE.sub(filled, sentence)


WAYS = {
    "number": number,
    "signed": signed,
    "two_digits": two_digits,
    "tenth": tenth,
    "percent": percent,
    "hundredths": hundredths,
}
PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}", re.ASCII)


def _fixed(value: float, spec: str) -> str:
    """So many decimals; what they round to zero is no less than zero."""
    written = f"{value * AWAY:{spec}}"
    return _real_minus(written if float(written) else f"{0.0:{spec}}")


def _real_minus(written: str) -> str:
    return written.replace("-", "−")
