"""Which parts can be changed one by one, and how does a changed pass go on to its scores?

Axes: B images or texts, H heads, N tokens, D width, T texts, K variants of one layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ..model.towers.block import Block, through
from ..trace.replay import cosine
from ..trace.rules import Side, Source

Of = Literal["heads", "attention", "ffn", "blocks", "patches", "tokens", "words"]
IN_STREAM = ("patches", "tokens", "words")


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts asked about, layer by layer: what each is, and what stands there instead.

    Of a text tower, its B texts are B passes, but of words only the one.
    """

    side: Side
    of: Of
    source: Source
    words: tuple
    text: int

    @property
    def blocks(self) -> Sequence[Block]:
        """Those of the tower."""
        model = self.side.trace.model
        return model.visual.blocks if self.side.tower == "image" else model.text.blocks

    def stood(self, layer: int, place: str) -> Tensor:
        """(B, ..., N, D or d) what stood at a place."""
        found = self.side.stands(layer, place)
        return found[self.text, None] if self.of == "words" else found

    def instead(self, layer: int, place: str, old: Tensor, but: Tensor | None = None) -> Tensor:
        """What stands there now, broadcast to `old`; a mean is over tokens (K, N) that stay."""
        value = self.source.value(self.side, layer, place)
        if isinstance(value, Tensor):
            return value[self.text, None] if self.of == "words" and len(value) > 1 else value
        if value == "zero":
            return torch.zeros_like(old)
        counted = self._counted(old) if but is None else but
        weights = counted.to(old) / counted.sum(-1, keepdim=True).to(old)
        shape = [len(weights), *[1] * (old.ndim - 3), old.shape[-2], 1]
        return (old * weights.view(shape)).sum(-2, keepdim=True)

    def _counted(self, old: Tensor) -> Tensor:
        """(B, N) tokens of a pass that a mean is over: those of its own text."""
        N, one = old.shape[-2], self.side.trace
        if self.side.tower == "image":
            return torch.ones(1, N, device=old.device)
        ends = one.model.text.end(one.token_ids)
        return torch.arange(N, device=old.device) <= ends[:, None]

    def merged(self, layer: int, read: Tensor) -> Tensor:
        """(B, N, D) what an attention adds whose heads read (B, H, N, d), as this pass has it."""
        added, edit = self.blocks[layer].merge(read), self.side.edits.on()
        return edit(layer, "attention", added) if edit else added

    def ffn(self, layer: int, x: Tensor) -> Tensor:
        """(B, N, D) what an FFN adds to a stream, as this pass has it."""
        added, edit = self.blocks[layer].ffn(x), self.side.edits.on()
        return edit(layer, "ffn", added) if edit else added

    def tokens(self, N: int) -> list[range]:
        """Places in the stream of the parts, where they stand in it."""
        if self.of == "words":
            return [range(span.start, span.stop) for span in self.words]
        before = N - self.side.trace.grids[0].patches if self.of == "patches" else 0
        return [range(n, n + 1) for n in range(before, N)]

    def in_stream(self, layer: int) -> tuple[Tensor, Tensor, Tensor]:
        """Old stream (1, N, D), the new (1 or K, N or 1, D), and (K, N) true where it stands."""
        old = self.stood(layer, "residual")
        parts, N = self.tokens(old.shape[1]), old.shape[1]
        at = torch.zeros(len(parts), N, dtype=torch.bool, device=old.device)
        for row, part in zip(at, parts):
            row[part.start : part.stop] = True
        stay = at.any(0) & ~at
        stay = torch.where(stay.any(-1, keepdim=True), stay, at.any(0))
        return old, self.instead(layer, "residual", old, stay), at


