"""What does looking inside cost? Recording plus CLIP Surgery (6 blocks) against a plain forward
pass, ViT-B/16 size, random weights.

    python benchmarks/surgery_cost.py
    GLIBC_TUNABLES= python benchmarks/surgery_cost.py   # the system clears what is kept every time

Bar: ratio <= 1.10 at batch 1 and 8.
"""

from functools import partial

import torch
from side_by_side import compare

import clipxai as cx
from clipxai.model.towers.text import TextTransformer
from clipxai.model.towers.vit import VisionTransformer


def vit_b16() -> cx.CLIP:
    """ViT-B/16's sizes with random weights."""
    torch.manual_seed(0)
    visual = VisionTransformer(
        image_size=(224, 224), patch=16, width=768, layers=12, heads=12, ffn_width=3072, joint=512
    )
    text = TextTransformer(
        vocabulary=49408, context=77, width=512, layers=12, heads=8, ffn_width=2048, joint=512
    )
    return cx.CLIP(visual, text, name="random ViT-B/16").eval().requires_grad_(False)


def look(model: cx.CLIP, pixels: torch.Tensor, ids: torch.Tensor) -> None:
    """What a map costs from the start: record, and run the last blocks another way."""
    cx.rewrite(cx.record(model, pixels, ids, normalized=True), "clip_surgery")


def main() -> None:
    """Print one line per batch size."""
    model, ids = vit_b16(), torch.tensor([[49406, 320, 1929, 49407]])
    for batch in (1, 8):
        pixels = torch.randn(batch, 3, 224, 224)
        inside, plain = partial(look, model, pixels, ids), partial(model, pixels, ids)
        pairs = compare(inside, plain, rounds=25)
        print(
            f"batch {batch}: record + CLIP Surgery {1e3 * pairs.a:.0f} ms, plain forward "
            f"{1e3 * pairs.b:.0f} ms, ratio {pairs.ratio:.2f}, bar 1.10",
            flush=True,
        )


if __name__ == "__main__":
    main()
