"""Many pictures become one table in parts: which pictures are in it, and what is left to do when a
run was interrupted?

A folder of files of one kind, each of some pictures and by one process, written complete or not
at all and not touched again, so that a run that is killed leaves a table that can be read. It loses
what it has not written yet, at most `ROWS` pictures or `SECONDS` of work. Each row says which file
its picture was read from, and each part which question it answers.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ..results import npz_table, parquet, tables
from ..results.explanation import Explanation, kept
from .ending import unbroken
from .folders import below, expect_same_question, is_there
from .places import Place, State
from .processes import ALONE, Processes

ROWS, SECONDS, VALUES = 1000, 120.0, 1 << 25  # of a part; values are 64 MB
KINDS = {"parquet": parquet, "npz-table": npz_table}  # as --format names them
Keep = Callable[[Path, Explanation], None]


def name_of(image: Path, place: Place) -> str:
    """What a picture is called in the table: its way from the folder that is explained."""
    way = below(image, place.root)
    # elsewhere: its whole path, which no picture in the folder has for a name
    return way.as_posix() if (place.root / way) == image else image.absolute().as_posix()


def unanswered(
    place: Place, out: Path, kind: ModuleType, question: Mapping[str, object]
) -> list[Path]:
    """Images that are not in the table, or were explained before they changed.

    Raises
    ------
    ValueError : the table answers another question, or is of another kind; a row is of another
        image that is still there; a part that is none
    """
    left = {name_of(image, place): image for image in place.images}
    for part, its_kind in _parts(out):
        if its_kind is not kind:
            raise ValueError(
                f"{out} holds a table in {its_kind.SUFFIX} ({part.name}), not in {kind.SUFFIX}: "
                "choose another folder, or --overwrite it"
            )
        expect_same_question(out, kind.said_of(part) or {}, question)
        for name, state in _states(part, kind):
            if name not in left:
                continue
            now = place.state(left[name])
            if state == now:
                del left[name]
            elif state[0] != now[0] and is_there(str(state[0])):
                raise ValueError(
                    f"{out} holds the row of {state[0]} where that of {left[name]} goes: choose "
                    "another folder, or --overwrite it"
                )
    return list(left.values())


@contextmanager
def recording(
    place: Place,
    images: Sequence[Path],
    out: Path,
    kind: ModuleType,
    question: Mapping[str, object],
    processes: Processes = ALONE,
) -> Iterator[Keep]:
    """Take out what is left of former rows of `images`, and write new ones: `with recording(...) as
    keep: ...; keep(image, explanation)`. What came so far is written also if the run ends early.

    An image that changes meanwhile is explained anew by the next run. Of several processes, which
    agree on `images`, each writes parts of its own, and goes on when all are done.
    """
    states = {image: place.state(image) for image in place.share(images, processes)}
    processes.wait()  # all have read the table
    if processes.rank == 0:
        _forget(out, {name_of(image, place) for image in images}, kind, question)
    processes.wait()
    part = _Part(out, kind, question, processes.rank)

    def keep(image: Path, explanation: Explanation) -> None:
        part.add(_row(name_of(image, place), states.pop(image), explanation))

    try:
        yield keep
    finally:
        part.write()
    processes.wait()


def bytes_of(count: int, few: Sequence[Explanation], folder: Path, kind: ModuleType) -> float:
    """How large a table of so many explanations gets, as few of them tell, tried in a folder: two
    parts of them tell what every part takes and what every row does.
    """
    rows = [_row(str(n), [str(n), n, n], one) for n, one in enumerate(few)]

    def tried(some: Sequence[Mapping[str, object]]) -> int:
        part = folder / f"part{kind.SUFFIX}"
        kind.write(part, some, {})
        return part.stat().st_size

    whole, first = tried(rows), tried(rows[:1])
    row = (whole - first) / (len(rows) - 1) if rows[1:] else whole
    of_part = max(0, whole - row * len(rows))
    return row * count + of_part * math.ceil(count / ROWS)


class _Part:
    """Rows that are not written yet."""

    def __init__(
        self, out: Path, kind: ModuleType, question: Mapping[str, object], rank: int
    ) -> None:
        self.out, self.kind, self.question, self.rank = out, kind, question, rank
        named = [part.stem.split("-") for part in tables.parts(out, kind)]
        numbers = [int(number) for _, of_rank, number in named if int(of_rank) == rank]
        self.number = max(numbers, default=-1)
        self.rows: list[dict[str, object]] = []
        self.values, self.began = 0, time.monotonic()

    def add(self, row: dict[str, object]) -> None:
        self.rows.append(row)
        self.values += len(row["scores"])  # type: ignore[arg-type]
        old = time.monotonic() - self.began > SECONDS
        if old or len(self.rows) >= ROWS or self.values >= VALUES:
            self.write()

    @unbroken()  # or rows would be lost, or written and not taken off the list
    def write(self) -> None:
        if self.rows:
            self.number += 1
            name = f"part-{self.rank:05}-{self.number:06}{self.kind.SUFFIX}"
            self.kind.write(self.out / name, self.rows, self.question)
        self.rows, self.values, self.began = [], 0, time.monotonic()


def _row(name: str, state: State, explanation: Explanation) -> dict[str, object]:
    source, size, changed, *texts = state
    return {
        **tables.row(name, *kept(explanation)),
        "source": source,
        "source_bytes": size,
        "source_changed": changed,
        "source_texts": texts[0] if texts else None,
    }


def _parts(out: Path) -> Iterator[tuple[Path, ModuleType]]:
    """The parts of a table that are in a folder, and of which kind."""
    for kind in KINDS.values():
        yield from ((part, kind) for part in tables.parts(out, kind))


def _states(part: Path, kind: ModuleType) -> Iterator[tuple[str, State]]:
    """Every picture of a part, and what it was explained from."""
    names = ["picture", "source", "source_bytes", "source_changed", "source_texts"]
    columns = kind.columns(part, names)
    for name, *state, texts in zip(*(columns[name] for name in names)):
        yield name, [*state, *([] if texts is None else [texts])]


def _forget(out: Path, names: set[str], kind: ModuleType, question: Mapping[str, object]) -> None:
    """Leave only the rows that still hold."""
    out.mkdir(parents=True, exist_ok=True)
    for part, its_kind in _parts(out):
        said = its_kind.said_of(part)  # an error of what is no part: it is not ours to remove
        if its_kind is not kind or said != question:
            part.unlink()
            continue
        there = [name for name, _ in _states(part, kind)]
        holds = [at for at, name in enumerate(there) if name not in names]
        if not holds:
            part.unlink()
        elif len(holds) < len(there):
            kind.keep(part, holds)
