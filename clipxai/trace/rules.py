"""How does what people name become rules? "Head 3 of layer 6, from that other pass".

Axes: B images, T texts, H heads, N tokens of a stream, P patches, gh gw grid, D width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect_kind, layer_of, number_of, shown, whole
from ..model.towers.block import BlockTape, Heads
from ..results.findings import on_patches
from .edits import ChangedTape, Edit, Edits, Value
from .sides import refuse
from .trace import Trace

Tower = Literal["image", "text"]
Module = Literal["residual", "heads", "attention", "ffn"]


@dataclass(frozen=True, eq=False)
class Side:
    """One tower of a trace, and what was recorded of it.

    Attributes
    ----------
    trace, tower : whose, and which
    tapes : one for each block
    edits : what was changed in it already
    causal : whether a token reads none that come after it
    """

    trace: Trace
    tower: Tower
    tapes: tuple[BlockTape, ...]
    edits: Edits
    causal: bool

    @classmethod
    def of(cls, trace: Trace, tower: Tower) -> "Side":
        """A ValueError where a tower has no blocks, or texts were not recorded as they are."""
        if tower == "image":
            trace.model.expect("a changed pass", "blocks")
            return cls(trace, tower, trace.layers, trace.edits, False)
        if not trace.text_layers:
            raise ValueError(
                "the passes of these texts were not kept, which a changed one begins from: record "
                "them as they are, neither in templates nor encoded before, by a model whose text "
                "tower is made of transformer blocks"
            )
        return cls(trace, tower, trace.text_layers, trace.text_edits, trace.model.text.causal)

    @property
    def tokens(self) -> int:
        """N, or the tokens of the longest text."""
        return self.tapes[0].q.shape[2]

    def layer(self, asked: int) -> int:
        """A block by its number, negative from the last. IndexError: no such block."""
        return layer_of(len(self.tapes), asked, f"the {self.tower} tower")

    def read(self, layer: int) -> Tensor:
        """(B, H, N, d) what the heads of a block read, as the pass itself computed it."""
        tape = self.tapes[layer]
        if isinstance(tape, ChangedTape) and tape.read is not None:
            return tape.read
        if isinstance(tape, ChangedTape) and tape.hidden is not None:
            return tape.weights(causal=self.causal) @ tape.v
        return F.scaled_dot_product_attention(tape.q, tape.k, tape.v, is_causal=self.causal)

    def stands(self, layer: int, place: Module) -> Tensor:
        """What stood at a place of a block: (B, N, D), or (B, H, N, d) of heads."""
        if place == "heads":
            return self.read(layer)
        found = getattr(self.tapes[layer], place)
        if found is None or found.shape[1] < self.tokens:
            refuse()
        return found

    def named_heads(self, layer: int, asked: Sequence[object]) -> tuple[int, ...]:
        """Heads by their numbers, negative from the last. IndexError: no such head."""
        count = range(self.tapes[layer].q.shape[1])
        where = f"layer {layer} of the {self.tower} tower"
        named = {number_of(count, head, "head", where) for head in asked}
        if not named:
            raise ValueError(f"no head of layer {layer} is named: give at least one, as {{6: [3]}}")
        return tuple(sorted(named))

    def named_tokens(self, asked: object) -> tuple[int, ...]:
        """Tokens by number, or by a mask (N,). IndexError: no such token."""
        return _numbers(asked, self.tokens, "token", f"a stream of the {self.tower} tower")

    def heads(self, asked: int, heads: Sequence[object] | None, source: "Source") -> Edit:
        """Heads of a block, or all of them, for all tokens."""
        layer = self.layer(asked)
        some = None if heads is None else self.named_heads(layer, heads)
        what = f"attention of layer {layer}"
        if some is not None:
            what = f"{counted('head', some)} of layer {layer}"
        value, heads_of = source.value(self, layer, "heads"), source.heads_of(self, layer)
        return Edit(layer, "heads", value, self._said(what, source), some, heads_of=heads_of)

    def module(
        self,
        asked: int,
        place: Module,
        source: "Source",
        what: str,
        tokens: tuple[int, ...] | None = None,
        heads: tuple[int, ...] | None = None,
    ) -> Edit:
        """What stands at a place of a block, for all tokens or some; `what` it is, for people."""
        layer = self.layer(asked)
        at = "" if tokens is None else f" at {counted('token', tokens)}"
        said = self._said(f"{what} of layer {layer}{at}", source)
        return Edit(layer, place, source.value(self, layer, place), said, heads, tokens)

    def block(self, asked: int, source: "Source") -> list[Edit]:
        """What attention and FFN of a block add; only the first of its rules says so."""
        layer = self.layer(asked)
        value, heads_of = source.value(self, layer, "heads"), source.heads_of(self, layer)
        said = self._said(f"block {layer}", source)
        rules = [Edit(layer, "heads", value, said, heads_of=heads_of)]
        for place in ("attention", "ffn"):
            rules.append(Edit(layer, place, source.value(self, layer, place), ""))
        return rules

    def patches(self, asked: int, patches: tuple[int, ...], source: "Source") -> Edit:
        """Patches of the image, as they enter a block."""
        layer, before = self.layer(asked), self.tokens - self.trace.grids[0].patches
        tokens = tuple(patch + before for patch in patches)
        value = source.value(self, layer, "residual")
        said = self._said(f"{counted('patch', patches)} entering layer {layer}", source)
        among = tuple(range(before, self.tokens))
        return Edit(layer, "residual", value, said, tokens=tokens, among=among)

    def words(self, asked: int, text: int | str, words: Sequence[object], source: "Source") -> Edit:
        """Words of a text, as they enter a block."""
        layer, row = self.layer(asked), number_of(self.trace.texts, text, "text", "this trace")
        spans = self.trace.words(row)
        end = int(self.trace.model.text.end(self.trace.token_ids)[row])
        spans = [span for span in spans if span.stop <= end]
        chosen = [spans[n] for n in sorted({_word(spans, word, self.trace, row) for word in words})]
        tokens = tuple(token for span in chosen for token in range(span.start, span.stop))
        among = tuple(token for span in spans for token in range(span.start, span.stop))
        names = ", ".join(repr(span.text) for span in chosen)
        said = source.said(f"{names} of {self.trace.texts[row]!r} entering layer {layer}")
        value = source.value(self, layer, "residual")
        return Edit(layer, "residual", value, said, tokens=tokens, among=among, row=row)

    def mask(self, asked: int, told: object) -> Edit:
        """Who may not look at whom in a block."""
        layer, N = self.layer(asked), self.tokens
        H, array = self.tapes[layer].q.shape[1], _array(told)
        if array.dtype != bool or array.shape not in ((N, N), (H, N, N)):
            raise ValueError(
                f"a mask of layer {layer} is bool of shape ({N}, {N}), or ({H}, {N}, {N}) for "
                f"single heads, true where a token may not look, not {shown(array)}"
            )
        if not array.any():
            raise ValueError(f"the mask of layer {layer} is false everywhere: it keeps nobody")
        hidden = torch.from_numpy(array.copy()).to(self.tapes[layer].q.device)
        hidden = hidden if hidden.ndim == 3 else hidden[None]
        together, before = hidden, self.edits.hidden(layer)
        together = together if before is None else together | before
        if self.causal:
            together = together | torch.ones(N, N, device=hidden.device).triu(1).bool()
        blind = together.all(-1).any(0).nonzero().flatten().tolist()
        if blind:
            raise ValueError(
                f"token {blind[0]} could look at nothing in layer {layer}: leave it at least itself"
            )
        where = "" if len(hidden) == 1 else " (head by head)"
        what = f"{int(array.sum())} looks kept from layer {layer}{where}"
        tower = "" if self.tower == "image" else " of the text tower"
        return Edit(layer, "hidden", hidden, what + tower)

    def _said(self, what: str, source: "Source") -> str:
        return source.said(what if self.tower == "image" else f"{what} of the text tower")


@dataclass(frozen=True, eq=False)
class Source:
    """What stands where something was taken out.

    Attributes
    ----------
    to : "zero", "mean" or another pass
    reference : the images or texts a mean is over; None is the pass itself
    """

    to: Literal["zero", "mean"] | Trace
    reference: Trace | None

    @classmethod
    def of(cls, trace: Trace, to: object, reference: Trace | None) -> "Source":
        """Raises TypeError or ValueError where one of them is nothing that can stand there."""
        if not isinstance(to, Trace):
            expect_kind("to", to, Literal["zero", "mean"])
        if reference is not None and to != "mean":
            raise ValueError("reference is what a mean is over: pass to='mean' with it")
        for other in (to, reference):
            if isinstance(other, Trace) and other.model is not trace.model:
                raise ValueError(
                    f"the other trace is of {other.model.name}, not of the very model of this "
                    "one: record both with the same model"
                )
        return cls(to, reference)

    def said(self, what: str) -> str:
        """What was done to `what`, for people."""
        if isinstance(self.to, Trace):
            return f"{what} from another pass"
        over = f" over {len(self.reference.images)} images" if self.reference else ""
        return f"{what} to {'zero' if self.to == 'zero' else f'the mean{over}'}"

    def value(self, side: Side, layer: int, place: Module) -> Value:
        """What stands at a place of a block of this side."""
        other = self.reference or self.to
        if not isinstance(other, Trace):
            return other
        there = Side.of(other, side.tower)
        here, found = side.stands(layer, place), there.stands(layer, place)
        batch = self.reference is not None or len(found) in (1, len(here))
        if found.shape[1:] != here.shape[1:] or not batch:
            raise ValueError(
                f"the other trace has {len(found)} {side.tower}s of {there.tokens} tokens, this "
                f"one {len(here)} of {side.tokens}: record images of the same size, texts of as "
                "many tokens, and one for all or one for each"
            )
        return found.mean(0, keepdim=True) if self.reference is not None else found

    def heads_of(self, side: Side, layer: int) -> Heads | None:
        """q, k, v of another pass, where they say what its heads read."""
        if not isinstance(self.to, Trace):
            return None
        tape = Side.of(self.to, side.tower).tapes[layer]
        plain = not isinstance(tape, ChangedTape) or (tape.read is None and tape.hidden is None)
        return (tape.q, tape.k, tape.v) if plain else None


def counted(what: str, numbers: Sequence[int]) -> str:
    """ "head 3", "heads 1, 3", "14 patches".

    Examples
    --------
    >>> counted("head", (1, 3)), counted("patch", range(14))
    ('heads 1, 3', '14 patches')
    """
    several = "patches" if what == "patch" else f"{what}s"
    if len(numbers) > 6:
        return f"{len(numbers)} {several}"
    return f"{what if len(numbers) == 1 else several} {', '.join(map(str, numbers))}"


def named_patches(trace: Trace, asked: object) -> tuple[int, ...]:
    """Patches by number, or by a mask of patches (gh, gw) or (P,), or of the image's pixels."""
    array = None if isinstance(asked, (int, np.integer)) else _array(asked)
    if array is not None and array.dtype == bool and array.ndim == 2:
        grid, sizes = trace.grids[0], {one.image_size for one in trace.grids}
        if array.shape == trace.grid:
            array = array.ravel()
        elif sizes == {array.shape}:
            array = on_patches(array, grid)
        else:
            raise ValueError(
                f"a mask has the shape of the grid, {trace.grid}, or of the image, "
                f"{grid.image_size}, not {array.shape}"
            )
        if not array.any():
            raise ValueError("the mask covers no patch by more than half")
    return _numbers(asked if array is None else array, trace.grids[0].patches, "patch", "the image")


