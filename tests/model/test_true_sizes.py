"""The sizes people use, with random weights, once through: record and explain."""

import gc

import pytest
import torch
from true_sizes import empty

import clipxai as cx

# patches a side; blocks, where as many as are rewritten tell the same as all
SIZES = {
    "B/16": (14, None),
    "L/14@336px": (24, 6),
    "RN50": (7, None),
    "siglip-base-patch16-224": (14, None),
}


@pytest.mark.parametrize("name", SIZES)
def test_once_through(name):
    side, layers = SIZES[name]
    model = empty(name, layers).to_empty(device="cpu").eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    # the same million numbers again and again: 428 million take long to draw
    noise = 0.02 * torch.randn(1 << 20, generator=generator)
    for key, tensor in model.state_dict().items():
        if key.endswith(("running_var", "ln_1.weight", "ln_2.weight")):
            tensor.fill_(1.0)
        elif tensor.is_floating_point():
            tensor.view(-1).copy_(noise.repeat(tensor.numel() // len(noise) + 1)[: tensor.numel()])
    pixels = model.preprocessor.image_size[0]
    ids = torch.tensor([[3, 9, 5, 40], [3, 8, 7, 41]])
    trace = cx.record(
        model, torch.randn(1, 3, pixels, pixels, generator=generator), ids, normalized=True
    )
    e = cx.explain(trace, "clip_surgery", redundant="labels")
    assert e.scores.shape == (2, side, side) and e.varies()
    assert trace.image_tokens().shape[1] == 1 + side**2
    del model, trace
    gc.collect()
