"""Which attention head fetched the answer, and from where?

Layers and heads as a grid, and the patches each head read from.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import HeadContributions
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table, finite, reach_of
from ..texts import chosen_rows
from ..viewer import Viewer
from .content import HeadShares
from .sentences import SCALES, captions, proof, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class HeadGrid(Viewer):
    """What every attention head brought to the match of an image and a text.

    A map shows the patches from which one of them, or all together, fetched it.

    Parameters
    ----------
    contributions : from `clipxai.head_contributions`
    texts : which of its texts, by number or as written; all by default, the first one is shown
        first
    head : (layer, head) whose map is shown first; by default the one with the largest share, added
        or taken away
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than HeadContributions
    ValueError : unknown text, or none
    IndexError : no such head or text

    Examples
    --------
    >>> HeadGrid(head_contributions(trace)).save("heads.html")  # doctest: +SKIP
    """

    module = "head_grid"

    def __init__(
        self,
        contributions: HeadContributions,
        *,
        texts: Sequence[int | str] | None = None,
        head: tuple[int, int] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(HeadContributions, contributions, "head_contributions")
        rows = chosen_rows(contributions.texts, texts)
        self.contributions, self.budget = contributions, budget
        self.shares = HeadShares(contributions, rows)
        self.head = self.shares.strongest() if head is None else self._checked(head)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.shares)

    def figure(self) -> "Figure":
        """The grid with its numbers, and the maps of the head and text that are shown first."""
        from .drawing import draw  # loads matplotlib

        return draw(self.shares, *self.head)

    def payload(self) -> Payload:
        """Shares by patch and by head, words and photo.

        `heads` (L, H, T, P) are the shares from patches, `from_class` (L, H, T) those from [class],
        `cells` (T, H + 2, L) their sums.
        """
        c, rows = self.contributions, self.shares.rows
        texts = range(len(rows))
        arrays: Arrays = {
            "heads": (finite(c.heads[:, :, rows, 1:]), "u16"),
            "from_class": (c.heads[:, :, rows, 0], "f32"),
            "cells": (np.stack([self.shares.cells(text) for text in texts]), "f32"),
            "similarity": (c.similarity[rows], "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        header: Header = {
            **picture_header(c.picture),
            "summary": self.summary,
            "texts": list(self.shares.texts),
            "layers": self.shares.layers,
            "heads": self.shares.heads,
            "head": list(self.head),
            "closures": [proof(self.shares, text) for text in texts],
            "reaches": [self._reaches(text) for text in texts],
            "captions": [captions(self.shares, text) for text in texts],
            "scalings": list(SCALES),
        }
        return pack(header, arrays, self.budget, [smaller_photo(c.picture.image)])

    def _reaches(self, text: int) -> dict[str, float]:
        one, every = self.shares.scales(text)
        return {"cells": reach_of(self.shares.cells(text)), "one": one.high, "all": every.high}

    def _checked(self, head: tuple[int, int]) -> tuple[int, int]:
        (layer, number), (layers, heads) = head, (self.shares.layers, self.shares.heads)
        if not (-layers <= layer < layers and -heads <= number < heads):
            raise IndexError(
                f"no head {number} in layer {layer}: there are {layers} layers and {heads} heads, "
                "counted from 0"
            )
        return layer % layers, number % heads
