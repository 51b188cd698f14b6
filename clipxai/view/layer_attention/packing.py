"""How does attention travel into a page?

Head means and class rows travel as square roots in a few steps, deflated. A handful of tokens get
so much attention that they would spoil the steps of everyone else in their row: the query itself,
[class] and the sinks. They travel beside it, nearly exactly.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from ...results.findings import AttentionMaps
from ..payload import SQUARE_ROOT, Arrays, Coding, Header, Step
from ..scales import SEQUENTIAL, colour_table
from ..sentences import layer_names
from .content import reads
from .sentences import statistics

MOST_LIFTED = 8  # sinks that travel exactly
Steps = Literal[255, 63, 31, 23, 15]
Lighten = Callable[[Header, Arrays], tuple[Header, Arrays]]
# finest first
CODINGS: dict[int, Coding] = {steps: coding for coding, steps in SQUARE_ROOT.items()}


def columns_of(maps: AttentionMaps) -> list[int]:
    """Tokens that travel beside the others: [class], or what else is no patch, and the sinks."""
    return [0, *(1 + sink for sink in maps.sinks[:MOST_LIFTED])]


def arrays_of(maps: AttentionMaps, steps: Steps) -> Arrays:
    """Weights of every kind, statistics of every head, rollout and colour table; what a pool's
    query reads, `pool` (1 + heads, N), mean first.

    For each kind: `mean_*` (L, N, N) and `class_*` (L, H, N) without what travels beside them:
    `own_*` (L, N), a query's weight for itself, `columns_*` (L, C, N) and `class_columns_*`
    (L, H, C), the weights for the tokens `columns_of`. Heads of some layers follow: see `heads_of`.
    """
    columns, coding = columns_of(maps), CODINGS[steps]
    arrays: Arrays = {
        SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        "rollout": (maps.rollout, "f32"),
        **{name: (getattr(maps, name), "f32") for name, *_ in statistics(maps)},
    }
    read = reads(maps)
    if read is not None:
        arrays["pool"] = (np.concatenate([read.mean(0, keepdims=True), read]), "f32")
    for kind, mean in maps.mean.items():
        rest, own, lifted = lift(mean, columns)
        rows = maps.class_rows[kind]
        arrays |= {
            f"mean_{kind}": (rest, coding),
            f"own_{kind}": (own, "u16"),
            f"columns_{kind}": (lifted, "u16"),
            f"class_{kind}": (_without(rows, columns), coding),
            f"class_columns_{kind}": (rows[..., columns], "u16"),
        }
    return arrays | heads_of(maps, list(maps.heads), steps)


def heads_of(maps: AttentionMaps, layers: Sequence[int], steps: Steps) -> Arrays:
    """Every head's weights in some layers, one after the other, taken apart as the means are.

    `heads_*` (K * H, N, N), with `heads_own_*` and `heads_columns_*`.
    """
    found: Arrays = {}
    for kind in maps.mean if layers else ():
        weights = np.concatenate([maps.heads[layer][kind] for layer in layers])
        rest, own, lifted = lift(weights, columns_of(maps))
        found |= {
            f"heads_{kind}": (rest, CODINGS[steps]),
            f"heads_own_{kind}": (own, "u16"),
            f"heads_columns_{kind}": (lifted, "u16"),
        }
    return found


def lift(weights: np.ndarray, columns: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take a few tokens out of weights (L, N, N).

    Returns
    -------
    The rest with 0 in their place, own weights (L, N), and columns (L, C, N)
    """
    tokens = np.arange(weights.shape[-1])
    rest = _without(weights, columns)
    rest[:, tokens, tokens] = 0
    return rest, weights[:, tokens, tokens], np.swapaxes(weights[..., columns], 1, 2)


def _without(weights: np.ndarray, columns: list[int]) -> np.ndarray:
    rest = weights.copy()
    rest[..., columns] = 0
    return rest


def given_up(maps: AttentionMaps, steps: Steps) -> list[Step]:
    """What the figure may give up to keep its budget, in this order.

    Single heads layer by layer, then fineness, then every second layer.
    """
    headed = list(maps.heads)
    without: list[Step] = [
        (
            f"To keep the figure small, layer {headed[n]} has single heads for {maps.whole} only.",
            _dropping_heads(maps, headed[:n], steps),
        )
        for n in reversed(range(len(headed)))
    ]
    rungs = [rung for rung in CODINGS if rung <= steps]
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
    return [*without, *coarser, *fewer]


def _dropping_heads(maps: AttentionMaps, layers: list[int], steps: Steps) -> Lighten:
    """What leaves heads in these layers only."""

    def lighten(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
        others = {name: array for name, array in arrays.items() if not name.startswith("heads_")}
        return {**header, "headed": layers}, others | heads_of(maps, layers, steps)

    return lighten


def _rounding(steps: int) -> Lighten:
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
        name: (values if name in (SEQUENTIAL, "pool") else np.asarray(values)[kept], coding)
        for name, (values, coding) in arrays.items()
    }
    first = int(np.abs(kept - header["layer"]).argmin())  # `layer` counts those that are shown
    layers = [header["layers"][n] for n in kept]
    thinned = {"layers": layers, "ticks": layer_names(layers), "layer": first}
    return {**header, **thinned, "sinks_in": [header["sinks_in"][n] for n in kept]}, fewer
