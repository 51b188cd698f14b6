"""How are the tensors taken out of a TorchScript archive, which is a program, without running it?

Its pickle may name three harmless functions and nothing else, and classes become empty boxes whose
tensors are taken out.
"""

import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from io import BytesIO

import torch
from torch import Tensor

CONSTANTS = "/constants.pkl"  # a file that TorchScript archives have, and plain state dicts do not
STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def is_torchscript(archive: zipfile.ZipFile) -> bool:
    """Whether a zip is a program of TorchScript's and not a plain state dict."""
    return any(name.endswith(CONSTANTS) for name in archive.namelist())


class _Box:
    """Stands for whatever class an archive names: it keeps the state it is given, and does
    nothing.
    """

    def __init__(self, *given: object) -> None:
        self.state: object = None

    def __setstate__(self, state: object) -> None:
        self.state = state


class Archive(pickle.Unpickler):
    """The tensors of a TorchScript archive, without its program.

    `find_class` decides what a pickle may call. Here that is: rebuild a tensor from its bytes
    (checked against their number), an ordered dict, a list that is passed on as it is, and `_Box`
    for every class of the archive's own.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        constants = next(name for name in archive.namelist() if name.endswith(CONSTANTS))
        self.root = constants.removesuffix("constants.pkl")
        pickled = archive.open(self.root + "data.pkl").read()
        # read through once without running it: a table of that many places would fill the memory
        for operation, argument, _ in pickletools.genops(pickled):
            if "PUT" in operation.name and isinstance(argument, int) and argument > len(pickled):
                raise pickle.UnpicklingError("its pickle asks for a table larger than itself")
        self.flat: dict[str, Tensor] = {}  # every storage once, however many tensors name it
        super().__init__(BytesIO(pickled))

    def find_class(self, module: str, name: str) -> object:
        """What a name in the pickle stands for."""
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch.jit._pickle":
            return lambda value, *_: value
        if module.split(".")[0] == "__torch__":
            return _Box
        raise pickle.UnpicklingError(f"its pickle names {module}.{name}, which no weights need")

    def persistent_load(self, number: tuple) -> tuple[torch.dtype, str, int]:
        """(dtype, file, elements) of a storage."""
        _, dtype, key, _, elements = number
        return dtype, f"{self.root}data/{key}", elements

    def _rebuild(
        self,
        storage: tuple[torch.dtype, str, int],
        offset: int,
        size: tuple,
        stride: tuple,
        *_: object,
    ) -> Tensor:
        dtype, name, elements = storage
        if self.archive.getinfo(name).file_size != elements * dtype.itemsize:
            raise pickle.UnpicklingError(
                f"{name} does not hold the {elements} numbers it is said to"
            )
        if name not in self.flat:
            data = bytearray(self.archive.read(name))  # writable, as torch wants its memory
            self.flat[name] = (
                torch.frombuffer(data, dtype=torch.uint8)
                if data
                else torch.empty(0, dtype=torch.uint8)
            )
        flat = self.flat[name].view(dtype)
        # the farthest number that `as_strided` would reach
        last = offset + sum((n - 1) * step for n, step in zip(size, stride)) if all(size) else 0
        if min((offset, *size, *stride)) < 0 or last >= max(1, elements):
            raise pickle.UnpicklingError(f"a tensor reaches beyond its {elements} numbers")
        if math.prod(size) > elements:  # a stride of 0 makes one number a million
            raise pickle.UnpicklingError(
                f"a tensor of {math.prod(size):,} numbers is to be made of {elements:,}"
            )
        return flat.as_strided(size, stride, offset)

    def tensors(self) -> dict[str, Tensor]:
        """Name -> tensor, names joined with dots as in a state dict."""
        found, open_boxes, seen = {}, [("", self.load())], set()
        while open_boxes:
            prefix, box = open_boxes.pop()
            if not isinstance(box, _Box) or not isinstance(box.state, dict) or id(box) in seen:
                continue
            seen.add(id(box))
            for name, value in box.state.items():
                if isinstance(value, Tensor):
                    found[f"{prefix}{name}"] = value
                open_boxes.append((f"{prefix}{name}.", value))
        return found
