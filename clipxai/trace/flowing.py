"""Do gradients flow through a recorded pass? Only if it was recorded for that.

`record(..., differentiable=True)` keeps the graph from weights and pixels to everything in the
`Trace`; what is then read out of it keeps it as well. All other passes are recorded and asked
without a graph, whatever the model's weights ask for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch

Told = ParamSpec("Told")
Found = TypeVar("Found")

_FLOWING: ContextVar[bool] = ContextVar("gradients flow through what is recorded", default=False)


@contextmanager
def flowing(flows: bool) -> Iterator[None]:
    """Whether what is recorded within keeps its graph."""
    before = _FLOWING.set(flows)
    try:
        with torch.set_grad_enabled(flows):
            yield
    finally:
        _FLOWING.reset(before)


def no_graph_unless_flowing(run: Callable[Told, Found]) -> Callable[Told, Found]:
    """Decorator of what runs a tower."""

    @wraps(run)
    def computed(*told: Told.args, **options: Told.kwargs) -> Found:
        with torch.set_grad_enabled(_FLOWING.get()):
            return run(*told, **options)

    return computed


def as_recorded(ask: Callable[Told, Found]) -> Callable[Told, Found]:
    """Decorator of what reads a trace, its first argument: gradients flow if they were recorded,
    unless the caller has switched them off.
    """

    @wraps(ask)
    def computed(*told: Told.args, **options: Told.kwargs) -> Found:
        with flowing(torch.is_grad_enabled() and is_flowing(told[0])):
            return ask(*told, **options)

    return computed


def kept(ask: Callable[Told, Found]) -> Callable[Told, Found]:
    """Decorator of what a trace keeps of itself once it was asked: gradients flow if they were
    recorded, whoever asks first. A caller who has switched them off may not be the last.
    """

    @wraps(ask)
    def computed(*told: Told.args, **options: Told.kwargs) -> Found:
        with torch.inference_mode(False), flowing(is_flowing(told[0])):
            return ask(*told, **options)

    return computed


def is_flowing(trace: Any) -> bool:
    """Whether a trace was recorded with a graph."""
    return bool(trace.stream.requires_grad or trace.text_features.requires_grad)
