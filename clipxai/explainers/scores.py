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

ROUNDING = 16 * torch.finfo(torch.float32).eps  # of what is subtracted from each other


class Scores(NamedTuple):
    """What a method returns: (B, P, T) scores, their unit, and what a reader of the map has to
    know; of each image by itself in `of_images`, if there is anything.
    """

    values: Tensor
    unit: str
    notes: tuple[str, ...] = ()
    of_images: tuple[str, ...] = ()


def difference(whole: Tensor, rest: Tensor) -> Tensor:
    """(B, N, T) `whole` - `rest`; exactly 0 for a text of whose map only rounding is left, which
    would look like an answer once it is drawn from its lowest to its highest.
    """
    left = whole - rest
    nothing = _reach(left) <= ROUNDING * torch.maximum(_reach(whole), _reach(rest))
    return left.masked_fill_(nothing, 0)


def _reach(values: Tensor) -> Tensor:
    low, high = values.detach().aminmax(dim=1, keepdim=True)
    return torch.maximum(-low, high)


def texts_at_a_time(most: int) -> Callable[[Callable[..., Scores]], Callable[..., Scores]]:
    """Decorator: give a method at most so many texts at once, so that memory does not grow with the
    vocabulary.
    """

    def decorate(method: Callable[..., Scores]) -> Callable[..., Scores]:
        @wraps(method)
        def in_turns(trace: Trace, **options: object) -> Scores:
            parts = [
                method(replace(trace, text_features=few), **options)
                for few in trace.text_features.split(most, dim=-2)
            ]
            return parts[0]._replace(values=torch.cat([part.values for part in parts], dim=-1))

        return in_turns

    return decorate


def empty_if_known(trace: Trace) -> Tensor | None:
    """(1, E) the empty text; None where a vocabulary is needed and not there."""
    try:
        return trace.empty_features
    except ValueError:
        return None
