"""A table of explanations (`tables`) in numpy's own files: arrays of numbers, where those of a row
follow those of the row before, the names of the pictures, and JSON for the rest; no pickles.

A file may come from a stranger, and is read as carefully as that of one explanation (`npz`).
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import visible
from . import npz
from .writing import replacing

SUFFIX = ".npz"
FLAT = {"presence": np.float32, "scores": np.float16, "scale": np.float32}  # of all rows in one
OF_ROWS = {"grid": (np.int32, 2), "image_size": (np.int32, 2), "box": (np.float64, 4)}
ARRAYS = ("picture", *FLAT, *OF_ROWS, "count", "described")
WORDS = ("texts", "method", "unit", "notes", "provenance", "difference", "sides")
SOURCE = ("source", "source_bytes", "source_changed", "source_texts")


def write(path: Path, rows: Sequence[Mapping[str, Any]], said: object) -> None:
    """A file of rows, and what is `said` of all of them (JSON); complete or not at all."""
    arrays = {
        "picture": np.array([one["picture"] for one in rows], str),
        "count": np.array([len(one["texts"]) for one in rows], np.int32),
        **{
            name: np.concatenate([one[name] for one in rows], dtype=kind)
            for name, kind in FLAT.items()
        },
        **{
            name: np.array([one[name] for one in rows], kind) for name, (kind, _) in OF_ROWS.items()
        },
    }
    words = [{name: one.get(name) for name in (*WORDS, *SOURCE)} for one in rows]
    described = np.array(json.dumps({"said": said, "rows": words}))
    with replacing(path) as draft, draft.open("wb") as file:
        np.savez_compressed(file, **arrays, described=described)


def said_of(path: Path) -> object:
    """What `write` was told of a whole file."""
    return _read(path, [])[0]


def columns(path: Path, names: Sequence[str]) -> dict[str, list]:
    """Some columns of a file, other than numbers of the maps."""
    _, rows = _read(path, [])
    return {name: [one[name] for one in rows] for name in names}


def row_of(path: Path, at: int) -> dict[str, Any]:
    """A row by its number."""
    return _read(path, [at])[1][at]


def keep(path: Path, holds: Sequence[int]) -> None:
    """Leave the rows of these numbers alone in a file."""
    said, rows = _read(path, holds)
    write(path, [rows[at] for at in holds], said)


def is_table(path: Path) -> bool:
    """Whether a file, or a folder of them, is a table rather than one explanation."""
    if path.is_dir():
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return "picture.npy" in archive.namelist()
    except Exception:  # what is wrong is said when it is read
        return False


def _read(path: Path, whole: Sequence[int]) -> tuple[object, list[dict[str, Any]]]:
    """What is said of a file, and its rows; with their numbers only those that are read `whole`."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                npz.expect_size(archive, ARRAYS)
                names = npz.array_of(archive, "picture").tolist()
                described = json.loads(str(npz.array_of(archive, "described")))
                rows = [
                    {"picture": name, **{column: one[column] for column in (*WORDS, *SOURCE)}}
                    for name, one in zip(names, described["rows"], strict=True)
                ]
                if whole:
                    _add_numbers(rows, whole, archive)
                return described["said"], rows
        # of a damaged file zip, deflate, numpy and JSON fail in any way there is
        except Exception as error:
            reason = visible(str(error).split("\n")[0])[:200] or type(error).__name__
            raise ValueError(
                f"{path} is no table of explanations in .npz, or a damaged one: {reason}"
            ) from error


def _add_numbers(
    rows: list[dict[str, Any]], whole: Sequence[int], archive: zipfile.ZipFile
) -> None:
    of_rows = {name: npz.array_of(archive, name) for name in OF_ROWS}
    flat = {name: npz.array_of(archive, name) for name in FLAT}
    counts = npz.array_of(archive, "count").astype(np.int64)
    sizes = dict.fromkeys(FLAT, counts) | {
        "scores": counts * of_rows["grid"].astype(np.int64).prod(axis=1)
    }
    if counts.tolist() != [len(one["texts"]) for one in rows]:
        raise ValueError("its counts are not those of its texts")
    if any(len(numbers) != len(rows) for numbers in of_rows.values()) or of_rows["grid"].min() < 1:
        raise ValueError("its grids are none")
    for name, numbers in flat.items():
        if numbers.shape != (sizes[name].sum(),) or numbers.dtype != FLAT[name]:
            raise ValueError(
                f"{name} are not the {sizes[name].sum()} numbers that its rows ask for"
            )
    ends = {name: np.cumsum(size) for name, size in sizes.items()}
    for at in whole:
        for name, numbers in flat.items():
            end = int(ends[name][at])
            rows[at][name] = numbers[end - int(sizes[name][at]) : end]
        for name, numbers in of_rows.items():
            rows[at][name] = numbers[at].tolist()
