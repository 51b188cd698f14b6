"""How is a `.safetensors` file read? A length, a JSON header, bytes: the sizes are known before a
single number is read, and every tensor is read when its turn comes.

Mapped into memory, as reading takes half as long again. A mapped file that somebody cuts short ends
the process that looks at what is gone (SIGBUS), so before every tensor the file is asked whether it
is still as long as it was.
"""

import json
import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

KEPT = 1 << 24  # bytes of a mapped file; to let go of each tensor by itself takes time
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def read_safetensors(
    file: Path, unique: Callable[[list], dict]
) -> tuple[dict[str, Tensor], Callable[[str], Tensor]]:
    """Name -> tensor without memory, and a function that reads the one of a name, which is good
    until it reads the next.

    Parameters
    ----------
    file : whose header the library checks: sizes, offsets, and that every byte belongs to a tensor
    unique : makes an object of the pairs of the header, and refuses names that stand twice

    Raises
    ------
    ValueError, safetensors' own : damaged
    """
    with safe_open(file, framework="pt"):
        pass
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header = json.loads(opened.read(length), object_pairs_hook=unique)
    header.pop("__metadata__", None)
    sizes = {name: _size(name, entry) for name, entry in header.items()}

    with file.open("rb") as opened:
        # a private copy of each page that is written to, so torch may have it and the file stays
        data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    since = 0

    def read(name: str) -> Tensor:
        nonlocal since
        size, begin = sizes[name], 8 + length + header[name]["data_offsets"][0]
        if os.stat(file).st_size < len(data):
            raise ValueError(f"{file} was cut short while it was read: load it again")
        since += size.nbytes
        if since > KEPT and hasattr(data, "madvise"):  # Windows has none
            data.madvise(mmap.MADV_DONTNEED)  # what was read before
            since = 0
        if not size.numel():  # torch maps no empty buffer
            return torch.empty(size.shape, dtype=size.dtype)
        numbers = torch.frombuffer(data, dtype=size.dtype, count=size.numel(), offset=begin)
        return numbers.view(size.shape)

    return sizes, read


def _size(name: str, entry: dict) -> Tensor:
    if entry["dtype"] not in DTYPES:
        raise ValueError(
            f"tensor {name!r} is kept as {entry['dtype']}, as quantised weights are, not as "
            f"{', '.join(DTYPES)}: load the checkpoint as it was before"
        )
    return torch.empty(entry["shape"], dtype=DTYPES[entry["dtype"]], device="meta")
