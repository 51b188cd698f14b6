"""What would the score be without each part, to first order, and how far off is that?

Axes: B images or texts, H heads, N tokens, D width, T texts, K variants of one layer.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..model.towers.block import through
from ..trace.replay import WrittenOut, gradients, per_text
from .effect_parts import IN_STREAM, Parts, Rest, shaped, variants

CHECKED, PASSES = 4, 1.5  # most estimates that are run as well, most passes that it may take
TEXTS_AT_ONCE = 16  # that go back through the graph together: memory


def estimated(parts: Parts, layers: Sequence[int], batch: int) -> np.ndarray:
    """(layers, ..., T) to first order: one pass to the end, and back for every text."""
    way, first, kept = Rest(parts), min(layers), dict[tuple[int, str], Tensor]()
    places = {"heads": ("heads",), "attention": ("heads",), "ffn": ("ffn",)}
    wanted = places.get(parts.of, ("residual",) if parts.of in IN_STREAM else ("attention", "ffn"))
    own = way.edits.on(first)

    def keep(layer: int, place: str, tensor: Tensor) -> Tensor:
        tensor = own(layer, place, tensor) if own else tensor
        if place in wanted and layer in layers:
            kept[layer, place] = tensor
        return tensor

    with gradients():
        x = parts.stood(first, "residual").clone().requires_grad_()
        told = dict(grid=way.trace.grid) if way.image else {}
        written = WrittenOut(parts.side.causal, way.edits, first)
        told |= dict(mix=written, edit=keep, first=way.first)
        stream = through(parts.blocks, x, start=first, **told)
        found = []
        for scores in way.ended(stream).split(TEXTS_AT_ONCE, dim=-1):
            slopes = dict(zip(kept, per_text(scores, list(kept.values()), keep=True), strict=True))
            found.append(torch.stack([_to_first_order(parts, n, slopes) for n in layers]))
    return shaped(torch.cat(found, dim=-1), parts)


@torch.no_grad()
def _to_first_order(parts: Parts, layer: int, slopes: dict[tuple[int, str], Tensor]) -> Tensor:
    """(K, T) of a layer; slopes (T, B, ..., N, D or d), of a text tower (1, B, ...)."""
    if parts.of in IN_STREAM:
        old, new, at = parts.in_stream(layer)
        # what is new depends on the part where it is a mean
        slope = slopes[layer, "residual"]
        slope = slope[:, 0] if parts.side.tower == "image" else slope[0]  # T N D
        worth = torch.einsum("tnd,knd->ktn", slope, new - old)
        return (worth * at[:, None]).sum(-1)
    added = []
    for (there, place), slope in slopes.items():
        if there == layer:
            old = parts.stood(layer, place)
            change = parts.instead(layer, place, old) - old  # B (H) N D
            of_text = slope[:, 0] if parts.side.tower == "image" else slope[0]  # T (H) N D
            read = change[..., : of_text.shape[-2], :]  # of the last block less may be read
            added.append((of_text * read).sum((-1, -2)))  # T, of heads T H
    if parts.of == "heads":
        return added[0].T
    return sum(one.flatten(1).sum(1) if one.ndim > 1 else one for one in added)[None]


@torch.no_grad()
def checked(
    parts: Parts, estimates: np.ndarray, layers: Sequence[int]
) -> dict[tuple[int, ...], np.ndarray]:
    """Place -> (T,) the true effects of the parts with the largest estimates."""
    way, size = Rest(parts), np.nan_to_num(abs(estimates)).max(-1)
    largest = np.argsort(-size, axis=None, kind="stable")[:CHECKED]
    found, L = {}, len(parts.blocks)
    left = PASSES * L  # blocks that may run
    for place in (tuple(map(int, np.unravel_index(n, size.shape))) for n in largest):
        left -= L - layers[place[0]]
        if found and left < 0:
            break
        [variant] = variants(parts, layers[place[0]], 1, slice(place[-1], place[-1] + 1))
        found[place] = (way.scores(*variant) - way.whole)[0].float().cpu().numpy()
    return found
