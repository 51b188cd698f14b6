"""What if a tensor inside had been another? Parts of a recorded forward pass, run again so that
gradients can flow.

    with gradients():
        weights, scores = from_stream(trace, 7, trace.residual(7).clone().requires_grad_())
        slopes = per_text(scores, weights)  # d score[b, t] / d weights[b], for all texts in one
        backward pass

The operations are the model's own, with attention written out so that its weights are tensors one
can ask for. Nothing is left behind: gradients are returned, never accumulated, no parameter's
`requires_grad` changes, and the caller's `no_grad` is back afterwards.

Axes: B images, H heads, N = 1 + P tokens (class token first), D width, T texts, E joint width. A
score is a cosine, (B, T).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect
from ..model.towers.block import Block
from ..model.towers.resnet import AttentionPool
from ..model.towers.vit import VisionTransformer
from .trace import Trace

Found = TypeVar("Found")


@contextmanager
def gradients() -> Iterator[None]:
    """Gradients flow inside, whatever the caller switched off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def unrounded(verb: Callable[..., Found]) -> Callable[..., Found]:
    """Decorator: what is computed from a trace is float32, also where the caller switched autocast
    on; rounded shares do not add up.
    """

    @wraps(verb)
    def computed(trace: Trace, *arguments: object, **options: object) -> Found:
        expect(Trace, trace, "record")
        with torch.autocast(trace.stream.device.type, enabled=False):
            return verb(trace, *arguments, **options)

    return computed


def first_of(layers: int, blocks: int | None) -> int:
    """The layer at which the last `blocks` begin (None: all); a ValueError if there are not as
    many.
    """
    if blocks is not None and not 1 <= blocks <= layers:
        raise ValueError(
            f"blocks={blocks}, but this tower has {layers}: pass 1 to {layers}, or None for all"
        )
    return 0 if blocks is None else layers - blocks


def attend(q: Tensor, k: Tensor, causal: bool = False) -> Tensor:
    """softmax(q k^T / sqrt(d)), (B, H, ., N); with `causal`, no token sees what comes after it."""
    logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if causal:
        logits = logits.masked_fill(
            torch.ones(logits.shape[-2:], device=q.device).triu(1).bool(), float("-inf")
        )
    return logits.softmax(-1)


def through_blocks(
    blocks: Sequence[Block], stream: Tensor, causal: bool = False
) -> tuple[list[Tensor], Tensor]:
    """Run blocks on a stream (B, N, D): the attention weights (B, H, N, N) of each, and the stream
    behind the last.
    """
    weights = []
    for block in blocks:
        q, k, v = block.attn.project(block.ln_1(stream))
        weights.append(attend(q, k, causal))
        stream = stream + block.attn.merge(weights[-1] @ v)
        stream = stream + block.ffn(stream)
    return weights, stream


def gathering(trace: Trace) -> VisionTransformer:
    """The image tower, in which a class token gathers the image layer by layer; a ValueError where
    none does (ResNet, SigLIP).
    """
    tower = trace.model.visual
    if tower.kind != "vit":
        raise ValueError(
            f"{trace.model.name} is a {tower.kind}: no class token gathers its image layer by "
            "layer; use a CLIP ViT"
        )
    return tower


def cosine(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Scores (B, T) of features (B, E), of any length, and texts (T, E) of unit length; float32, or
    float64 for a model in it.
    """
    dtype = torch.promote_types(image_features.dtype, text_features.dtype)
    # a copy, as they may have been recorded in inference mode
    texts = text_features.to(dtype, copy=True)
    return F.normalize(image_features.to(dtype), dim=-1) @ texts.T


def from_stream(trace: Trace, layer: int, stream: Tensor) -> tuple[list[Tensor], Tensor]:
    """A ViT from the stream entering `layer` on: the attention weights of the layers that follow,
    and the scores (B, T).
    """
    tower = trace.model.visual
    weights, stream = through_blocks(tower.blocks[layer:], stream)
    return weights, cosine(tower.read_out(stream[:, 0]), trace.text_features)


def from_words(trace: Trace, stream: Tensor, image: int) -> Tensor:
    """The text tower behind its last block: scores (T, 1) of texts whose streams (T, S, D) end with
    [end], and one image of the trace.
    """
    tower = trace.model.text
    return cosine(
        tower.ln_final(stream[:, -1]) @ tower.projection, trace.image_features[image : image + 1]
    )


def from_features(trace: Trace, features: Tensor) -> Tensor:
    """A ResNet from its last feature map (B, D, gh, gw) on: the scores (B, T)."""
    pool: AttentionPool = trace.model.visual.attention_pool
    x = pool.tokens(features)
    q, k, v = pool.project(x, x[:, :1])
    return cosine(pool.merge(attend(q, k) @ v)[:, 0], trace.text_features)


def from_pixels(trace: Trace, pixels: Tensor) -> Tensor:
    """The whole image tower, ViT or ResNet: scores (B, T) of pixels (B, 3, h, w)."""
    tower = trace.model.visual
    if tower.kind == "resnet":
        return from_features(trace, tower.features(pixels))
    return from_stream(trace, 0, tower.embed(pixels))[1]


def per_text(scores: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Gradients of every text's score with respect to each tensor (B, ...): (T, B, ...), by one
    backward pass for all texts.

    `scores` (B, T): images do not mix in a batch, so the gradient of their sum holds the gradient
    of each.
    """
    one_text_each = torch.eye(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    return torch.autograd.grad(scores.sum(0), tensors, one_text_each, is_grads_batched=True)
