"""`clipxai bench`: every method on a data set with true masks."""

import argparse
import sys
from pathlib import Path

from ..many.processes import first
from ..measure import leaderboard, report
from ..measure.bench import Bench
from ..measure.data import dataset
from ..measure.run import run as run_bench
from ..measure.run import trial
from ..measure.summary import summary
from .asking import loaded


def run(given: argparse.Namespace) -> int:
    """The table on the terminal, and results.json, leaderboard.md and report.html in the folder."""
    if given.limit is not None and given.limit < 1:
        raise ValueError(f"--limit {given.limit}, but at least one picture has to be measured")
    model = loaded(given)
    data = dataset(given.data, given.layout, given.classes)
    bench = Bench(
        model,
        data,
        methods=_names(given.methods),
        metrics=_names(given.metrics),
        seed=given.seed,
        templates=given.templates,
        truncate=given.truncate,
        size=given.size,
        batch=given.batch,
    )
    out = Path(given.out)
    if given.dry_run:
        if first():  # of several processes one tries for all
            print(trial(bench, out, given.limit), "nothing was written", sep="\n")
        return 0
    rows = run_bench(bench, out, given.limit)
    if rows is not None:  # the first of several processes speaks for all
        results = summary(bench, rows)
        print(leaderboard.text(results))
        command = " ".join(["clipxai", *sys.argv[1:]])
        print(*report.write(bench, results, rows, out, command), sep="\n")
    return 0


def _names(listed: str | None) -> list[str] | None:
    return listed and [name.strip() for name in listed.split(",")]
