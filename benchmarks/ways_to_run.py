"""Do torch.compile, channels-last or bfloat16 pay? A plain forward pass and what CLIP Surgery takes
with it, random weights, each against the same without, in turns.

    OMP_NUM_THREADS=1 python benchmarks/ways_to_run.py    # B/16, L/14 and RN50 size
    --sizes B/16 --batch 8 --rounds 9

What profiles say is printed first: the share of a pass, and of each method that needs no more than
the recorded pass, that is matrix products (attention counts as one).
"""

import argparse
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from side_by_side import Pairs, in_turns
from torch.profiler import ProfilerActivity, profile

import clipxai as cx
from clipxai.model.towers.resnet import ModifiedResNet
from clipxai.model.towers.text import TextTransformer
from clipxai.model.towers.vit import VisionTransformer

SIZES = ("B/16", "L/14", "RN50")
# what a profile calls products
PRODUCTS = ("addmm", "mm", "bmm", "baddbmm", "flash_attention", "mkldnn_convolution", "linear")
IDS = torch.tensor([[49406, 320, 1929, 49407], [49406, 320, 2368, 49407]])


def model_of(size: str) -> cx.CLIP:
    """Random weights."""
    torch.manual_seed(0)
    joint = {"B/16": 512, "L/14": 768, "RN50": 1024}[size]
    if size == "RN50":
        visual = ModifiedResNet(
            image_size=(224, 224), layers=(3, 4, 6, 3), width=64, heads=32, joint=joint
        )
    else:
        large = size == "L/14"
        visual = VisionTransformer(
            image_size=(224, 224),
            patch=14 if large else 16,
            width=1024 if large else 768,
            layers=24 if large else 12,
            heads=16 if large else 12,
            ffn_width=4096 if large else 3072,
            joint=joint,
        )
    text = TextTransformer(
        vocabulary=49408, context=77, width=512, layers=2, heads=8, ffn_width=2048, joint=joint
    )
    return cx.CLIP(visual, text, name=f"random {size}").eval().requires_grad_(False)


def surgery(model: cx.CLIP, pixels: torch.Tensor) -> list[cx.Explanation]:
    """Maps from pixels."""
    return cx.explain_all(cx.record(model, pixels, IDS, normalized=True))


def taking(run: Callable[[], object]) -> Callable[[], float]:
    """What it takes, in seconds of processor time, which other work does not stretch as much."""

    def took() -> float:
        start = time.process_time()
        run()
        return time.process_time() - start

    return took


def products(run: Callable[[], object]) -> float:
    """The share of its time that is matrix products."""
    run()
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        run()
    each = [(of.key.removeprefix("aten::"), of.self_cpu_time_total) for of in seen.key_averages()]
    own = sum(spent for name, spent in each if any(one in name for one in PRODUCTS))
    return own / sum(spent for _, spent in each)


def shares(model: cx.CLIP, pixels: torch.Tensor) -> None:
    """Print them of each method."""
    trace = cx.record(model, pixels, IDS, normalized=True)
    trace.image_tokens()
    told = [f"forward {products(partial(model.encode_image, pixels)):.0%}"]
    told += [f"record {products(partial(cx.record, model, pixels, IDS, normalized=True)):.0%}"]
    for name, row in cx.METHODS.items():
        if row.needs == "forward" and row.works_on(model) and name not in UNSPOKEN:
            told.append(f"{name} {products(partial(cx.explain_all, trace, name)):.0%}")
    print("  matrix products:", ", ".join(told), flush=True)


HOPELESS = 2  # times as slow: once is enough to see it
# these need the empty text, whose words random weights have none for
UNSPOKEN = ("clip_surgery", "clip_surgery_features", "clip_surgery_released")


def ways(model: cx.CLIP, pixels: torch.Tensor, rounds: int) -> None:
    """Print what each way is worth."""
    path = cx.Rewrite(blocks=6) if "blocks" in model.visual.has else cx.Rewrite(blocks=1)

    def look(model: cx.CLIP, pixels: torch.Tensor) -> np.ndarray:
        return cx.rewrite(cx.record(model, pixels, IDS, normalized=True), path).numpy()

    compiled = deepcopy(model)
    compiled.visual.compile()
    half = deepcopy(model).to(torch.bfloat16)
    last = deepcopy(model).to(memory_format=torch.channels_last)
    near = pixels.to(memory_format=torch.channels_last)
    for name, other, given in (
        ("torch.compile", compiled, pixels),
        ("channels-last", last, near),
        ("bfloat16", half, pixels),
    ):
        for what, run in (("forward", lambda model, x: model.encode_image(x)), ("surgery", look)):
            try:
                both = taking(partial(run, other, given)), taking(partial(run, model, pixels))
                pairs = in_turns(*both, 1, warm_up=int(name == "torch.compile"))
                if pairs.ratio.middle < HOPELESS:
                    pairs = in_turns(*both, rounds)
            except Exception as error:  # a way that is not there is a finding
                print(f"  {name}, {what}: not here ({str(error).splitlines()[0][:80]})", flush=True)
                continue
            line(f"{name}, {what}", pairs)


def line(what: str, pairs: Pairs) -> None:
    """One measured pair."""
    count = len(pairs.rounds)
    told = f"{pairs.ratio:.2f}" if count > 1 else f"{pairs.ratio.middle:.1f}, measured once,"
    print(f"  {what}: {told} of the time without", flush=True)


def main() -> None:
    """Print a paragraph for each size."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sizes", nargs="+", choices=SIZES, default=SIZES)
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=9)
    given = arguments.parse_args()
    for size in given.sizes:
        model, pixels = model_of(size), torch.randn(given.batch, 3, 224, 224)
        print(f"{size}, batch {given.batch}, {torch.get_num_threads()} thread(s):", flush=True)
        with torch.no_grad():
            shares(model, pixels)
            ways(model, pixels, given.rounds)


if __name__ == "__main__":
    main()