def variants(
    parts: Parts, layer: int, batch: int, asked: slice = slice(None)
) -> Iterator[tuple[int, bool, Tensor]]:
    """Changed streams (K, B, N, D) of a layer, a few at a time, the block they go on from, and
    whether they stand between its attention and its FFN; of heads and what stands in the stream
    only those `asked` for.
    """
    if parts.of in IN_STREAM:
        old, new, at = parts.in_stream(layer)
        new, at = new[asked] if len(new) > 1 else new, at[asked]
        for n in range(0, len(at), batch):
            some = slice(n, n + batch)
            few = new[some] if len(new) > 1 else new
            yield layer, False, torch.where(at[some, :, None], few, old)[:, None]
        return
    entering = parts.stood(layer, "residual")
    if parts.of == "ffn":
        between = entering + parts.stood(layer, "attention")
        instead = parts.instead(layer, "ffn", parts.stood(layer, "ffn"))
        yield layer + 1, False, (between + instead)[None]
        return
    if parts.of == "blocks" and parts.source.to == "zero":
        yield layer + 1, False, entering[None]
        return
    old = parts.stood(layer, "heads")  # B H N d
    new = parts.instead(layer, "heads", old).expand_as(old)
    if parts.of != "heads":
        added = parts.merged(layer, new.clone())
        if parts.of == "blocks":  # whatever was made of either before
            between = entering + parts.instead(layer, "attention", added)
            instead = parts.instead(layer, "ffn", parts.ffn(layer, between))
            yield layer + 1, False, (between + instead)[None]
        else:
            yield layer, True, (entering + added)[None]
        return
    H = old.shape[1]
    every = torch.eye(H, dtype=torch.bool, device=old.device)[:, None, :, None, None]
    few = max(1, batch // len(old))
    for some in every[asked].split(few):
        mixed = torch.where(some, new, old)  # K B H N d
        attention = parts.merged(layer, mixed.flatten(0, 1))
        yield layer, True, entering + attention.unflatten(0, mixed.shape[:2])


class Rest:
    """A pass from somewhere in it to its end, and the scores there."""

    def __init__(self, parts: Parts) -> None:
        self.parts, self.side, self.trace = parts, parts.side, parts.side.trace
        self.image = self.side.tower == "image"
        self.edits = self.side.edits
        # only what is read of the last block has to run, unless a rule knows its place by number
        class_only = self.image and "class_token" in self.trace.model.visual.has
        self.first = 1 if class_only and not self.edits else None
        own = (self.trace.image_features @ self.trace.text_features.T)[0].float()
        self.whole = own[parts.text, None] if parts.of == "words" else own

    def scores(self, start: int, between: bool, streams: Tensor) -> Tensor:
        """(K, T) of streams (K, B, N, D)."""
        blocks, last = self.parts.blocks, len(self.parts.blocks) - 1
        x = streams.flatten(0, 1)
        if between:
            x = x[:, : self.first] if start == last else x
            x, start = x + self.parts.ffn(start, x), start + 1
        told = dict(grid=self.trace.grid) if self.image else dict(causal=self.side.causal)
        # what enters stands behind the rules of its place
        entered = start if self.parts.of in IN_STREAM else None
        told |= dict(edit=self.edits.on(entered), mix=self.edits.mix(start, self.side.causal))
        x = through(blocks, x, start=start, first=self.first, **told)
        return self.ended(x).unflatten(0, streams.shape[:2]).squeeze(1 if self.image else -1)

    def ended(self, x: Tensor) -> Tensor:
        """(K B, T) of an image tower, (K B, 1) of a text tower, each text's own."""
        trace, model = self.trace, self.trace.model
        if self.image:
            only = x[:, :1] if "class_token" in model.visual.has else x
            return cosine(model.visual.tokens(only)[:, 0], trace.text_features)
        ends = model.text.end(trace.token_ids)
        ends = ends[self.parts.text, None] if self.parts.of == "words" else ends
        at = ends.repeat(len(x) // len(ends))
        read = model.text.read_out(x[torch.arange(len(x), device=x.device), at])
        return cosine(read, trace.image_features)


def shaped(found: Tensor, parts: Parts) -> np.ndarray:
    """(layers, K, T) as `Effects` has it: whole modules are one a layer."""
    modules = parts.of in ("attention", "ffn", "blocks")
    return (found[:, 0] if modules else found).float().cpu().numpy()