def _numbers(asked: object, count: int, what: str, where: str) -> tuple[int, ...]:
    """Numbers, or the places of a mask, as numbers that are there; at least one."""
    array = _array([asked] if isinstance(asked, (int, np.integer)) else asked)
    if array.dtype == bool:
        if array.shape != (count,):
            raise ValueError(
                f"a mask of {count} is needed, one for each {what}, not {shown(array)}"
            )
        array = array.nonzero()[0]
    if array.ndim != 1:
        raise ValueError(f"{what}: a list of numbers or a mask is needed, not {shown(array)}")
    named = {number_of(range(count), one, what, where) for one in array.tolist()}
    if not named:
        raise ValueError(f"no {what} is named: give at least one")
    return tuple(sorted(named))


def _array(told: object) -> np.ndarray:
    """A list, array or tensor as an array. TypeError: nothing of the kind."""
    if isinstance(told, Tensor):
        return told.detach().cpu().numpy()
    if isinstance(told, (np.ndarray, list, tuple, range)):
        return np.asarray(told)
    raise TypeError(f"{shown(told)}, but a list of numbers or a mask is needed")


def _word(spans: Sequence, asked: object, trace: Trace, row: int) -> int:
    """The number of a word of a text, named by it or as written."""
    words, where = [span.text for span in spans], repr(trace.texts[row])
    if not isinstance(asked, str):
        return number_of(words, whole(asked, "word"), "word", where)
    low = [word.lower() for word in words]
    if low.count(asked.lower()) > 1:
        raise ValueError(
            f"{asked!r} stands in {where} {low.count(asked.lower())} times: give its "
            f"number, 0 to {len(words) - 1}"
        )
    return number_of(
        words, words[low.index(asked.lower())] if asked.lower() in low else asked, "word", where
    )
