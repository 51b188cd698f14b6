"""Attention or FFN: which of the two made the image match the text?

Layer by layer for the class token, and patch by patch.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, layer_of
from ...results.findings import Contributions
from ...results.owned import owned
from ..attention_kinds import label
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table, finite
from ..sentences import REMARKS, page_words, remark
from ..texts import chosen_rows, title_of
from ..viewer import Viewer
from .content import ModuleShares
from .sentences import (
    SCALES,
    captions,
    largest,
    lens_titles,
    proof,
    selected,
    selection_titles,
    story,
    summary,
    table,
    words_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ModuleComparison(Viewer):
    """What every attention and every FFN added to the match of an image and a text.

    Parameters
    ----------
    contributions : from `clipxai.contributions`; with masks (`Contributions.with_masks`), how far
        attention selects the object too
    texts : which of its texts, by number or as written; all by default, the first one is shown
        first
    layer : whose maps are shown first; by default the one that added or took away most
    truth : text -> true mask (H, W) bool: its outline is drawn on every map of the text
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than Contributions
    ValueError : unknown text, or none
    IndexError : no layer or text of that number

    Examples
    --------
    >>> ModuleComparison(contributions(trace)).save("modules.html")  # doctest: +SKIP
    """

    module = "module_comparison"

    def __init__(
        self,
        contributions: Contributions,
        *,
        texts: int | str | Sequence[int | str] | None = None,
        layer: int | None = None,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Contributions, contributions, "contributions")
        layers = len(contributions.attention)
        rows = chosen_rows(contributions.texts, texts)
        self.contributions, self.budget = contributions, budget
        self.shares = ModuleShares(contributions, rows)
        size = contributions.picture.grid.image_size
        self.truth = truths_of(owned(truth), self.shares.texts, size)
        first = self.shares.telling_layer(0) if layer is None else layer
        self.layer = layer_of(layers, first)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.shares)

    def figure(self) -> "Figure":
        """Bars of every layer, and the maps of the layer and text that are shown first."""
        from .drawing import draw  # loads matplotlib

        return draw(self.shares, self.layer, self.truth)

    def payload(self) -> Payload:
        """Parts per patch, those of the class token exactly, words and photo.

        Of patches: `attention`, `ffn` (L, T, P) and `lens` (L + 1, T, P). Of the maps of attention,
        FFN and their difference: `means` (L, T, 3), and `remarks` (L, T, 3), which say where there
        is nothing to see, see `sentences.REMARKS`. `selection` (T, kinds, L) where a mask is known.
        """
        c, rows = self.contributions, self.shares.rows
        exact = {
            "class_attention": c.attention[:, rows, 0],
            "class_ffn": c.ffn[:, rows, 0],
            "embedding": c.embedding[rows],
            "bias": self.shares.bias,
            "similarity": c.similarity[rows],
            "cumulative": np.stack([self.shares.cumulative(text) for text in range(len(rows))]),
            "attention_alignment": c.attention_alignment,
            "ffn_alignment": c.ffn_alignment,
        }
        means, remarks = self._of_maps(self.shares.means), self._of_maps(self._remarks)
        arrays: Arrays = {
            **{name: (values, "f32") for name, values in exact.items()},
            "means": (means, "f32"),
            "remarks": (remarks.astype(np.uint8), "u8"),
            "attention": (finite(c.attention[:, rows, 1:]), "u16"),
            "ffn": (finite(c.ffn[:, rows, 1:]), "u16"),
            "lens": (finite(c.lens[:, rows]), "u16"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        if any(self.shares.selections):
            arrays["selection"] = (self._ratios(), "f32")
        return pack(self._header(), arrays, self.budget, [smaller_photo(c.picture.image)])

    def _of_maps(self, of: Callable[[int, int], Sequence[float]]) -> np.ndarray:
        """Something of the three maps of a text and a layer, for all of them: (L, T, 3)."""
        layers, texts = range(self.shares.layers), range(len(self.shares.texts))
        return np.array([[of(text, layer) for text in texts] for layer in layers])

    def _remarks(self, text: int, layer: int) -> list[int]:
        return [remark(values) for values in self.shares.maps(text, layer)]

    def _ratios(self) -> np.ndarray:
        """Selection ratios (T, kinds, L), NaN for texts without a mask."""
        none = np.full((len(self._kinds()), self.shares.layers), np.nan, np.float32)
        known = self.shares.selections
        return np.stack([np.stack(list(one.ratio.values())) if one else none for one in known])

    def _kinds(self) -> list[str]:
        """Kinds of attention whose selection ratio is known."""
        known = [found for found in self.shares.selections if found]
        return list(known[0].ratio) if known else []

    def _header(self) -> Header:
        shares, picture = self.shares, self.contributions.picture
        texts = range(len(shares.texts))
        return {
            **picture_header(picture.image, picture.grid),
            "summary": self.summary,
            "texts": [title_of(text) for text in shares.texts],
            "layers": shares.layers,
            "layer": self.layer,
            "diverging": DIVERGING,
            "scales": [self._scales(text) for text in texts],
            "stories": [story(shares, text) for text in texts],
            "closures": [proof(shares, text) for text in texts],
            "captions": [self._captions(text) for text in texts],
            "lens_titles": [lens_titles(shares, text) for text in texts],
            "selections": [self._selection(text) for text in texts],
            "kinds": [label(kind) for kind in self._kinds()],
            "tables": [table(shares, text) for text in texts],
            "scalings": list(SCALES),
            "remarks": list(REMARKS),
            "outlines": [outlines(self.truth.get(text)) for text in shares.texts],
            "words": page_words(picture.image.shape, words_of(shares)),
        }

    def _scales(self, text: int) -> Header:
        """The scales of a text: of all layers, of each, of the lens, and how far bars reach."""
        shares = self.shares
        return {
            "all": vars(shares.scale(text)),
            "layers": [vars(shares.scale(text, n)) for n in range(shares.layers)],
            "lens": vars(shares.lens_scale(text)),
            "parts": shares.extent(text),
        }

    def _captions(self, text: int) -> list[list[str]]:
        """Of a text, in every scaling; the page says how exact the numbers of all patches are."""
        exact = largest(self.contributions)
        found = [captions(self.shares, text, own=own) for own in (False, True)]
        return [[*others, f"{last} {exact}"] for *others, last in found]

    def _selection(self, text: int) -> Header | None:
        """What is told of the selection ratios of a text; None where its mask is not known."""
        found = self.shares.selections[text]
        if found is None:
            return None
        told, titles = selected(self.shares, text), selection_titles(self.shares, text)
        return {"chance": found.chance, "told": told, "titles": titles}
