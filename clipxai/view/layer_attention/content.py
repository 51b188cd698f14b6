"""Which numbers does the figure show first, and which weights set the scale of its colours?"""

from collections.abc import Mapping

import numpy as np

from ...checks import expect, layer_of
from ...results.findings import AttentionMaps, on_patches
from ...results.findings.attention import CLASS, POOL, SINK
from ..given import patch_at

OPACITY = 0.7  # of a map over the image
# of the largest weight: colour follows the square root, and 0.9 of a scale looks like its end
NEARLY_EVEN = 0.8
UNKNOWN = 221  # grey of a weight that is no number


def checked(maps: AttentionMaps) -> AttentionMaps:
    """The same maps, if their shapes fit one another; else a TypeError or ValueError."""
    expect(AttentionMaps, maps, "attention_maps")
    if not maps.mean:
        raise ValueError(
            "there is no attention to show: kinds is empty, ask attention_maps for 'qk', 'vv' or "
            "both"
        )
    N, (L, H) = 1 + maps.picture.grid.patches, maps.entropy.shape
    for kind, mean in maps.mean.items():
        rows = maps.class_rows.get(kind)
        if mean.shape != (L, N, N) or rows is None or rows.shape != (L, H, N):
            raise ValueError(
                f"attention {kind!r} has shape {mean.shape}, but {L} layers and {N - 1} patches "
                f"make {(L, N, N)}"
            )
    return maps


def layers_of(maps: AttentionMaps) -> int:
    """L."""
    return len(maps.entropy)


def layer_number(maps: AttentionMaps, layer: int) -> int:
    """A layer counted from 0, given so or from the last (negative); an IndexError if not there."""
    return layer_of(layers_of(maps), layer)


def token_at(maps: AttentionMaps, patch: tuple[int, int]) -> int:
    """The token of a patch (row, column); 0 is the whole image. An IndexError if not there."""
    return 1 + patch_at(maps.picture.grid, patch)


def patch_of(maps: AttentionMaps, token: int) -> tuple[int, int]:
    """Row and column of a token that is a patch."""
    return divmod(token - 1, maps.picture.grid.width)


def things_on(maps: AttentionMaps, truth: Mapping[str, np.ndarray]) -> list[str]:
    """What covers more than half of every patch (P), "" for none of what is known; nothing where
    nothing is.
    """
    names = [""] * maps.picture.grid.patches if truth else []
    for name, mask in truth.items():
        for patch in on_patches(mask, maps.picture.grid).nonzero()[0]:
            names[patch] = names[patch] or name
    return names


def middle_of(maps: AttentionMaps, truth: Mapping[str, np.ndarray]) -> int | None:
    """Token of the patch in the middle of the first thing that has patches: the one on the thing
    that lies next to the mean of them all. None where there is no such thing.
    """
    for mask in truth.values():
        patches = on_patches(mask, maps.picture.grid).nonzero()[0]
        if len(patches):
            places = np.stack(np.divmod(patches, maps.picture.grid.width))
            apart = np.hypot(*(places - places.mean(1, keepdims=True)))
            return 1 + int(patches[apart.argmin()])
    return None


def sinks_by_layer(maps: AttentionMaps) -> list[list[int]]:
    """Which of the sinks (tokens) are looked at so much in each layer, by the model's own gaze;
    where that was not asked for, all.
    """
    sinks = [int(1 + sink) for sink in maps.sinks]
    if "qk" not in maps.mean:
        return [sinks] * layers_of(maps)
    looking = slice(0 if maps.whole == CLASS else 1, None)  # a pool's row is no gaze of its own
    received = maps.mean["qk"][:, looking].mean(1) * maps.seen
    return [[sink for sink in sinks if layer[sink] > SINK] for layer in received]


def telling_query(maps: AttentionMaps) -> int:
    """Token to begin with: the patch that [class] looks at most in the last layer, or that a pool
    reads most; of a mean over patches, the one that they look at most in the last layer. No sink.
    """
    read = reads(maps)
    weights = np.nan_to_num(
        next(iter(maps.mean.values()))[-1, 0, 1:] if read is None else read.mean(0)[1:]
    )
    weights[list(maps.sinks)] = -1
    return 1 + int(weights.argmax())


def telling_layer(maps: AttentionMaps, query: int) -> int:
    """Layer to begin with: where the first two kinds differ most for a query token.

    The last one if there is one kind only.
    """
    if len(maps.mean) == 1:
        return layers_of(maps) - 1
    first, second, *_ = (np.nan_to_num(values[:, query, 1:]) for values in maps.mean.values())
    return int(np.abs(first - second).sum(-1).argmax())


def reads(maps: AttentionMaps) -> np.ndarray | None:
    """(heads, N) what a pool's learned query read of what is no patch, then of every patch; None
    where there is no such query.
    """
    if maps.whole != POOL:
        return None
    before = maps.pool.shape[-1] - maps.picture.grid.patches
    first = maps.pool[:, :before].sum(-1, keepdims=True)
    return np.concatenate([first, maps.pool[:, before:]], axis=-1)


def hidden_of(maps: AttentionMaps, query: int) -> list[int]:
    """Tokens that are left out of the scale: the query itself, what is no patch, and the sinks."""
    return sorted({0, query, *(1 + sink for sink in maps.sinks)})


def nearly_even(weights: np.ndarray) -> bool:
    """Whether weights (N,) of one row are so alike that their map has one colour."""
    return bool(weights.size and weights.max() > 0 and weights.min() >= NEARLY_EVEN * weights.max())


def top_of(weights: list[np.ndarray], hidden: list[int]) -> float:
    """Largest weight among arrays (..., N), hidden tokens aside; 0 if there is none."""
    shown = [np.delete(values, hidden, axis=-1) for values in weights]
    finite = np.concatenate([values[np.isfinite(values)] for values in shown])
    return float(finite.max(initial=0))
