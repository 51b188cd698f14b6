"""What does a method return? A number for every patch and text, and what it is measured in.

Axes: B images, P patches, T texts.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import NamedTuple

import torch
from torch import Tensor

from ..trace.trace import Trace


class Scores(NamedTuple):
    """What a method returns: (B, P, T) scores, their unit, and what a reader of the map has to
    know.
    """

    values: Tensor
    unit: str
    notes: tuple[str, ...] = ()


def texts_at_a_time(most: int) -> Callable[[Callable[..., Scores]], Callable[..., Scores]]:
    """Decorator: give a method at most so many texts at once, so that memory does not grow with the
    vocabulary.
    """

    def decorate(method: Callable[..., Scores]) -> Callable[..., Scores]:
        @wraps(method)
        def in_turns(trace: Trace, **options: object) -> Scores:
            parts = [
                method(replace(trace, text_features=few), **options)
                for few in trace.text_features.split(most)
            ]
            return parts[0]._replace(values=torch.cat([part.values for part in parts], dim=-1))

        return in_turns

    return decorate
