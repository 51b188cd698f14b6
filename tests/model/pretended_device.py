"""A device that is not there: tensors that say they lie on an accelerator and compute on the CPU.

As on a real one, tensors of two devices do not mix, and every way from one to the other is a copy,
which is counted.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        """In what autocast may compute there."""
        return [torch.float16, torch.bfloat16]


_setup_privateuseone_for_python_backend("pretended", backend_module=_Backend())
DEVICE = torch.device("pretended", 0)
aten = torch.ops.aten
MOVES = {aten._to_copy.default, aten.copy_.default}
# CPU tensors of indices may address an accelerator's
INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}


class There(Tensor):
    """A tensor on the pretended device; `.here` is what it computes with."""

    @staticmethod
    def __new__(cls, here: Tensor, requires_grad: bool = False) -> "There":
        """Of the same shape, elsewhere."""
        return Tensor._make_wrapper_subclass(
            cls,
            here.shape,
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
            requires_grad=requires_grad,
        )

    def __init__(self, here: Tensor, requires_grad: bool = False) -> None:
        self.here = here

    def __repr__(self) -> str:
        return f"There({self.here!r})"

    def tolist(self) -> list:
        """Its numbers, here."""
        return self.here.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {}, None)


class Watch(TorchDispatchMode):
    """Makes new tensors on the device that was asked for, and counts what is moved.

    Attributes
    ----------
    up, down : shapes of tensors that went to the device, and that came back
    """

    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = list[tuple[int, ...]](), list[tuple[int, ...]]()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return _run(func, args, kwargs or {}, self)


def _run(func, args, kwargs, watch):
    tensors = [part for part in tree_flatten((args, kwargs))[0] if isinstance(part, Tensor)]
    there = [part for part in tensors if isinstance(part, There)]
    mixed = there and any(part.ndim for part in tensors if not isinstance(part, There))
    asked = kwargs.get("device")
    wanted = bool(there) if asked is None else torch.device(asked).type == DEVICE.type
    if func is aten._fused_sdp_choice.default and there:
        return 0  # written out, which any device can do
    if func in MOVES:
        _count(func, args, wanted, watch)
    elif mixed and func not in INDEXING:
        raise RuntimeError(f"{func}: tensors on {DEVICE} and on the CPU")
    if asked is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    found = func(*_here(args), **_here(kwargs))
    name = func._schema.name
    if name.endswith("_") and not name.endswith("__"):  # changed where it is
        if isinstance(args[0], There) and args[0].shape != args[0].here.shape:
            with no_dispatch():
                func(*args, **kwargs)  # its outside, such as by squeeze_
        return args[0]
    return tree_map(
        lambda part: There(part) if wanted and isinstance(part, Tensor) else part, found
    )


def _here(parts):
    return tree_map(lambda part: part.here if isinstance(part, There) else part, parts)


def _count(func, args, wanted, watch):
    """Write down what travels."""
    if watch is None:
        return
    into, source = (args[0], args[1]) if func is aten.copy_.default else (None, args[0])
    there = wanted if into is None else isinstance(into, There)
    if there and not isinstance(source, There):
        watch.up.append(tuple(source.shape))
    if isinstance(source, There) and not there:
        watch.down.append(tuple(source.shape))


def move(module: nn.Module) -> None:
    """Put all weights of a module on the pretended device."""
    for part in module.modules():
        for name, weight in part._parameters.items():
            if weight is not None:
                part._parameters[name] = nn.Parameter(There(weight.detach()), requires_grad=False)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = There(buffer)


@contextmanager
def watched() -> Iterator[Watch]:
    """What moves within."""
    with Watch() as watch:
        yield watch
