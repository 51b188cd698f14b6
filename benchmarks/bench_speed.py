"""How long does `clipxai bench` take? Emoji World with 12 methods that need only the recorded pass,
and where the time goes.

    python benchmarks/bench_speed.py [SCENES]

Bar: 1,000 scenes <= 6 min on two cores.
"""

import sys
import tempfile
import time
from pathlib import Path

import clipxai as cx
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.run import run
from clipxai.measure.summary import summary
from clipxai.model.towers.vit import VisionTransformer

METHODS = 12


def main(scenes: int) -> None:
    """Print the time of one run and its parts."""
    free = [
        name
        for name, row in cx.METHODS.items()
        if row.needs == "forward" and VisionTransformer.has.issuperset(row.requires)
    ][:METHODS]
    bench = Bench(cx.load(), dataset("emoji-world"), free)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        rows = run(bench, Path(folder), scenes)
        measured = time.perf_counter()
        summary(bench, rows)
        added = time.perf_counter()
    forward = sum(row["milliseconds"]["forward"] for row in rows) / 1e3
    maps = sum(row["milliseconds"][name] for row in rows for name in free) / 1e3
    other = measured - start - forward - maps
    print(f"{scenes} scenes x {len(free)} methods: {added - start:.0f} s (bar for 1,000: 360 s)")
    print(
        f"forward passes {forward:.0f} s, maps {maps:.0f} s, scenes and measures {other:.0f} s, "
        f"adding up {added - measured:.1f} s"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
