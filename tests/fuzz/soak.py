"""Does a long session keep anything? Memory, open files, threads, widgets.

    python tests/fuzz/soak.py --loops 1500 --explorers 200

A loop loads the embedded model, records, explains by every method that needs no gradient, and saves
in one format after the other. Then explorers are made and closed, and a notebook's cell that shows
one is run again and again. What is there after a warm-up may grow by 20 MB, and by no handle, no
thread and no widget.
"""

import argparse
import ctypes
import gc
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch

import clipxai as cx
from clipxai.explainers.table import METHODS

GROWTH = 20_000_000  # bytes
# one loop in four draws, which takes fifty times as long
FORMATS = [kind for drawn in ("png", "svg", "html", "pdf") for kind in ("npz", "npz", "npz", drawn)]
# of methods that cover pictures many times
QUICK = {"rise": {"masks": 8}, "gscorecam": {"channels": 2}}


class Held(NamedTuple):
    """What a process has: bytes in memory, open handles, threads, open widgets."""

    memory: int
    handles: int
    threads: int
    widgets: int

    @classmethod
    def now(cls) -> "Held":
        """After everything that nobody needs was given back."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        handles = len(os.listdir("/proc/self/fd"))
        return cls(pages * os.sysconf("SC_PAGE_SIZE"), handles, threading.active_count(), widgets())


def widgets() -> int:
    """How many ipywidgets are open."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    return len(module._instances) if module else 0


def grown(what: str, step: Callable[[int], None], times: int, warm_up: int) -> list[str]:
    """What there is more of after `times` steps than after the first `warm_up`; one line each."""
    begun, before, most = time.monotonic(), None, 0
    for number in range(times):
        step(number)
        if number + 1 == warm_up:
            before = Held.now()
        elif before and number % 100 == 99:
            most = max(most, Held.now().memory)
            print(f"{what} {number + 1}: {most - before.memory:+,} bytes at most", flush=True)
    after = Held.now()
    memory = max(most, after.memory) - before.memory
    left = {name: getattr(after, name) - getattr(before, name) for name in Held._fields[1:]}
    said = ", ".join(f"{name} {number:+}" for name, number in left.items())
    seconds = time.monotonic() - begun
    print(f"{what}: {times} times in {seconds:.0f} s, memory {memory / 1e6:+.1f} MB, {said}")
    found = [f"{what}: {number:+} {name}" for name, number in left.items() if number > 0]
    return [*found, *([f"{what}: {memory:+,} bytes"] if memory > GROWTH else [])]


def explained(folder: Path) -> Callable[[int], None]:
    """Load, record, explain, save."""
    noise = np.random.default_rng(0)

    def step(number: int) -> None:
        model = cx.load()
        image = noise.integers(0, 256, (24, 32, 3), np.uint8)
        trace = cx.record(model, image, ["a dog", f"a cat {number % 7}"], size=32)
        for name, row in METHODS.items():
            if row.needs != "gradient" and row.works_on(model):
                shown = cx.explain(trace, name, **QUICK.get(name, {}))
        cx.save(shown, folder / f"map.{FORMATS[number % len(FORMATS)]}")

    return step


def made_and_closed(model: cx.CLIP) -> Callable[[int], None]:
    """An explorer that is asked once, and closed."""

    def step(number: int) -> None:
        with cx.Explorer(model) as explorer:
            explorer.controls.seed.value = number
            assert explorer.error is None

    return step


def cell_run_again(model: cx.CLIP) -> Callable[[int], None]:
    """A cell whose last line is an explorer, as a notebook runs it and remembers what it gave."""
    from clipxai.app import shown

    shell = SimpleNamespace(
        run="",
        user_ns={"_oh": {}},
        user_ns_hidden={},
        displayhook=SimpleNamespace(),
        last_execution_result=None,
    )
    shell.get_parent = lambda: {"metadata": {"cellId": "one"}, "header": {"msg_id": shell.run}}
    shown._shell = lambda: shell

    def step(number: int) -> None:
        shell.run = str(number)
        explorer = cx.Explorer(model)
        shown.stands(explorer)
        shell.user_ns["_oh"][number] = shell.user_ns["_"] = explorer

    return step


def main() -> int:
    """0 if nothing grew."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loops", type=int, default=1500)
    parser.add_argument("--explorers", type=int, default=200)
    parser.add_argument("--warm-up", type=int, default=50)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = grown("loop", explained(Path(folder)), given.loops, given.warm_up)
    model, warm_up = cx.load(), min(given.warm_up, given.explorers // 4)
    found += grown("explorer closed", made_and_closed(model), given.explorers, warm_up)
    found += grown("cell run again", cell_run_again(model), given.explorers, warm_up)
    print(*found, f"{len(found)} findings", sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
