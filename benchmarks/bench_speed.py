"""How long does `clipxai bench` take? Emoji World, all methods that need only the recorded pass,
or those that are named.

    python benchmarks/bench_speed.py                        # batches of 8 against one by one
    python benchmarks/bench_speed.py --against ../earlier   # the same against another checkout
    --scenes 20 --rounds 25 --methods grad_cam,legrad

Two processes take the same scenes in turns, a round each of `--scenes`; one waits while the other
works. The other checkout is asked one picture after the other, as all were before `--batch`. The
clock says what a user waits for; processor time does not change with what else the machine does.

Bar: <= 0.5 of the time before there were batches, on two cores.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from side_by_side import Spread, in_turns

HERE = Path(__file__).parents[1]


def serve(batch: int, methods: list[str] | None) -> None:
    """Measure scenes "first last" of each line that comes, and say the seconds by the clock, of
    processor time, of forward passes and of maps.
    """
    import clipxai as cx
    from clipxai.measure.bench import Bench
    from clipxai.measure.data import dataset

    model, data = cx.load(), dataset("emoji-world")
    told = {"batch": batch} if batch > 1 else {}
    bench = Bench(model, data, methods, **told)
    for line in sys.stdin:
        names = data.ids[slice(*map(int, line.split()))]
        clock, processor = time.perf_counter(), time.process_time()
        if hasattr(bench, "measure_each"):
            rows = list(bench.measure_each(names))
        else:
            rows = [bench.measure(name) for name in names]
        spent = time.perf_counter() - clock, time.process_time() - processor
        each = [row["milliseconds"] for row in rows]
        forward = sum(of["forward"] for of in each) / 1e3
        print(*spent, forward, sum(sum(of.values()) for of in each) / 1e3 - forward, flush=True)


@contextmanager
def served(
    folder: Path, batch: int, scenes: int, methods: str | None
) -> Iterator[tuple[Callable[[], float], list]]:
    """A function that has the next scenes measured by that checkout, and what it says each time."""
    command = [sys.executable, __file__, "--serve", str(batch)]
    command += ["--methods", methods] if methods else []
    paths = {"PYTHONPATH": str(folder.resolve())}
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **paths}
    )
    told: list[list[float]] = []

    def measured() -> float:
        first = scenes * len(told) % (1000 - scenes)
        process.stdin.write(f"{first} {first + scenes}\n")
        process.stdin.flush()
        told.append([float(of) for of in process.stdout.readline().split()])
        return told[-1][0]

    with process:
        yield measured, told
        process.stdin.close()


def main() -> None:
    """Be one of the processes, or start them."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--against", type=Path, default=HERE)
    arguments.add_argument("--scenes", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=25)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--methods")
    arguments.add_argument("--serve", type=int)
    given = arguments.parse_args()
    if given.serve:
        serve(given.serve, given.methods and given.methods.split(","))
    else:
        measure(given)


def measure(given: argparse.Namespace) -> None:
    """Print where the time of each went, and the ratios."""
    scenes, warm_up = given.scenes, 1
    with (
        served(HERE, given.batch, scenes, given.methods) as (ours, our_parts),
        served(given.against, 1, scenes, given.methods) as (theirs, their_parts),
    ):
        pairs = in_turns(ours, theirs, given.rounds, warm_up)
    for name, parts in ((f"batches of {given.batch}", our_parts), ("one by one", their_parts)):
        clock, processor, forward, maps = (
            1e3 * median(of) / scenes for of in zip(*parts[warm_up:])
        )
        print(
            f"{name}: {clock:.0f} ms a scene: forward passes {forward:.0f}, maps {maps:.0f}, "
            f"the rest {clock - forward - maps:.0f}; processor {processor:.0f} ms"
        )
    both = zip(our_parts[warm_up:], their_parts[warm_up:], strict=True)
    processor = Spread.of([a[1] / b[1] for a, b in both])
    print(
        f"ratio by the clock {pairs.ratio:.2f} (bar 0.5), of processor time {processor:.2f}: "
        f"{given.rounds} rounds of {scenes} scenes"
    )


if __name__ == "__main__":
    main()
