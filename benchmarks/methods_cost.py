"""What do the methods cost? ViT-B/16 size, random weights; every pair is timed in turns in one run.

python benchmarks/methods_cost.py          bars: all methods that need only the recorded pass, 10
                                           texts: <= 2.5 plain forwards in total
                                                 LeGrad, all layers, 10 texts: <= 0.5 of one
                                                 backward per text and layer gScoreCAM, 300
                                                 channels: no slower than 300 plain forwards in
                                                 batches
    --each          also most methods by themselves, in plain forwards
    --channels 30   fewer channels for gScoreCAM (600 forward passes take minutes)
"""

import argparse
from dataclasses import replace

import torch
import torch.nn.functional as F
from side_by_side import ratio
from surgery_cost import vit_b16

import clipxai as cx
from clipxai.explainers.perturbation import BATCH
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
            q, k, v = block.attn.project(block.ln_1(stream))
            weights.append((q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1))
            stream = stream + block.attn.merge(weights[-1] @ v)
            stream = stream + block.ffn(stream)
            streams.append(stream)
        for weight, stream in zip(weights, streams):
            scores = (F.normalize(tower.read_out(stream.mean(1)), dim=-1) @ trace.text_features.T)[
                0
            ]
            slopes = [torch.autograd.grad(score, weight, retain_graph=True)[0] for score in scores]
            total = total + torch.stack(slopes).clamp(min=0).mean((2, 3))
    return total / len(weights)


def line(what: str, a: float, b: float, times: float, other: str, bar: str = "") -> None:
    """One measured pair."""
    print(f"{what}: {1e3 * a:.0f} ms, {other} {1e3 * b:.0f} ms, ratio {times:.2f}{bar}", flush=True)


def main() -> None:
    """Print one line per bar."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--each", action="store_true")
    arguments.add_argument("--channels", type=int, default=300)
    given = arguments.parse_args()
    model = vit_b16()
    ids = torch.randint(1, 40000, (TEXTS, 8), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, 7] = 49406, 49407
    pixels = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    trace = cx.record(model, pixels, ids)
    free = [
        name
        for name, row in cx.METHODS.items()
        if row.needs == "forward" and VisionTransformer.has.issuperset(row.requires)
    ]

    def forward() -> torch.Tensor:
        with torch.no_grad():
            return model.encode_image(pixels)

    def all_free() -> None:
        fresh = replace(trace)  # nothing remembered from the last round
        for name in free:
            cx.explain(fresh, name)

    a, b, times = ratio(all_free, forward, rounds=9)
    line(
        f"{len(free)} methods from one trace, {TEXTS} texts",
        a,
        b,
        times,
        "one plain forward",
        " (bar 2.5)",
    )
    legrad = cx.METHODS["legrad"].function
    torch.testing.assert_close(
        legrad(trace).values[0].T,
        one_backward_per_text_and_layer(trace)[:, 0, 1:],
        rtol=1e-3,
        atol=1e-7,
    )
    a, b, times = ratio(
        lambda: legrad(trace), lambda: one_backward_per_text_and_layer(trace), rounds=5, warm_up=1
    )
    line(
        f"LeGrad, 12 layers, {TEXTS} texts",
        a,
        b,
        times,
        "one backward per text and layer",
        " (bar 0.5)",
    )
    if given.each:
        for name in [
            name
            for name, row in cx.METHODS.items()
            if row.needs != "covered pictures" and VisionTransformer.has.issuperset(row.requires)
        ]:
            if name not in ("integrated_gradients", "m2ib"):
                a, b, times = ratio(
                    lambda name=name: cx.explain(replace(trace), name), forward, rounds=5, warm_up=1
                )
                line(f"  {name}", a, b, times, "one plain forward")
    one, many = (
        replace(trace, texts=trace.texts[:1], text_features=trace.text_features[:1]),
        pixels.expand(given.channels, -1, -1, -1),
    )

    def forwards() -> None:
        with torch.no_grad():
            for few in many.split(BATCH):
                model.encode_image(few)

    a, b, times = ratio(
        lambda: cx.METHODS["gscorecam"].function(one, channels=given.channels),
        forwards,
        rounds=2,
        warm_up=0,
    )
    line(
        f"gScoreCAM, {given.channels} channels",
        a,
        b,
        times,
        f"{given.channels} plain forwards in batches of {BATCH}",
        " (bar 1)",
    )


if __name__ == "__main__":
    main()
