"""What if a tensor inside had been another? Parts of a recorded pass, run again for gradients.

    with gradients():
        weights, scores = from_stream(trace, 7, trace.residual(7).clone().requires_grad_())
        slopes = per_text(scores, weights)  # d score[b, t] / d weights[b], in one backward pass

The operations are the model's own, with attention written out so that its weights are tensors one
can ask for. Nothing is left behind: gradients are returned, never accumulated, no parameter's
`requires_grad` changes, and the caller's `no_grad` is back afterwards.

Axes: B images, H heads, N = 1 + P tokens (class token first), D width, T texts, E joint width. A
score is a cosine, (B, T).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.towers.block import Edit as BlockEdit
from ..model.towers.block import through
from .edits import UNCHANGED, Edits, attend_but, said
from .trace import Trace

Found = TypeVar("Found")


@contextmanager
def gradients() -> Iterator[None]:
    """Gradients flow inside, whatever the caller switched off."""
    # anomalies are looked for one backward pass at a time, and these are batched
    alone = torch.autograd.set_detect_anomaly(False)
    with torch.inference_mode(False), torch.enable_grad(), alone:
        yield


def first_of(layers: int, blocks: int | None) -> int:
    """The layer at which the last `blocks` begin (None: all). ValueError: not as many."""
    if blocks is not None and not 1 <= blocks <= layers:
        raise ValueError(
            f"blocks={blocks}, but this tower has {layers}: pass 1 to {layers}, or None for all"
        )
    return 0 if blocks is None else layers - blocks


class WrittenOut:
    """A `Mix` with attention written out, so that its weights are tensors one can ask for.

    Attributes
    ----------
    weights : (B, H, N, N) of every block that used it, in order

    Blocks follow one another from `start` on; `edits` say who may not look at whom.
    """

    def __init__(self, causal: bool = False, edits: Edits = UNCHANGED, start: int = 0) -> None:
        self.causal, self.weights = causal, list[Tensor]()
        self.edits, self.start = edits, start

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What every head read, (B, H, N, d)."""
        hidden = self.edits.hidden(self.start + len(self.weights))
        self.weights.append(attend_but(hidden, q, k, self.causal))
        return self.weights[-1] @ v


def cosine(image_features: Tensor, text_features: Tensor) -> Tensor:
    """Scores (B, T) of features (B, E), of any length, and texts (T, E) of unit length, or
    (B, T, E) where each image has its own.

    Float32, or float64 for a model in it.
    """
    dtype = torch.promote_types(image_features.dtype, text_features.dtype)
    # a copy, as they may have been recorded in inference mode
    texts = text_features.to(dtype, copy=True)
    images = F.normalize(image_features.to(dtype), dim=-1)
    return images @ texts.T if texts.ndim == 2 else (images[:, None] @ texts.mT)[:, 0]


def from_stream(
    trace: Trace, layer: int, stream: Tensor, pool: WrittenOut | None = None
) -> tuple[list[Tensor], Tensor]:
    """A ViT from the stream entering `layer` on: attention weights of the layers, scores (B, T).

    `pool` keeps those of a pool with a learned query, (B, H, queries, N), the image's first.
    """
    tower, written = trace.model.visual, WrittenOut(False, trace.edits, layer)
    told = dict(grid=trace.grid, mix=written, edit=trace.edits.on(layer))
    stream = through(tower.blocks, stream, start=layer, **told)
    return written.weights, cosine(tower.whole(stream, pool), trace.text_features)


def from_word_stream(
    trace: Trace, layer: int, stream: Tensor, image: int
) -> tuple[list[Tensor], Tensor]:
    """The text tower from the stream (T, S, D) entering `layer` on, every text ending with [end].

    The attention weights of the layers that follow, and scores (T, 1) with one image of the trace.
    """
    tower, edits = trace.model.text, trace.text_edits
    written = WrittenOut(tower.causal, edits, layer)
    stream = through(tower.blocks, stream, start=layer, mix=written, edit=edits.on(layer))
    return written.weights, from_end(trace, stream[:, -1], image)


def from_end(trace: Trace, end: Tensor, image: int) -> Tensor:
    """Scores (T, 1) of texts whose last stream at [end] is (T, D), with one image of the trace."""
    return cosine(trace.model.text.read_out(end), trace.image_features[image : image + 1])


def from_features(trace: Trace, features: Tensor) -> Tensor:
    """A ResNet from its last feature map (B, D, gh, gw) on: the scores (B, T)."""
    pooled = trace.model.visual.pool_features(features, mix=WrittenOut())
    return cosine(pooled, trace.text_features)


def from_pixels(trace: Trace, pixels: Tensor) -> Tensor:
    """The whole image tower: scores (B, T) of pixels (B, 3, h, w)."""
    tower, edits = trace.model.visual, trace.edits
    written = WrittenOut(False, edits)
    if not edits:
        return cosine(tower.pool(pixels, mix=written), trace.text_features)
    return cosine(edits.pixels(tower, pixels, written), trace.text_features)


def of_one_token(edits: Edits, layer: int, asked: str) -> BlockEdit:
    """What a block that runs again for one token is told of its edits; zeros only.

    A ValueError where what stands there depends on the other tokens.
    """
    rules = edits.at(layer, "attention", "ffn")
    if any(not (isinstance(rule.value, str) and rule.value == "zero") for rule in rules):
        done = said("", edits)
        raise ValueError(f"{asked} runs one token alone, which this pass ({done}) does not allow")
    silent = {rule.place for rule in rules}
    return lambda place, tensor: torch.zeros_like(tensor) if place in silent else tensor


def per_text(
    scores: Tensor, tensors: Sequence[Tensor], keep: bool | None = None
) -> tuple[Tensor, ...]:
    """Gradients of every text's score by each tensor (B, ...): (T, B, ...), in one backward pass.

    `scores` (B, T): images do not mix in a batch, so the gradient of their sum holds the gradient
    of each. `keep` the graph, for other texts.
    """
    if scores.shape[-1] == 1:  # a batch of one gradient costs more than the gradient
        found = torch.autograd.grad(scores.sum(), tensors, retain_graph=keep)
        return tuple(slope[None] for slope in found)
    each = torch.eye(scores.shape[-1], dtype=scores.dtype, device=scores.device)
    return torch.autograd.grad(scores.sum(0), tensors, each, keep, is_grads_batched=True)
