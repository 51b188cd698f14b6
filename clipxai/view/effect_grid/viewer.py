"""What would the score be without each part? Beside it, what each part added.

Parts and layers as a grid of what is lost; where share and effect disagree is marked.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Explanation
from ...results.findings import AttentionMaps, Effects, HeadContributions, HeadNames
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, colour_table
from ..sentences import layer_names, page_words
from ..texts import chosen_rows, title_of
from ..viewer import Viewer
from .content import Grids
from .details import Details, looking
from .sentences import (
    DETAILS,
    TITLES,
    WORDS,
    captions,
    details_notes,
    story,
    summary,
    table,
    turned,
)

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
    names : from `clipxai.name_heads`, to read what a head is for
    attention : from `clipxai.attention_maps` of the same trace, to see where a head looks
    before, without : the map of the same trace, and (layer, head) -> the map of the trace without
        that head, as `explain(ablate(trace, heads={6: [3]}), …)`; of heads that are clicked
    truth : text -> true mask (H, W) bool: outlines on the image and its maps, and what becomes of
        the map's contrast without the head
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than Effects and HeadContributions
    ValueError : effects of patches or tokens, which `Tracing` shows; shares, maps, attention or
        names of something else; unknown text, or none
    IndexError : no such text; a map without a head that there is not

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
        names: HeadNames | None = None,
        attention: AttentionMaps | None = None,
        before: Explanation | None = None,
        without: Mapping[tuple[int, int], Explanation] | None = None,
        truth: Mapping[str, np.ndarray] | None = None,
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
        rows, size = chosen_rows(effects.texts, texts), effects.picture.grid.image_size
        known = truths_of(owned(truth), [effects.texts[row] for row in rows], size)
        self.grids = Grids(effects, shares, rows, known)
        self.details = Details(self.grids, attention, names, before, without or {})
        self.details.expect_alike()

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

        return draw(self.grids, self.details, *self.grids.strongest())

    def payload(self) -> Payload:
        """`cells` (T, G, parts, layers) of the G grids, `apart` (T, parts, layers), cosines T; of
        heads `looks` (parts layers, P) and `maps` (T, 1 + maps, P), where they are known.
        """
        grids, picture = self.grids, self.effects.picture
        texts = range(len(grids.rows))
        arrays: Arrays = {
            "cells": (np.stack([np.stack(grids.grids(text)) for text in texts]), "f32"),
            "apart": (np.stack([grids.apart(text) for text in texts]).astype(np.uint8), "u8"),
            "similarity": (self.effects.similarity[list(grids.rows)], "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        }
        looks, maps = self.details.looks(), [self.details.maps(text) for text in texts]
        if looks is not None:
            arrays |= {"looks": (looks, "u16")}
        if maps[0] is not None:
            arrays |= {"maps": (np.stack(maps), "u16")}
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
            "stories": [story(grids, text) for text in texts],
            "captions": [
                [*captions(grids, text), *details_notes(self.details, text)] for text in texts
            ],
            "tables": [table(grids, text) for text in texts],
            "outlines": [outlines(grids.mask(text)) for text in texts],
            "details": self._details(),
            "words": page_words(picture.image.shape, WORDS),
        }

    def _details(self) -> Header | None:
        """What is told of a head that is clicked."""
        details, texts = self.details, range(len(self.grids.rows))
        if not details:
            return None
        cells, looks = range(self.grids.lost(0).size), details.looks()
        return {
            "names": [details.name(cell) for cell in cells],
            "mapped": details.mapped,
            "turned": [turned(details, n) for n in texts],
            "scales": [vars(details.scale(n)) if details.before else None for n in texts],
            "looks": [] if looks is None else [vars(looking(values)) for values in looks],
            "titles": list(DETAILS),
            "unit": details.before.method if details.before else "",
        }
