"""Which numbers does the figure show: the shares of every head, and those of every patch?"""

from typing import NamedTuple

import numpy as np

from ...results.findings import HeadContributions, on_patches
from ..scales import Scale, around_zero
from ..texts import Chosen


class Message(NamedTuple):
    """What heads fetched for the image from a thing, and what their layers wrote into it.

    Attributes
    ----------
    fetched : (L, H) shares that heads fetched from the patches of the thing; NaN where the thing is
        not known, or has no patch, or all
    written : (L, 3) means of what the layers' attention wrote into its patches, into the others
        (both NaN where it is not known), and into all
    """

    fetched: np.ndarray
    written: np.ndarray


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

    @property
    def tells_written(self) -> bool:
        """Whether it is known what layers wrote into patches."""
        return self.contributions.written is not None

    def written(self, text: int) -> np.ndarray:
        """What the attention of every layer wrote into every patch, (L, P)."""
        assert self.contributions.written is not None, "tells_written"
        return self.contributions.written[:, self.rows[text]]

    def message(self, text: int, mask: np.ndarray | None) -> Message:
        """What there is to say of the thing in a `mask` (H, W) bool; None where it is not known."""
        written, fetched = self.written(text), self.patches(text)
        told = np.full((self.layers, 2), np.nan)
        found = np.full((self.layers, self.heads), np.nan)
        if mask is not None:
            inside = on_patches(mask, self.contributions.picture.grid)
            if inside.any() and not inside.all():
                told = self.contributions.written_on(self.rows[text], mask)
                found = fetched[:, :, inside].sum(-1)
        return Message(found, np.concatenate([told, written.mean(-1, keepdims=True)], axis=-1))

    def scales(self, text: int) -> tuple[Scale, Scale]:
        """The scale that the maps of all heads share, and that of all heads together."""
        heads = self.patches(text)
        return around_zero(heads), around_zero(heads.sum((0, 1)))

    def strongest(self) -> tuple[int, int]:
        """(layer, head) with the largest share of the first text, added or taken away."""
        shares = np.nan_to_num(abs(self.cells(0)[: self.heads]))
        head, layer = np.unravel_index(shares.argmax(), shares.shape)
        return int(layer), int(head)
