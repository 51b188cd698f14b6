"""What do effects cost? Every head silenced, every patch covered, and both estimated, against
plain forward passes in batches of the same size, ViT-B/16 size, random weights, 10 texts.

    python benchmarks/effects_cost.py

Bars: 144 heads <= 0.60 of 144 plain passes; 196 patches <= 1.0 of 196; an estimate <= 4 plain
passes. An estimate goes back once for every text, so that bar is printed for 1 text and for 10.
"""

from functools import partial

import torch
from side_by_side import ratio
from surgery_cost import vit_b16

import clipxai as cx

BATCH = 12  # heads of a layer, and so of everything that is compared
# one round takes minutes: long enough to be told apart, short enough to be run
ROUNDS = dict(rounds=1, warm_up=0)


def plain(model: cx.CLIP, pixels: torch.Tensor, passes: int) -> None:
    """So many images, `BATCH` at a time."""
    for size in [BATCH] * (passes // BATCH) + [passes % BATCH]:
        if size:
            model.encode_image(pixels[:1].expand(size, -1, -1, -1))


def main() -> None:
    """Print one line for each bar."""
    model, pixels = vit_b16(), torch.randn(1, 3, 224, 224)
    ids = torch.randint(1, 40000, (10, 6))
    ids[:, 0], ids[:, 5] = 49406, 49407
    trace = cx.record(model, pixels, ids, normalized=True)
    one = trace.with_texts(ids[:1])
    for name, asked, passes, bar in (
        ("144 heads", partial(cx.effects, trace, "heads", batch=BATCH), 144, 0.60),
        ("196 patches", partial(cx.effects, trace, "patches", "mean", batch=BATCH), 196, 1.0),
    ):
        a, b, times = ratio(asked, partial(plain, model, pixels, passes), **ROUNDS)
        told = f"{name} {a:.1f} s, {passes} plain passes {b:.1f} s, ratio {times:.2f} (bar {bar})"
        print(told, flush=True)
    for name, of, some in (
        ("144 heads estimated, 1 text", "heads", one),
        ("144 heads estimated, 10 texts", "heads", trace),
        ("196 patches estimated, 1 text", "patches", one),
        ("196 patches estimated, 10 texts", "patches", trace),
    ):
        asked = partial(cx.effects, some, of, estimate=True)
        a, b, times = ratio(asked, partial(model.encode_image, pixels), rounds=3, warm_up=1)
        print(
            f"{name} {1e3 * a:.0f} ms, one plain pass {1e3 * b:.0f} ms, {times:.1f} (bar 4)",
            flush=True,
        )


if __name__ == "__main__":
    with torch.no_grad():
        main()
