"""Is any method slower than its equation, written down plainly as released code does it?

    python benchmarks/plain_methods.py [--texts 1] [--rounds 9] [--large]

From pixels and text features to the map: ours is `record` and `explain`, theirs one forward pass
with whatever the equation needs, and one backward pass for every text. Both are compared number by
number first, then timed in turns, one thread; below 1 ours is the quicker. The embedded model, or
with --large random weights of ViT-B/16's size.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from side_by_side import compare
from surgery_cost import vit_b16
from torch import Tensor

import clipxai as cx

STEPS = 32  # of integrated gradients


class Pass(NamedTuple):
    """One image: the stream entering every block and leaving the last, and what attention was."""

    streams: list[Tensor]
    weights: list[Tensor]
    heads: list[tuple[Tensor, Tensor, Tensor]]


def softmaxed(a: Tensor, b: Tensor) -> Tensor:
    """Attention weights (B, H, N, N)."""
    return (a @ b.transpose(-1, -2) * a.shape[-1] ** -0.5).softmax(-1)


def forward(model: cx.CLIP, pixels: Tensor) -> Pass:
    """The image tower, attention written out as code that needs its weights has to."""
    x = model.visual.embed(pixels)
    streams, weights, heads = [x], [], []
    for block in model.visual.blocks:
        q, k, v = block.attn.project(block.ln_1(x))
        weights.append(softmaxed(q, k))
        heads.append((q, k, v))
        x = x + block.attn.merge(weights[-1] @ v)
        x = x + block.mlp(block.ln_2(x))
        streams.append(x)
    return Pass(streams, weights, heads)


def cosine(model: cx.CLIP, tokens: Tensor, texts: Tensor) -> Tensor:
    """(..., T) of tokens of the stream."""
    return F.normalize(model.visual.read_out(tokens), dim=-1) @ texts.T


def slopes(scores: Tensor, of: list[Tensor]) -> list[tuple[Tensor, ...]]:
    """One backward pass for each text."""
    return [torch.autograd.grad(score, of, retain_graph=True) for score in scores]


@torch.no_grad()
def clip(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """Cosine of each patch."""
    return cosine(model, forward(model, pixels).streams[-1], texts)[0, 1:].T


@torch.no_grad()
def surgery(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The second path beside the first, over the last six blocks."""
    found, blocks = forward(model, pixels), model.visual.blocks
    first = len(blocks) - 6
    x = found.streams[first]
    for block, (_, _, v) in zip(blocks[first:], found.heads[first:]):
        x = x + block.attn.merge(softmaxed(v, v) @ v)
    return cosine(model, x, texts)[0, 1:].T


