"""What is changed on the way through a tower? Rules that a pass obeys whenever it runs again.

A rule says what stands at a place of a block instead: zeros, a mean, or what stood there in another
pass. `Edits` holds the rules of one tower. A `Trace` keeps them, so whoever runs a part of its pass
again (gradients, covered pictures, other images) runs the changed model, not the recorded one.

Axes: B batch (images or texts), H heads, N tokens, D width, d = D / H.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.towers.block import BlockTape, Heads, LayerEdit, Mix, Place, attend
from ..model.towers.tower import ImageTower

Value = Literal["zero", "mean"] | Tensor


@dataclass(frozen=True, eq=False)
class Edit:
    """One rule: at this place of this block stands something else.

    Attributes
    ----------
    layer, place : where; "hidden" is who may not look at whom
    value : what stands there: zeros, the mean over the batch member's tokens, or numbers of the
        place's shape, for all the batch or for each of it; for "hidden" (1 or H, N, N) bool
    said : the same for people
    heads, tokens : which of them; None is all
    among : tokens that a mean is over, those that are changed left out; None is all
    row : which of the batch; None is all
    heads_of : q, k, v that heads have instead, where `value` is what they read
    """

    layer: int
    place: Place | Literal["hidden"]
    value: Value
    said: str
    heads: tuple[int, ...] | None = None
    tokens: tuple[int, ...] | None = None
    among: tuple[int, ...] | None = None
    row: int | None = None
    heads_of: Heads | None = None

    @property
    def anywhere(self) -> bool:
        """Whether any image or text can be asked for it, not only the one it was made for."""
        return isinstance(self.value, str) and self.tokens is None and self.row is None

    @property
    def whole_heads(self) -> bool:
        """Whether it shows in q, k and v: heads that read one thing everywhere, or another's."""
        constant = isinstance(self.value, str) or self.heads_of is not None
        return self.place == "heads" and self.tokens is None and constant

    def of(self, images: slice | list[int]) -> "Edit":
        """The same of some of the batch."""
        if self.place == "hidden" or isinstance(self.value, str) or len(self.value) == 1:
            return self
        heads = self.heads_of and tuple(part[images] for part in self.heads_of)
        return replace(self, value=self.value[images], heads_of=heads)

    def follows(self, other: "Edit") -> bool:
        """Whether both are means over the tokens that neither changes."""
        alike = (self.layer, self.place, self.row) == (other.layer, other.place, other.row)
        means = self.value == other.value == "mean" if isinstance(self.value, str) else False
        return alike and means and None not in (self.tokens, other.tokens)

    def apply(self, tensor: Tensor, lengths: Tensor | None) -> Tensor:
        """What goes on instead of `tensor`, (B, N, D) or (B, H, N, d)."""
        new, changed = self._new(tensor, lengths), tensor.clone()
        batch = slice(None) if self.row is None else slice(self.row, self.row + 1)
        at = [batch, slice(None)] if self.place == "heads" else [batch]
        target, new = changed[tuple(at)], new.expand_as(tensor)[tuple(at)]
        where = torch.ones(target.shape[:-1], dtype=torch.bool, device=tensor.device)
        if self.heads is not None:
            where &= _among(self.heads, where.shape[1], where.device)[:, None]
        if self.tokens is not None:
            where &= _among(self.tokens, where.shape[-1], where.device)
        changed[tuple(at)] = torch.where(where[..., None], new, target)
        return changed

    def _new(self, tensor: Tensor, lengths: Tensor | None) -> Tensor:
        if isinstance(self.value, Tensor):
            times = len(tensor) // len(self.value)  # the batch innermost, as in `replay`
            stacked = times > 1 and len(self.value) > 1
            value = self.value.repeat(times, *[1] * (tensor.ndim - 1)) if stacked else self.value
            return value.to(tensor)
        if self.value == "zero":
            return torch.zeros_like(tensor)
        N = tensor.shape[-2]
        counted = _among(range(N) if self.among is None else self.among, N, tensor.device)
        kept = counted & ~_among(self.tokens or (), N, tensor.device)
        counted = (kept if kept.any() else counted).expand(len(tensor), N)
        if lengths is not None:
            counted = counted & (torch.arange(N, device=tensor.device) < lengths[:, None])
        weights = counted.to(tensor) / counted.sum(-1, keepdim=True)
        weights = weights[:, None, :, None] if tensor.ndim == 4 else weights[..., None]
        return (tensor * weights).sum(-2, keepdim=True)


