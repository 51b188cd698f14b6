"""What do methods that are asked of one pass, one after the other, compute only once?

    with sharing():
        explain(trace, "clip_surgery")
        explain(trace, "clip_surgery_architecture")  # reads the same path again

The last answer of each function is kept, and only inside: who changes weights between two
questions, outside of it, gets what the weights say.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Concatenate, ParamSpec

import torch
from torch import Tensor

from .flowing import is_flowing
from .trace import Trace

Told = ParamSpec("Told")
_KEPT: ContextVar[dict[object, tuple] | None] = ContextVar("last answers", default=None)


@contextmanager
def sharing() -> Iterator[None]:
    """Answers are kept within."""
    before = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(before)


def shared(
    *read: str,
) -> Callable[
    [Callable[Concatenate[Trace, Told], Tensor]], Callable[Concatenate[Trace, Told], Tensor]
]:
    """Decorator of a function of a trace that reads what its fields `read` belong to; its answer is
    not to be written to. A pass with a graph is asked anew, as its graph is walked once.
    """

    def decorate(
        compute: Callable[Concatenate[Trace, Told], Tensor],
    ) -> Callable[Concatenate[Trace, Told], Tensor]:
        @wraps(compute)
        def asked(trace: Trace, *told: Told.args, **options: Told.kwargs) -> Tensor:
            kept = _KEPT.get()
            if kept is None or is_flowing(trace):
                return compute(trace, *told, **options)
            of = *(getattr(trace, name) for name in read), torch.is_inference_mode_enabled()
            before = kept.get(compute)
            # tensors are compared by being the same, what was told by its value
            if (
                before is None
                or any(one is not other for one, other in zip(of, before[0]))
                or before[1] != (told, options)
            ):
                before = kept[compute] = of, (told, options), compute(trace, *told, **options)
            return before[2]

        return asked

    return decorate
