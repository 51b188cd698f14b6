"""How do tokens read one another? By softmax(q k^T / sqrt(d)) v, with one projection before it and
one behind, and in some models a norm of what the heads read.

Axes: B batch, H heads, N tokens, D width, d = D / H.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .parts import deviation

Heads = tuple[Tensor, Tensor, Tensor]  # q, k, v, each (B, H, N, d)


def attend(q: Tensor, k: Tensor, causal: bool = False) -> Tensor:
    """softmax(q k^T / sqrt(d)), (B, H, ., N); with `causal`, no token sees what comes after it."""
    logits = (q @ k.transpose(-1, -2)).mul_(q.shape[-1] ** -0.5)
    if causal:
        later = torch.ones(logits.shape[-2:], device=q.device).triu(1).bool()
        logits = logits.masked_fill(later, float("-inf"))
    return logits.softmax(-1)


def slope_through(merge: Callable[[Tensor], Tensor], read: Tensor, slope: Tensor) -> Tensor:
    """Gradients (T, B, N, D) by merge(read) as gradients by `read`: (T, B, H, N, d)."""
    read = read.detach().requires_grad_()
    (found,) = torch.autograd.grad(merge(read), read, slope, is_grads_batched=True)
    return found


@dataclass(frozen=True, eq=False)
class LinearMerge:
    """What `Block.merge` is once the norms in it divide by what they divided by.

        merge(read) = sum over heads of read_h matrices_h / deviation + bias

    Attributes
    ----------
    matrices : (H, d, D) float32, with the gains and the centring of the norms
    deviation : (B, N, 1) what the norms divide by; 1 where there are none
    bias : (D,), or (B, N, D), what the attention adds whatever its heads read
    """

    matrices: Tensor
    deviation: Tensor | float
    bias: Tensor


class Attention(nn.Module):
    """The two projections around multi-head self-attention.

    Parameters
    ----------
    width, heads : D and H
    bias : whether q, k and v have one
    norm : eps of a norm of what the heads read, side by side, where there is one (EVA02)
    """

    def __init__(
        self, width: int, heads: int, *, bias: bool = True, norm: float | None = None
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(
                f"attention width {width} is not divisible by {heads} heads; give a number of "
                "heads that divides it"
            )
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.norm = nn.Identity() if norm is None else nn.LayerNorm(width, eps=norm)
        self.out = nn.Linear(width, width)

    def project(self, x: Tensor) -> Heads:
        """(B, N, D) -> q, k, v of shape (B, H, N, d)."""
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return q, k, v

    def merge(self, mixed: Tensor) -> Tensor:
        """Heads (B, H, N, d) side by side, through the output projection: (B, N, D)."""
        return self.out(self.norm(mixed.transpose(1, 2).flatten(2)))

    def linear_merge(self, read: Tensor) -> LinearMerge:
        """What `merge` is for heads that read that, (B, H, N, d): see `LinearMerge`."""
        weight, bias, divisor = self.out.weight.float().T, self.out.bias.float(), 1.0
        if isinstance(self.norm, nn.LayerNorm):
            bias = bias + self.norm.bias.float() @ weight
            weight = self.norm.weight.float()[:, None] * weight
            weight = weight - weight.mean(0)
            divisor = deviation(self.norm, read.transpose(1, 2).flatten(2))
        return LinearMerge(weight.unflatten(0, (self.heads, -1)), divisor, bias)
