"""Where does a patch look, layer by layer and head by head, and does it look at the thing it
belongs to?

Payload: head means and class rows as square roots in a few steps, deflated. A handful of tokens get
so much attention that they would spoil the steps of everyone else in their row: the query itself,
[class] and the sinks. They travel beside it, nearly exactly.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..checks import expect, layer_of
from ..results.findings import AttentionMaps
from .lettering import one_line
from .payload import BUDGET, SQUARE_ROOT, Arrays, Coding, Header, Payload, Step, pack
from .pictures import picture_header
from .scales import SEQUENTIAL, colour_table
from .viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = {
    "qk": ("q-k", "queries with keys, the model's own attention"),
    "vv": ("v-v", "values with values, which CLIP Surgery puts in its place"),
    "qq": ("q-q", "queries with queries"),
    "kk": ("k-k", "keys with keys"),
}
STATISTICS = (
    (
        "entropy",
        "entropy",
        "bits",
        "mean entropy of the head's rows; the highest possible means that it looks everywhere "
        "alike",
    ),
    ("distance", "mean distance", "patches", "mean distance between a patch and what it looks at"),
    ("on_class", "share on [class]", "", "mean weight that patches give to the class token"),
)
MOST_LIFTED = 8  # sinks that travel exactly
PHOTO_BYTES = 20_000  # larger than this as PNG is sent as JPEG
Steps = Literal[255, 63, 31, 23, 15]
# finest first
CODINGS: dict[int, Coding] = {steps: coding for coding, steps in SQUARE_ROOT.items()}


class LayerAttentionViewer(Viewer):
    """Attention of every layer: point at a patch of the image and see where it looks, by q-k and by
    v-v.

    Parameters
    ----------
    maps : from `clipxai.attention_maps`; single heads answer for [class] only, and for every patch
        in the layers of `maps.with_heads`
    query : patch (row, column) whose attention is shown first; by default the one that the class
        token looks at most in the last layer
    layer : number of the layer that is shown first (negative: from the last); by default the one
        where two kinds differ most
    steps : 15, 23, 31, 63 or 255; weights travel in so many steps of their square root. More are
        finer and need more bytes: the error is at most 1/steps of the largest weight of the row.
        The query itself, [class] and the sinks do not count: they are right to 0.00001
    budget : most bytes the interactive figure's data may take; what is given up for it is said on
        the figure

    Raises
    ------
    TypeError : no AttentionMaps
    ValueError : it holds no kind or shapes that do not fit its grid, an unknown number of bits
    IndexError : no such patch or layer

    Examples
    --------
    >>> viewer = LayerAttentionViewer(attention_maps(trace), query=(6, 4))  # doctest: +SKIP
    >>> viewer.save("attention.html")  # doctest: +SKIP
    """

    module = "attention"
    # smaller than of others: the numbers of this figure need the room
    poster_bytes = {"png": 44_000, "webp": 46_000}
    poster_step, poster_quality = 16, 60

    def __init__(
        self,
        maps: AttentionMaps,
        *,
        query: tuple[int, int] | None = None,
        layer: int | None = None,
        steps: Steps = 23,
        budget: int = BUDGET,
    ) -> None:
        if steps not in CODINGS:
            raise ValueError(f"steps is one of {', '.join(map(str, CODINGS))}, not {steps!r}")
        self._chosen = query is None and layer is None
        self.maps, self.steps, self.budget = _checked(maps), steps, budget
        self.query = telling_query(maps) if query is None else _token(maps, query)
        self.layer = telling_layer(maps, self.query) if layer is None else _layer(maps, layer)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        named = one_line(self.maps.picture.provenance.get("model", "a model"))
        kinds = " and ".join(label(kind) for kind in self.maps.mean)
        return f"Where each patch looks in {layers_of(self.maps)} layers of {named}, by {kinds}"

    @property
    def notes(self) -> list[str]:
        """What the kinds of attention are, and why this patch and layer are shown first."""
        kinds = "; ".join(": ".join(KINDS[kind]) for kind in self.maps.mean if kind in KINDS)
        chosen = (
            "Shown first: the patch that [class] looks at most in the last layer"
            f"{_differ(self.maps)}."
        )
        return [*([f"{kinds}."] if kinds else []), *([chosen] if self._chosen else [])]

    def kept(self) -> "LayerAttentionViewer":
        """The same figure with single heads for [class] only."""
        fewer = copy(self)
        fewer.maps = replace(self.maps, heads={})
        return fewer

    def figure(self) -> "Figure":
        """What the viewer shows first: the image with the query marked, its attention in one layer
        and in all layers, rollout.
        """
        from .attention_figure import attention_figure

        return attention_figure(self.maps, self.query, self.layer, KINDS, self.notes)

    def payload(self) -> Payload:
        """Weights of every kind, statistics of every head, rollout, colour table, photo and words.

        For each kind: `mean_*` (L, N, N) and `class_*` (L, H, N) without what travels beside them
        as u16: `own_*` (L, N), a query's weight for itself, `columns_*` (L, C, N) and
        `class_columns_*` (L, H, C), the weights for the tokens `header["columns"]`. Heads of the
        layers `header["headed"]` one after the other, `heads_*` (K * H, N, N), with `heads_own_*`
        and `heads_columns_*`.
        """
        columns = [0, *(1 + sink for sink in self.maps.sinks[:MOST_LIFTED])]
        arrays: Arrays = {
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
            "rollout": (self.maps.rollout, "f32"),
        }
        arrays |= {name: (getattr(self.maps, name), "f32") for name, *_ in STATISTICS}
        coding = CODINGS[self.steps]
        for kind in self.maps.mean:
            rest, own, lifted = lift(self.maps.mean[kind], columns)
            rows = self.maps.class_rows[kind]
            arrays |= {
                f"mean_{kind}": (rest, coding),
                f"own_{kind}": (own, "u16"),
                f"columns_{kind}": (lifted, "u16"),
            }
            arrays |= {
                f"class_{kind}": (_without(rows, columns), coding),
                f"class_columns_{kind}": (rows[..., columns], "u16"),
            }
        headed = list(self.maps.heads)
        arrays |= self._heads(headed, columns)
        rungs = [steps for steps in CODINGS if steps <= self.steps]
        coarser: list[Step] = [
            (
                f"To keep the figure small, weights travel in {low} steps of their square root "
                f"instead of {high}.",
                _rounding(low),
            )
            for high, low in pairwise(rungs)
        ]
        fewer: list[Step] = [
            (
                f"To keep the figure small, every second {which} is left out; the last one stays.",
                _every_second_layer,
            )
            for which in ("layer", "of the other layers", "of the layers still there")
        ]
        without: list[Step] = [
            (
                f"To keep the figure small, layer {headed[n]} has single heads for [class] only.",
                self._dropping_heads(headed[:n], columns),
            )
            for n in reversed(range(len(headed)))
        ]
        return pack(
            self._header(columns), arrays, self.budget, [*without, *coarser, *fewer], deflate=True
        )

    def _heads(self, layers: Sequence[int], columns: list[int]) -> Arrays:
        """Every head's weights in some layers, taken apart as the means are."""
        found: Arrays = {}
        for kind in self.maps.mean if layers else ():
            rest, own, lifted = lift(
                np.concatenate([self.maps.heads[layer][kind] for layer in layers]), columns
            )
            found |= {
                f"heads_{kind}": (rest, CODINGS[self.steps]),
                f"heads_own_{kind}": (own, "u16"),
                f"heads_columns_{kind}": (lifted, "u16"),
            }
        return found

    def _dropping_heads(
        self, layers: list[int], columns: list[int]
    ) -> Callable[[Header, Arrays], tuple[Header, Arrays]]:
        """What leaves heads in these layers only."""

        def lighten(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
            others = {
                name: array for name, array in arrays.items() if not name.startswith("heads_")
            }
            return {**header, "headed": layers}, others | self._heads(layers, columns)

        return lighten

    def _header(self, columns: list[int]) -> Header:
        return {
            "summary": self.summary,
            **picture_header(self.maps.picture, PHOTO_BYTES),
            "kinds": [
                {"name": kind, "label": label(kind), "meaning": KINDS.get(kind, (kind, ""))[1]}
                for kind in self.maps.mean
            ],
            "statistics": [
                {"name": n, "label": label, "unit": unit, "meaning": meaning}
                for n, label, unit, meaning in STATISTICS
            ],
            "layers": list(range(layers_of(self.maps))),
            "heads": int(self.maps.entropy.shape[1]),
            "columns": columns,
            "headed": list(self.maps.heads),
            "sinks": [int(1 + sink) for sink in self.maps.sinks],
            "steps": self.steps,
            "query": int(self.query),
            "layer": int(self.layer),
            "notes": self.notes,
        }


def label(kind: str) -> str:
    """A kind of attention as people write it: q-k for "qk"."""
    return KINDS.get(kind, (kind, ""))[0]


def layers_of(maps: AttentionMaps) -> int:
    """L."""
    return len(maps.entropy)


def telling_query(maps: AttentionMaps) -> int:
    """Token to begin with: the patch that the class token looks at most in the last layer, sinks
    excepted.
    """
    weights = np.nan_to_num(next(iter(maps.mean.values()))[-1, 0, 1:])
    weights[list(maps.sinks)] = -1
    return 1 + int(weights.argmax())


def telling_layer(maps: AttentionMaps, query: int) -> int:
    """Layer to begin with: where the first two kinds differ most for a query token; the last if
    there is one kind only.
    """
    if len(maps.mean) == 1:
        return layers_of(maps) - 1
    first, second = (np.nan_to_num(values[:, query, 1:]) for values in list(maps.mean.values())[:2])
    return int(np.abs(first - second).sum(-1).argmax())


def _differ(maps: AttentionMaps) -> str:
    return (
        f", in the layer where {' and '.join(map(label, list(maps.mean)[:2]))} differ most for it"
        if len(maps.mean) > 1
        else ""
    )


def lift(weights: np.ndarray, columns: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take a few tokens out of weights (L, N, N): the rest with 0 in their place, own weights (L,
    N) and columns (L, C, N).
    """
    tokens = np.arange(weights.shape[-1])
    rest = _without(weights, columns)
    rest[:, tokens, tokens] = 0
    return rest, weights[:, tokens, tokens], np.swapaxes(weights[..., columns], 1, 2)


def _without(weights: np.ndarray, columns: list[int]) -> np.ndarray:
    rest = weights.copy()
    rest[..., columns] = 0
    return rest


def _rounding(steps: int) -> Callable[[Header, Arrays], tuple[Header, Arrays]]:
    """What makes every square root coarser."""

    def lighten(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
        coding = CODINGS[steps]
        coarser = {
            name: (values, coding if old in SQUARE_ROOT else old)
            for name, (values, old) in arrays.items()
        }
        return {**header, "steps": steps}, coarser

    return lighten


def _every_second_layer(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    kept = np.arange(len(header["layers"]))[::-1][::2][::-1]
    fewer = {
        name: (values if name == SEQUENTIAL else np.asarray(values)[kept], coding)
        for name, (values, coding) in arrays.items()
    }
    first = int(np.abs(kept - header["layer"]).argmin())  # `layer` counts those that are shown
    return {**header, "layers": [header["layers"][n] for n in kept], "layer": first}, fewer


def _checked(maps: AttentionMaps) -> AttentionMaps:
    expect(AttentionMaps, maps, "attention_maps")
    if not maps.mean:
        raise ValueError(
            "there is no attention to show: kinds is empty, ask attention_maps for 'qk', 'vv' or "
            "both"
        )
    N, (L, H) = 1 + maps.picture.grid.patches, maps.entropy.shape
    for kind, mean in maps.mean.items():
        if (
            mean.shape != (L, N, N)
            or kind not in maps.class_rows
            or maps.class_rows[kind].shape != (L, H, N)
        ):
            raise ValueError(
                f"attention {kind!r} has shape {mean.shape}, but {L} layers and {N - 1} patches "
                f"make {(L, N, N)}"
            )
    return maps


def _token(maps: AttentionMaps, query: tuple[int, int]) -> int:
    grid, (row, column) = maps.picture.grid, query
    if not (0 <= row < grid.height and 0 <= column < grid.width):
        raise IndexError(
            f"no patch in row {row}, column {column}: the grid has {grid.height} rows and "
            f"{grid.width} columns"
        )
    return 1 + row * grid.width + column


def _layer(maps: AttentionMaps, layer: int) -> int:
    return layer_of(layers_of(maps), layer)
