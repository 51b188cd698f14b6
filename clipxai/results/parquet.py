"""How are explanations of many pictures kept in one table, which pandas, DuckDB and Spark read?

A row a picture, in Parquet, by pyarrow; `docs/parquet.md` says what each column is. Scores are in
half precision: 11 bits of each map's largest. What half precision cannot hold is divided by the
map's `scale`, a power of two, which is 1 for all else. The picture itself is not kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import npz
from .writing import replacing

SAID = b"clipxai"  # the key of what is said of a whole file, in JSON
HALF = (2.0**-13, 65504.0)  # largest of a map that half precision holds with 11 bits
NOT_KEPT = "The picture is not kept in Parquet, and grey here: pass image= to from_parquet."


def arrow(part: str, what: str = "Parquet") -> ModuleType:
    """A module of pyarrow; else a ValueError that says `what` needs it, and how to install it."""
    try:
        return import_module(f"pyarrow.{part}")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{what} is read and written by pyarrow: pip install 'clipxai[data]'"
        ) from error


def schema() -> Any:
    """The columns, as pyarrow's schema."""
    of = arrow("lib")
    texts, floats = of.list_(of.string()), of.list_(of.float32())
    return of.schema(
        {
            "picture": of.string(),
            "texts": texts,
            "presence": floats,
            "scores": of.list_(of.float16()),
            "scale": floats,
            "grid": of.list_(of.int32()),
            "image_size": of.list_(of.int32()),
            "box": of.list_(of.float64()),
            "method": of.string(),
            "unit": of.string(),
            "notes": texts,
            "provenance": of.string(),
            "difference": of.bool_(),
            "sides": texts,
            "source": of.string(),
            "source_bytes": of.int64(),
            "source_changed": of.int64(),
            "source_texts": of.string(),
        }
    )


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


def write(path: Path, rows: Sequence[Mapping[str, object]], said: object) -> None:
    """A file of rows, and what is `said` of all of them (JSON); complete or not at all."""
    of, columns = arrow("lib"), schema()
    arrays = [
        of.array([one.get(name) for one in rows], columns.field(name).type)
        for name in columns.names
    ]
    table = of.table(arrays, schema=columns.with_metadata({SAID: json.dumps(said)}))
    write_table(path, table)


def write_table(path: Path, table: Any) -> None:
    """A table of pyarrow as a file, complete or not at all."""
    with replacing(path) as draft:
        arrow("parquet").write_table(table, draft, compression="zstd")


def said_of(path: Path) -> object:
    """What `write` was told of a whole file; None of a file that it did not write.

    Raises
    ------
    ValueError : no Parquet
    """
    kept = opened(path).schema_arrow.metadata or {}
    try:
        return json.loads(kept[SAID])
    except (KeyError, ValueError):
        return None


def read(path: str | Path, asked: int | str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """One row, by its number or its picture, as `npz.read` gives what it reads, but for the image.

    Raises
    ------
    ValueError : another file, or a damaged one; no such picture, or several
    IndexError : no row of that number
    FileNotFoundError : no such file, or none in the folder
    """
    files = _files(Path(path))
    by_name = isinstance(asked, str)
    found = _named(files, asked) if by_name else _numbered(files, asked)
    if len(found) != 1:
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


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("[!.]*.parquet")) if path.is_dir() else [path]  # no drafts
    if not files or not files[0].is_file():
        raise FileNotFoundError(f"no Parquet file: {path}")
    return files


def _named(files: Iterable[Path], picture: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in files:
        names = opened(file).read(["picture"])["picture"].to_pylist()
        found += [_row_of(file, at) for at, name in enumerate(names) if name == picture]
    return found


def _numbered(files: Sequence[Path], number: int) -> list[dict[str, Any]]:
    counts = [opened(file).metadata.num_rows for file in files]
    total = sum(counts)
    if not -total <= number < total:
        raise IndexError(f"row {number}, but there are {total} (0 to {total - 1})")
    at = number % total
    for file, count in zip(files, counts):
        if at < count:
            return [_row_of(file, at)]
        at -= count
    return []


def _row_of(file: Path, at: int) -> dict[str, Any]:
    return opened(file).read().slice(at, 1).to_pylist()[0]


def opened(file: Path) -> Any:
    """A ParquetFile of ours; a ValueError of another, or of a damaged one."""
    parquet = arrow("parquet")
    try:
        table = parquet.ParquetFile(file)
    except arrow("lib").ArrowException as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"{file} is no Parquet, or a damaged file: {reason}") from None
    missing = [name for name in schema().names if name not in table.schema_arrow.names]
    if missing:
        raise ValueError(
            f"{file} is no table of explanations: it has no column {', '.join(missing)}"
        )
    return table
