"""Many images, each with a text of its own: where does the model see the caption in its picture?

    for pair, e in explain_pairs(model, [("photo.jpg", "a cat"), ("large.jpg", "a guitar")]):
        print(pair, e.presence)

Images and texts of a batch run through their towers together; no image is asked about another's
text, so memory does not grow with B x T.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from ..checks import expect, expect_some, of_its_kinds, shown
from ..explainers.explain import expect_question, explain
from ..model.clip import CLIP
from ..model.image import Mode
from ..results.explanation import Explanation
from ..trace.record import record
from ..trace.trace import Trace

Pair = tuple[object, str]


@of_its_kinds
def explain_pairs(
    model: CLIP,
    pairs: Iterable[Pair],
    method: str = "clip_surgery",
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    truncate: bool = False,
    normalized: bool | None = None,
    batch: int = 8,
    **options: object,
) -> Iterator[tuple[Pair, Explanation]]:
    """Explain each image for its own text only.

    Parameters
    ----------
    model, mode, size, truncate, normalized : as for `record`; mode "aspect" needs a batch of one,
        unless the images have one shape
    pairs : (image, text) of each; images are anything `record` takes
    method, options : as for `explain`
    batch : pairs that go through the model together; more need more memory, the maps are the same

    Returns
    -------
    Iterator of (pair as it was given, its `Explanation` of one text). Wrong methods and options are
    errors at once, not at the first pair

    Raises
    ------
    ValueError, TypeError, OSError : as `record` and `explain`; an entry that is no pair

    Examples
    --------
    >>> pairs = [("photo.jpg", "a cat"), ("large.jpg", "a guitar")]
    >>> for (image, text), e in explain_pairs(model, pairs):
    ...     print(image, e.texts)
    photo.jpg ('a cat',)
    large.jpg ('a guitar',)
    """
    expect(CLIP, model, "load")
    expect_some(batch=batch)
    expect_question(model, method, options)
    seen = dict(mode=mode, size=size, truncate=truncate, normalized=normalized)
    # a generator of its own: this function would not check anything before its first pair
    return _explained(model, iter(pairs), method, batch, seen, options)


def _explained(
    model: CLIP,
    pairs: Iterator[Pair],
    method: str,
    batch: int,
    seen: dict[str, object],
    options: dict[str, object],
) -> Iterator[tuple[Pair, Explanation]]:
    while few := list(islice(pairs, batch)):
        for pair in few:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(f"a pair is (image, text), not {shown(pair)}")
        images, texts = zip(*few)
        together = record(model, list(images), list(texts), **seen)
        for number, pair in enumerate(few):
            yield pair, explain(_with_text(together.of(number), number), method, **options)


def _with_text(trace: Trace, number: int) -> Trace:
    """A trace with one of its texts only; the text tower does not run again."""
    one = slice(number, number + 1)
    return replace(
        trace,
        texts=trace.texts[one],
        token_ids=trace.token_ids[one],
        text_layers=tuple(tape.of(one) for tape in trace.text_layers),
        text_tokens=trace.text_tokens[one],
        text_features=trace.text_features[one],
    )
