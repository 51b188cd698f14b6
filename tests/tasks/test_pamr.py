"""Pixel-adaptive refinement against its equation in torch, with a convolution as the authors have
it.
"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.tasks.pamr import pamr


def shifted(x, dilations, centre):
    """(1, C, K, H, W): neighbours by one-hot convolutions over replicated borders."""
    C, (H, W) = x.shape[1], x.shape[2:]
    kernel = torch.eye(9).view(9, 1, 3, 3)
    kernel = kernel if centre else kernel[[0, 1, 2, 3, 5, 6, 7, 8]]
    out = [
        F.conv2d(F.pad(x.view(C, 1, H, W), [d] * 4, mode="replicate"), kernel, dilation=d)
        for d in dilations
    ]
    return torch.cat(out, 1)[None]


def by_torch(picture, maps, dilations, rounds):
    x = torch.tensor(picture).permute(2, 0, 1)[None].float()
    m = torch.tensor(maps)[None]
    sigma = shifted(x, dilations, centre=True).std(2, keepdim=True)
    unlike = (x[:, :, None] - shifted(x, dilations, centre=False)).abs()
    weights = (-unlike / (1e-8 + 0.1 * sigma)).mean(1, keepdim=True).softmax(2)
    for _ in range(rounds):
        m = (shifted(m, dilations, centre=False) * weights).sum(2)
    return m[0].numpy()


@pytest.mark.parametrize("dilations", [(1,), (2, 5), (8, 16)])
def test_as_the_equation_says(dilations):
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (13, 19, 3), dtype=np.uint8)
    picture[:4] = 100  # no variation
    maps = rng.random((2, 13, 19), dtype=np.float32)
    found = pamr(picture, maps, dilations, rounds=3)
    np.testing.assert_allclose(found, by_torch(picture, maps, dilations, 3), atol=2e-5)
    assert not np.allclose(found, maps, atol=0.1)


def test_heat_stops_at_an_edge():
    """Two halves; heat that is one cell too far to the right comes back."""
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, 32:] = 255
    rows = np.tile(np.array([1, 1, 1, 1, 0.6, 0, 0, 0], np.float32), (8, 1))
    grid = cx.Grid(8, 8, (64, 64), (0, 0, 64, 64))
    e = cx.Explanation(rows[None], ("left",), "clip", grid, "", image, np.zeros(1, np.float32))
    truth = np.tile(np.arange(64) < 32, (64, 1))
    assert (e.mask("left") != truth).mean() > 0.05
    made = cx.refine(e, "pamr", dilations=(1, 2, 4, 8))
    assert (made.mask("left") != truth).mean() < 0.02
    assert "pixel-adaptive" in made.rule


def test_refused():
    grid = cx.Grid(2, 2, (8, 8), (0, 0, 8, 8))
    image, none = np.zeros((8, 8, 3), np.uint8), np.zeros(1, np.float32)
    e = cx.Explanation(np.eye(2, dtype=np.float32)[None], ("a",), "clip", grid, "", image, none)
    for asked, error, words in (
        ({"points": {"a": ([[1, 1]], [1])}}, ValueError, "takes no points"),
        ({"dilations": ()}, ValueError, "somewhere"),
        ({"dilations": (0,)}, ValueError, "dilations"),
        ({"sure": 0.9}, TypeError, "no option 'sure'"),
        # 8 x 8 pixels: work has a stated bound
        ({"dilations": (1,) * 131_073}, ValueError, "8,388,672, but at most 8,388,608 fit"),
    ):
        with pytest.raises(error, match=words):
            cx.refine(e, "pamr", **asked)