@torch.no_grad()
def maskclip_released(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The last block's values, with residual and FFN."""
    found, block = forward(model, pixels), model.visual.blocks[-1]
    x = found.streams[-2] + block.attn.merge(found.heads[-1][2])
    return cosine(model, x + block.mlp(block.ln_2(x)), texts)[0, 1:].T


@torch.no_grad()
def clearclip(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The last block's q-q attention alone."""
    (q, _, v), block = forward(model, pixels).heads[-1], model.visual.blocks[-1]
    return cosine(model, block.attn.merge(softmaxed(q, q) @ v), texts)[0, 1:].T


@torch.no_grad()
def rollout(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The product of all attentions."""
    weights = forward(model, pixels).weights
    rolled = even = torch.eye(weights[0].shape[-1])
    for weight in weights:
        rolled = (weight[0].mean(0) + even) / 2 @ rolled
    return rolled[0, 1:].expand(len(texts), -1)


def grad_cam(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """Channels of the last block's input by their mean gradient."""
    found = forward(model, pixels.requires_grad_())
    x, scores = found.streams[-2], cosine(model, found.streams[-1][:, 0], texts)[0]
    return torch.stack(
        [(x[0, 1:] @ slope[0, 1:].mean(0)).detach() for (slope,) in slopes(scores, [x])]
    )


def bimodal(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The last attention by its gradient."""
    found = forward(model, pixels.requires_grad_())
    scores = cosine(model, found.streams[-1][:, 0], texts)[0] * model.logit_scale.exp()
    weight = found.weights[-1]
    products = [(slope * weight).clamp(min=0) for (slope,) in slopes(scores, [weight])]
    return torch.stack([product[0].mean(0)[0, 1:].detach() for product in products])


def legrad(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """Every layer's own score by its attention."""
    found, total = forward(model, pixels.requires_grad_()), 0
    for weight, stream in zip(found.weights, found.streams[1:]):
        scores = cosine(model, stream.mean(1), texts)[0]
        found_by_text = [slope[0].clamp(min=0) for (slope,) in slopes(scores, [weight])]
        total = total + torch.stack(found_by_text).mean((1, 2))[:, 1:]
    return total / len(found.weights)


def gradient_x_input(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """Pixel by gradient, summed over each patch."""
    x = pixels.clone().requires_grad_()
    scores = cosine(model, forward(model, x).streams[-1][:, 0], texts)[0]
    return torch.stack([by_patch(model, slope * pixels) for (slope,) in slopes(scores, [x])])


def integrated_gradients(model: cx.CLIP, pixels: Tensor, texts: Tensor) -> Tensor:
    """The same along the line from the mean colour, each text by itself as Captum takes targets."""
    places, weights = np.polynomial.legendre.leggauss(STEPS)
    maps = []
    for text in texts:
        total = 0
        for at, weight in zip(((places + 1) / 2).tolist(), (weights / 2).tolist()):
            x = (pixels * at).detach().requires_grad_()
            score = cosine(model, forward(model, x).streams[-1][:, 0], text[None])[0, 0]
            total = total + weight * torch.autograd.grad(score, x)[0]
        maps.append(by_patch(model, total * pixels))
    return torch.stack(maps)


def by_patch(model: cx.CLIP, pixels: Tensor) -> Tensor:
    """(P,) sums over patches and channels."""
    patch = model.visual.patch
    return F.avg_pool2d(pixels.detach().sum(1, keepdim=True), patch).flatten() * patch**2


PLAIN: dict[str, tuple[Callable[[cx.CLIP, Tensor, Tensor], Tensor], dict[str, object]]] = {
    "clip": (clip, {}),
    "clip_surgery_architecture": (surgery, {}),
    "maskclip_released": (maskclip_released, {}),
    "clearclip": (clearclip, {}),
    "rollout": (rollout, {}),
    "grad_cam": (grad_cam, {}),
    "bimodal": (bimodal, {}),
    "legrad": (legrad, {}),
    "gradient_x_input": (gradient_x_input, {}),
    "integrated_gradients": (integrated_gradients, {"steps": STEPS}),
}


def main() -> None:
    """One line a method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--large", action="store_true", help="ViT-B/16's size, random weights")
    given = parser.parse_args()
    torch.set_num_threads(1)
    model = vit_b16() if given.large else cx.load()
    side = model.visual.image_size[0]
    pixels = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    drawn = torch.randn(given.texts, 512, generator=torch.Generator().manual_seed(1))
    features = F.normalize(drawn[:, : model.visual.projection.shape[1]], dim=-1)
    # the texts are encoded before, for both
    last = model.text.vocabulary - 1  # [end], behind [start]
    blank = cx.record(model, pixels, torch.tensor([[last - 1, last]]), normalized=True)
    names = tuple(map(str, range(given.texts)))
    texts = blank.with_encoded_texts(names, features, features[:1])
    prepared = model.preprocessor(pixels, "squash", None, True)
    for name, (plain, options) in PLAIN.items():

        def ours(name: str = name, options: dict = options) -> np.ndarray:
            return cx.explain(texts.with_images(prepared), name, **options).scores

        def theirs(plain: Callable = plain) -> Tensor:
            return plain(model, pixels.clone(), features)

        expected = theirs().detach().numpy()
        np.testing.assert_allclose(
            ours().reshape(expected.shape), expected, rtol=1e-2, atol=2e-4 * abs(expected).max()
        )
        pairs = compare(ours, theirs, given.rounds, 1)
        times = f"{name}: {1e3 * pairs.a:.0f} ms, plainly {1e3 * pairs.b:.0f} ms"
        print(f"{times}, ratio {pairs.ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
