"""Share, estimate, effect: do they name the same heads? 200 scenes of Emoji World, both towers.

    python benchmarks/effects.py --out benchmarks/effects.md

A share is what a head added to the score directly; an effect is what the score loses without it; an
estimate is the effect by a straight line. Rank correlations are over all heads of a tower, means
over scenes and texts; "same top" is how often both name the same head as the one that matters most.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import clipxai as cx
from clipxai.results.findings import rank_correlation
from clipxai.scenes.captions import noun

SCENES = 200
TITLE = "# Share, estimate and effect of heads"


def text_shares(trace: cx.Trace) -> np.ndarray:
    """(L, H, T) what each head of the text tower brought [end], as a share of each text's cosine
    with the image: the final norm's deviation held fixed, as for the image tower.
    """
    tower, ids = trace.model.text, trace.token_ids
    rows, ends = torch.arange(len(ids)), tower.end(ids)
    with torch.no_grad():
        last = trace.text_layers[-1]
        stream = (last.residual + last.attention + last.ffn)[rows, ends]
        deviation = (stream.var(-1, unbiased=False, keepdim=True) + tower.ln_final.eps).sqrt()
        gained = tower.ln_final.weight[:, None] * tower.projection
        worth = (gained - gained.mean(0)) @ trace.image_features[0]
        length = trace.text_tokens[rows, ends].norm(dim=-1, keepdim=True)
        found = []
        for tape, block in zip(trace.text_layers, tower.blocks, strict=True):
            read = (tape.weights(causal=tower.causal) @ tape.v)[rows, :, ends]  # T H d
            matrices = block.linear_merge(tape.v).matrices  # no norm stands among these heads
            added = torch.einsum("thd,hdw->thw", read, matrices)
            found.append((added @ worth / (deviation * length)).T)
    return torch.stack(found).numpy()


def of_scene(model: cx.CLIP, seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Tower -> way -> (L, H, T); below zero speaks for the text, shares turned over."""
    scene = cx.scenes.sample(seed)
    trace = cx.record(model, scene.image, [*map(noun, scene.objects), scene.caption])
    shares = {
        "image": cx.head_contributions(trace).heads.sum(-1),
        "text": text_shares(trace),
    }
    found = {}
    for tower, share in shares.items():
        ways = {"share": -share}
        for by in ("zero", "mean"):
            for name, estimate in ((f"effect, {by}", False), (f"estimate, {by}", True)):
                ways[name] = cx.effects(trace, "heads", by, tower=tower, estimate=estimate).change
        found[tower] = ways
    return found


PAIRS = [
    ("share", "effect, zero"),
    ("share", "effect, mean"),
    ("estimate, zero", "effect, zero"),
    ("estimate, mean", "effect, mean"),
    ("effect, zero", "effect, mean"),
]


def main() -> None:
    """Print a table, and write it if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--scenes", type=int, default=SCENES)
    asked = parser.parse_args()
    model = cx.load()
    rows: dict[tuple[str, str, str], list[tuple[float, bool]]] = {}
    for seed in range(asked.scenes):
        for tower, ways in of_scene(model, seed).items():
            for a, b in PAIRS:
                for one, other in zip(
                    *(ways[way].reshape(-1, ways[way].shape[-1]).T for way in (a, b))
                ):
                    agree = rank_correlation(one, other), one.argmin() == other.argmin()
                    rows.setdefault((tower, a, b), []).append(agree)
    lines = [
        TITLE,
        "",
        f"`python benchmarks/effects.py --out benchmarks/effects.md`: {asked.scenes} scenes of "
        "Emoji World, the embedded model; every scene with the nouns of its objects and its "
        "caption.",
        "",
        "| tower | compared | with | rank correlation over heads | same top head |",
        "|---|---|---|---|---|",
    ]
    for (tower, a, b), agreed in rows.items():
        rank, top = (float(np.mean([pair[n] for pair in agreed])) for n in (0, 1))
        lines.append(f"| {tower} | {a} | {b} | {rank:.2f} | {100 * top:.0f} % |")
    text = "\n".join(lines)
    print(text)
    if asked.out is not None:
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
