"""In what precision is a trace asked? In its own, also under autocast.

Rounded shares do not add up.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import torch

from ..checks import expect
from .trace import Trace

Told = ParamSpec("Told")
Found = TypeVar("Found")


def unrounded(
    verb: Callable[Concatenate[Trace, Told], Found],
) -> Callable[Concatenate[Trace, Told], Found]:
    """Decorator: what is computed from a trace is computed without autocast."""

    @wraps(verb)
    def computed(trace: Trace, *told: Told.args, **options: Told.kwargs) -> Found:
        expect(Trace, trace, "record")
        with torch.autocast(trace.stream.device.type, enabled=False):
            return verb(trace, *told, **options)

    return computed
