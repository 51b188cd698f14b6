"""When does what matters lie where? A map for every layer, or a row of words for every layer."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import Effects
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import encode_photo, picture_header, smaller_photo
from ..scales import DIVERGING, colour_table
from ..sentences import REMARKS, layer_names, page_words, remark
from ..texts import chosen_rows, title_of
from ..viewer import Viewer
from .content import Traced
from .sentences import TITLES, WORDS, captions, summary, table, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = ("patches", "tokens", "words")


class Tracing(Viewer):
    """What single patches, tokens or words are worth, as they enter each layer.

    Parameters
    ----------
    effects : from `clipxai.effects`, of patches, tokens or words; with another pass in their place
        it is causal tracing
    texts : which of its texts, by number or as written; all by default, the first one is shown
        first
    truth : text -> true mask (H, W) bool: its outline is drawn on every map of the text, of words
        on the image
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than Effects
    ValueError : effects of heads or modules, which `EffectGrid` shows; unknown text, or none
    IndexError : no such text

    Examples
    --------
    >>> other = record(trace.model, "photo.jpg", list(trace.texts))  # doctest: +SKIP
    >>> found = effects(trace, "tokens", other, layers=[4, 7])  # doctest: +SKIP
    >>> Tracing(found).save("tracing.html")  # doctest: +SKIP
    """

    module = "tracing"

    def __init__(
        self,
        effects: Effects,
        *,
        texts: int | str | Sequence[int | str] | None = None,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Effects, effects, "effects")
        if effects.of not in SHOWN:
            raise ValueError(
                f"effects of {effects.of} have no place on the image: EffectGrid shows them; "
                f"Tracing shows {', '.join(SHOWN)}"
            )
        self.effects, self.budget = effects, budget
        rows, size = chosen_rows(effects.texts, texts), effects.picture.grid.image_size
        known = truths_of(owned(truth), [effects.texts[row] for row in rows], size)
        self.traced = Traced(effects, rows, known)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.traced)

    def figure(self) -> "Figure":
        """The images and a map for every layer of the first text; of words, their grid."""
        from .drawing import draw  # loads matplotlib

        return draw(self.traced)

    def payload(self) -> Payload:
        """`patches` (T, K, P), `alone` (T, K, tokens that are no patches), the colour table."""
        traced, texts = self.traced, range(len(self.traced.rows))
        arrays: Arrays = {
            "patches": (np.stack([traced.patches(text) for text in texts]), "f32"),
            "alone": (np.stack([traced.alone(text) for text in texts]), "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        photo = smaller_photo(self.effects.picture.image)
        return pack(self._header(), arrays, self.budget, [photo])

    def _header(self) -> Header:
        effects, traced = self.effects, self.traced
        texts, other = range(len(traced.rows)), effects.other
        return {
            **picture_header(effects.picture.image, effects.picture.grid),
            "other": "" if other is None else encode_photo(other.image, side=256),
            "summary": self.summary,
            "verdicts": [verdict(traced, text) for text in texts],
            "texts": [title_of(text) for text in traced.texts],
            "outlines": [outlines(traced.mask(text)) for text in texts],
            "layers": list(effects.layers),
            "ticks": layer_names(effects.layers),
            "title": TITLES[traced.by_other],
            "names": traced.names,
            "first": [traced.shown_layer(text) for text in texts],
            "best": [list(traced.strongest(text)) for text in texts],
            "remarks": [REMARKS[remark(traced.patches(text))] for text in texts],
            "scales": [[vars(scale) for scale in traced.scales(text)] for text in texts],
            "captions": [captions(traced, text) for text in texts],
            "tables": [table(traced, text) for text in texts],
            "words": page_words(effects.picture.image.shape, WORDS),
        }
