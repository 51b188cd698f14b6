"""How long until the first heat-map? Cold starts of whole processes, against `import torch` alone.

    python benchmarks/start_up.py [--rounds 25]

Fresh processes of both kinds take turns, and each round's two are subtracted from one another, or
divided: single runs of one kind differ by more than what is measured. The clock says what a user
waits for; processor time does not change with what else the machine does.

Bars: import clipxai <= 0.15 s beyond torch; `clipxai explain` <= 1.7 times `import torch`.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from side_by_side import Pairs, in_turns, timed

SAMPLE = Path(__file__).parent.parent / "clipxai/data/samples/cat-guitar.png"
TORCH = ("-c", "import torch")
# names load what they need
VERBS = ("-c", "import torch, clipxai; clipxai.load; clipxai.record; clipxai.explain")


def process(*arguments: str) -> Callable[[], object]:
    """Runs one Python process to its end."""
    # as for users, who do not compile the package again each time
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, *arguments]
    return lambda: subprocess.run(command, check=True, capture_output=True, env=env)


def of_children() -> float:
    """Processor seconds of the processes that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def both(a: Callable[[], object], b: Callable[[], object], rounds: int) -> tuple[Pairs, Pairs]:
    """Pairs by the clock, and of processor time, of the same processes."""

    def seconds(run: Callable[[], object]) -> Callable[[], float]:
        def once() -> float:
            before = of_children()
            spent = timed(run, time.perf_counter)()
            found[run].append(of_children() - before)
            return spent

        return once

    found: dict[Callable[[], object], list[float]] = {a: [], b: []}
    clock = in_turns(seconds(a), seconds(b), rounds, warm_up=1)
    return clock, Pairs([*zip(found[a][1:], found[b][1:], strict=True)])


def main() -> None:
    """Print the difference and the ratio."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=25)
    rounds, torch = arguments.parse_args().rounds, process(*TORCH)
    clock, processor = both(process(*VERBS), torch, rounds)
    print(
        f"import torch, clipxai and its verbs {clock.a:.2f} s, import torch {clock.b:.2f} s, "
        f"difference {clock.difference:.2f} s, bar 0.15; processor {processor.difference:.2f} s",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/dog.png"
        explain = process("-m", "clipxai", "explain", str(SAMPLE), "a dog", "--out", out)
        clock, processor = both(explain, torch, rounds)
    print(
        f"clipxai explain {clock.a:.2f} s, import torch {clock.b:.2f} s, ratio {clock.ratio:.2f}, "
        f"bar 1.7; processor {processor.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
