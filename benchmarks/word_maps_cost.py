"""What does leaving every word out cost? Word maps of a caption of 15 words, the image recorded,
against one forward pass of the image, ViT-B/16 size, random weights.

    python benchmarks/word_maps_cost.py

Bar: ratio <= 0.6.
"""

from functools import partial

import torch
from side_by_side import compare
from surgery_cost import vit_b16

import clipxai as cx

CAPTION = "a photo of a dog and a cat and a guitar on a wood table"


def main() -> None:
    """Print one line."""
    model, known = vit_b16(), cx.load()
    model.tokenizer = known.tokenizer  # the weights are random: any words will do
    words = known.tokenizer.words(CAPTION)
    assert len(words) == words[-1].stop - 1 == 15, "a piece each"
    pixels = torch.randn(1, 3, 224, 224)
    trace = cx.record(model, pixels, CAPTION, normalized=True)
    pairs = compare(partial(cx.word_maps, trace), partial(model.encode_image, pixels))
    print(
        f"15 word maps {1e3 * pairs.a:.0f} ms, one image {1e3 * pairs.b:.0f} ms, ratio "
        f"{pairs.ratio:.2f}, bar 0.6"
    )


if __name__ == "__main__":
    main()
