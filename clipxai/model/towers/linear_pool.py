"""What did a pool read from each token? Where no class token gathers the image, the tower ends in a
learned query, or in a mean; with what is not linear held at its values it is a sum over tokens.

    feature = sum over heads h and tokens n of  looked[h, n] (x_n values[h]) out[h]  +  bias  +  ffn

Held are where the query looked and what the norms divided by. `values` and `out` contain the norms'
centring and gains. A pooling head's own FFN is not linear: its answer is a part of its own.

Axes: B images, H heads of the pool, N tokens of the stream, P patches, D width, d = width of a
head, E joint width.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parts import deviation


@dataclass(frozen=True, eq=False)
class LinearPool:
    """A tower's pool as a sum, for the whole image and for each patch as it is read alone.

    Attributes
    ----------
    looked : (B, H, N) where the query looked, or the even share of a mean, over what the norms
        divided by
    alone : (B, P) 1 over what the norms divided by where a patch is read alone
    values : (H, D, d)
    out : (H, d, E)
    bias : (B, 1 + P, E) what no token brought: the whole image first
    ffn : (B, 1 + P, E) what a pooling head's FFN added; 0 where there is none
    """

    looked: Tensor
    alone: Tensor
    values: Tensor
    out: Tensor
    bias: Tensor
    ffn: Tensor

    def of_tokens(self, part: Tensor) -> Tensor:
        """What the pool read of a part (B, N, D) of the stream, by token: (B, N, E)."""
        read = torch.einsum("bnd,hdk->bhnk", part.float(), self.values) * self.looked[..., None]
        return torch.einsum("bhnk,hke->bne", read, self.out)

    def of_patches(self, part: Tensor) -> Tensor:
        """What each patch (B, P, D) of a part of the stream says alone, (B, P, E)."""
        read = torch.einsum("bnd,hdk->bhnk", part.float(), self.values)
        return torch.einsum("bhnk,hke->bne", read, self.out) * self.alone[..., None]

    def worth(self, text_features: Tensor) -> Tensor:
        """(B, N, D, T) what a unit of each channel of each token is worth to texts (T, E), before
        the feature's length.
        """
        by_head = self.values @ (self.out @ text_features.float().T)  # H D T
        return torch.einsum("bhn,hdt->bndt", self.looked, by_head)

    def through(self, projection: Tensor, bias: Tensor | None = None) -> "LinearPool":
        """The same with a projection (D, E), and perhaps its bias (E,), behind it."""
        matrix, added = projection.float(), 0.0 if bias is None else bias.float()
        out, rest, ffn = self.out @ matrix, self.bias @ matrix + added, self.ffn @ matrix
        return replace(self, out=out, bias=rest, ffn=ffn)


def of_norm(norm: nn.LayerNorm, weight: Tensor, bias: Tensor | float) -> tuple[Tensor, Tensor]:
    """A norm and a linear map (D, K) with its bias (K,) behind it, as M (D, K) and b (K,) with
    x M / deviation(x) + b.
    """
    gained = norm.weight.float()[:, None] * weight.float()
    return gained - gained.mean(0), norm.bias.float() @ weight.float() + bias


def of_mean(
    stream: Tensor, norm: nn.LayerNorm, read_out: tuple[Tensor, Tensor], before: int, first: bool
) -> LinearPool:
    """The pool that is a mean over the patches of a stream (B, N, D).

    Parameters
    ----------
    norm, read_out : the final norm, and that with the projection as M (D, E) and b (E,)
    before : tokens before the patches
    first : the mean is taken before the norm; else of what is read out of each patch
    """
    patches, (matrix, bias) = stream[:, before:].float(), read_out
    alone = 1 / deviation(norm, patches)[..., 0]  # B P
    of_all = 1 / deviation(norm, patches.mean(1)) if first else alone
    even = of_all.expand_as(alone) / patches.shape[1]
    bias = bias.expand(len(patches), 1 + patches.shape[1], -1)
    one = torch.eye(len(matrix.T)).to(matrix)[None]
    looked = F.pad(even, (before, 0))[:, None]
    return LinearPool(looked, alone, matrix[None], one, bias, torch.zeros_like(bias))
