"""What do both towers of CLIP consist of? One pre-norm transformer block, written so that every
step can be looked at.

Axes: B batch, H heads, N tokens, D width, d = D / H.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick_gelu(x: Tensor) -> Tensor:
    """OpenAI's approximation x * sigmoid(1.702 x); a few per cent off GELU, so never
    interchangeable with it.
    """
    return x * torch.sigmoid(1.702 * x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": quick_gelu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
}


def random_parameter(*shape: int, std: float) -> nn.Parameter:
    """A normally distributed parameter; on torch's "meta" device, where a checkpoint's model is
    laid out, only its shape.

    Random numbers there would load torch's compiler, which takes longer than loading a model.
    """
    parameter = nn.Parameter(torch.empty(*shape))
    return parameter if parameter.is_meta else nn.init.normal_(parameter, std=std)


@dataclass(frozen=True, eq=False)
class BlockTape:
    """Everything worth looking at in one block, written down while it ran.

    Attributes
    ----------
    residual : (B, N, D) stream entering the block (None in a ResNet's attention pool: there is no
        stream)
    q, k, v : (B, H, N, d) each, projected from the normalised stream
    attention : (B, N, D) what the attention adds to the stream (after the output projection); a
        ResNet's is (B, N, E)
    ffn : (B, N, D) what the FFN adds to the stream (None where there is no FFN)
    """

    residual: Tensor | None
    q: Tensor
    k: Tensor
    v: Tensor
    attention: Tensor
    ffn: Tensor | None


class Attention(nn.Module):
    """Multi-head self-attention in three steps that others can take one by one: project, mix,
    merge.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(
                f"attention width {width} is not divisible by {heads} heads; give a number of "
                "heads that divides it"
            )
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, D) -> q, k, v of shape (B, H, N, d)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def merge(self, mixed: Tensor) -> Tensor:
        """Heads (B, H, N, d) side by side, through the output projection: (B, N, D)."""
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """x + Attention(LN(x)), then x + FFN(LN(x))."""

    def __init__(
        self,
        width: int,
        heads: int,
        ffn_width: int,
        activation: str = "quick_gelu",
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=eps)
        self.attn = Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=eps)
        self.up = nn.Linear(width, ffn_width)
        self.down = nn.Linear(ffn_width, width)
        self.activation = ACTIVATIONS[activation]

    def ffn(self, x: Tensor) -> Tensor:
        """What the FFN adds to the stream `x`: (B, N, D) -> (B, N, D)."""
        return self.down(self.activation(self.up(self.ln_2(x))))

    def forward(
        self,
        x: Tensor,
        causal: bool = False,
        tape: list[BlockTape] | None = None,
        first: int | None = None,
    ) -> Tensor:
        """(B, N, D) -> (B, N, D). With `tape`, the same operations also append their results to it.

        With `first`, only so many tokens come out, (B, first, D); they have read all the others.
        """
        q, k, v = self.attn.project(self.ln_1(x))
        attention = self.attn.merge(
            F.scaled_dot_product_attention(q[:, :, :first], k, v, is_causal=causal)
        )
        between = x[:, :first] + attention
        ffn = self.ffn(between)
        if tape is not None:
            tape.append(BlockTape(x, q, k, v, attention, ffn))
        return between + ffn
