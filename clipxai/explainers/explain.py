"""What does the model see, and which word mattered? Verbs that run a method on a trace.

explain(trace, "clip_surgery")                      # -> Explanation
explain(trace, "clip_surgery", blocks=3, ffn=True)  # every part is a switch
explain_all(trace, "clip_surgery")                  # one Explanation an image, in one go
"""

import inspect
import math
from collections.abc import Mapping, Sequence

from ..checks import expect, expect_kinds, number_of, of_its_kinds
from ..model.clip import CLIP
from ..results.explanation import Explanation
from ..results.findings import Picture, WordRelevance
from ..trace.precision import unrounded
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .gradient_parts import in_parts
from .presets import SWITCHES, turned
from .table import METHODS, find_method
from .told import explanations
from .without_texts import with_texts_for
from .words import LEAVE_OUT, spelled, words_left_out

MOST_SCORES = 1 << 29  # 2 GB


@of_its_kinds
def explain(
    trace: Trace, method: str = "clip_surgery", image: int | None = None, **options: object
) -> Explanation:
    """Where does the model see each text in an image?

    Parameters
    ----------
    trace : from `record`
    method : a name in `methods()`
    image : number of the image; may be left out where one was recorded
    options : the method's own switches, such as redundant="labels", blocks=4, ffn=True,
        dual_path=False (fields of `Rewrite`)

    Returns
    -------
    An `Explanation` with raw signed scores (T, gh, gw)

    Raises
    ------
    TypeError : no Trace
    ValueError : unknown method or option; a method that requires what the model has not, or texts
        where there are none; several images and none chosen
    IndexError : no image of that number

    Examples
    --------
    >>> e = explain(trace, "clip_surgery")
    >>> e.scores.shape  # texts, patches down and across
    (4, 14, 14)
    >>> e.unit
    'cosine similarity minus the empty text'
    """
    expect(Trace, trace, "record")
    expect_question(trace.model, method, options)
    count = len(trace.images)
    if image is None and count > 1:
        raise ValueError(
            f"{count} images were recorded: say which with image=0 to {count - 1}, or explain all "
            "of them with clipxai.explain_all"
        )
    return explain_all(trace.of(0 if image is None else image), method, **options)[0]


@of_its_kinds
@unrounded
def explain_all(trace: Trace, method: str = "clip_surgery", **options: object) -> list[Explanation]:
    """Where does the model see each text, in every image of a trace?

    Parameters
    ----------
    trace, method, options : as for `explain`

    Returns
    -------
    One `Explanation` an image, in their order

    Raises
    ------
    TypeError, ValueError : as `explain`

    Examples
    --------
    >>> [e.method for e in explain_all(trace)]
    ['clip_surgery']
    """
    expect_question(trace.model, method, options)
    _expect_room(trace)
    row = find_method(method)
    trace = with_texts_for(trace, row)
    return [
        explanation
        for few, scores in in_parts(trace, row, options)
        for explanation in explanations(few, row, options, scores, [few.texts] * len(few.images))
    ]


@of_its_kinds
@unrounded
def word_relevance(
    trace: Trace,
    method: str = "leave_out",
    text: int | str = 0,
    image: int = 0,
    **options: object,
) -> WordRelevance:
    """Which word of a text mattered for its cosine with an image?

    Parameters
    ----------
    trace : from `record`, without templates
    method : "leave_out", the drop of the cosine when the whole word is left out, with the article
        or comma that would be left alone (`clipxai.explainers.leaving_out`); or a name in
        `methods()` whose column "words too" says yes
    text : number of the text, or the text
    image : number of the image in the batch
    options : the method's own switches, such as blocks=None

    Returns
    -------
    `WordRelevance`: a number for each token in the method's own unit, signed unless the method
    knows no sign. By "leave_out" the pieces of a word share its drop evenly

    Raises
    ------
    TypeError : no Trace
    ValueError : a method without a text side, no such text, or a trace or text tower without words
        to ask about
    IndexError : no text or image of that number

    Examples
    --------
    >>> found = word_relevance(trace, text="a cat")
    >>> [word for word, _, _ in found.words]
    ['a', 'cat']
    """
    expect_texts(trace.model, trace.texts, "word_relevance")
    if method == LEAVE_OUT:
        _check_options(method, options, [])
        number = number_of(trace.texts, text, "text", "this trace")
        return words_left_out(trace, number, Picture.of(trace, image))
    row = find_method(method)
    if row.words is None:
        able = [LEAVE_OUT, *(other.name for other in METHODS.values() if other.words)]
        raise ValueError(f"{method} says nothing about words; choose one of {', '.join(able)}")
    if not trace.model.text.causal:
        raise ValueError(
            f"word_relevance reads a causal text tower, but in that of {trace.model.name} every "
            "token knows all the others"
        )
    _check_options(f"the words of {method}", options, _word_options(row.words))
    expect_kinds(row.words, options)
    text, picture = number_of(trace.texts, text, "text", "this trace"), Picture.of(trace, image)
    names, words = spelled(trace, text)
    # alone and unpadded: the batch's other texts, even their length, must not change the answer
    alone = trace.with_texts(trace.token_ids[text : text + 1, : len(names)])
    scores, unit = row.words(alone, picture.number, **options)
    values = scores.detach().float().cpu().numpy()
    found = picture, trace.texts[text], names, words, values, row.name, unit
    return WordRelevance(*found, text, tuple(trace.texts))


def expect_question(model: CLIP, method: str, options: Mapping[str, object]) -> None:
    """A ValueError unless the method, so told, can be asked of the model; before anything runs."""
    row = find_method(method)
    row.expect_fits(model)
    _check_options(method, options, row.options)
    expect_kinds(row.function, options)
    if row.preset is not None:
        switches = {name: options[name] for name in SWITCHES if name in options}
        weighs = options.get("redundant", "empty") != "empty"
        turned(row.preset, switches, model.visual, weighs_texts=weighs)


def _expect_room(trace: Trace) -> None:
    """A ValueError, before they are made, of more than `MOST_SCORES`."""
    counts = len(trace.images), trace.grids[0].patches, len(trace.texts)
    if math.prod(counts) > MOST_SCORES:
        raise ValueError(
            f"{counts[0]} images of {counts[1]:,} patches and {counts[2]:,} texts make "
            f"{math.prod(counts):,} scores, but at most {MOST_SCORES:,} are made at once: ask in "
            "parts, with trace.with_texts"
        )


def _word_options(function: object) -> list[str]:
    """Options of what asks about words: all but the trace and the number of the image."""
    return list(inspect.signature(function).parameters)[2:]


def _check_options(who: str, options: Mapping[str, object], allowed: Sequence[str]) -> None:
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ValueError(
            f"{who} has no option {', '.join(map(repr, unknown))}; its options: "
            f"{', '.join(allowed) or 'none'}"
        )
