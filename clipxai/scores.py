"""What does a method return? A number for every patch and text, and what it is measured in.

Axes: B images, P patches, T texts.
"""

from typing import NamedTuple

from torch import Tensor


class Scores(NamedTuple):
    """What a method returns: (B, P, T) scores, their unit, and what a reader of the map has to know."""

    values: Tensor
    unit: str
    notes: tuple[str, ...] = ()
