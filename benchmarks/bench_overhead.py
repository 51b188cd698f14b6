"""What does `clipxai bench` add to the passes of the model and to the maps themselves? Reading,
measuring, keeping: the time from picture to row against a plain forward pass of the same batch plus
what its methods took. ViT-B/16 size, random weights, all methods that need only the recorded pass.

    python benchmarks/bench_overhead.py
    --batch 16 --rounds 7

Bar: <= 1.25 at batch 16.
"""

import argparse
import time
from functools import partial

from side_by_side import Spread, timed
from surgery_cost import vit_b16

import clipxai as cx
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset


def main() -> None:
    """A round is a batch that was not seen yet; who comes first changes."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--batch", type=int, default=16)
    arguments.add_argument("--rounds", type=int, default=7)
    given = arguments.parse_args()
    model = vit_b16()
    model.tokenizer = cx.load().tokenizer
    data = dataset("emoji-world")
    bench = Bench(model, data, batch=given.batch)
    ratios = []
    for n in range(given.rounds + 1):
        names = data.ids[n * given.batch : (n + 1) * given.batch]
        pixels = model.preprocess([data.read(name).image for name in names])
        plain = timed(partial(model.encode_image, pixels))
        before = plain() if n % 2 else None
        began = time.perf_counter()
        rows = list(bench.measure_each(names))
        whole = time.perf_counter() - began
        forward = before or plain()
        spent = [row["milliseconds"] for row in rows]
        maps = sum(sum(of.values()) - of["forward"] for of in spent) / 1e3
        if n:  # the first warms up
            ratios.append(whole / (forward + maps))
    print(
        f"batch {given.batch}, {len(bench.methods)} methods: ratio {Spread.of(ratios):.2f}, bar "
        f"1.25; the last: {whole:.1f} s, a plain forward {forward:.1f} s, maps {maps:.1f} s"
    )


if __name__ == "__main__":
    main()
