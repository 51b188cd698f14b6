"""What can be silenced, and what of it is? A widget in which parts of the model are buttons."""

from collections.abc import Sequence

import anywidget
import numpy as np
import traitlets

from ..trace.trace import Trace
from ..view.html import join
from .pictures import data_url, smaller
from .silence import Silence

SIDE = 150  # pixels of the picture's longer side
WORDS = {
    "tower": "parts of the image tower",
    "layer": "layer",
    "head": "head",
    "head_row": "head",
    "attention": "attention",
    "ffns": "FFN",
    "of_layer": "{part} of layer {layer}",
    "patches": "patches of the image",
    "patch": "patch in row {row}, column {column}",
    "words": "words of the texts",
    "word": "“{word}” in text {text}",
}


class Silencer(anywidget.AnyWidget):
    """Parts of a pass, and which of them are silent.

    Attributes
    ----------
    off : kind of part -> the silent ones, as `Silence.of` takes it
    """

    _esm = f"{join('../app/silencer')}\nexport default viewer;\n"
    parts = traitlets.Dict().tag(sync=True)
    off = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)

    def __init__(self) -> None:
        nothing = {"layers": 0, "heads": 0, "grid": (0, 0), "picture": "", "words": []}
        super().__init__(parts=nothing)
        self._of: tuple | None = None

    @property
    def silence(self) -> Silence:
        """What is silent."""
        return Silence.of(self.off)

    def forget(self, *kinds: str) -> None:
        """Silence these kinds of parts no longer; all of them if none is named."""
        self.off = {name: some for name, some in self.off.items() if kinds and name not in kinds}

    def show(self, trace: Trace, image: np.ndarray) -> None:
        """Offer the parts of a pass."""
        blocks = trace.model.visual.blocks
        told = (id(trace.model), trace.grid, trace.texts, image.shape, image.tobytes())
        if told == self._of:
            return
        self._of = told
        self.parts = {
            "layers": len(blocks),
            "heads": blocks[0].attn.heads,
            "grid": trace.grid,
            "picture": data_url(smaller(image, SIDE)),
            "words": _words(trace),
        }


def _words(trace: Trace) -> list[Sequence[str]]:
    """Words of each text; none where they cannot be told apart."""
    try:
        return [[span.text for span in trace.words(n)] for n in range(len(trace.texts))]
    except ValueError:
        return []
