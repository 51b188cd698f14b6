"""Which pictures does a list in a file name, and what is each asked about?

A text file has a path a line; CSV and Parquet have a column of paths, and columns of texts. Paths
are told from the list's folder. Lines of one picture are put together: its texts are those of all
of them, as in a list of captions.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..results.parquet import arrow
from .reading import FAILURES, own_texts

LISTS = (".txt", ".csv", ".parquet")
COLUMN = "path"
HOW = (
    "say which holds the paths (column=, --column) and which the texts (texts_from=, --texts-from)"
)
Row = Mapping[str, object]


class Listed(NamedTuple):
    """What a list says.

    Attributes
    ----------
    texts : of each picture, by its path, its own texts; () if none were asked for
    failed : lines that name no picture, or have no text, and why
    """

    texts: dict[Path, tuple[str, ...]]
    failed: list[tuple[Path, Exception]]


def is_list(where: str | Path) -> bool:
    """Whether a name is that of a list of pictures.

    Examples
    --------
    >>> is_list("captions.csv"), is_list("photo.jpg")
    (True, False)
    """
    return Path(where).suffix.lower() in LISTS


def read_list(
    where: str | Path, column: str | None = None, texts_from: Sequence[str] = ()
) -> Listed:
    """The pictures of a list, each once, in the order of their first lines.

    Parameters
    ----------
    where : a file of one of `LISTS`
    column : the name of the column of paths; "path" unless told
    texts_from : names of columns with texts of each picture alone

    Raises
    ------
    FileNotFoundError : no such file
    ValueError : no such column; a text file that is asked for columns; a file of another kind; no
        line at all; Parquet without pyarrow
    """
    where = Path(where)
    if not where.is_file():
        raise FileNotFoundError(f"no such list of pictures: {where}")
    kind, texts = where.suffix.lower(), dict[Path, tuple[str, ...]]()
    if kind == ".txt" and (column or texts_from):
        raise ValueError(f"{where} is a list of paths alone: columns are for .csv and .parquet")
    failed, columns = [], (column or COLUMN, *texts_from)
    rows = _lines(where) if kind == ".txt" else table(where, columns, HOW)
    for number, row in enumerate(rows, 1):
        path = row[column or COLUMN]
        place = where.parent / path if isinstance(path, str) and path.strip() else where
        try:
            if place == where:
                raise ValueError("no picture is named there")
            own = own_texts(row, texts_from)
        except FAILURES as error:
            failed.append((place, ValueError(f"row {number} of {where}: {error}")))
        else:
            texts[place] = tuple(dict.fromkeys((*texts.get(place, ()), *own)))
    if not texts and not failed:
        raise ValueError(f"{where} names no picture")
    return Listed(texts, failed)


def table(where: Path, columns: Sequence[str], how: str) -> Iterator[Row]:
    """The rows of a list in CSV or Parquet.

    Raises
    ------
    ValueError : a column that is not there, with `how` it is said; a damaged file; Parquet without
        pyarrow
    """
    rows = {".csv": _csv, ".parquet": _parquet}[where.suffix.lower()]
    return rows(where, columns, how)


def _lines(where: Path) -> Iterator[Row]:
    try:
        lines = where.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError(f"{where} is no list of paths: it is no text in UTF-8") from None
    return ({COLUMN: line.strip()} for line in lines if line.strip())


def _csv(where: Path, columns: Sequence[str], how: str) -> Iterator[Row]:
    try:
        with where.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            names = rows.fieldnames or []
            others = [sign for sign in ";\t|" if sign in "".join(names)]
            if others and not {*columns} <= {*names}:
                raise ValueError(
                    f"{where} has columns apart by {others[0]!r}, but CSV's are apart by ',': "
                    "write it so, or as Parquet"
                )
            _expect_columns(where, names, columns, how)
            yield from rows
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{where} is no CSV in UTF-8, or a damaged one: {error}") from None


def _parquet(where: Path, columns: Sequence[str], how: str) -> Iterator[Row]:
    parquet = arrow("parquet", f"{where} is a list in Parquet, which")
    try:
        with parquet.ParquetFile(where) as file:
            _expect_columns(where, file.schema_arrow.names, columns, how)
            for few in file.iter_batches(columns=list(columns)):
                yield from few.to_pylist()
    except arrow("lib").ArrowException as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"{where} is no Parquet, or a damaged file: {reason}") from None


def _expect_columns(where: Path, there: Sequence[str], columns: Sequence[str], how: str) -> None:
    for name in columns:
        if name not in there:
            raise ValueError(f"{where} has no column {name!r}, but {', '.join(there)}: {how}")
