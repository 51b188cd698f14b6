"""Which attention head fetched the answer, and from where?

Layers and heads as a grid, and the patches each head read from.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, whole
from ...results.findings import HeadContributions
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, around_zero, colour_table, finite
from ..sentences import REMARKS, layer_names, page_words, remark
from ..texts import chosen_rows, title_of
from ..viewer import Viewer
from .content import HeadShares
from .sentences import (
    SCALES,
    WORDS,
    captions,
    gathers,
    message,
    proof,
    row_names,
    story,
    strongest_heads,
    summary,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class HeadGrid(Viewer):
    """What every attention head brought to the match of an image and a text.

    A map shows the patches from which one of them, or all together, fetched it. As a messenger (key
    m), a head has arrows from these patches, beside what its layer wrote into them.

    Parameters
    ----------
    contributions : from `clipxai.head_contributions`
    texts : which of its texts, by number or as written; all by default, the first one is shown
        first
    head : (layer, head) whose map is shown first; by default the one with the largest share, added
        or taken away
    truth : text -> true mask (H, W) bool: its outline is drawn on every map of the text
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
        texts: int | str | Sequence[int | str] | None = None,
        head: tuple[int, int] | None = None,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(HeadContributions, contributions, "head_contributions")
        rows = chosen_rows(contributions.texts, texts)
        self.contributions, self.budget = contributions, budget
        self.shares = HeadShares(contributions, rows)
        size = contributions.picture.grid.image_size
        self.truth = truths_of(owned(truth), self.shares.texts, size)
        self.head = self.shares.strongest() if head is None else self._checked(head)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.shares)

    def figure(self) -> "Figure":
        """The grid with its numbers, and the maps of the head and text that are shown first."""
        from .drawing import draw  # loads matplotlib

        return draw(self.shares, *self.head, self.truth)

    def payload(self) -> Payload:
        """Shares by patch and by head, words and photo.

        `heads` (L, H, T, P) are the shares from patches, `from_patches` (L, H, T) their sums,
        `all_from_patches` (T) those of all heads, `from_class` (L, H, T) the shares from [class],
        `cells` (T, H + 2, L) all of them. `remarks` (T, L * H + 1) say of which map there is
        nothing to see, see `sentences.REMARKS`; the last one is of all heads. For the messenger,
        `written` (L, T, P) is what layers wrote into patches, `remarks_written` (T, L) as above,
        `fetched_on` (T, L, H) and `written_on` (T, L, 3) are `content.Message`.
        """
        c, rows = self.contributions, self.shares.rows
        texts = range(len(rows))
        patches = c.heads[:, :, rows, 1:]
        arrays: Arrays = {
            "heads": (finite(patches), "u16"),
            "from_patches": (patches.sum(-1), "f32"),
            "all_from_patches": (patches.sum((0, 1)).sum(-1), "f32"),
            "from_class": (c.heads[:, :, rows, 0], "f32"),
            "cells": (np.stack([self.shares.cells(text) for text in texts]), "f32"),
            "similarity": (c.similarity[rows], "f32"),
            "remarks": (np.array([self._remarks(text) for text in texts], np.uint8), "u8"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
            **(self._messages() if self.shares.tells_written else {}),
        }
        return pack(self._header(), arrays, self.budget, [smaller_photo(c.picture.image)])

    def _messages(self) -> Arrays:
        """The arrays of the messenger."""
        shares, texts = self.shares, range(len(self.shares.texts))
        written = [shares.written(text) for text in texts]
        said = [shares.message(text, self._mask(text)) for text in texts]
        remarks = [[remark(values) for values in layers] for layers in written]
        return {
            "written": (finite(np.stack(written, axis=1)), "u16"),
            "remarks_written": (np.array(remarks, np.uint8), "u8"),
            "fetched_on": (np.stack([one.fetched for one in said]), "f32"),
            "written_on": (np.stack([one.written for one in said]), "f32"),
        }

    def _header(self) -> Header:
        shares, picture = self.shares, self.contributions.picture
        texts, told = range(len(shares.texts)), shares.tells_written
        words = WORDS if told else WORDS | {"messenger_help": ""}
        return {
            **picture_header(picture.image, picture.grid),
            "summary": self.summary,
            "texts": [title_of(text) for text in shares.texts],
            "layers": shares.layers,
            "heads": shares.heads,
            "head": list(self.head),
            "rows": row_names(shares.heads),
            "ticks": layer_names(range(shares.layers)),
            "diverging": DIVERGING,
            "scales": [self._scales(text) for text in texts],
            "stories": [story(shares, text) for text in texts],
            "messages": [message(shares, n, self._mask(n)) for n in texts] if told else [],
            "gathers": gathers(shares),
            "closures": [proof(shares, text) for text in texts],
            "captions": [captions(shares, text) for text in texts],
            "tables": [strongest_heads(shares, text) for text in texts],
            "scalings": list(SCALES),
            "remarks": list(REMARKS),
            "outlines": [outlines(self.truth.get(text)) for text in shares.texts],
            "words": page_words(picture.image.shape, words),
        }

    def _mask(self, text: int) -> np.ndarray | None:
        return self.truth.get(self.shares.texts[text])

    def _scales(self, text: int) -> Header:
        one, every = self.shares.scales(text)
        scales = {"cells": around_zero(self.shares.cells(text)), "one": one, "all": every}
        if self.shares.tells_written:
            scales["written"] = around_zero(self.shares.written(text))
        return {name: vars(scale) for name, scale in scales.items()}

    def _remarks(self, text: int) -> list[int]:
        heads = self.shares.patches(text)
        maps = heads.reshape(-1, heads.shape[-1])
        return [remark(values) for values in (*maps, heads.sum((0, 1)))]

    def _checked(self, head: tuple[int, int]) -> tuple[int, int]:
        layers, heads = self.shares.layers, self.shares.heads
        layer, number = (whole(asked, what) for asked, what in zip(head, ("layer", "head")))
        if not (-layers <= layer < layers and -heads <= number < heads):
            raise IndexError(
                f"no head {number} in layer {layer}: there are {layers} layers and {heads} heads, "
                "counted from 0"
            )
        return layer % layers, number % heads
