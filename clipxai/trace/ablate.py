"""What if it were not there? A recorded pass run again without some of its parts.

Formula    x -> 0, x -> mean(x) or x -> x of another pass, at the places named; everything behind
           runs again from the first block that is changed, everything before is shared.
Reads      the trace's streams; the tower's blocks run again.
Returns    a `Trace`, so every method, viewer and verb works on it.
Reference  Path patching and mean ablation as in Wang et al. 2022 (arXiv 2211.00593); attention
           knock-out: Geva et al. 2023 (arXiv 2304.14767).
Misleads   A model has never seen zeros inside: what breaks may be the surprise, not the loss (the
           mean surprises less). What seems to matter little may be done again by a later head.

Axes: B images, T texts, H heads, N tokens, P patches, gh gw grid, D width.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..checks import expect, of_its_kinds, several
from .edits import UNCHANGED, Edit, Edits
from .rerun import rerun
from .rules import Side, Source, Tower, counted, named_patches
from .trace import Trace


@of_its_kinds
def ablate(
    trace: Trace,
    *,
    heads: Mapping[int, Any] | None = None,
    attention: int | Sequence[int] = (),
    ffns: int | Sequence[int] = (),
    blocks: int | Sequence[int] = (),
    patches: object = None,
    words: str | int | Sequence[str | int] = (),
    mask: Mapping[int, Any] | None = None,
    tower: Tower = "image",
    layer: int = 0,
    text: int | str = 0,
    to: Literal["zero", "mean"] | Trace = "zero",
    reference: Trace | None = None,
) -> Trace:
    """The same pass, without some of its parts.

    Parameters
    ----------
    trace : from `record`
    heads : layer -> number or numbers of its heads; they read nothing, for all tokens
    attention : layers all of whose heads read nothing. What an attention adds whatever its heads
        read, its bias, stays
    ffns, blocks : layers whose FFN, or whose attention and FFN, bias and all, add nothing
    patches : of the image: numbers in 0…P-1, or a mask, (gh, gw) of patches or (H, W) of pixels, of
        which a patch is taken that is covered by more than half
    words : of a text, by number or as written; not [start] and [end]
    mask : layer -> bool (N, N), or (H, N, N) for single heads, true where a token (row) may not
        look at another (column)
    tower : whose heads, attention, FFNs, blocks and mask are meant
    layer : at whose entrance patches and words are taken out of the stream; 0 is the embedding
    text : whose words are meant, by number or as written
    to : what stands there instead: "zero"; "mean", over the pass's tokens (heads, FFNs) or over the
        patches or words that stay; or what stood there in another `Trace` of the same shape
    reference : with "mean", a `Trace` of several images or texts over which the mean is taken,
        token by token, instead

    Returns
    -------
    A `Trace` that says what was done. Done in two steps it is the same as in one

    Raises
    ------
    TypeError : no Trace; what is no number, mask or word
    ValueError : nothing to take out; a tower without blocks; texts in templates; another trace of
        another model or shape; a token that may look at nothing
    IndexError : no such layer, head, patch, word or text

    Examples
    --------
    >>> ablate(trace, heads={6: [3]})
    <Trace of 1 images (14x14 patches) and 4 texts by Emoji World CLIP (embedded), head 3 of \
