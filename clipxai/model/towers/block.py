"""What do both towers of CLIP consist of? One pre-norm transformer block.

    Q, K, V  =  W LN(x)                 every token asks, offers, and holds something
    z  =  x + W_o mix(Q, K, V)          tokens read one another: softmax(Q K^T / sqrt(d)) V
    x' =  z + FFN(LN(z))                every token by itself

This recipe stands here once. Recording, running again for gradients, mixing in another way, ending
with the class token only and editing on the way are arguments of `Block.forward`.

Axes: B batch, H heads, N tokens, D width, d = D / H.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parts import FFN

Heads = tuple[Tensor, Tensor, Tensor]  # q, k, v, each (B, H, N, d)
Mix = Callable[[Tensor, Tensor, Tensor], Tensor]  # q, k, v -> what every head read, (B, H, N, d)
Place = Literal["residual", "heads", "attention", "ffn"]
Edit = Callable[[Place, Tensor], Tensor]  # what stands at a place of a block -> what goes on
LayerEdit = Callable[[int, Place, Tensor], Tensor]  # the same, told which block it is


@dataclass(frozen=True, eq=False)
class BlockTape:
    """Everything worth looking at in one block, written down while it ran.

    Attributes
    ----------
    residual : (B, N, D) stream entering the block (None in a ResNet's attention pool: no stream)
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

    def of(self, images: slice) -> "BlockTape":
        """The same of some of the batch, sharing its memory."""
        parts = (self.residual, self.q, self.k, self.v, self.attention, self.ffn)
        return BlockTape(*(part if part is None else part[images] for part in parts))

    def weights(self, first: int | None = None, causal: bool = False) -> Tensor:
        """(B, H, first, N) where the `first` tokens looked, all of them unless told."""
        return attend(self.q[:, :, :first], self.k, causal)


def attend(q: Tensor, k: Tensor, causal: bool = False) -> Tensor:
    """softmax(q k^T / sqrt(d)), (B, H, ., N); with `causal`, no token sees what comes after it."""
    logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if causal:
        later = torch.ones(logits.shape[-2:], device=q.device).triu(1).bool()
        logits = logits.masked_fill(later, float("-inf"))
    return logits.softmax(-1)


class Attention(nn.Module):
    """The two projections around multi-head self-attention."""

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

    def project(self, x: Tensor) -> Heads:
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
        self.mlp = FFN(width, ffn_width, activation)

    def norm(self, x: Tensor) -> Tensor:
        """The stream as the attention reads it, (B, N, D)."""
        return self.ln_1(x)

    def qkv(self, x: Tensor, grid: tuple[int, int] | None = None) -> Heads:
        """Queries, keys and values of a stream (B, N, D), each (B, H, N, d).

        `grid` (gh, gw) says where an image's patches lie. Positions that turn queries and keys need
        it; here positions are learned and stand in the stream already.
        """
        return self.attn.project(self.norm(x))

    def merge(self, mixed: Tensor) -> Tensor:
        """What the attention adds to the stream, (B, N, D), of what its heads read (B, H, N, d)."""
        return self.attn.merge(mixed)

    def ffn(self, x: Tensor) -> Tensor:
        """What the FFN adds to the stream `x`: (B, N, D) -> (B, N, D)."""
        return self.mlp(self.ln_2(x))

    def ffn_sum_to_first_order(self, x: Tensor) -> Tensor:
        """(B, D) with the gradient by `x`, not the value, of `ffn(x).sum(1)`; for LeGrad."""
        return self.mlp.sum_to_first_order(self.ln_2(x))

    @property
    def head_matrices(self) -> Tensor:
        """(H, d, D) what `merge` multiplies each head with; the rest is `attention_bias`.

        For what takes a score apart by heads (`trace.readout`, `explainers.decomposition`).
        """
        return self.attn.out.weight.T.unflatten(0, (self.attn.heads, -1))

    @property
    def attention_bias(self) -> Tensor:
        """(D,) what the attention adds to every token whatever its heads read."""
        return self.attn.out.bias

    def forward(
        self,
        x: Tensor,
        *,
        grid: tuple[int, int] | None = None,
        causal: bool = False,
        first: int | None = None,
        heads: Heads | None = None,
        mix: Mix | None = None,
        residual: bool = True,
        ffn: bool = True,
        edit: Edit | None = None,
        tape: list[BlockTape] | None = None,
    ) -> Tensor:
        """(B, N, D) -> (B, N, D).

        Parameters
        ----------
        x, grid : the stream entering the block, and where its patches lie: see `qkv`
        causal : no token reads what comes after it (for the model's own attention; `mix` decides
            by itself)
        first : only so many tokens come out, (B, first, D); they have read all the others
        heads : q, k, v to use instead of those of `x`
        mix : how tokens read one another instead of softmax(q k^T / sqrt(d)) v
        residual : add the attention to the stream; False puts it in the stream's place
        ffn : run the FFN
        edit : called as edit(place, tensor), in this order, with the stream entering ("residual"),
            what each head read ("heads", (B, H, N, d)), and what attention and FFN add
            ("attention", "ffn"); what it returns goes on. The tape holds it too, but for "heads",
            which shows only in the tape's `attention`: its q, k, v stay as projected
        tape : a `BlockTape` is appended; the operations are the same with it and without
        """
        edit = edit or _unchanged
        x = edit("residual", x)
        q, k, v = heads or self.qkv(x, grid)
        if mix is None:
            read = F.scaled_dot_product_attention(q[:, :, :first], k, v, is_causal=causal)
        else:
            read = mix(q, k, v)[:, :, :first]  # q may be what it compares with
        attention = edit("attention", self.merge(edit("heads", read)))
        z = x[:, :first] + attention if residual else attention
        added = edit("ffn", self.ffn(z)) if ffn else None
        if tape is not None:
            tape.append(BlockTape(x, q, k, v, attention, added))
        return z if added is None else z + added


def _unchanged(place: Place, tensor: Tensor) -> Tensor:
    return tensor


def through(
    blocks: Sequence[Block],
    x: Tensor,
    *,
    start: int = 0,
    first: int | None = None,
    edit: LayerEdit | None = None,
    **recipe: Any,
) -> Tensor:
    """A stream (B, N, D) through the blocks from `start` on, each told the same `recipe`.

    Only the last is told `first`, because the next reads all tokens of the others; `edit` is told
    the layer too: edit(layer, place, tensor). The rest is that of `Block.forward`.
    """
    for layer in range(start, len(blocks)):
        last = layer == len(blocks) - 1
        own = partial(edit, layer) if edit else None
        x = blocks[layer](x, first=first if last else None, edit=own, **recipe)
    return x
