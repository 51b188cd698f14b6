"""Which attention head fetched the answer, and from where? Layers and heads as a grid, and the
patches each head read from.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import HeadContributions
from ..lettering import listed
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import closure_of, finite, picture_header, reach_of, rows_of_texts, smaller_photo
from ..scales import DIVERGING, Scale, colour_table, number
from ..viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NAMED = 3  # texts in a summary
CELLS = (
    "Grid: what each head of each layer brought the class token, as a share of its cosine with "
    "the text; red added, blue took away"
)
MAPS = "Maps: the share that was fetched from each patch, by one head and by all heads together"
BELOW = (
    "Below the heads: the bias behind them, and the FFN, which fetches nothing from other tokens."
)
DIRECT = (
    "Direct shares only: what a head wrote into other tokens, for later layers to fetch, counts "
    "for those layers."
)
SCALES = ("one scale for all heads", "each map on its own scale")


class HeadGrid(Viewer):
    """What every attention head brought to the match of an image and a text, and from which
    patches.

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
        self.contributions, self.budget = contributions, budget
        self.layers, self.heads = contributions.heads.shape[:2]
        self.rows = rows_of_texts(contributions.texts, texts)
        self.texts = tuple(contributions.texts[row] for row in self.rows)
        self.head = self._strongest() if head is None else self._checked(head)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return (
            f"What each of {self.layers} × {self.heads} attention heads brought to the match with "
            f"{listed(self.texts, MOST_NAMED)}"
        )

    def cells(self, text: int) -> np.ndarray:
        """Shares of the cosine of every head, and below them of the attention's bias and of the
        FFN, (H + 2, L); `text` as in `texts`.
        """
        c, row = self.contributions, self.rows[text]
        heads = c.heads[:, :, row].sum(-1, dtype=np.float64).T
        return np.concatenate([heads, [c.attention_bias[:, row], c.ffn[:, row]]])

    def maps(self, text: int, layer: int, head: int) -> np.ndarray:
        """What one `head` of a `layer` fetched from every patch for a `text`, and what all heads of
        all layers did, (2, P).
        """
        heads = self.contributions.heads[:, :, self.rows[text], 1:]
        return np.stack([heads[layer, head], heads.sum((0, 1))])

    def scales(self, text: int) -> list[Scale]:
        """The scale that the maps of all heads share for a `text`, and that of all heads together;
        zero in the middle of both.
        """
        heads = self.contributions.heads[:, :, self.rows[text], 1:]
        return [
            Scale(-reach, reach, DIVERGING)
            for reach in (reach_of(heads), reach_of(heads.sum((0, 1))))
        ]

    def closure(self, text: int) -> str:
        """The proof that no part is missing for a `text`, in words."""
        c, row = self.contributions, self.rows[text]
        cells, ends = self.cells(text), (float(c.embedding[row]), float(c.norm_bias[row]))
        heads, bias, ffn = cells[:-2].sum(), cells[-2].sum(), cells[-1].sum()
        named = zip(
            ("heads", "their biases", "FFNs", "embedding", "final bias"),
            (heads, bias, ffn, *ends),
            strict=True,
        )
        total = closure_of(heads + bias + ffn + sum(ends), float(c.similarity[row]))
        return f"{', '.join(f'{name} {number(float(value))}' for name, value in named)}: {total}"

    def captions(self, text: int) -> list[str]:
        """What the figure shows of a `text` and how it is coloured, in sentences."""
        one, every = self.scales(text)
        reach = number(reach_of(self.cells(text)))
        ends = f"±{number(one.high)} for one head, ±{number(every.high)} for all together"
        return [
            f"{CELLS}; ±{reach} at the ends.",
            BELOW,
            f"{MAPS}; {ends}; zero in the middle: red above, blue below.",
            DIRECT,
        ]

    def figure(self) -> "Figure":
        """The grid with its numbers, and the maps of the head and text that are shown first."""
        from .drawing import head_figure

        return head_figure(self)

    def payload(self) -> Payload:
        """Shares by patch (`heads` (L, H, T, P)), of [class] (`from_class` (L, H, T)), cells (T, H
        + 2, L), words and photo.
        """
        c, rows = self.contributions, self.rows
        arrays: Arrays = {
            "heads": (finite(c.heads[:, :, rows, 1:]), "u16"),
            "from_class": (c.heads[:, :, rows, 0], "f32"),
            "cells": (np.stack([self.cells(text) for text in range(len(rows))]), "f32"),
            "similarity": (c.similarity[rows], "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        header: Header = {
            **picture_header(c.picture),
            "summary": self.summary,
            "texts": list(self.texts),
            "layers": self.layers,
            "heads": self.heads,
            "head": list(self.head),
            "closures": [self.closure(text) for text in range(len(rows))],
            "reaches": [self._reaches(text) for text in range(len(rows))],
            "captions": [self.captions(text) for text in range(len(rows))],
            "scalings": list(SCALES),
        }
        return pack(header, arrays, self.budget, [smaller_photo(c.picture.image)])

    def _reaches(self, text: int) -> dict[str, float]:
        one, every = self.scales(text)
        return {"cells": reach_of(self.cells(text)), "one": one.high, "all": every.high}

    def _strongest(self) -> tuple[int, int]:
        head, layer = np.unravel_index(
            np.nan_to_num(abs(self.cells(0)[: self.heads])).argmax(), (self.heads, self.layers)
        )
        return int(layer), int(head)

    def _checked(self, head: tuple[int, int]) -> tuple[int, int]:
        layer, number = head
        if not (-self.layers <= layer < self.layers and -self.heads <= number < self.heads):
            raise IndexError(
                f"no head {number} in layer {layer}: there are {self.layers} layers and "
                f"{self.heads} heads, counted from 0"
            )
        return layer % self.layers, number % self.heads
