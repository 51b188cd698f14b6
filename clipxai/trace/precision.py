"""In what precision is a trace asked? In its own, also under autocast.

Rounded shares do not add up.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import torch

from ..checks import expect
from ..model.placing import enough_memory
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
        place, model = trace.stream.device, trace.model
        if place != model.device:
            raise ValueError(
                f"this trace lies on {place} and its model on {model.device}: bring one to the "
                "other with trace.to(...) or model.to(...)"
            )
        room = enough_memory(place, model.dtype, len(trace.pixels))
        with room, torch.autocast(place.type, enabled=False):
            return verb(trace, *told, **options)

    return computed
