"""What is a part of the stream worth where a pool, not a class token, speaks for the image?

Formula    feature = sum over tokens n of x_n M_n  +  bias  +  ffn, with M_n the pool's way from
           token n to the joint space, where its query looked and what the norms divided by held at
           their values (`model.towers.linear_pool`). So the parts that add up to the tokens are
           read out one by one. What a pooling head's own FFN added (SigLIP, PE) is not linear in
           them: it is a part of its own, as it came.
Reads      a stream after the last block, and the tower's pool.
Reference  this project's, after Gandelsman et al. 2024 (arXiv 2310.05916), section 3.
Misleads   As in `readout`; also, another token would change where the query looks, which is held.

Axes: B images, N tokens, P patches, D width, T texts, E joint width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..model.towers.linear_pool import LinearPool
from .trace import Trace


@dataclass(frozen=True, eq=False)
class FixedPool:
    """A tower's pool, and what turns dot products with texts into cosines.

    Attributes
    ----------
    pool : what it read from each token
    length : (B, 1 + P, 1) of the image's feature, and of what each patch says alone
    before : tokens of the stream before the patches
    """

    pool: LinearPool
    length: Tensor
    before: int

    @classmethod
    def of(cls, trace: Trace) -> "FixedPool":
        """That of a trace. The tower needs blocks, and has no class token."""
        tower = trace.model.visual
        length = trace.image_tokens(normalize=False).norm(dim=-1, keepdim=True)
        return cls(tower.linear_pool(trace.stream), length, tower.before)

    def by_token(self, part: Tensor, text_features: Tensor) -> Tensor:
        """(B, N, T) what the pool read of a part (B, N, D) from each token, as shares of the
        image's cosine with texts (T, E).
        """
        return self.pool.of_tokens(part) @ text_features.float().T / self.length[:, :1]

    def share(self, part: Tensor, text_features: Tensor) -> Tensor:
        """(B, 1 + P, T) what a part (B, N, D) added to the cosine of the image, from all tokens
        together, and to that of each patch alone.
        """
        whole = self.by_token(part, text_features).sum(1, keepdim=True)
        alone = self.pool.of_patches(part[:, self.before :]) @ text_features.float().T
        return torch.cat([whole, alone / self.length[:, 1:]], dim=1)

    def share_of_bias(self, text_features: Tensor) -> Tensor:
        """(B, 1 + P, T) what no token brought: the biases of norms and pool."""
        return self.pool.bias @ text_features.float().T / self.length

    def share_of_ffn(self, text_features: Tensor) -> Tensor:
        """(B, 1 + P, T) what the pooling head's FFN added; 0 where there is none."""
        return self.pool.ffn @ text_features.float().T / self.length

    def worth(self, text_features: Tensor) -> Tensor:
        """(B, N, D, T) what a unit of each channel of each token is worth to the image's cosine."""
        return self.pool.worth(text_features) / self.length[:, :1, None]
