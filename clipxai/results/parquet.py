"""A table of explanations (`tables`) in Parquet, by pyarrow."""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from .writing import replacing

SUFFIX = ".parquet"
SAID = b"clipxai"  # the key of what is said of a whole file, in JSON


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


def write(path: Path, rows: Sequence[Mapping[str, object]], said: object) -> None:
    """A file of rows, and what is `said` of all of them (JSON); complete or not at all."""
    of, columns = arrow("lib"), schema()
    arrays = [
        of.array([one.get(name) for one in rows], columns.field(name).type)
        for name in columns.names
    ]
    table = of.table(arrays, schema=columns.with_metadata({SAID: json.dumps(said)}))
    _write_table(path, table)


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


def columns(path: Path, names: Sequence[str]) -> dict[str, list]:
    """Some columns of a file."""
    return opened(path).read(list(names)).to_pydict()


def row_of(path: Path, at: int) -> dict[str, Any]:
    """A row by its number."""
    return opened(path).read().slice(at, 1).to_pylist()[0]


def keep(path: Path, holds: Sequence[int]) -> None:
    """Leave the rows of these numbers alone in a file."""
    _write_table(path, opened(path).read().take(holds))


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


def _write_table(path: Path, table: Any) -> None:
    with replacing(path) as draft:
        arrow("parquet").write_table(table, draft, compression="zstd")
