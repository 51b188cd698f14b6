"""How is a file that torch pickled read, so that it is tensors and nothing but tensors?

A pickle is a program: it names functions and calls them. `torch.load(weights_only=True)` runs only
those on a list of torch's own. That list was not safe before torch 2.6 (CVE-2025-32434) nor
before 2.10 (CVE-2026-24747), and it still holds functions that a few bytes can ask for gigabytes.
So an older torch is not asked, and what a pickle names is looked at first, without running it.
"""

import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from .prefixes import state_dict_in

SAFE_TORCH = (2, 10)
NEEDED = re.compile(  # by a state dict, or by what training keeps beside it
    r"collections (OrderedDict|Counter|defaultdict)"
    r"|torch (Size|device|\w+Storage|b?float\d+\w*|u?int\d+|bool|complex\d+)"
    r"|torch\.storage (Untyped|Typed)Storage"
    r"|torch\._utils _rebuild_(tensor|tensor_v2|tensor_v3|parameter|parameter_with_state)"
    r"|torch\.nn\.parameter Parameter"
    r"|(builtins|__builtin__) (set|complex)"
    r"|_codecs encode"
)
PICKLES = 5  # of torch's format before 1.6: a mark, a version, sizes, the object, its storages
# a tied weight stands in a file once and is two tensors; more sharing is not what it says it is
SHARED = 2


def read_pickled(file: Path) -> dict[str, Tensor]:
    """The tensors of a file that torch saved, by name.

    Raises
    ------
    ValueError : an older torch than is safe; it holds more than tensors, or no state dict
    """
    expect_safe_torch()
    for named in _named(file):
        if not NEEDED.fullmatch(named):
            module, name = named.split(" ", 1)
            raise pickle.UnpicklingError(
                f"its pickle names {module}.{name}, which no weights need: save the model's "
                "state_dict() alone, where you trust the file"
            )
    try:
        saved = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's own words advise to read the file without weights_only
        if "weights_only" in str(error) or "safe_globals" in str(error):
            raise pickle.UnpicklingError("its pickle does what no weights need") from error
        raise
    return state_dict_in(saved)


def expect_safe_torch() -> None:
    """A ValueError if this torch's `weights_only` is known to be no protection."""
    found = tuple(map(int, re.findall(r"\d+", torch.__version__)[:2]))
    if found < SAFE_TORCH:
        least = ".".join(map(str, SAFE_TORCH))
        raise ValueError(
            f"torch {torch.__version__} can be made to run what a pickled file holds "
            f"(CVE-2025-32434, CVE-2026-24747): install torch {least} or later, or load the "
            "model's .safetensors file"
        )


def expect_paid(tensors: Mapping[str, Tensor], size: int) -> None:
    """A ValueError if tensors are larger than the file of `size` bytes that they are read from: a
    stride of 0 makes one number a million.
    """
    claimed = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    if claimed > SHARED * size:
        raise ValueError(
            f"its tensors are said to hold {claimed:,} bytes, but the file has {size:,}"
        )


def _named(file: Path) -> Iterator[str]:
    """What the pickle of a file names, as "module name", without running any of it."""
    if not zipfile.is_zipfile(file):
        with file.open("rb") as opened:
            for _ in range(PICKLES):
                yield from _names_in(opened)
        return
    # torch's own reader: of a zip made for two readings, this is the one that will be run
    record = torch._C.PyTorchFileReader(str(file)).get_record("data.pkl")
    yield from _names_in(record)


def _names_in(pickled: bytes | BinaryIO) -> Iterable[str]:
    for operation, argument, _ in pickletools.genops(pickled):
        if operation.name == "GLOBAL":
            yield str(argument)
        elif operation.name in ("INST", "STACK_GLOBAL"):  # torch writes neither
            raise pickle.UnpicklingError(
                f"its pickle uses {operation.name}, which torch never does"
            )
