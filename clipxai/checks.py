"""Is what the caller gave what was asked for? If not, one error that names what came in, what was
expected, and where that comes from.

In: every question that more than one file asks. Not in: what only one verb can know of its input.
"""

from collections.abc import Sequence
from operator import index


def expect(kind: type, given: object, source: str) -> None:
    """A TypeError unless `given` is a `kind`, which `clipxai.<source>` returns."""
    if not isinstance(given, kind):
        raise TypeError(
            f"expected {kind.__name__} (from clipxai.{source}), got {type(given).__name__}"
        )


def expect_threshold(given: float | str, choices: str = "a number in 0…1") -> None:
    """A ValueError unless `given` is a number in 0…1; `choices` says what else it may be."""
    if isinstance(given, str) or not 0 <= given <= 1:
        raise ValueError(f"unknown threshold {given!r}; choose {choices}")


def expect_some(**counts: int) -> None:
    """A ValueError unless every number, by its name, is 1 or more."""
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name}={count}, but at least one is needed")


def layer_of(layers: int, asked: int, owner: str = "this model") -> int:
    """The place, 0…layers - 1, of one of so many `layers`; a negative number counts from the last.

    Raises
    ------
    IndexError : no such layer; the message says how many `owner` ("this model") has
    """
    asked = _whole(asked, "layer")
    if not -layers <= asked < layers:
        raise IndexError(f"layer {asked}, but {owner} has {layers} (0 to {layers - 1})")
    return asked % layers


def number_of(known: Sequence[object], asked: int | str, what: str, where: str) -> int:
    """Place of something in a list, by its number; negative numbers count from the last.

    Texts and words may be given as themselves, too.

    Raises
    ------
    ValueError : it is not there; the message says `what` is missing `where` ("word", "this text"),
        and what is there
    IndexError : no such number
    TypeError : neither a number nor, where texts are asked for, a text
    """
    if isinstance(asked, str) and all(isinstance(one, str) for one in known):
        if asked not in known:
            there = ", ".join(map(repr, known))
            raise ValueError(f"no {what} {asked!r} in {where}; it has: {there}")
        return known.index(asked)
    asked = _whole(asked, what)
    if not -len(known) <= asked < len(known):
        raise IndexError(
            f"{what} number {asked}, but {where} has {len(known)} (0 to {len(known) - 1})"
        )
    return asked % len(known)


def _whole(asked: object, what: str) -> int:
    """A whole number, numpy's too; a TypeError for all else, truth values included."""
    if not isinstance(asked, bool):
        try:
            return index(asked)  # type: ignore[arg-type]  # which is what it finds out
        except TypeError:
            pass
    raise TypeError(f"{what} {asked!r}, but a whole number is needed")
