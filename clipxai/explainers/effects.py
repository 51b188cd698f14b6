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

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import torch

from ..checks import Within, expect, number_of, of_its_kinds, several
from ..results.findings import Effects, Picture
from ..trace.precision import unrounded
from ..trace.rules import Side, Source, Tower
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .effect_estimates import checked, estimated
from .effect_parts import IN_STREAM, Of, Parts, Rest, shaped, variants


@of_its_kinds
@unrounded
@torch.no_grad()  # numbers, also of a pass that was recorded with its graph
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
    ValueError : no texts; a tower without blocks; a text tower that was changed already; patches by
        a mean where others became it already; another trace of another model or shape; a text
        without words, or one where no words are asked for
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
    if of != "words" and text != 0:
        raise ValueError(f"text={text!r} says whose words are meant, but of={of!r}: leave it out")
    asked = _asked(side, of, layers)
    _expect_one_mean(side, of, by, asked)
    number, words = 0, ()
    if of == "words":
        number = number_of(trace.texts, text, "text", "this trace")
        spans = trace.words(number)
        end = int(trace.model.text.end(trace.token_ids)[number])
        words = tuple(span for span in spans if span.stop <= end)
        if not words:
            raise ValueError(f"{trace.texts[number]!r} has no words")
    source = Source.of(one, by, None)
    parts = Parts(side, of, source, words, number)
    found = (estimated if estimate else _measured)(parts, asked, batch)
    texts = (trace.texts[number],) if of == "words" else trace.texts
    whole = (one.image_features @ one.text_features.T)[0].cpu().numpy()
    true = checked(parts, found, asked) if estimate else {}
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
        checked=true,
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


def _expect_one_mean(side: Side, of: Of, by: object, layers: Sequence[int]) -> None:
    """A ValueError where a mean would be over fewer, since others became that mean before."""
    for layer in layers if of in IN_STREAM and by == "mean" else ():
        for rule in side.edits.at(layer, "residual"):
            if isinstance(rule.value, str) and rule.value == "mean":
                raise ValueError(
                    f"this trace was changed already ({rule.said}), and a mean is over those that "
                    "neither changes: ask for effects by='zero', or leave out more with ablate"
                )


def _asked(side: Side, of: Of, layers: int | Sequence[int] | None) -> tuple[int, ...]:
    if layers is None:
        return (0,) if of in ("patches", "words") else tuple(range(len(side.tapes)))
    asked = tuple(side.layer(number) for number in several(layers))
    if not asked:
        raise ValueError("layers=[] asks about nothing: name at least one, or leave it out")
    return asked


@torch.no_grad()
def _measured(parts: Parts, layers: Sequence[int], batch: int) -> np.ndarray:
    """(layers, ..., T) by running every changed pass to its end."""
    way, found = Rest(parts), []
    for layer in layers:
        rows = []
        for start, between, streams in variants(parts, layer, batch):
            rows.append(way.scores(start, between, streams))
        found.append(torch.cat(rows) - way.whole)  # K T
    return shaped(torch.stack(found), parts)
