"""What would the score be without each part? Beside it, what each part added.

Parts and layers as a grid of what is lost; where share and effect disagree is marked.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import Effects, HeadContributions
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table
from ..sentences import layer_names, page_words
from ..texts import chosen_rows, title_of
from ..viewer import Viewer
from .content import Grids
from .sentences import TITLES, WORDS, captions, summary, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("heads", "attention", "ffn", "blocks", "words")


class EffectGrid(Viewer):
    """What the match of an image and a text loses without each head, module or word.

    Parameters
    ----------
    effects : from `clipxai.effects`, of heads, attention, ffn, blocks or words
    shares : from `clipxai.head_contributions` of the same trace, to see beside effects of heads
    texts : which of its texts, by number or as written; all by default, the first one is shown
        first
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than Effects and HeadContributions
    ValueError : effects of patches or tokens, which are maps; shares of other texts or parts;
        unknown text, or none
    IndexError : no such text

    Examples
    --------
    >>> found, added = effects(trace), head_contributions(trace)  # doctest: +SKIP
    >>> EffectGrid(found, added).save("effects.html")  # doctest: +SKIP
    """

    module = "effect_grid"

    def __init__(
        self,
        effects: Effects,
        shares: HeadContributions | None = None,
        *,
        texts: int | str | Sequence[int | str] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Effects, effects, "effects")
        if effects.of not in SHOWN:
            raise ValueError(
                f"effects of {effects.of} are no grid of heads or modules: Tracing shows them; a "
                f"grid shows {', '.join(SHOWN)}"
            )
        if shares is not None:
            expect(HeadContributions, shares, "head_contributions")
            self._expect_alike(effects, shares)
        self.effects, self.budget = effects, budget
        self.grids = Grids(effects, shares, chosen_rows(effects.texts, texts))

    @staticmethod
    def _expect_alike(effects: Effects, shares: HeadContributions) -> None:
        layers, heads = shares.heads.shape[:2]
        if effects.of != "heads" or effects.tower != "image":
            raise ValueError("shares are those of the image tower's heads: effects are not")
        fits = max(effects.layers) < layers and effects.change.shape[1] == heads
        same = np.allclose(effects.similarity, shares.similarity, atol=1e-3)
        if not fits or effects.texts != shares.texts or not same:
            raise ValueError(
                "the shares are not of the same trace as the effects: make both from one"
            )

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.grids)

    def figure(self) -> "Figure":
        """The photo and the grids of the first text, with their numbers."""
        from .drawing import draw  # loads matplotlib

        return draw(self.grids, *self.grids.strongest())

    def payload(self) -> Payload:
        """`cells` (T, G, parts, layers) of the G grids, `apart` (T, parts, layers), cosines T."""
        grids, picture = self.grids, self.effects.picture
        texts = range(len(grids.rows))
        arrays: Arrays = {
            "cells": (np.stack([np.stack(grids.grids(text)) for text in texts]), "f32"),
            "apart": (np.stack([grids.apart(text) for text in texts]).astype(np.uint8), "u8"),
            "similarity": (self.effects.similarity[list(grids.rows)], "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        return pack(self._header(), arrays, self.budget, [smaller_photo(picture.image)])

    def _header(self) -> Header:
        grids, picture = self.grids, self.effects.picture
        texts = range(len(grids.rows))
        row, column = grids.strongest()
        return {
            **picture_header(picture.image, picture.grid),
            "summary": self.summary,
            "texts": [title_of(text) for text in grids.texts],
            "layers": list(self.effects.layers),
            "parts": grids.parts,
            "titles": list(TITLES[: 1 if grids.shares is None else 2]),
            "ticks": layer_names(self.effects.layers),
            "first": row * len(self.effects.layers) + column,
            "diverging": DIVERGING,
            "scales": [[vars(scale) for scale in grids.scales(text)] for text in texts],
            "captions": [captions(grids, text) for text in texts],
            "tables": [table(grids, text) for text in texts],
            "words": page_words(picture.image.shape, WORDS),
        }
