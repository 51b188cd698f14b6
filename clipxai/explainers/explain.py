"""What does the model see, and which word mattered? Two verbs that run a method of the table on a
trace.

explain(trace, "clip_surgery")                      # -> Explanation
explain(trace, "clip_surgery", blocks=3, ffn=True)  # every part is a switch
"""

import inspect

from ..checks import expect, number_of
from ..results.explanation import Explanation
from ..results.findings import Picture, WordRelevance
from ..trace.trace import Trace, cosines
from .table import ANY, METHODS, find_method
from .words import spelled


def explain(
    trace: Trace, method: str = "clip_surgery", **options: object
) -> Explanation | list[Explanation]:
    """Where does the model see each text?

    Parameters
    ----------
    trace : from `record`
    method : a name in `methods()`
    options : the method's own switches, such as redundant="labels", blocks=4, ffn=True,
        dual_path=False (fields of `Rewrite`)

    Returns
    -------
    An `Explanation` with scores (T, gh, gw), or a list of them where several images were recorded

    Raises
    ------
    TypeError : no Trace
    ValueError : unknown method or option, or a method that the model's architecture does not allow
    """
    expect(Trace, trace, "record")
    row, kind = find_method(method), trace.model.visual.kind
    if kind not in row.architectures:
        raise ValueError(
            f"{method} is defined for {' and '.join(row.architectures)} models, but "
            f"{trace.model.name} is a {kind}"
        )
    _check_options(method, options, row.options)
    scores = row.function(trace, **options)
    # B T gh gw
    maps = scores.values.detach().float().transpose(1, 2).unflatten(-1, trace.grid).cpu().numpy()
    presence = cosines(trace.image_features, trace.text_features).cpu().numpy()
    provenance = {
        **trace.model.provenance,
        "options": ", ".join(f"{name}={value}" for name, value in options.items()),
    }
    explained = [
        Explanation(
            values, trace.texts, method, grid, scores.unit, image, present, scores.notes, provenance
        )
        for values, grid, image, present in zip(maps, trace.grids, trace.images, presence)
    ]
    return explained[0] if len(explained) == 1 else explained


def word_relevance(
    trace: Trace, method: str = "bimodal", text: int | str = 0, image: int = 0, **options: object
) -> WordRelevance:
    """Which word of a text mattered for its cosine with an image?

    Parameters
    ----------
    trace : from `record`, without templates
    method : a name in `methods()` whose column "words too" says yes
    text : number of the text, or the text
    image : number of the image in the batch
    options : the method's own switches, such as blocks=None

    Returns
    -------
    `WordRelevance`: a number for each token in the method's own unit, signed unless the method
    knows no sign

    Raises
    ------
    TypeError : no Trace
    ValueError : a method without a text side, no such text, or a trace or text tower without words
        to ask about
    IndexError : no text or image of that number
    """
    expect(Trace, trace, "record")
    function, able = find_method(method).words, [row.name for row in METHODS.values() if row.words]
    if function is None:
        raise ValueError(f"{method} says nothing about words; choose one of {', '.join(able)}")
    if trace.model.visual.kind not in ANY:
        raise ValueError(
            f"word_relevance reads CLIP's causal text tower, but {trace.model.name} is a "
            f"{trace.model.visual.kind}"
        )
    _check_options(
        f"the words of {method}", options, list(inspect.signature(function).parameters)[2:]
    )
    text, picture = number_of(trace.texts, text, "text", "this trace"), Picture.of(trace, image)
    names, words = spelled(trace, text)
    # another text, even its length, must not matter
    alone = trace.with_texts(trace.token_ids[text : text + 1, : len(names)])
    scores, unit = function(alone, image, **options)
    return WordRelevance(
        picture,
        trace.texts[text],
        names,
        words,
        scores.detach().float().cpu().numpy(),
        method,
        unit,
    )


def _check_options(who: str, options: dict[str, object], allowed: list[str]) -> None:
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ValueError(
            f"{who} has no option {', '.join(map(repr, unknown))}; its options: "
            f"{', '.join(allowed) or 'none'}"
        )
