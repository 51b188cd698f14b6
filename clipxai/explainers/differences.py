"""Where does the model see a word, and what speaks for one text rather than another?

Formula    word_maps   map(text) - map(text without the word)
           contrast    map(a) - map(b)
Reads      what the method reads; the image tower does not run again.
Returns    `Explanation` whose scores, and whose presence, are differences: above 0 the word, or a,
           gains; below 0 it loses, or b gains.
Reference  This project's definitions; any method's maps may be subtracted. By the decomposition
           (Gandelsman et al., arXiv 2310.05916) a contrast is exact: with what did not come from
           patches it adds up to cos a - cos b.
Misleads   Leaving out says what the word adds to this text, not what it means by itself: "not" and
           "no" have hardly any map. Two texts that both fit leave what tells them apart, which may
           be background.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from ..checks import expect, number_of, of_its_kinds
from ..results.explanation import Explanation
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .explain import expect_question, explain
from .leaving_out import Phrase, leave_out
from .table import find_method


@of_its_kinds
def word_maps(
    trace: Trace,
    method: str = "decomposition",
    text: int | str = 0,
    image: int = 0,
    words: Sequence[Phrase] | None = None,
    ends: bool = False,
    **options: object,
) -> Explanation:
    """Where does the model see each word of a text? What the map loses when the word is left out.

    Parameters
    ----------
    trace : from `record`
    method : a name in `methods()`; those that need only the recorded pass are quick
    text : number of the text, or the text
    image : number of the image in the batch
    words : phrases instead of all words: as written, "red car", or by their first character and one
        behind the last, (2, 9)
    ends : put [start] before the words, which nothing is left out for, 0 everywhere, and [end]
        behind them, the map of the whole text, as `token_scores` has them
    options : the method's own switches

    Returns
    -------
    An `Explanation` whose texts are the words, its scores and presence differences. The article or
    comma that a word would leave alone goes along (`clipxai.explainers.leaving_out`)

    Raises
    ------
    TypeError : no Trace
    ValueError : as `explain`; a method that says the same for every text; `redundant` other than
        "empty", as the shortened texts are no labels; a text without words, or a phrase that is
        not in it
    IndexError : no text or image of that number

    Examples
    --------
    >>> found = word_maps(trace.with_texts("a photo of a cat and a guitar"))
    >>> found.texts
    ('a (1)', 'photo', 'of', 'a (4)', 'cat', 'and', 'a (7)', 'guitar')
    """
    expect(Trace, trace, "record")
    expect_question(trace.model, method, options)
    expect_texts(trace.model, trace.texts, "word_maps")
    row = find_method(method)
    if not row.reads_texts:
        raise ValueError(f"{row.name} says the same for every text, so no word changes its map")
    if options.get("redundant", "empty") != "empty":
        raise ValueError(
            f"redundant={options['redundant']!r} would take the shortened texts for labels: leave "
            "it out, which subtracts the empty text, or subtract two maps of "
            "clipxai.explain(trace.with_texts([text, text_without_the_word, *labels]), ...)"
        )
    n = number_of(trace.texts, text, "text", "this trace")
    left = leave_out(trace.of(number_of(trace.images, image, "image", "this trace")), n, words)
    e = explain(left.trace, row.name, **options)
    scores, presence = e.scores[:1] - e.scores[1:], e.presence[:1] - e.presence[1:]
    names, told = left.names, f"Words of {trace.texts[n]!r}, each left out in turn."
    if ends:
        scores = np.concatenate([np.zeros_like(e.scores[:1]), scores, e.scores[:1]])
        presence = np.concatenate([np.zeros_like(e.presence[:1]), presence, e.presence[:1]])
        names = ("[start]", *names, "[end]")
        told += " [end] is the whole text, from which nothing is subtracted."
    return replace(
        e,
        scores=scores,
        presence=presence,
        texts=names,
        unit=f"{e.unit}, minus the same without the word",
        notes=(told, *e.notes),
        difference=True,
    )


@of_its_kinds
def contrast(
    trace: Trace,
    a: int | str,
    b: int | str,
    method: str = "decomposition",
    image: int | None = None,
    **options: object,
) -> Explanation:
    """Why this text and not that one? One signed map of what speaks for which.

    Parameters
    ----------
    trace : from `record`
    a, b : two texts as written, or numbers of texts of the trace. One that was not recorded is read
        now, in the trace's templates; the image tower does not run again
    method : a name in `methods()`
    image : number of the image; may be left out where one was recorded
    options : the method's own switches

    Returns
    -------
    An `Explanation` of one text: above 0 speaks for `a`, below 0 for `b`; its presence is
    cos a - cos b, its `sides` are the two texts

    Raises
    ------
    TypeError : no Trace
    ValueError : as `explain`; twice the same text to the model; one that cannot be read, as by
        `record`; a method that says the same for every text
    IndexError : no text or image of that number

    Examples
    --------
    >>> contrast(trace, "a cat", "a guitar").texts
    ('a cat rather than a guitar',)
    """
    expect(Trace, trace, "record")
    trace.model.expect_texts("contrast")
    if not (isinstance(a, str) and isinstance(b, str)):
        expect_texts(trace.model, trace.texts, "contrast by number")
    one, other = (_written(trace, text) for text in (a, b))
    if one == other:
        raise ValueError(f"{one!r} is compared with itself: name two texts")
    row = find_method(method)
    if not row.reads_texts:
        raise ValueError(f"{row.name} says the same for every text, so it tells no two apart")
    recorded = trace
    if {one, other}.issubset(trace.texts):
        first, second = map(trace.texts.index, (one, other))
    else:
        trace, first, second = trace.with_texts([one, other], trace.templates), 0, 1
    if _alike(trace, first, second):
        read = f", which reads both as {trace.cut[one]!r} only" if one in trace.cut else ""
        raise ValueError(
            f"{one!r} and {other!r} are the same text to this model{read}: name two that differ in "
            "what is read"
        )
    compared = row.compares_texts or options.get("redundant") == "labels"
    rest = [n for n, text in enumerate(recorded.texts) if text not in trace.texts]
    if compared and rest:  # labels stay labels beside a text that was not recorded
        features = torch.cat([trace.text_features, recorded.text_features[rest]])
        labels = (*trace.texts, *(recorded.texts[n] for n in rest))
        trace = trace.with_encoded_texts(labels, features, templates=trace.templates)
    e = explain(trace, row.name, image, **options)
    told = f"Above zero, red, speaks for {one!r}; below zero, blue, for {other!r}."
    return replace(
        e,
        scores=e.scores[first, np.newaxis] - e.scores[second],
        presence=e.presence[first, np.newaxis] - e.presence[second],
        texts=(f"{one} rather than {other}",),
        unit=f"{e.unit}, minus that of {other!r}",
        notes=(told, *e.notes),
        difference=True,
        sides=(one, other),
    )


def _alike(trace: Trace, one: int, other: int) -> bool:
    """Whether two texts, by their numbers, are the same to the model, however written."""
    tower = trace.model.text
    if trace.token_ids is None or trace.text_edits:
        apart = trace.text_features[one] - trace.text_features[other]
        return bool(apart.abs().max() <= 1e-6)
    ids = trace.token_ids
    read = ids.shape[1]
    if not tower.full:  # what fills them up is not read
        ends = tower.end(ids)
        read = int(max(ends[one], ends[other])) + 1
    return bool((ids[one, :read] == ids[other, :read]).all())


def _written(trace: Trace, text: int | str) -> str:
    """A text as it is written, or that of a number."""
    if isinstance(text, str):
        return text
    return trace.texts[number_of(trace.texts, text, "text", "this trace")]
