"""How does a run over thousands of pictures end well, also if it is interrupted or shared?

Each picture's numbers are one line in `OUT/rows/`, written whole or not at all: an interrupted run
goes on where it stopped, and measures again what changed on disk. Processes share the pictures
(`torchrun --nproc-per-node 2 -m clipxai bench …`); their lines are gathered and added up in the
order of the data set, so results are the same to the last digit. (Processes with as many threads
each: how torch splits a sum over threads can change its last digit.)
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..many.journal import whole_lines
from ..many.processes import joined, world_size
from ..many.telling import duration, filesize, telling
from ..results.writing import alone, append
from .bench import Bench, stopwatch

TRIED = 4  # pictures of a trial


def run(bench: Bench, out: Path, limit: int | None = None) -> list[dict] | None:
    """Measure what is missing of the first `limit` pictures and gather: the rows in order in the
    first process, None in the others.

    Raises
    ------
    ValueError : the folder holds a run with other settings, or a damaged line; another run writes
        there
    """
    wanted = bench.data.ids[:limit]
    with joined() as processes, alone(out) if processes.rank == 0 else nullcontext():
        # gathered first, so that all processes agree on what is missing
        found = _merged(processes.gather(_read_rows(out, bench)))
        missing = [name for name in wanted if name not in found]
        first = processes.rank == 0
        with _appending(out / "rows" / f"{processes.rank}.jsonl", bench.settings) as keep:
            own = bench.data.share(missing, processes)
            with telling("pictures", len(own), "picture", shown=first) as told:
                for row in bench.measure_each(own):
                    found[row["id"]] = row
                    keep(row)
                    told.done()
        found = _merged(processes.gather(found))
    return [found[name] for name in wanted] if first else None


def trial(bench: Bench, out: Path, limit: int | None = None) -> str:
    """What `run` would do, in words, from the first pictures that are missing; nothing is written.

    Raises
    ------
    ValueError : as `run`
    """
    wanted, found = bench.data.ids[:limit], _read_rows(out, bench)
    missing = [name for name in wanted if name not in found]
    said = f"{out}: {len(missing)} to measure, {len(wanted) - len(missing)} were there already"
    if not missing:
        return said
    bench.measure(missing[0])  # which loads what the others find loaded
    with stopwatch() as spent:
        rows = list(bench.measure_each(missing[: max(TRIED, bench.batch)]))
    seconds = spent() / 1000 / len(rows)
    size = sum(len(json.dumps(row)) for row in rows) / len(rows)
    by = f" by {world_size()} processes" if world_size() > 1 else ""
    return (
        f"{said}\nfrom the first {len(rows)}: {1 / seconds:.3g} pictures a second, so about "
        f"{duration(seconds * len(missing) / world_size())}{by}; about "
        f"{filesize(size * len(missing))} of rows, and a report"
    )


def _merged(everyone: list[dict[str, dict]]) -> dict[str, dict]:
    """The rows of all processes."""
    return {name: row for own in everyone for name, row in own.items()}


def _read_rows(out: Path, bench: Bench) -> dict[str, dict]:
    """What earlier runs left of pictures that are still the same; a line without an end was
    interrupted and does not count.
    """
    rows = {}
    for file in sorted((out / "rows").glob("*.jsonl")):
        said = whole_lines(file, lambda first: isinstance(first, dict), _is_row)
        first, *lines = said or [bench.settings]
        first = {"batch": 1, **first}  # which was not said as long as there was no other
        differing = [name for name in bench.settings if first.get(name) != bench.settings[name]]
        if differing:
            said = ", ".join(differing).replace("model", "model (or --dtype)")
            raise ValueError(
                f"{out} holds a run with other {said}: choose another --out, or delete that folder"
            )
        for row in lines:
            name = row["id"]
            if name in bench.places and row.get("from") == bench.made_from(name):
                rows[name] = row
    return rows


def _is_row(said: object) -> bool:
    """A line of a picture: its name, the files it was made from, and numbers."""
    return isinstance(said, dict) and isinstance(said.get("id"), str)


@contextmanager
def _appending(file: Path, settings: dict[str, object]) -> Iterator[Callable[[dict], None]]:
    """Append rows to a file, each by a single write; the first line says what they depend on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab", buffering=0) as lines:
        # what an interruption left of a line goes, or the next row would be glued to it
        whole = file.read_bytes().rfind(b"\n") + 1
        lines.truncate(whole)
        if not whole:
            append(lines, json.dumps(settings).encode() + b"\n")
        yield lambda row: append(lines, json.dumps(row).encode() + b"\n")
