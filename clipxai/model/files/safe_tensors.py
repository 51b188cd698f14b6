"""How is a `.safetensors` file read? A length, a JSON header, bytes: the sizes are known before a
single number is read, and every tensor is read when its turn comes, by any thread, to where its
numbers are wanted.

Not mapped into memory: a mapped file that somebody cuts short ends the process that looks at what
is gone (SIGBUS), and what was looked at counts as memory until it is let go of.
"""

import io
import json
import os
import struct
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

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


class Stored:
    """A `.safetensors` file, open for as long as anybody may read from it.

    Attributes
    ----------
    sizes : name -> tensor without memory
    """

    def __init__(self, file: Path, unique: Callable[[list], dict]) -> None:
        """
        Parameters
        ----------
        file : whose header the library checks: sizes, offsets, and that every byte belongs to a
            tensor
        unique : makes an object of the pairs of the header, and refuses names that stand twice

        Raises
        ------
        ValueError, safetensors' own : damaged
        """
        with safe_open(file, framework="pt"):
            pass
        self.file, self.lock = file, threading.Lock()
        # kept open, not found by its name again: another file may have taken its place
        self.opened = io.FileIO(file)
        weakref.finalize(self, self.opened.close)
        (length,) = struct.unpack("<Q", self._bytes(8, 0))
        header = json.loads(self._bytes(length, 8), object_pairs_hook=unique)
        header.pop("__metadata__", None)
        self.sizes = {name: _size(name, entry) for name, entry in header.items()}
        self.begins = {name: 8 + length + e["data_offsets"][0] for name, e in header.items()}

    def read(self, name: str) -> Tensor:
        """A tensor, in memory of its own; ValueError: the file ends before."""
        tensor = torch.empty_like(self.sizes[name], device="cpu")
        self.read_into(name, tensor.view(-1))
        return tensor

    def read_into(self, name: str, place: Tensor, first: int = 0) -> None:
        """Fill `place` with a tensor's numbers from `first` on, by any number of threads at once.

        Parameters
        ----------
        place : (count,), next to one another in memory, and of the tensor's kind

        Raises
        ------
        ValueError : the file ends before
        """
        begin = self.begins[name] + first * place.element_size()
        try:
            self._fill(memoryview(place.view(torch.uint8).numpy()), begin)
        except OSError as error:
            reason = f"tensor {name!r} cannot be read: {error.strerror}"
            raise OSError(error.errno, reason, str(self.file)) from error
        except EOFError:
            raise ValueError(
                f"{self.file} was cut short while it was read, in tensor {name!r}: load it again"
            ) from None

    def _bytes(self, length: int, begin: int) -> bytes:
        data = bytearray(length)
        self._fill(memoryview(data), begin)
        return bytes(data)

    def _fill(self, memory: memoryview, begin: int) -> None:
        while memory:
            read = self._some(memory, begin)
            if not read:
                raise EOFError
            memory, begin = memory[read:], begin + read

    def _some(self, memory: memoryview, begin: int) -> int:
        """How many bytes a system gave, which may be fewer than were asked for."""
        if hasattr(os, "preadv"):
            return os.preadv(self.opened.fileno(), [memory], begin)
        with self.lock:  # Windows reads from where the file stands, which is the same for all
            self.opened.seek(begin)
            return self.opened.readinto(memory)


def _size(name: str, entry: dict) -> Tensor:
    if entry["dtype"] not in DTYPES:
        raise ValueError(
            f"tensor {name!r} is kept as {entry['dtype']}, as quantised weights are, not as "
            f"{', '.join(DTYPES)}: load the checkpoint as it was before"
        )
    return torch.empty(entry["shape"], dtype=DTYPES[entry["dtype"]], device="meta")
