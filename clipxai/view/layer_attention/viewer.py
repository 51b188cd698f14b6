"""Where does a patch look, and does it look at the thing it belongs to?

Layer by layer and head by head, by the model's own attention and by what CLIP Surgery puts there.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...results.findings import AttentionMaps
from ...results.owned import owned
from ..attention_kinds import label, meaning
from ..given import outlines, truths_of
from ..payload import BUDGET, Header, Payload, pack
from ..pictures import picture_header
from ..scales import SEQUENTIAL
from ..sentences import layer_names, page_words
from ..viewer import Viewer
from .content import (
    NEARLY_EVEN,
    OPACITY,
    UNKNOWN,
    checked,
    layer_number,
    layers_of,
    middle_of,
    sinks_by_layer,
    telling_layer,
    telling_query,
    things_on,
    token_at,
)
from .packing import Steps, arrays_of, columns_of, given_up
from .sentences import IN_TABLE, SCALES, TABLE_HEAD, notes, statistics, story, summary, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHOTO_BYTES = 20_000  # larger than this as PNG is sent as JPEG


class LayerAttentionViewer(Viewer):
    """Attention of every layer: point at a patch of the image and see where it looks.

    Kinds of attention stand side by side: q-k, the model's own, and v-v, that of CLIP Surgery.

    Parameters
    ----------
    maps : from `clipxai.attention_maps`; single heads answer for what stands for the image only,
        and for every patch in the layers of `maps.with_heads`
    query : patch (row, column) whose attention is shown first; by default the one in the middle of
        the first thing of `truth`, and without it the one that the class token looks at most in
        the last layer, or that a pool reads most
    layer : number of the layer that is shown first (negative: from the last); by default the one
        where two kinds differ most
    steps : 15, 23, 31, 63 or 255; weights travel in so many steps of their square root. More are
        finer and need more bytes: the error is at most 1/steps of the largest weight of the row.
        The query itself, [class] and the sinks do not count: they are right to 0.00001
    truth : name of a thing -> true mask (H, W) bool: its outline is drawn on the image and all
        maps, and its patches are named after it
    budget : most bytes the interactive figure's data may take; what is given up for it is said on
        the figure

    Raises
    ------
    TypeError : no AttentionMaps
    ValueError : it holds no kind or shapes that do not fit its grid, an unknown number of steps
    IndexError : no such patch or layer

    Examples
    --------
    >>> viewer = LayerAttentionViewer(attention_maps(trace), query=(6, 4))  # doctest: +SKIP
    >>> viewer.save("attention.html")  # doctest: +SKIP
    """

    module = "layer_attention"
    # smaller than of others: the numbers of this figure need the room
    poster_bytes = {"png": 34_000, "webp": 34_000}

    def __init__(
        self,
        maps: AttentionMaps,
        *,
        query: tuple[int, int] | None = None,
        layer: int | None = None,
        steps: Steps = 23,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self._chosen = query is None and layer is None
        self.maps, self.steps, self.budget = checked(maps), int(steps), budget
        self.truth = truths_of(owned(truth), list(truth or {}), maps.picture.grid.image_size)
        self.on, middle = things_on(maps, self.truth), middle_of(maps, self.truth)
        first = telling_query(maps) if middle is None else middle
        self.query = first if query is None else token_at(maps, query)
        self.layer = telling_layer(maps, self.query) if layer is None else layer_number(maps, layer)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.maps)

    @property
    def notes(self) -> list[str]:
        """What the kinds of attention are, and why this patch and layer are shown first."""
        thing = self.on[self.query - 1] if self.on and self.query else ""
        return notes(self.maps, chosen=self._chosen, thing=thing)

    def kept(self) -> "LayerAttentionViewer":
        """The same figure with single heads for what stands for the image only."""
        fewer = copy(self)
        fewer.maps = replace(self.maps, heads={})
        return fewer

    def figure(self) -> "Figure":
        """What the viewer shows first.

        The image with the query marked, its attention in one layer and in all layers, rollout.
        """
        from .drawing import draw  # loads matplotlib

        return draw(self.maps, self.query, self.layer, self.notes, self.truth, self.on)

    def payload(self) -> Payload:
        """Weights of every kind (see `packing`), statistics of every head, rollout, photo, words.

        Single heads are there for the layers `header["headed"]`.
        """
        arrays, steps = arrays_of(self.maps, self.steps), given_up(self.maps, self.steps)
        return pack(self._header(), arrays, self.budget, steps, deflate=True)

    def _header(self) -> Header:
        maps = self.maps
        return {
            "summary": self.summary,
            **picture_header(
                maps.picture.image, maps.picture.grid, alpha=OPACITY, most_bytes=PHOTO_BYTES
            ),
            "unknown": UNKNOWN,
            "sequential": SEQUENTIAL,
            "kinds": [
                {"name": kind, "label": label(kind), "meaning": meaning(kind)} for kind in maps.mean
            ],
            "statistics": [
                {"name": name, "label": named, "unit": unit, "meaning": explained}
                for name, named, unit, explained in statistics(maps)
            ],
            "layers": list(range(layers_of(maps))),
            "ticks": layer_names(range(layers_of(maps))),
            "heads": int(maps.entropy.shape[1]),
            "tokens": maps.seen,
            "whole": maps.whole,
            "beside": maps.beside,
            "nearly_even": NEARLY_EVEN,
            "story": story(maps, self.query, self.layer, self.on),
            "on": self.on,
            "columns": columns_of(maps),
            "headed": list(maps.heads),
            "sinks": [int(1 + sink) for sink in maps.sinks],
            "sinks_in": sinks_by_layer(maps),
            "steps": self.steps,
            "query": int(self.query),
            "layer": int(self.layer),
            "scalings": list(SCALES),
            "outlines": [line for mask in self.truth.values() for line in outlines(mask)],
            "notes": self.notes,
            "table": {"head": list(TABLE_HEAD), "rows": IN_TABLE},
            "words": page_words(maps.picture.image.shape, words(maps)),
        }
