"""What does a `Trace` hold of its images, and what of its texts? The two halves of `record`.

Each returns fields of a `Trace`, so that one half can be replaced while the other stays.
"""

from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import shown
from ..model.clip import CLIP, Texts, as_list, as_templates
from ..model.freed import keep_freed_memory
from ..model.image import Prepared, expect_few_patches
from ..model.placing import enough_memory
from ..model.towers.block import BlockTape, through
from .edits import UNCHANGED, Edits
from .flowing import no_graph_unless_flowing

QUANTISED = ("torch.ao.nn.", "torchao.")  # where such parts are made


def expect_texts(model: CLIP, texts: Sized, asked: str) -> None:
    """A ValueError unless there are texts, which `asked` compares the image with."""
    if not texts:
        model.expect_texts(asked)
        raise ValueError(
            f"{asked} requires texts, and none were recorded: record(model, image, texts), or "
            "trace.with_texts(texts)"
        )


def in_own_precision(model: CLIP) -> torch.autocast:
    """That of the weights, also under autocast: a trace whose parts were rounded differently could
    not be asked outside it.
    """
    return torch.autocast(model.device.type, enabled=False)


def expect_whole(model: CLIP) -> None:
    """A ValueError of a model that was quantised in memory, whose maps would be others, and those
    by gradients 0 everywhere.
    """
    for part in model.modules():
        if type(part).__module__.startswith(QUANTISED):
            raise ValueError(
                f"{model.name} was quantised, it holds a {type(part).__name__}: pass the model as "
                "it was before"
            )


def refuse(*_: object) -> NoReturn:
    """A ValueError: it was not kept."""
    raise ValueError(
        "this trace was seen with path=…, for what reads a path through so many of the last blocks "
        "alone: what is asked for was not kept"
    )


class _Unread:
    """What stands in a tape where nothing was kept; whoever reads it is refused."""

    def __getattr__(self, name: str) -> NoReturn:  # its shape, and all else that a tensor has
        if name.startswith("__"):  # what copying and pickling look for
            raise AttributeError(name)
        refuse()

    __torch_function__ = classmethod(refuse)

    def __getitem__(self, part: object) -> "_Unread":
        return self


class _OfPath(list[BlockTape]):
    """Tapes of `blocks`, of which only what a path through the `last` of them reads is kept: the
    stream entering and the heads. The next block writes where the rest stood, which is still in the
    processor's cache.
    """

    def __init__(self, blocks: int, last: int) -> None:
        super().__init__()
        self.first = blocks - last

    def append(self, tape: BlockTape) -> None:
        unread: dict[str, Any] = dict.fromkeys(("attention", "ffn"), _Unread())
        if len(self) < self.first:
            unread |= dict.fromkeys(("residual", "q", "k", "v"), _Unread())
        super().append(replace(tape, **unread))


@no_graph_unless_flowing
def see(
    model: CLIP,
    prepared: Prepared,
    path: int | None = None,
    edits: Edits = UNCHANGED,
) -> dict[str, Any]:
    """The image tower's pass, of which is kept what a `path` through so many of the last blocks
    reads: of the last stream the class token only, unless the path is the model's own (0).

    Under `edits` all is kept, as a mean is over the patches.
    """
    edits.expect_anywhere("image")
    expect_whole(model)
    expect_few_patches(prepared.grids[0].height, prepared.grids[0].width)
    layers: list[BlockTape] = []
    if path is not None and path < 0:
        raise ValueError(f"path={path}, but a path runs through 0 of the last blocks, or more")
    if path is not None and "blocks" in model.visual.has:
        layers = _OfPath(len(model.visual.blocks), path)
    if model.device.type == "cpu":
        keep_freed_memory()
    pixels = prepared.pixels.to(model.device)
    room = enough_memory(model.device, model.dtype, len(pixels))
    with room, in_own_precision(model):
        if edits:
            changed = partial(model.visual, pixels.to(model.dtype))
            layers, stream = edits.recorded(changed, 0, causal=False)
        else:
            stream = model.visual(pixels.to(model.dtype), tape=layers, patches=not path)
    return dict(
        pixels=pixels,
        images=prepared.images,
        grids=prepared.grids,
        notes=prepared.notes,
        layers=tuple(layers),
        stream=stream,
    )


def see_nothing(model: CLIP) -> dict[str, Any]:
    """What stands for the image tower's pass where no image was seen yet."""
    expect_whole(model)
    nothing = torch.empty(0, 0, 0, dtype=model.dtype, device=model.device)
    return dict(pixels=nothing, images=[], grids=[], notes=[], layers=(), stream=nothing)


