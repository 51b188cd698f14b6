"""What would the score be without each part? Every part changed by itself, many in one batch.

Formula    change(part) = cos(image, text) with the part changed - cos(image, text)
           estimate     = sum of (new - old) * d cos / d old: what a straight line says
Reads      the trace's streams, heads and FFN outputs. What stands before a part does not run again;
           of heads and modules not even their own block's beginning.
Returns    `Effects`: signed changes of a cosine; below 0 the part spoke for the text.
Reference  Ablation and causal tracing: Meng et al. 2022 (arXiv 2202.05262); attribution patching:
           Nanda 2023, Syed et al. 2023 (arXiv 2310.10348).
Misleads   Effects do not add up: two heads that do the same have none each, and a later layer may
           make up for what is taken away. Zeros are nothing a model has seen; a mean is nearer. An
           estimate is right for small changes, and taking a whole part away is none.

Axes: B images or texts, H heads, N tokens, D width, T texts, K variants of one layer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from torch import Tensor

from ..checks import Within, expect, number_of, of_its_kinds, several
from ..model.towers.block import Block, through
from ..results.findings import Effects, Picture
from ..trace.precision import unrounded
from ..trace.replay import WrittenOut, cosine, gradients, per_text
from ..trace.rules import Side, Source, Tower
from ..trace.sides import expect_texts
from ..trace.trace import Trace

Of = Literal["heads", "attention", "ffn", "blocks", "patches", "tokens", "words"]
IN_STREAM = ("patches", "tokens", "words")
CHECKED, PASSES = 4, 1.5  # most estimates that are run as well, most passes that it may take
TEXTS_AT_ONCE = 16  # that go back through the graph together: memory


@of_its_kinds
@unrounded
def effects(
    trace: Trace,
    of: Of = "heads",
    by: Literal["zero", "mean"] | Trace = "zero",
    *,
    layers: int | Sequence[int] | None = None,
    tower: Tower = "image",
    text: int | str = 0,
    image: int = 0,
    estimate: bool = False,
    batch: Annotated[int, Within(1, 4096)] = 64,
) -> Effects:
    """How the cosine of an image with every text changes when a part is changed, part by part.

    Parameters
    ----------
    trace : from `record`
    of : which parts: "heads", "attention", "ffn", "blocks"; "patches" or all "tokens" of the image
        or the "words" of a text, as they enter a layer
    by : what stands there instead, as in `ablate`: "zero", "mean", or what stood there in another
        `Trace` of one image or of this one's texts; that is causal tracing
    layers : which layers only, negative from the last. None: of heads and modules all, of patches
        and words the first, of tokens all
    tower : whose heads or modules, "image" or "text"; of a text tower, every text's own cosine
    text : whose words, by number or as written
    image : number of the image in the batch
    estimate : only to first order, by one forward pass and a backward pass for every text; the
        largest are run as well, so that the figure can say how far off they are
    batch : how many changed passes run together

    Returns
    -------
    `Effects`, equal to what `ablate` or `patch` gives part by part

    Raises
    ------
    TypeError : no Trace
    ValueError : no texts; a tower without blocks; a text tower that was changed already; another
        trace of another model or shape; a text without words
    IndexError : no such layer, image or text

    Examples
    --------
    >>> effects(trace, "attention", by="mean", layers=[6, 7])
    <effects of 2 attentions of the image tower on 4 texts by mean>
                a cat  a guitar      sky    grass
    as it is    0.324     0.449   -0.370   -0.230
    layer 6   -0.0521   +0.0627  +0.0064  -0.0219
    layer 7   -0.0175   +0.0065  +0.0253  +0.0167
    """
    expect(Trace, trace, "record")
    expect_texts(trace.model, trace.texts, "effects")
    picture, one = Picture.of(trace, image), trace.of(image)
    side = Side.of(one, "text" if of == "words" else tower)
    if tower == "text" and of in ("patches", "tokens"):
        raise ValueError(f"{of} are the image's: ask for of='words' of a text")
    if side.tower == "text" and side.edits:
        raise ValueError(
            "the text tower of this trace was changed already: effects start from it as it is"
        )
    asked = _asked(side, of, layers)
    number, words = 0, ()
    if of == "words":
        number = number_of(trace.texts, text, "text", "this trace")
        spans = trace.words(number)
        end = int(trace.model.text.end(trace.token_ids)[number])
        words = tuple(span for span in spans if span.stop <= end)
        if not words:
            raise ValueError(f"{trace.texts[number]!r} has no words")
    source = Source.of(one, by, None)
    parts = _Parts(side, of, source, words, number)
    found = (_estimated if estimate else _measured)(parts, asked, batch)
    texts = (trace.texts[number],) if of == "words" else trace.texts
    whole = (one.image_features @ one.text_features.T)[0].cpu().numpy()
    checked = _checked(parts, found, asked) if estimate else {}
    own = whole[number : number + 1] if of == "words" else whole
    other, gap = None, None
    if isinstance(by, Trace):
        other = Picture.of(by, 0) if side.tower == "image" else None
        gap = _whole_of(one, by, side.tower, number if of == "words" else None) - own
    return Effects(
        picture,
        texts,
        of,
        by if isinstance(by, str) else "another pass",
        side.tower,
        change=found,
        similarity=own,
        layers=asked,
        words=tuple(span.text for span in words),
        estimated=estimate,
        checked=checked,
        other=other,
        gap=gap,
    )


def _whole_of(one: Trace, by: Trace, tower: Tower, text: int | None) -> np.ndarray:
    """(T,) cosines where all of a tower is that of another pass."""
    if tower == "image":
        return (by.image_features @ one.text_features.T)[0].cpu().numpy()
    theirs = by.text_features.expand_as(one.text_features)  # one text for all, or each its own
    whole = (one.image_features @ theirs.T)[0].cpu().numpy()
    return whole if text is None else whole[text, None]


def _asked(side: Side, of: Of, layers: int | Sequence[int] | None) -> tuple[int, ...]:
    if layers is None:
        return (0,) if of in ("patches", "words") else tuple(range(len(side.tapes)))
    asked = tuple(side.layer(number) for number in several(layers))
    if not asked:
        raise ValueError("layers=[] asks about nothing: name at least one, or leave it out")
    return asked


@dataclass(frozen=True, eq=False)
class _Parts:
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
        weights = counted.to(old) / counted.sum(-1, keepdim=True)
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


@torch.no_grad()
def _measured(parts: _Parts, layers: Sequence[int], batch: int) -> np.ndarray:
    """(layers, ..., T) by running every changed pass to its end."""
    way, found = _Rest(parts), []
    for layer in layers:
        rows = []
        for start, between, streams in _variants(parts, layer, batch):
            rows.append(way.scores(start, between, streams))
        found.append(torch.cat(rows) - way.whole)  # K T
    return _shaped(torch.stack(found), parts)


@torch.no_grad()
def _checked(
    parts: _Parts, estimates: np.ndarray, layers: Sequence[int]
) -> dict[tuple[int, ...], np.ndarray]:
    """Place -> (T,) the true effects of the parts with the largest estimates."""
    way, size = _Rest(parts), np.nan_to_num(abs(estimates)).max(-1)
    largest = np.argsort(-size, axis=None, kind="stable")[:CHECKED]
    found, L = {}, len(parts.blocks)
    left = PASSES * L  # blocks that may run
    for place in (tuple(map(int, np.unravel_index(n, size.shape))) for n in largest):
        left -= L - layers[place[0]]
        if found and left < 0:
            break
        [variant] = _variants(parts, layers[place[0]], 1, slice(place[-1], place[-1] + 1))
        found[place] = (way.scores(*variant) - way.whole)[0].float().cpu().numpy()
    return found


def _variants(
    parts: _Parts, layer: int, batch: int, asked: slice = slice(None)
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
        between = entering + parts.merged(layer, new.clone())
        if parts.of == "blocks":
            instead = parts.instead(layer, "ffn", parts.ffn(layer, between))
            yield layer + 1, False, (between + instead)[None]
        else:
            yield layer, True, between[None]
        return
    H = old.shape[1]
    every = torch.eye(H, dtype=torch.bool, device=old.device)[:, None, :, None, None]
    few = max(1, batch // len(old))
    for some in every[asked].split(few):
        mixed = torch.where(some, new, old)  # K B H N d
        attention = parts.merged(layer, mixed.flatten(0, 1))
        yield layer, True, entering + attention.unflatten(0, mixed.shape[:2])


class _Rest:
    """A pass from somewhere in it to its end, and the scores there."""

    def __init__(self, parts: _Parts) -> None:
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
        told |= dict(edit=self.edits.on(), mix=self.edits.mix(start, self.side.causal))
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


def _estimated(parts: _Parts, layers: Sequence[int], batch: int) -> np.ndarray:
    """(layers, ..., T) to first order: one pass to the end, and back for every text."""
    way, first, kept = _Rest(parts), min(layers), dict[tuple[int, str], Tensor]()
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
    return _shaped(torch.cat(found, dim=-1), parts)


@torch.no_grad()
def _to_first_order(parts: _Parts, layer: int, slopes: dict[tuple[int, str], Tensor]) -> Tensor:
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


def _shaped(found: Tensor, parts: _Parts) -> np.ndarray:
    """(layers, K, T) as `Effects` has it: whole modules are one a layer."""
    modules = parts.of in ("attention", "ffn", "blocks")
    return (found[:, 0] if modules else found).float().cpu().numpy()
