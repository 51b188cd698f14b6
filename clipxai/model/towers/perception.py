"""How does PE's image tower answer? A ViT whose tokens are pooled by a head, as SigLIP's are.

PE, the Perception Encoder (Bolya et al. 2025, arXiv 2504.13181), has positions that turn queries
and keys (`positions.Rotary`), and SigLIP's pooling head over all tokens of the stream, with a
linear read-out behind it. Its largest has no class token; in the others it is one more token that
the head reads, and stands for nothing by itself.

What does a single patch say? What the head answers when it sees that patch alone, as for SigLIP.

Axes: B images, N = 1 + P tokens (class token first; P where there is none), P patches, D width,
E joint width.
"""

from typing import Any

import torch
from torch import Tensor

from .block import Mix
from .linear_pool import LinearPool
from .siglip import PoolingHead
from .vit import VisionTransformer


class PooledByHead(VisionTransformer):
    """A `VisionTransformer` with a pooling head.

    Parameters
    ----------
    pool_heads, pool_ffn_width, pool_activation : of the head
    """

    def __init__(
        self,
        *,
        pool_heads: int,
        pool_ffn_width: int,
        pool_activation: str,
        width: int,
        eps: float,
        **sizes: Any,
    ) -> None:
        super().__init__(width=width, eps=eps, pooling="query", **sizes)
        self.has = frozenset({"blocks", "attention", "learned_query"})
        self.description = (
            "vision transformer with a pooling head, none of whose tokens stands for the image"
        )
        self.head = PoolingHead(width, pool_heads, pool_ffn_width, pool_activation, eps)

    def tokens(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """That stream to the joint space, (B, 1 + P, E).

        The whole image first, then what the head says of every patch alone.
        """
        answers = self.head(self.ln_post(stream), mix)
        if self.before:
            answers = torch.cat([answers[:, :1], answers[:, 1 + self.before :]], dim=1)
        return self._projected(answers)

    def whole(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """What that stream says of the whole image: (B, N, D) -> (B, E)."""
        return self._projected(self.head(self.ln_post(stream), mix, patches=False)[:, 0])

    def reads(self, stream: Tensor) -> Tensor:
        """(B, H, N) where the head's probe looks."""
        return self.head.reads(self.ln_post(stream))

    def _projected(self, answers: Tensor) -> Tensor:
        features = answers @ self.projection
        return features if self.projection_bias is None else features + self.projection_bias

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self.tokens(self(pixels, mix=mix), mix)[:, 0]

    def linear_pool(self, stream: Tensor) -> LinearPool:
        """The pool of a stream (B, N, D) as a sum over its tokens."""
        pool = self.head.linear(stream, self.ln_post, self.before)
        return pool.through(self.projection, self.projection_bias)