layer 6 to zero>
    """
    expect(Trace, trace, "record")
    source = Source.of(trace, to, reference)
    words = several(words)
    if patches is None and not words and (layer != 0 or text != 0):
        raise ValueError("layer and text say where patches and words stand: name some, or neither")
    edits: dict[Tower, list[Edit]] = {"image": [], "text": []}
    edits[tower] += _modules(trace, tower, source, heads, attention, ffns, blocks, mask)
    if tower == "text" and not edits["text"]:
        raise ValueError("tower='text' says whose heads or modules are meant, but none is named")
    if patches is not None:
        side, named = Side.of(trace, "image"), named_patches(trace, patches)
        edits["image"].append(side.patches(layer, named, source))
    if words:
        side = Side.of(trace, "text")
        edits["text"].append(side.words(layer, text, words, source))
    if not edits["image"] and not edits["text"]:
        raise ValueError(
            "nothing to take out: name heads, attention, ffns, blocks, patches, words or a mask"
        )
    if source.to != "zero" and all(e.place == "hidden" for e in edits["image"] + edits["text"]):
        raise ValueError(
            "to= says what stands instead of a part, and a mask only keeps tokens from looking: "
            "leave it out, or name heads, attention, ffns, blocks, patches or words"
        )
    return rerun(trace, Edits(tuple(edits["image"])), Edits(tuple(edits["text"])))


@of_its_kinds
def patch(
    trace: Trace,
    source: Trace,
    what: Literal["residual", "attention", "ffn", "head"] = "residual",
    *,
    layer: int | Sequence[int],
    tokens: object = None,
    heads: int | Sequence[int] | None = None,
    tower: Tower = "image",
) -> Trace:
    """The same pass with parts of another one in it ("activation patching").

    Parameters
    ----------
    trace, source : two passes through one model, of as many tokens each: a clean and a corrupted
        image, or caption
    what : what comes from `source`: the stream that enters the layer, or what its attention, its
        FFN or some of its heads brought
    layer : its number or theirs, negative from the last
    tokens : for which tokens only: numbers (0 is the class token) or a mask (N,)
    heads : with what="head": which
    tower : "image" or "text"

    Returns
    -------
    A `Trace` that says what was done

    Raises
    ------
    TypeError : no Trace; what is no number or mask
    ValueError : a source of another model or shape; heads where none are meant, or none where they
        are; a tower without blocks; texts in templates
    IndexError : no such layer, head or token

    Examples
    --------
    >>> other = record(trace.model, "photo.jpg", list(trace.texts))
    >>> patch(trace, other, layer=0).similarity().equal(other.similarity())
    True
    """
    for pass_ in (trace, source):
        expect(Trace, pass_, "record")
    if (what == "head") == (heads is None):
        raise ValueError("heads= and what='head' belong together: pass both, or neither")
    side, origin = Side.of(trace, tower), Source.of(trace, source, None)
    named = None if tokens is None else side.named_tokens(tokens)
    layers = [side.layer(number) for number in several(layer)]
    if not layers:
        raise ValueError("layer=[] patches nothing: name at least one")
    edits = [_patched(side, number, what, origin, named, heads) for number in layers]
    new = Edits(tuple(edits))
    return rerun(trace, new, UNCHANGED) if tower == "image" else rerun(trace, UNCHANGED, new)


def _patched(
    side: Side,
    layer: int,
    what: str,
    source: Source,
    tokens: tuple[int, ...] | None,
    heads: int | Sequence[int] | None,
) -> Edit:
    """The rule of one layer. Heads of all tokens are changed as heads, so that q, k, v show it."""
    some = None if heads is None else several(heads)
    if some is not None and tokens is None:
        return side.heads(layer, some, source)
    if some is not None:
        named = side.named_heads(layer, some)
        said = f"{counted('head', named)}"
        return side.module(layer, "heads", source, said, tokens, named)
    if what == "attention" and tokens is None:
        return side.heads(layer, None, source)
    names = {"residual": "stream", "attention": "attention", "ffn": "FFN"}
    return side.module(layer, what, source, names[what], tokens)


def _modules(
    trace: Trace,
    tower: Tower,
    source: Source,
    heads: Mapping[int, Any] | None,
    attention: int | Sequence[int],
    ffns: int | Sequence[int],
    blocks: int | Sequence[int],
    mask: Mapping[int, Any] | None,
) -> list[Edit]:
    """The rules of what is named of a tower."""
    asked = (heads, mask, *map(several, (attention, ffns, blocks)))
    if not any(asked):
        return []
    side = Side.of(trace, tower)
    edits = [side.heads(layer, several(some), source) for layer, some in (heads or {}).items()]
    edits += [side.heads(layer, None, source) for layer in several(attention)]
    edits += [side.module(layer, "ffn", source, "FFN") for layer in several(ffns)]
    edits += [edit for layer in several(blocks) for edit in side.block(layer, source)]
    return edits + [side.mask(layer, told) for layer, told in (mask or {}).items()]
