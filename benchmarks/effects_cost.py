"""What do effects cost? Every head silenced, every patch covered, and both estimated, against
plain forward passes in batches of the same size, ViT-B/16 size, random weights, 10 texts.

    OMP_NUM_THREADS=1 python benchmarks/effects_cost.py

Counted are seconds of this process on the CPU, so that a busy machine slows neither side.

Bars: 144 heads <= 0.60 of 144 plain passes; 196 patches <= 1.0 of 196; an estimate <= 4 plain
passes, some of the largest measured as well. Going back multiplies by the same matrices as going
forward, for every text by itself, so ten texts cost ten passes, whatever they share, and that bar
holds for one text only: 3.2 and 2.7 plain passes for heads and patches of one text, 12.3 and 12.6
of ten (medians of five, one core of a busy machine; the backward passes alone were 9).
"""

import time
from functools import partial

import torch
from side_by_side import in_turns, timed
from surgery_cost import vit_b16

import clipxai as cx

ROUNDS = 5
BATCH = 12  # heads of a layer, and so of everything that is compared


def plain(model: cx.CLIP, pixels: torch.Tensor, passes: int) -> None:
    """So many images, `BATCH` at a time."""
    for size in [BATCH] * (passes // BATCH) + [passes % BATCH]:
        if size:
            model.encode_image(pixels.expand(size, -1, -1, -1))


def main() -> None:
    """Print one line for each bar."""
    model, pixels = vit_b16(), torch.randn(1, 3, 224, 224)
    ids = torch.randint(1, 40000, (10, 6))
    ids[:, 0], ids[:, 5] = 49406, 49407
    trace = cx.record(model, pixels, ids, normalized=True)
    one = trace.with_texts(ids[:1])
    plain(model, pixels, BATCH)  # warm
    for name, asked, passes, bar, rounds in (
        ("144 heads, 10 texts", partial(cx.effects, trace, "heads", batch=BATCH), 144, 0.60, 3),
        ("196 patches, 10 texts", partial(cx.effects, trace, "patches", batch=BATCH), 196, 1.0, 3),
        ("144 heads estimated, 1 text", partial(cx.effects, one, estimate=True), 1, 4, ROUNDS),
        ("144 heads estimated, 10 texts", partial(cx.effects, trace, estimate=True), 1, 4, ROUNDS),
        ("196 patches estimated, 1 text", partial(estimated, one), 1, 4, ROUNDS),
        ("196 patches estimated, 10 texts", partial(estimated, trace), 1, 4, ROUNDS),
    ):
        ours, theirs = asked, partial(plain, model, pixels, passes)
        seconds = [timed(run, time.process_time) for run in (ours, theirs)]
        pairs = in_turns(*seconds, rounds=rounds, warm_up=0)
        told = f"{name} against {passes} plain passes: ratio {pairs.ratio:.2f}"
        print(f"{told}, {rounds} rounds, bar {bar}", flush=True)


def estimated(trace: cx.Trace) -> object:
    """Every patch, to first order."""
    return cx.effects(trace, "patches", estimate=True)


if __name__ == "__main__":
    with torch.no_grad():
        main()
