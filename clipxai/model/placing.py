"""Where does a model run, and in what precision? On what was named, or what holds it best.

"auto" takes the accelerator with the most room if that can hold the weights and a pass through
them, and the processor otherwise; of processes that torchrun started, each takes its own. Results
always come back as numpy arrays.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..checks import shown

Moved = TypeVar("Moved", bound="Movable")
# a pass needs room beside the weights; of a ViT-L and 16 pictures about as much again
ROOM = 2.5
DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
}


def dtype_of(dtype: object) -> torch.dtype:
    """A dtype of weights, given itself or by its name. TypeError: none of floats."""
    known = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    # there are smaller floats, in which nothing can be added
    if not isinstance(known, torch.dtype) or known not in DTYPES.values():
        raise TypeError(f"dtype={shown(dtype)}, but weights are floats: {', '.join(DTYPES)}")
    return known


def device_of(device: object) -> torch.device | None:
    """A device, given itself or by its name; None is "auto".

    Raises
    ------
    ValueError : not the name of a device, or one that this machine or this build of torch has not
    """
    if isinstance(device, str) and device == "auto":
        return None
    try:
        place = torch.device(device)  # type: ignore[call-overload]  # which says whether it is one
    except (RuntimeError, TypeError) as error:
        known = "auto, cpu, cuda, cuda:1, mps or another of torch's devices"
        raise ValueError(f"device={shown(device)}, but {known} is needed") from error
    there = _accelerators()
    if not _is_there(place, there):
        found = ", ".join(map(str, there)) or "none"
        raise ValueError(
            f"device={shown(device)}, but this machine with this build of torch has accelerators: "
            f"{found}. Pass device='cpu' or 'auto'"
        )
    return place


def unusual(device: torch.device, dtype: torch.dtype) -> dict[str, str]:
    """Where numbers are computed ("device") and in what ("dtype"), if not by the processor in
    float32.
    """
    named = {"device": str(device), "dtype": str(dtype).removeprefix("torch.")}
    return {name: told for name, told in named.items() if told not in ("cpu", "float32")}


def expect_precision(place: torch.device | None, dtype: torch.dtype) -> None:
    """A ValueError of float64 where there is none."""
    if place is not None and place.type == "mps" and dtype is torch.float64:
        raise ValueError("device 'mps' has no float64: pass float32, or device='cpu'")


def best_place(needed: int, dtype: torch.dtype) -> torch.device:
    """The accelerator with the most room if it holds `needed` bytes of weights and a pass through
    them, else the processor.
    """
    places = [p for p in _accelerators() if not (p.type == "mps" and dtype is torch.float64)]
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", 1))  # processes of this machine: of torchrun
    if beside > 1 and places:
        needed *= -(-beside // len(places))
        # by number: room that another process is about to take looks free
        places = [places[int(os.environ["LOCAL_RANK"]) % len(places)]]
    best = max(places, key=_room, default=None)
    if best is None or _room(best) < ROOM * needed:
        return torch.device("cpu")
    return best


@contextmanager
def enough_memory(device: torch.device, dtype: torch.dtype, images: int = 0) -> Iterator[None]:
    """What runs out of an accelerator's memory within becomes one line: what to try instead.

    `images` is how many are in the batch; 0 while weights are loaded or texts are read.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        tried = f" with a batch of {images}" if images else ""
        ways = [f"a batch of {images // 2}"] if images > 1 else []
        ways += ["dtype='bfloat16'"] if dtype.itemsize > 2 else []
        ways += ["fewer texts", "device='cpu'"]
        raise MemoryError(
            f"{device} ran out of memory{tried} in {str(dtype)[6:]}: try {', '.join(ways[:-1])} or "
            f"{ways[-1]}"
        ) from error


class Movable:
    """A dataclass with tensors in it, whose model stays where it is."""

    def to(self: Moved, device: str | torch.device) -> Moved:
        """The same on a `device`, "cpu" or "cuda:0". Its model has to be there too when something
        is asked: `model.to`.
        """
        place = device_of(device)
        if place is None:
            raise ValueError("device='auto' is for models: name the device that its model is on")
        parts = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "model"}
        return replace(self, **{name: moved(part, place) for name, part in parts.items()})


def moved(part: Any, place: torch.device) -> Any:
    """The same with every tensor in it on a device: tensors, and tuples, lists, dictionaries and
    dataclasses of them.
    """
    if isinstance(part, Tensor):
        return part.to(place)
    if isinstance(part, (tuple, list)):
        return type(part)(moved(one, place) for one in part)
    if isinstance(part, dict):
        return {name: moved(one, place) for name, one in part.items()}
    if is_dataclass(part) and not isinstance(part, type):
        names = (one.name for one in fields(part) if one.init)
        return replace(part, **{name: moved(getattr(part, name), place) for name in names})
    return part


def _is_there(place: torch.device, accelerators: list[torch.device]) -> bool:
    if place.type in {"cuda", "mps"}:
        kinds = {other.type for other in accelerators}
        return place.type in kinds and (place.index or 0) < len(accelerators)
    try:
        torch.empty(0, device=place)
    except (AssertionError, ImportError, NotImplementedError, RuntimeError):
        return False  # each kind that this build of torch has not says so in its own way
    return True


def _accelerators() -> list[torch.device]:
    cards = [torch.device("cuda", n) for n in range(torch.cuda.device_count())]
    return cards + [torch.device("mps")] * torch.backends.mps.is_available()


def _room(place: torch.device) -> int:
    """Bytes that are free there."""
    if place.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return torch.cuda.mem_get_info(place)[0]
