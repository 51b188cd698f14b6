"""Who may write into a result? Nobody: what was explained stays as it was explained.

A buffer that a caller fills again with the next frame must not change the picture of the last one.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TypeVar

import numpy as np

Value = TypeVar("Value")


def owned(value: Value) -> Value:
    """An array, or a table of arrays, that nobody can write into; anything else as it is.

    Copied only where somebody still could, so results of one image share its pixels.

    Examples
    --------
    >>> pixels = np.zeros((2, 2))
    >>> kept = owned(pixels)
    >>> pixels[0, 0] = 7
    >>> float(kept[0, 0]), owned(kept) is kept
    (0.0, True)
    """
    if isinstance(value, Mapping):
        return {name: owned(one) for name, one in value.items()}
    if not isinstance(value, np.ndarray) or _is_fixed(value):
        return value
    kept = value.copy()
    kept.flags.writeable = False
    return kept


class Owning:
    """A dataclass whose arrays, and tables of arrays, are its own: neither who made it nor who
    reads it can write into them.
    """

    def __post_init__(self) -> None:
        assert is_dataclass(self)
        for part in fields(self):
            # as a frozen dataclass does it itself
            object.__setattr__(self, part.name, owned(getattr(self, part.name)))


def _is_fixed(array: np.ndarray) -> bool:
    """Whether neither the array nor what it is a view of can be written into."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)
