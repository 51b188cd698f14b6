"""How are explanations of many pictures kept in one table? A row a picture; `docs/parquet.md` says
what each column is. In Parquet (`parquet`), which pandas, DuckDB and Spark read, or in numpy's own
files (`npz_table`), which need nothing else.

Scores are in half precision: 11 bits of each map's largest. What half precision cannot hold is
divided by the map's `scale`, a power of two, which is 1 for all else. The picture is not kept.

A kind of table is a module with `SUFFIX`; `write(path, rows, said)`, where `said` (JSON) is said of
all rows, and `said_of(path)`; `columns(path, names)`, lists by name; `row_of(path, at)`, a row by
its number; and `keep(path, holds)`, which leaves the rows of some numbers alone. Each raises a
ValueError, with the file's name, of another file, or of a damaged one.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ..checks import shown
from . import npz

HALF = (2.0**-13, 65504.0)  # largest of a map that half precision holds with 11 bits
NOT_KEPT = "The picture is not kept in a table, and grey here: pass image= when it is read."


def row(
    picture: str, arrays: Mapping[str, np.ndarray], described: Mapping[str, Any]
) -> dict[str, object]:
    """One explanation, of `arrays` and `described` as `npz.write` takes them."""
    halves, scale = to_half(arrays["scores"])
    grid = described["grid"]
    return {
        "picture": picture,
        "presence": arrays["presence"],
        "scores": halves.ravel(),
        "scale": scale,
        "grid": [grid["height"], grid["width"]],
        "image_size": list(grid["image_size"]),
        "box": list(grid["box"]),
        "provenance": json.dumps(described["provenance"]),
        **{name: list(described[name]) for name in ("texts", "notes", "sides")},
        **{name: described[name] for name in ("method", "unit", "difference")},
    }


def read(
    path: str | Path, asked: int | str, kind: ModuleType
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One row, by its number or its picture, as `npz.read` gives what it reads, but for the image.

    Raises
    ------
    ValueError : another file, or a damaged one; no such picture, or several
    IndexError : no row of that number
    TypeError : `asked` is neither a number nor a name
    FileNotFoundError : no such file, or none in the folder
    """
    if isinstance(asked, bool) or not isinstance(asked, (int, str)):
        raise TypeError(f"a row is named by its picture or its number, and not by {asked!r}")
    files = _files(Path(path), kind)
    by_name = isinstance(asked, str)
    found = _named(files, asked, kind) if by_name else _numbered(files, asked, kind)
    if not found:
        names = [*kind.columns(files[0], ["picture"])["picture"]]
        raise ValueError(
            f"{path} has no row of {asked!r}, but rows are called such as {shown(names[:2])}: "
            "by their column picture"
        )
    if len(found) > 1:
        raise ValueError(f"{path} holds {len(found)} rows of {asked!r}, but one is read")
    [one] = found
    try:
        arrays, described = _taken_apart(one)
        npz.expect_described(described)
        npz.expect_arrays(arrays, described, ("scores", "presence"))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} holds a damaged row of {asked!r}: {error}") from error
    return arrays, described


def to_half(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (T, gh, gw) in half precision, and the scale (T,) of each map.

    Examples
    --------
    >>> halves, scale = to_half(np.array([[[0.25, -0.5]], [[3e5, 1.0]]], np.float32))
    >>> halves[0].tolist(), scale.tolist()
    ([[0.25, -0.5]], [1.0, 262144.0])
    """
    size = np.abs(scores.astype(np.float64)).reshape(len(scores), -1)
    largest = np.fmax.reduce(size, axis=1, initial=0)  # what is not known is not counted
    fits = (largest == 0) | ((largest >= HALF[0]) & (largest <= HALF[1]))
    scale = np.exp2(np.floor(np.log2(np.where(fits, 1.0, largest))))
    return (scores / scale[:, None, None]).astype(np.float16), scale.astype(np.float32)


def _taken_apart(one: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    (height, width), texts = one["grid"], one["texts"]
    halves = np.array(one["scores"], np.float16).reshape(len(texts), height, width)
    scale = np.array(one["scale"], np.float32)
    described = {name: one[name] for name in ("texts", "notes", "sides", "method", "unit")}
    described |= {
        "difference": one["difference"],
        "provenance": json.loads(one["provenance"]),
        "grid": {
            "height": height,
            "width": width,
            "image_size": one["image_size"],
            "box": one["box"],
        },
    }
    arrays = {
        "scores": halves.astype(np.float32) * scale[:, None, None],
        "presence": np.array(one["presence"], np.float32),
    }
    return arrays, described


def parts(folder: Path, kind: ModuleType) -> list[Path]:
    """The parts of a table in a folder, by their names; whatever else lies there is none."""
    named = re.compile(rf"part-\d{{5,}}-\d{{6,}}{re.escape(kind.SUFFIX)}")
    return sorted(path for path in folder.glob("part-*") if named.fullmatch(path.name))


def _files(path: Path, kind: ModuleType) -> list[Path]:
    files = parts(path, kind) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise FileNotFoundError(
            f"no {kind.SUFFIX} file: {path}"
            + f" (of a table, which are called part-00000-000000{kind.SUFFIX})" * path.is_dir()
        )
    return files


def _named(files: Iterable[Path], picture: str, kind: ModuleType) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in files:
        names = kind.columns(file, ["picture"])["picture"]
        found += [kind.row_of(file, at) for at, name in enumerate(names) if name == picture]
    return found


def _numbered(files: Sequence[Path], number: int, kind: ModuleType) -> list[dict[str, Any]]:
    counts = [len(kind.columns(file, ["picture"])["picture"]) for file in files]
    total = sum(counts)
    if not -total <= number < total:
        raise IndexError(f"row {number}, but there are {total} (0 to {total - 1})")
    at = number % total
    for file, count in zip(files, counts):
        if at < count:
            return [kind.row_of(file, at)]
        at -= count
    return []
