"""Which numbers does the figure show: the shares of every head, and those of every patch?"""

import numpy as np

from ...results.findings import HeadContributions
from ..scales import Scale, around_zero
from ..texts import Chosen


class HeadShares(Chosen[HeadContributions]):
    """What every head brought for the chosen texts."""

    @property
    def layers(self) -> int:
        """L."""
        return self.contributions.heads.shape[0]

    @property
    def heads(self) -> int:
        """H."""
        return self.contributions.heads.shape[1]

    @property
    def pooled(self) -> bool:
        """Whether a pool reads the image, and no class token gathers it."""
        return self.contributions.pool is not None

    def cells(self, text: int) -> np.ndarray:
        """Shares of the cosine, (H + 2, L): of every head, the attention's bias and the FFN."""
        c, row = self.contributions, self.rows[text]
        heads = c.heads[:, :, row].sum(-1, dtype=np.float64).T
        return np.concatenate([heads, [c.attention_bias[:, row], c.ffn[:, row]]])

    def patches(self, text: int) -> np.ndarray:
        """What every head fetched from every patch, (L, H, P)."""
        return self.contributions.heads[:, :, self.rows[text], 1:]

    def maps(self, text: int, layer: int, head: int) -> np.ndarray:
        """What one `head` of a `layer` fetched from every patch, and what all heads did, (2, P)."""
        heads = self.patches(text)
        return np.stack([heads[layer, head], heads.sum((0, 1))])

    def scales(self, text: int) -> tuple[Scale, Scale]:
        """The scale that the maps of all heads share, and that of all heads together."""
        heads = self.patches(text)
        return around_zero(heads), around_zero(heads.sum((0, 1)))

    def strongest(self) -> tuple[int, int]:
        """(layer, head) with the largest share of the first text, added or taken away."""
        shares = np.nan_to_num(abs(self.cells(0)[: self.heads]))
        head, layer = np.unravel_index(shares.argmax(), shares.shape)
        return int(layer), int(head)
