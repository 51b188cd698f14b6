"""Attention or FFN: which of the two made the image match the text, layer by layer and patch by
patch?
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..checks import expect, layer_of
from ..results.findings import Contributions
from .attention import label
from .lettering import listed
from .payload import BUDGET, Arrays, Header, Payload, pack
from .pictures import closure_of, finite, picture_header, reach_of, rows_of_texts, smaller_photo
from .scales import DIVERGING, Scale, colour_table, number, two_digits
from .viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NAMED = 3  # texts in a summary
BARS = (
    "Bars: what each module added to the cosine of the class token with the text (red) or took "
    "away (blue); both rows on one scale."
)
EXACT = (
    "The parts hold the final layer norm fixed: they say what was added, not what would happen "
    "without the module."
)
ALIGNMENT = (
    "Alignment: cosine of a module's output with the final class token, −1 to 1. CLIP Surgery "
    "skips the FFNs of the "
    "last layers because theirs is low there."
)
LENS = "Bottom row: cosine of every patch with the text if the network stopped there (logit lens)"
MAPS = "Maps: what the module added to each patch's own cosine"
SELECTION = (
    "Selection ratio: of the {others} patches that each of the object's {patches} patches attends "
    "to most (itself left out), the share on "
    "the object, mean of all heads; its mean over images is the mFSR. An FFN attends to nothing. "
    "Dotted: chance, {chance}."
)
SCALES = ("one scale for all layers", "each layer on its own scale")


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

    module = "modules"

    def __init__(
        self,
        contributions: Contributions,
        *,
        texts: Sequence[int | str] | None = None,
        layer: int = -1,
        budget: int = BUDGET,
    ) -> None:
        expect(Contributions, contributions, "contributions")
        self.contributions, self.budget = contributions, budget
        self.layers = len(contributions.attention)
        self.layer = layer_of(self.layers, layer)
        self.rows = rows_of_texts(contributions.texts, texts)
        self.texts = tuple(contributions.texts[row] for row in self.rows)
        self.selections = [contributions.selection.get(text) for text in self.texts]

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return (
            "What attention and FFN of every layer added to the match with "
            f"{listed(self.texts, MOST_NAMED)}"
        )

    def maps(self, text: int, layer: int) -> np.ndarray:
        """What attention and FFN of a `layer` added per patch, and their difference, (3, P)
        float32; `text` counts in `texts`.
        """
        attention, ffn = (
            part[layer, self.rows[text], 1:]
            for part in (self.contributions.attention, self.contributions.ffn)
        )
        return np.stack([attention, ffn, attention - ffn])

    def scale(self, text: int, layer: int | None = None) -> Scale:
        """The scale that the three maps of a layer share for a `text`, zero in the middle: of all
        layers, or of one `layer`.
        """
        layers = range(self.layers) if layer is None else [layer]
        reach = max(reach_of(self.maps(text, n)) for n in layers)
        return Scale(-reach, reach, DIVERGING)

    def lens_scale(self, text: int) -> Scale:
        """The scale that all logit-lens maps of a text share, zero in the middle."""
        reach = reach_of(self.contributions.lens[:, self.rows[text]])
        return Scale(-reach, reach, DIVERGING)

    def cumulative(self, text: int) -> np.ndarray:
        """The class token's sum of parts of a `text` after the embedding, each layer, and with the
        bias, (L + 2,) float64.
        """
        c, row = self.contributions, self.rows[text]
        layers = c.attention[:, row, 0].astype(np.float64) + c.ffn[:, row, 0]
        return np.cumsum([float(c.embedding[row, 0]), *layers, float(c.bias[row, 0])])

    def closure(self, text: int) -> str:
        """The proof that no part is missing for a `text`, in words."""
        return closure_of(
            self.cumulative(text)[-1], float(self.contributions.similarity[self.rows[text], 0])
        )

    def figure(self) -> "Figure":
        """Bars of every layer, and the maps of the layer and text that are shown first."""
        from .module_figure import module_figure

        return module_figure(self)

    def selecting(self, text: int) -> str:
        """What the selection ratio of a text is, in words; empty where no mask is known."""
        found = self.selections[text]
        return (
            SELECTION.format(
                others=found.patches - 1, patches=found.patches, chance=two_digits(found.chance)
            )
            if found
            else ""
        )

    def captions(self, text: int) -> list[str]:
        """What the figure shows of a `text` and how it is coloured, in sentences; the scale is that
        of all layers.
        """
        maps, lens = self.scale(text), self.lens_scale(text)
        shared = (
            "one scale for all layers, from {} to {}, zero in the middle: red above, blue below."
        )
        return [
            BARS,
            ALIGNMENT,
            *filter(None, [self.selecting(text)]),
            f"{LENS}; {shared.format(number(lens.low), number(lens.high))}",
            f"{MAPS}; {shared.format(number(maps.low), number(maps.high))}",
            EXACT,
        ]

    def payload(self) -> Payload:
        """Parts per patch (`attention`, `ffn` (L, T, P), `lens` (L + 1, T, P)), those of the class
        token exactly, words and photo.

        Where a mask is known, `selection` (T, kinds, L) beside them.
        """
        c, rows = self.contributions, self.rows
        exact = {
            "class_attention": c.attention[:, rows, 0],
            "class_ffn": c.ffn[:, rows, 0],
            "embedding": c.embedding[rows],
            "bias": c.bias[rows],
            "similarity": c.similarity[rows],
            "cumulative": np.stack([self.cumulative(text) for text in range(len(rows))]),
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
        if any(self.selections):
            arrays["selection"] = (self._ratios(), "f32")
        return pack(self._header(), arrays, self.budget, [smaller_photo(c.picture.image)])

    def _ratios(self) -> np.ndarray:
        """Selection ratios (T, kinds, L), NaN for texts without a mask."""
        none = np.full((len(self._kinds()), self.layers), np.nan, np.float32)
        return np.stack(
            [np.stack(list(found.ratio.values())) if found else none for found in self.selections]
        )

    def _kinds(self) -> list[str]:
        """Kinds of attention whose selection ratio is known."""
        return list(next(filter(None, self.selections)).ratio) if any(self.selections) else []

    def _header(self) -> Header:
        texts = range(len(self.texts))
        residual = number(float(f"{self.contributions.residual:.0e}"))
        return {
            **picture_header(self.contributions.picture),
            "summary": self.summary,
            "texts": list(self.texts),
            "layers": self.layers,
            "layer": self.layer,
            "closures": [self.closure(text) for text in texts],
            "reaches": [
                {
                    "all": self.scale(t).high,
                    "layers": [self.scale(t, n).high for n in range(self.layers)],
                    "lens": self.lens_scale(t).high,
                    "parts": self._extent(t),
                }
                for t in texts
            ],
            "selections": [
                found and {"caption": self.selecting(t), "chance": found.chance}
                for t, found in enumerate(self.selections)
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
            "largest": (
                f"Over all patches and texts, parts and cosine differ by {residual} at most."
            ),
        }

    def _extent(self, text: int) -> list[float]:
        """Lowest and highest part of any patch, for bars of a patch."""
        c, row = self.contributions, self.rows[text]
        parts = np.concatenate(
            [
                np.ravel(part)
                for part in (c.attention[:, row], c.ffn[:, row], c.embedding[row], c.bias[row])
            ]
        )
        known = parts[np.isfinite(parts)]
        return [float(known.min()), float(known.max())] if known.size else [0.0, 0.0]
