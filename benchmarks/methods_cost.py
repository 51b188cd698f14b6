"""What do the methods cost? ViT-B/16 size, random weights; every pair is timed in turns in one run.

    python benchmarks/methods_cost.py
    --each          also most methods by themselves, in plain forwards
    --channels 30   fewer channels for gScoreCAM (600 forward passes take minutes)

Bars: all methods that need only the recorded pass, 10 texts: <= 2.5 plain forwards in total.
LeGrad, all layers, 10 texts: <= 0.5 of one backward per text and layer. gScoreCAM, 300 channels: no
slower than 300 plain forwards in batches.
"""

import argparse
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from side_by_side import Pairs, compare
from surgery_cost import vit_b16

import clipxai as cx
from clipxai.explainers.perturbation import BATCH
from clipxai.explainers.table import Method
from clipxai.model.towers.block import attend
from clipxai.model.towers.vit import VisionTransformer

TEXTS = 10


def one_backward_per_text_and_layer(trace: cx.Trace) -> torch.Tensor:
    """LeGrad as its equation reads: run the tower with its graph, then one `autograd.grad` for
    every text and layer.
    """
    tower, total = trace.model.visual, 0
    with torch.enable_grad():
        stream, weights, streams = trace.residual(0).clone().requires_grad_(), [], []
        for block in tower.blocks:
            q, k, v = block.qkv(stream)
            weights.append(attend(q, k))
            stream = stream + block.merge(weights[-1] @ v)
            stream = stream + block.ffn(stream)
            streams.append(stream)
        for weight, stream in zip(weights, streams):
            feature = F.normalize(tower.read_out(stream.mean(1)), dim=-1)
            scores = (feature @ trace.text_features.T)[0]
            slopes = [torch.autograd.grad(score, weight, retain_graph=True)[0] for score in scores]
            total = total + torch.stack(slopes).clamp(min=0).mean((2, 3))
    return total / len(weights)


class Comparison(NamedTuple):
    """A model of ViT-B/16's size, one image and ten texts, recorded once."""

    model: cx.CLIP
    pixels: torch.Tensor
    trace: cx.Trace

    def forward(self) -> torch.Tensor:
        """The plain forward pass that costs are told in."""
        with torch.no_grad():
            return self.model.encode_image(self.pixels)

    def explain(self, *methods: str) -> None:
        """Maps by some methods, nothing remembered from the last round."""
        fresh = replace(self.trace, _empty=[])
        for name in methods:
            cx.explain(fresh, name)


def prepared() -> Comparison:
    """Random weights, pixels and words."""
    model = vit_b16()
    ids = torch.randint(1, 40000, (TEXTS, 8), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, 7] = 49406, 49407  # [start] and [end]
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return Comparison(model, pixels, cx.record(model, pixels, ids, normalized=True))


def line(what: str, other: str, pairs: Pairs, bar: str = "") -> None:
    """One measured pair."""
    times = f"{what}: {1e3 * pairs.a:.0f} ms, {other} {1e3 * pairs.b:.0f} ms"
    print(f"{times}, ratio {pairs.ratio:.2f}{bar}", flush=True)


def all_free(c: Comparison) -> None:
    """All methods that need only the recorded pass, from one trace."""
    free = [name for name, row in cx.METHODS.items() if row.needs == "forward" and on_vit(row)]
    pairs = compare(lambda: c.explain(*free), c.forward, rounds=9)
    what = f"{len(free)} methods from one trace, {TEXTS} texts"
    line(what, "one plain forward", pairs, ", bar 2.5")


def on_vit(row: Method) -> bool:
    """Whether a method is defined for a ViT."""
    return VisionTransformer.has.issuperset(row.requires)


def legrad(c: Comparison) -> None:
    """LeGrad against its equation, number by number and then by time."""
    ours, theirs = cx.METHODS["legrad"].function, one_backward_per_text_and_layer
    torch.testing.assert_close(
        ours(c.trace).values[0].T, theirs(c.trace)[:, 0, 1:], rtol=1e-3, atol=1e-7
    )
    pairs = compare(lambda: ours(c.trace), lambda: theirs(c.trace), rounds=5, warm_up=1)
    what = f"LeGrad, 12 layers, {TEXTS} texts"
    line(what, "one backward per text and layer", pairs, ", bar 0.5")


def each(c: Comparison) -> None:
    """Most methods by themselves; those that cover pictures, and two more, take minutes."""
    slow = ("integrated_gradients", "m2ib")
    for name, row in cx.METHODS.items():
        if row.needs != "covered pictures" and on_vit(row) and name not in slow:
            pairs = compare(partial(c.explain, name), c.forward, rounds=5, warm_up=1)
            line(f"  {name}", "one plain forward", pairs)


def gscorecam(c: Comparison, channels: int) -> None:
    """gScoreCAM against as many plain forwards in batches."""
    one = replace(c.trace, texts=c.trace.texts[:1], text_features=c.trace.text_features[:1])
    many = c.pixels.expand(channels, -1, -1, -1)

    def forwards() -> None:
        with torch.no_grad():
            for few in many.split(BATCH):
                c.model.encode_image(few)

    ours = partial(cx.METHODS["gscorecam"].function, one, channels=channels)
    pairs = compare(ours, forwards, rounds=3, warm_up=0)
    other = f"{channels} plain forwards in batches of {BATCH}"
    line(f"gScoreCAM, {channels} channels", other, pairs, ", bar 1")


def main() -> None:
    """Print one line per bar."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--each", action="store_true")
    arguments.add_argument("--channels", type=int, default=300)
    given = arguments.parse_args()
    c = prepared()
    all_free(c)
    legrad(c)
    if given.each:
        each(c)
    gscorecam(c, given.channels)


if __name__ == "__main__":
    main()
