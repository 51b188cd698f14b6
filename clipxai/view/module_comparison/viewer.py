"""Attention or FFN: which of the two made the image match the text?

Layer by layer for the class token, and patch by patch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import Contributions
from ..attention_kinds import label
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table, finite
from ..texts import chosen_rows
from ..viewer import Viewer
from .content import ModuleShares
from .sentences import (
    ALIGNMENT,
    BARS,
    EXACT,
    LENS,
    MAPS,
    SCALES,
    largest,
    proof,
    selecting,
    summary,
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
    layer : whose maps are shown first; the last by default
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
        texts: Sequence[int | str] | None = None,
        layer: int = -1,
        budget: int = BUDGET,
    ) -> None:
        expect(Contributions, contributions, "contributions")
        layers = len(contributions.attention)
        if not -layers <= layer < layers:
            raise IndexError(f"layer {layer}, but this model has {layers} (0 to {layers - 1})")
        rows = chosen_rows(contributions.texts, texts)
        self.contributions, self.budget = contributions, budget
        self.shares = ModuleShares(contributions, rows)
        self.layer = layer % layers

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.shares)

    def figure(self) -> "Figure":
        """Bars of every layer, and the maps of the layer and text that are shown first."""
        from .drawing import draw  # loads matplotlib

        return draw(self.shares, self.layer)

    def payload(self) -> Payload:
        """Parts per patch, those of the class token exactly, words and photo.

        Of patches: `attention`, `ffn` (L, T, P) and `lens` (L + 1, T, P). Where a mask is known,
        `selection` (T, kinds, L) beside them.
        """
        c, rows = self.contributions, self.shares.rows
        exact = {
            "class_attention": c.attention[:, rows, 0],
            "class_ffn": c.ffn[:, rows, 0],
            "embedding": c.embedding[rows],
            "bias": c.bias[rows],
            "similarity": c.similarity[rows],
            "cumulative": np.stack([self.shares.cumulative(text) for text in range(len(rows))]),
            "attention_alignment": c.attention_alignment,
            "ffn_alignment": c.ffn_alignment,
        }
        arrays: Arrays = {
            **{name: (values, "f32") for name, values in exact.items()},
            "attention": (finite(c.attention[:, rows, 1:]), "u16"),
            "ffn": (finite(c.ffn[:, rows, 1:]), "u16"),
            "lens": (finite(c.lens[:, rows]), "u16"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        if any(self.shares.selections):
            arrays["selection"] = (self._ratios(), "f32")
        return pack(self._header(), arrays, self.budget, [smaller_photo(c.picture.image)])

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
        shares = self.shares
        texts = range(len(shares.texts))
        return {
            **picture_header(self.contributions.picture),
            "summary": self.summary,
            "texts": list(shares.texts),
            "layers": shares.layers,
            "layer": self.layer,
            "closures": [proof(shares, text) for text in texts],
            "reaches": [self._reaches(text) for text in texts],
            "selections": [
                found and {"caption": selecting(shares, text), "chance": found.chance}
                for text, found in enumerate(shares.selections)
            ],
            "kinds": [label(kind) for kind in self._kinds()],
            "scalings": list(SCALES),
            "captions": {
                "bars": BARS,
                "alignment": ALIGNMENT,
                "lens": LENS,
                "maps": MAPS,
                "exact": EXACT,
            },
            "largest": largest(self.contributions),
        }

    def _reaches(self, text: int) -> Header:
        """How far the scales of a text reach: of all layers, of each, of the lens, of bars."""
        shares = self.shares
        return {
            "all": shares.scale(text).high,
            "layers": [shares.scale(text, n).high for n in range(shares.layers)],
            "lens": shares.lens_scale(text).high,
            "parts": shares.extent(text),
        }