@no_graph_unless_flowing
def spell(model: CLIP, ids: Tensor, edits: Edits = UNCHANGED) -> dict[str, Any]:
    """The text tower's pass of token ids (T, S): what `Trace` has of it but for the texts."""
    edits.expect_anywhere("text")
    tower, layers = model.text, list[BlockTape]()
    with enough_memory(model.device, model.dtype), in_own_precision(model):
        if edits:
            entering, causal = tower.embed(ids), tower.causal
            changed = partial(through, tower.blocks, entering, causal=causal)
            layers, stream = edits.recorded(changed, 0, causal, tower.end(ids) + 1)
            tokens = tower.read_out(stream)
        else:
            tokens = tower(ids, tape=layers)
    return dict(text_layers=tuple(layers), **ended(model, ids, tokens))


@no_graph_unless_flowing
def read_at_ends(model: CLIP, ids: Tensor) -> Tensor:
    """Features (T, E) of texts whose tokens nobody will look at; quicker where they begin alike."""
    with enough_memory(model.device, model.dtype), in_own_precision(model):
        return F.normalize(model.text.at_ends(ids).float(), dim=-1)


def ended(model: CLIP, ids: Tensor, tokens: Tensor) -> dict[str, Any]:
    """What `Trace` has of text tokens (T, S, E) in the joint space."""
    at_ends = model.text.of_ends(tokens, ids).float()
    return dict(text_tokens=tokens, text_features=F.normalize(at_ends, dim=-1))


@no_graph_unless_flowing
def read(
    model: CLIP,
    texts: Texts,
    templates: str | Iterable[str] | None,
    truncate: bool,
    edits: Edits = UNCHANGED,
) -> dict[str, Any]:
    """The text tower's pass. ValueError: `edits` together with templates."""
    if not isinstance(texts, Tensor):
        texts = as_list(texts)  # once: it may be a generator
    if templates is not None:
        templates = as_templates(templates)
        if edits:
            raise ValueError(
                "texts in templates are means of many passes, and this trace's text tower was "
                "changed: give each text as it is, without templates"
            )
        with enough_memory(model.device, model.dtype), in_own_precision(model):
            features = model.encode_text(texts, templates=templates, truncate=truncate)
        return dict(
            texts=tuple(texts),
            templates=templates,
            token_ids=None,
            text_layers=(),
            text_tokens=None,
            text_features=features,
            cut=_cut(model, texts, templates),
        )
    ids = model.tokenize(texts, truncate)
    spelled = spell(model, ids, edits)
    return dict(
        texts=_names(model, texts, ids),
        templates=None,
        cut={} if isinstance(texts, Tensor) else _cut(model, texts),
        token_ids=ids if model.text.full else ids[:, : spelled["text_tokens"].shape[1]],
        **spelled,
    )


def read_beside(
    model: CLIP,
    texts: tuple[str, ...],
    templates: tuple[str, ...] | None,
    ids: Tensor | None,
    edits: Edits,
) -> Tensor:
    """Features (K, E) of texts that those with these `ids` are compared with: by the tower as it
    was changed for all texts. Without a vocabulary the empty one alone, as far as `ids` tell it.
    """
    nameless = model.tokenizer is None and texts == ("",)
    asked = model.text.empty(ids) if nameless else texts
    return read(model, asked, templates, truncate=False, edits=edits.of_all)["text_features"]


def read_nothing(templates: object) -> dict[str, Any]:
    """What stands for the text tower's pass where there are no texts."""
    if templates is not None:
        raise ValueError("templates do nothing without texts: leave them out")
    unread = dict(cut={}, token_ids=None, text_tokens=None, text_features=torch.empty(0, 0))
    return dict(texts=(), templates=None, text_layers=(), **unread)


def _cut(model: CLIP, texts: Iterable[str], templates: Iterable[str] = ("{}",)) -> dict[str, str]:
    """Texts of which only the beginning is read, in whatever template, and that beginning."""
    found = {}
    for text in texts:
        filled = (template.replace("{}", text) for template in templates)
        parts = (model.tokenizer.part_read(one) for one in filled)
        part = next((part for part in parts if part is not None), None)
        if part is not None:
            found[text] = part
    return found


def unread(texts: Iterable[str], cut: Mapping[str, str]) -> Iterator[str]:
    """What a reader has to know of texts of which only a beginning was read, as `Trace.cut` is."""
    for text in dict.fromkeys(texts):
        if text in cut:
            part = cut[text]
            last = ("…" if part[:-40] else "") + part[-40:]
            behind = f"behind {last!r} " if part else ""
            yield f"Of {shown(text)} nothing {behind}was read: it is too long, or has [end] in it."


def _names(model: CLIP, texts: Texts, ids: Tensor) -> tuple[str, ...]:
    if not isinstance(texts, Tensor):
        return tuple(texts)
    if model.tokenizer is None:
        return tuple(f"text {n}" for n in range(len(ids)))
    return tuple(model.tokenizer.decode(row.tolist()) for row in ids)
