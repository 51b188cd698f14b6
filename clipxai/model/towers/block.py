"""What do both towers of CLIP consist of? One pre-norm transformer block.

    Q, K, V  =  W LN(x)                 every token asks, offers, and holds something
    z  =  x + W_o mix(Q, K, V)          tokens read one another: softmax(Q K^T / sqrt(d)) V
    x' =  z + FFN(LN(z))                every token by itself

This recipe stands here once. Recording, running again for gradients, mixing in another way, ending
with the class token only and editing on the way are arguments of `Block.forward`. What models have
differently are its parts: positions that turn Q and K, a gated FFN, norms inside or behind.

Axes: B batch, H heads, N tokens, D width, d = D / H.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Heads, LinearMerge, attend, slope_through
from .parts import FFN, GatedFFN
from .positions import Rotary

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
    q, k, v : (B, H, N, d) each, projected from the normalised stream; q and k turned by their
        places where positions do so, v never
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

    def of(self, images: slice | list[int]) -> "BlockTape":
        """The same of some of the batch; neighbours share its memory."""
        parts = (self.residual, self.q, self.k, self.v, self.attention, self.ffn)
        return BlockTape(*(part if part is None else part[images] for part in parts))

    def weights(self, first: int | None = None, causal: bool = False) -> Tensor:
        """(B, H, first, N) where the `first` tokens looked, all of them unless told."""
        return attend(self.q[:, :, :first], self.k, causal)


class Block(nn.Module):
    """x + Attention(LN(x)), then x + FFN(LN(x)).

    Parameters
    ----------
    width, heads, ffn_width : D, H, hidden width of the FFN
    activation, eps : of the FFN, of the norms
    gated : a `GatedFFN`
    qkv_bias, norm_heads : see `Attention`, whose norm has the block's eps
    norm_ffn : a norm inside the FFN as well
    rotary : positions that turn queries and keys
    """

    def __init__(
        self,
        width: int,
        heads: int,
        ffn_width: int,
        activation: str = "quick_gelu",
        eps: float = 1e-5,
        *,
        gated: bool = False,
        qkv_bias: bool = True,
        norm_heads: bool = False,
        norm_ffn: bool = False,
        rotary: Rotary | None = None,
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=eps)
        self.attn = Attention(width, heads, bias=qkv_bias, norm=eps if norm_heads else None)
        self.ln_2 = nn.LayerNorm(width, eps=eps)
        kind = GatedFFN if gated else FFN
        self.mlp = kind(width, ffn_width, activation, norm=eps if norm_ffn else None)
        self.rotary = rotary

    def norm(self, x: Tensor) -> Tensor:
        """The stream as the attention reads it, (B, N, D)."""
        return self.ln_1(x)

    def qkv(self, x: Tensor, grid: tuple[int, int] | None = None) -> Heads:
        """Queries, keys and values of a stream (B, N, D), each (B, H, N, d).

        `grid` (gh, gw) says where an image's patches lie. Positions that turn queries and keys need
        it; others are learned and stand in the stream already.
        """
        return self.heads_of(self.norm(x), grid)

    def heads_of(self, read: Tensor, grid: tuple[int, int] | None = None) -> Heads:
        """The same of a stream as the attention reads it: see `norm`."""
        q, k, v = self.attn.project(read)
        if self.rotary is None:
            return q, k, v
        return self.rotary(q, grid), self.rotary(k, grid), v

    def merge(self, mixed: Tensor) -> Tensor:
        """What the attention adds to the stream, (B, N, D), of what its heads read (B, H, N, d)."""
        return self.attn.merge(mixed)

    def ffn(self, x: Tensor) -> Tensor:
        """What the FFN adds to the stream `x`: (B, N, D) -> (B, N, D)."""
        return self.mlp(self.ln_2(x))

    def neurons(self, x: Tensor) -> Tensor:
        """What the FFN's neurons say of the stream `x`, (..., D) -> (..., hidden)."""
        return self.mlp.neurons(self.ln_2(x))

    def ffn_sum_to_first_order(self, x: Tensor) -> Tensor:
        """(B, D) with the gradient by `x`, not the value, of `ffn(x).sum(1)`; for LeGrad."""
        return self.mlp.sum_to_first_order(self.ln_2(x))

    def linear_merge(self, read: Tensor) -> LinearMerge:
        """`merge` of heads that read that, (B, H, N, d), as a sum over heads.

        For what takes a score apart by heads (`trace.readout`, `explainers.decomposition`).
        """
        return self.attn.linear_merge(read)

    def slope_by_heads(self, slope: Tensor, tape: BlockTape) -> Tensor:
        """Gradients (T, B, N, D) by what the attention adds as gradients by what its heads read,
        (T, B, H, N, d), where they read what `tape` says; for LeGrad.
        """
        if isinstance(self.attn.norm, nn.Identity):
            by_merged = (slope @ self.attn.out.weight).detach()
            return by_merged.unflatten(-1, (self.attn.heads, -1)).transpose(-2, -3)
        return slope_through(self.merge, tape.weights() @ tape.v, slope)

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
    heads: Heads | None = None,
    edit: LayerEdit | None = None,
    **recipe: Any,
) -> Tensor:
    """A stream (B, N, D) through the blocks from `start` on, each told the same `recipe`.

    Only the last is told `first`, because the next reads all tokens of the others, and only the
    one at `start` its `heads`; `edit` is told the layer too: edit(layer, place, tensor).
    """
    for layer in range(start, len(blocks)):
        last = layer == len(blocks) - 1
        own = partial(edit, layer) if edit else None
        told = dict(first=first if last else None, heads=heads if layer == start else None)
        x = blocks[layer](x, edit=own, **told, **recipe)
    return x
