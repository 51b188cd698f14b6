"""How is an explanation kept in a file? Numbers and text only, no pickles: three arrays, and JSON
for the rest. A file may come from a stranger: what it says it holds is compared with what it holds
before memory is given to it, and every field is looked at when it is read, not when it is drawn.
"""

import json
import math
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import visible
from .writing import replacing

ARRAYS = ("scores", "image", "presence")
# of all arrays together: an image four times as large as Pillow opens unasked
MOST_BYTES = 1 << 30
HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def write(path: str | Path, arrays: dict[str, np.ndarray], described: dict[str, object]) -> None:
    """One `.npz` file of `ARRAYS` by name and of what JSON can say, complete or not at all.

    Raises
    ------
    ValueError : more than `read` would read
    FileNotFoundError : the folder does not exist
    """
    size = sum(array.nbytes for array in arrays.values())
    if size > MOST_BYTES:
        raise ValueError(
            f"this explanation holds {size:,} bytes, but at most {MOST_BYTES:,} are read again: "
            "explain a smaller image, or fewer texts at a time"
        )
    # through a file, since numpy would add .npz to a path without it
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays, described=np.array(json.dumps(described)))


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `write` wrote, every field of the kind it has to be.

    Raises
    ------
    ValueError : anything else; one line that names the file
    FileNotFoundError, PermissionError : it cannot be opened
    """
    with Path(path).open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                expect_size(archive, (*ARRAYS, "described"))
                arrays = {name: array_of(archive, name) for name in ARRAYS}
                described = json.loads(str(array_of(archive, "described")))
            expect_described(described)
            expect_arrays(arrays, described)
        # of a damaged file zip, deflate, numpy and JSON fail in any way there is
        except Exception as error:
            reason = visible(str(error).split("\n")[0])[:200] or type(error).__name__
            raise ValueError(
                f"{path} is no explanation as to_npz writes it, or a damaged one: {reason}"
            ) from error
    return arrays, described


def expect_size(archive: zipfile.ZipFile, wanted: Sequence[str]) -> None:
    """A ValueError unless the wanted arrays are there, each once, and are not too large."""
    names = [entry.filename for entry in archive.infolist()]
    for name in wanted:
        if names.count(name + ".npy") != 1:
            raise ValueError(f"it holds {names.count(name + '.npy')} arrays called {name!r}")
    size = sum(archive.getinfo(name + ".npy").file_size for name in wanted)
    if size > MOST_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes, but at most {MOST_BYTES:,} are read")


def array_of(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """An array whose shape is that of the bytes that are there."""
    with archive.open(name + ".npy") as entry:
        version = np.lib.format.read_magic(entry)
        if version not in HEADERS:
            raise ValueError(f"{name} is kept in an unknown way, {version}")
        shape, fortran, kind = HEADERS[version](entry)
        size = math.prod(shape) * kind.itemsize
        if kind.hasobject or size > archive.getinfo(name + ".npy").file_size:
            raise ValueError(f"{name} is said to be {kind} {shape}, which it does not hold")
        data = bytearray(entry.read(size + 1))
    if len(data) != size:
        raise ValueError(f"{name} is said to have {size:,} bytes, but has {len(data):,}")
    flat = np.frombuffer(data, kind) if data else np.empty(0, kind)
    return flat.reshape(shape, order="F" if fortran else "C")


def expect_described(described: Any) -> None:
    """A ValueError unless every field that JSON says is of the kind it has to be."""
    _expect(isinstance(described, dict), "its description", described, "names and values")
    for name in ("method", "unit"):
        _expect(isinstance(described.get(name), str), name, described.get(name), "a text")
    for name in ("texts", "notes"):
        said = described.get(name)
        _expect(isinstance(said, list) and _all(said, str), name, said, "a list of texts")
    _expect(len(described["texts"]) > 0, "texts", [], "at least one text")
    sides = described.get("sides", [])
    lengths = (0, 2) if len(described["texts"]) == 1 else (0,)
    two = isinstance(sides, list) and len(sides) in lengths and _all(sides, str)
    _expect(two, "sides", sides, "two texts of one map, or none")
    said = described.get("provenance")
    texts = isinstance(said, dict) and _all(said.values(), str)
    _expect(texts, "provenance", said, "a text for every name")
    between = described.get("difference", False)
    _expect(isinstance(between, bool), "difference", between, "true or false")
    _expect_grid(described.get("grid"))


def _expect_grid(grid: Any) -> None:
    names = {"height", "width", "image_size", "box"}
    _expect(isinstance(grid, dict) and set(grid) == names, "grid", grid, f"{sorted(names)}")
    size, box = grid["image_size"], grid["box"]
    _expect(isinstance(size, list) and len(size) == 2, "image_size", size, "height and width")
    for count in (grid["height"], grid["width"], *size):
        # type(), since Python counts True as a whole number
        _expect(type(count) is int and count >= 1, "a size of the grid", count, "1 or more")
    numbers = isinstance(box, list) and len(box) == 4 and _all(box, (int, float))
    _expect(numbers and all(map(math.isfinite, box)), "box", box, "four numbers")
    top, left, bottom, right = box
    _expect(top < bottom and left < right, "box", box, "top, left, bottom, right")
    slack = 1e-3  # of a pixel: rounding
    within = min(top, left) >= -slack and bottom <= size[0] + slack and right <= size[1] + slack
    _expect(within, "box", box, f"within the image, {size[0]}x{size[1]}")


def expect_arrays(
    arrays: dict[str, np.ndarray], described: dict[str, Any], names: Sequence[str] = ARRAYS
) -> None:
    """A ValueError unless arrays, by their `names`, are those that are `described`."""
    texts, grid = len(described["texts"]), described["grid"]
    expected = {
        "scores": ("f", (texts, grid["height"], grid["width"])),
        "image": ("u", (*grid["image_size"], 3)),
        "presence": ("f", (texts,)),
    }
    for name in names:
        kind, shape = expected[name]
        array = arrays[name]
        fits = array.dtype.kind == kind and array.shape == shape
        fits = fits and (kind == "f" or array.dtype == np.uint8)
        of = {"f": "floats", "u": "uint8"}[kind]
        _expect(fits, name, f"{array.dtype} {array.shape}", f"{of} {shape}")
        finite = kind == "u" or not np.isinf(array).any()  # NaN says that something is not known
        _expect(finite, name, "infinite somewhere", "finite")


def _all(values: Iterable[object], kind: type | tuple[type, ...]) -> bool:
    return all(isinstance(value, kind) and not isinstance(value, bool) for value in values)


def _expect(holds: bool, name: str, found: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {str(found)[:60]}, but has to be {expected}")
