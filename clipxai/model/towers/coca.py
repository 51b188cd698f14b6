"""How does CoCa pool an image? A learned query reads a ViT's tokens, where CLIP has a class token.

CoCa (Yu et al. 2022, arXiv 2205.01917, as open_clip builds it) asks the stream with 256 learned
queries. The first one's answer is the image feature; the others are read by the text decoder that
writes captions, which is no part of this model.

What does a single patch say? What the query reads when it sees that patch alone, as for SigLIP.

Axes: B images, N = 1 + P tokens (a class token first, which is read like a patch), P patches, Q
queries, D width, E joint width.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Heads, attend
from .block import Mix
from .linear_pool import LinearPool, of_norm
from .parts import deviation, random_parameter
from .vit import VisionTransformer


class AttentionalPool(nn.Module):
    """Multi-head attention of learned queries (E wide) over a stream (D wide)."""

    def __init__(self, queries: int, width: int, heads: int, joint: int) -> None:
        super().__init__()
        if joint % heads:
            raise ValueError(f"a joint space of {joint} is not divisible by {heads} heads")
        self.heads = heads
        self.query = random_parameter(queries, joint, std=joint**-0.5)
        self.query_weight = random_parameter(joint, joint, std=joint**-0.5)
        self.key_weight = random_parameter(joint, width, std=width**-0.5)
        self.value_weight = random_parameter(joint, width, std=width**-0.5)
        self.bias = nn.Parameter(torch.zeros(3 * joint))
        self.out = nn.Linear(joint, joint)
        self.ln_q, self.ln_k = nn.LayerNorm(joint), nn.LayerNorm(width)

    def forward(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """(B, N, D) -> (B, N, E): the first query's answer to all, then to each patch alone."""
        q, k, v = self.project(stream)
        return self.merge((mix or F.scaled_dot_product_attention)(q, k, v), v)

    def reads(self, stream: Tensor) -> Tensor:
        """(B, H, N) where the first query looks."""
        q, k, _ = self.project(stream)
        return attend(q, k)[:, :, 0]

    def project(self, stream: Tensor) -> Heads:
        """The first query (B, H, 1, d), and keys and values of all tokens (B, N, D)."""

        def heads(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            return F.linear(x, weight, bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)

        x, (to_q, to_k, to_v) = self.ln_k(stream), self.bias.chunk(3)
        asked = self.ln_q(self.query[:1]).expand(len(x), 1, -1)
        q, k = heads(asked, self.query_weight, to_q), heads(x, self.key_weight, to_k)
        return q, k, heads(x, self.value_weight, to_v)

    def merge(self, of_all: Tensor, v: Tensor) -> Tensor:
        """What the query read of all (B, H, 1, d), and the values (B, H, N, d), as answers."""
        return self.out(torch.cat([of_all, v[:, :, 1:]], dim=2).transpose(1, 2).flatten(2))

    def linear(
        self, stream: Tensor, norm: nn.LayerNorm, read_out: tuple[Tensor, Tensor]
    ) -> LinearPool:
        """What the query reads of a stream (B, N, D), as a sum over tokens, with the norm behind it
        held as well; `read_out` is that norm and the projection as M (D, E) and b (E,).
        """
        q, k, v = self.project(stream)
        weights = attend(q, k)
        after = deviation(norm, self.merge(weights @ v, v))  # B 1+P 1
        divisor = deviation(self.ln_k, stream)[..., 0]
        values, brought = of_norm(self.ln_k, self.value_weight.T, self.bias.chunk(3)[2].float())
        (matrix, last), out = read_out, self.out.weight.float().T
        bias = (brought @ out + self.out.bias.float()) @ matrix / after + last
        return LinearPool(
            weights.float()[:, :, 0] / divisor[:, None] / after[:, :1],
            1 / divisor[:, 1:] / after[:, 1:, 0],
            values.unflatten(-1, (self.heads, -1)).transpose(0, 1),
            out.unflatten(0, (self.heads, -1)) @ matrix,
            bias,
            torch.zeros_like(bias),
        )


class PooledVisionTransformer(VisionTransformer):
    """CoCa's image tower.

    Parameters
    ----------
    queries, pool_heads : Q, and heads of the pool
    joint : E, which is the pool's width as well
    """

    def __init__(
        self,
        *,
        queries: int,
        pool_heads: int,
        width: int,
        joint: int,
        eps: float = 1e-5,
        **sizes: Any,
    ) -> None:
        super().__init__(width=width, joint=joint, eps=eps, **sizes)
        self.has = frozenset({"blocks", "attention", "learned_query"})
        self.description = "vision transformer with an attentional pool (CoCa's contrastive half)"
        self.pooling = "query"  # no token of the stream is read alone
        self.head = AttentionalPool(queries, width, pool_heads, joint)
        self.ln_post = nn.LayerNorm(joint, eps=eps)
        self.projection = random_parameter(joint, joint, std=joint**-0.5)

    def tokens(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """That stream to the joint space, (B, 1 + P, E).

        The whole image first, then what the query reads of every patch alone.
        """
        return self.read_out(self.head(stream, mix))

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self.tokens(self(pixels, mix=mix), mix)[:, 0]

    def whole(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """What that stream says of the whole image: (B, N, D) -> (B, E)."""
        return self.tokens(stream, mix)[:, 0]

    def reads(self, stream: Tensor) -> Tensor:
        """(B, H, N) where the first query looks."""
        return self.head.reads(stream)

    def linear_pool(self, stream: Tensor) -> LinearPool:
        """The pool of a stream (B, N, D) as a sum over its tokens."""
        return self.head.linear(stream, self.ln_post, self.linear_read_out())