@dataclass(frozen=True, eq=False)
class Edits:
    """All rules of one tower, in the order in which they were made."""

    made: tuple[Edit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.made)

    def also(self, new: "Edits") -> "Edits":
        """These rules, and then others. Tokens that become a mean become one mean together, so two
        steps are one.
        """
        made = list(self.made)
        for edit in new.made:
            same = next((n for n, old in enumerate(made) if edit.follows(old)), None)
            if same is None:
                made.append(edit)
            else:
                tokens = tuple(sorted({*made[same].tokens, *edit.tokens}))
                said = f"{made[same].said}; {edit.said}"
                made[same] = replace(made[same], tokens=tokens, said=said)
        return Edits(tuple(made))

    @property
    def of_all(self) -> "Edits":
        """Those that are not for one text alone: words taken out of it were no other's."""
        return Edits(tuple(edit for edit in self.made if edit.row is None))

    @property
    def first(self) -> int:
        """The first block that is changed."""
        return min(edit.layer for edit in self.made)

    def expect_anywhere(self, what: str) -> None:
        """A ValueError if other images, or texts, cannot go through the changed tower."""
        bound = said("", Edits(tuple(edit for edit in self.made if not edit.anywhere)))
        if bound:
            raise ValueError(
                f"this trace's {what} tower was changed for its own {what}s only ({bound}), so no "
                f"other {what} can go through it: record all of them, and change the pass then"
            )

    def at(self, layer: int, *places: str) -> list[Edit]:
        """The rules of some places of a block, negative from the last of so many as are known."""
        return [edit for edit in self.made if edit.layer == layer and edit.place in places]

    def of(self, images: slice | list[int]) -> "Edits":
        """The same of some of the batch."""
        return Edits(tuple(edit.of(images) for edit in self.made))

    def hidden(self, layer: int) -> Tensor | None:
        """(1 or H, N, N) who may not look at whom in a block; None: everybody at everybody."""
        masks = [edit.value for edit in self.at(layer, "hidden")]
        return reduce(torch.logical_or, masks) if masks else None

    def mix(self, start: int, causal: bool) -> Mix | None:
        """How tokens read one another from block `start` on, where somebody may not look."""
        if not any(edit.place == "hidden" for edit in self.made):
            return None
        return _Mixing(self, start, causal)

    def on(self, entered: int | None = None) -> LayerEdit | None:
        """What `through` is told; the stream entering block `entered` is as it comes."""
        edit = self._kept({}, None)

        def behind(layer: int, place: Place, tensor: Tensor) -> Tensor:
            there = (layer, place) == (entered, "residual")
            return tensor if there else edit(layer, place, tensor)

        return behind if self.made else None

    def pixels(self, tower: ImageTower, pixels: Tensor, mix: Mix | None = None) -> Tensor:
        """(B, E) the whole image, not normalised, of pixels (B, 3, h, w) through a changed tower.

        `mix` is how tokens read one another, if it knows by itself who may not.
        """
        told = dict(edit=self._kept({}, None), mix=mix or self.mix(0, causal=False))
        return tower.tokens(tower(pixels, **told))[:, 0]

    def _kept(self, reads: dict[int, Tensor], lengths: Tensor | None) -> LayerEdit:
        def edit(layer: int, place: Place, tensor: Tensor) -> Tensor:
            for rule in self.at(layer, place):
                tensor = rule.apply(tensor, lengths)
                if place == "heads":
                    reads[layer] = tensor
            return tensor

        return edit

    def recorded(
        self, run: Callable[..., Tensor], start: int, causal: bool, lengths: Tensor | None = None
    ) -> tuple[list[BlockTape], Tensor]:
        """Tapes and stream of `run(edit=, mix=, tape=)`, which runs the blocks from `start` on."""
        tapes: list[BlockTape] = []
        reads: dict[int, Tensor] = {}
        edit = self._kept(reads, lengths) if self.made else None
        stream = run(edit=edit, mix=self.mix(start, causal), tape=tapes)
        told = (self._tape(start + n, tape, reads, causal) for n, tape in enumerate(tapes))
        return list(told), stream

    def _tape(
        self, layer: int, tape: BlockTape, reads: dict[int, Tensor], causal: bool
    ) -> BlockTape:
        """A tape whose attention, applied to its values, is what the heads read.

        A head that reads the same everywhere has that for its values, one that reads what another
        pass read has its q, k, v. What cannot be said like that stands in `read`.
        """
        hidden, rules = self.hidden(layer), self.at(layer, "heads")
        tape = ChangedTape(**vars(tape), hidden=hidden)
        swapped = any(rule.heads_of is not None for rule in rules)
        if any(not rule.whole_heads for rule in rules) or (swapped and hidden is not None):
            return replace(tape, read=reads[layer])
        if any(rule.tokens is not None for rule in self.at(layer, "attention")):
            return replace(tape, read=tape.weights(causal=causal) @ tape.v)
        for rule in rules:
            heads = _among(
                range(tape.v.shape[1]) if rule.heads is None else rule.heads, tape.v.shape[1]
            )
            where = heads.to(tape.v.device)[:, None, None]
            q, k, v = rule.heads_of or (tape.q, tape.k, reads[layer])
            if rule.row is not None:
                rows = torch.arange(len(tape.v), device=tape.v.device) == rule.row
                where = where & rows[:, None, None, None]
            q, k, v = (
                torch.where(where, new, old)
                for new, old in zip((q, k, v), (tape.q, tape.k, tape.v))
            )
            tape = replace(tape, q=q, k=k, v=v)
        return tape

    def replaced(self, tokens: int) -> list[int]:
        """For each of so many tokens the block that it was last put in front of; 0: embedded."""
        since = [0] * tokens
        for edit in self.made:
            if edit.place == "residual":
                for token in range(tokens):
                    if edit.tokens is None or token in edit.tokens:
                        since[token] = max(since[token], edit.layer)
        return since


