"""How does a run over thousands of pictures end well, also if it is interrupted or shared?

Each picture's numbers are one line in `OUT/rows/`, written whole or not at all: an interrupted run
goes on where it stopped, and measures again what changed on disk. Processes share the pictures
(`torchrun --nproc-per-node 2 -m clipxai bench …`); their lines are gathered and added up in the
order of the data set, so results are the same to the last digit. (Processes with as many threads
each: how torch splits a sum over threads can change its last digit.)
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch.distributed as dist
from tqdm import tqdm

from ..many.journal import whole_lines
from ..results.writing import alone, append
from .bench import Bench


def run(bench: Bench, out: Path, limit: int | None = None) -> list[dict] | None:
    """Measure what is missing of the first `limit` pictures and gather: the rows in order in the
    first process, None in the others.

    Raises
    ------
    ValueError : the folder holds a run with other settings, or a damaged line; another run writes
        there
    """
    rank, processes = _join()
    try:
        wanted = bench.data.ids[:limit]
        with nullcontext() if rank else alone(out):  # the first of several for all
            # gathered first, so that all processes agree on what is missing
            found = _gather(_read_rows(out, bench), processes)
            missing = [name for name in wanted if name not in found]
            with _appending(out / "rows" / f"{rank}.jsonl", bench.settings) as keep:
                for name in tqdm(missing[rank::processes], "pictures", disable=rank > 0 or None):
                    found[name] = bench.measure(name)
                    keep(found[name])
            found = _gather(found, processes)
    finally:
        if processes > 1:
            dist.destroy_process_group()
    return [found[name] for name in wanted] if rank == 0 else None


def world_size() -> int:
    """How many processes share this run, as torchrun tells."""
    return int(os.environ.get("WORLD_SIZE", 1))


def _join() -> tuple[int, int]:
    """This process's number, and how many there are."""
    if world_size() == 1:
        return 0, 1
    dist.init_process_group("gloo")  # which needs no GPU
    return dist.get_rank(), world_size()


def _gather(rows: dict[str, dict], processes: int) -> dict[str, dict]:
    """The rows of all processes, in all processes."""
    if processes == 1:
        return rows
    everyone: list = [None] * processes
    dist.all_gather_object(everyone, rows)
    return {name: row for own in everyone for name, row in own.items()}


def _read_rows(out: Path, bench: Bench) -> dict[str, dict]:
    """What earlier runs left of pictures that are still the same; a line without an end was
    interrupted and does not count.
    """
    rows = {}
    for file in sorted((out / "rows").glob("*.jsonl")):
        said = whole_lines(file, lambda first: isinstance(first, dict), _is_row)
        first, *lines = said or [bench.settings]
        differing = [name for name in bench.settings if first.get(name) != bench.settings[name]]
        if differing:
            raise ValueError(
                f"{out} holds a run with other {', '.join(differing)}: choose another --out, or "
                "delete that folder"
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