UNCHANGED = Edits()


class _Mixing:
    """A `Mix` that knows in which block it is asked, as it is asked once by each."""

    def __init__(self, edits: Edits, start: int, causal: bool) -> None:
        self.edits, self.layer, self.causal = edits, start, causal

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        hidden = self.edits.hidden(self.layer)
        self.layer += 1
        if hidden is None:
            return F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return attend_but(hidden, q, k, self.causal) @ v


def attend_but(hidden: Tensor | None, q: Tensor, k: Tensor, causal: bool = False) -> Tensor:
    """`attend`, (B, H, ., N), where those of `hidden` (., N) may not be looked at."""
    if hidden is None:
        return attend(q, k, causal)
    logits = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    if causal:
        hidden = hidden | torch.ones(logits.shape[-2:], device=q.device).triu(1).bool()
    return logits.masked_fill(hidden, float("-inf")).softmax(-1)


def said(before: str, *edits: "Edits") -> str:
    """What was done, for people, with `before` in front of it; "" where nothing was."""
    told = "; ".join(edit.said for some in edits for edit in some.made if edit.said)
    return told and before + told


@dataclass(frozen=True, eq=False)
class ChangedTape(BlockTape):
    """What a block of a changed pass did.

    Attributes
    ----------
    hidden : (1 or H, N, N) bool, who may not look at whom
    read : (B, H, N, d) what the heads read, where that is no longer their attention applied to `v`
    """

    hidden: Tensor | None = None
    read: Tensor | None = None

    def of(self, images: slice | list[int]) -> "ChangedTape":
        """The same of some of the batch; neighbours share its memory."""
        plain, read = super().of(images), self.read
        return ChangedTape(
            **vars(plain), hidden=self.hidden, read=read if read is None else read[images]
        )

    def weights(self, first: int | None = None, causal: bool = False) -> Tensor:
        """As `BlockTape.weights`, of those that could be looked at."""
        hidden = self.hidden if self.hidden is None else self.hidden[:, :first]
        return attend_but(hidden, self.q[:, :, :first], self.k, causal)


def _among(numbers: Iterable[int], count: int, device: torch.device | None = None) -> Tensor:
    """(count,) bool, true at the `numbers`."""
    found = torch.zeros(count, dtype=torch.bool, device=device)
    found[list(numbers)] = True
    return found
