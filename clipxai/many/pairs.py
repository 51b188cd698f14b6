"""Many images, each with a text of its own: where does the model see the caption in its picture?

    for pair, e in explain_pairs(model, [("photo.jpg", "a cat"), ("large.jpg", "a guitar")]):
        print(pair, e.presence)

Images and texts of a batch run through their towers together; no image is asked about another's
text, so memory does not grow with B x T. Gradients of images with as many texts go back together.
"""

from collections.abc import Iterable, Iterator, Sequence

from ..checks import expect, of_its_kinds, shown
from ..model.clip import CLIP
from ..model.image import Mode
from ..results.explanation import Explanation
from .batches import explain_sources
from .reading import Broken, Source

Pair = tuple[object, str | Sequence[str]]


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
    broken: Broken | None = None,
    **options: object,
) -> Iterator[tuple[Pair, Explanation]]:
    """Explain each image for its own text, or texts, only.

    Parameters
    ----------
    model, mode, size, truncate, normalized : as for `record`
    pairs : (image, text) of each, or (image, texts); images are anything `record` takes
    method, options : as for `explain`
    batch : pairs that go through the model together; more need more memory, the maps are the same
    broken : as for `explain_each`; called as broken(pair, error)

    Returns
    -------
    Iterator of (pair as it was given, its `Explanation`). Wrong methods and options are
    errors at once, not at the first pair

    Raises
    ------
    ValueError, TypeError, OSError : as `record` and `explain`; an image that cannot be
        read, unless `broken` is given; an entry that is no pair

    Examples
    --------
    >>> pairs = [("photo.jpg", "a cat"), ("large.jpg", "a guitar")]
    >>> for (image, text), e in explain_pairs(model, pairs):
    ...     print(image, e.texts)
    photo.jpg ('a cat',)
    large.jpg ('a guitar',)
    """
    expect(CLIP, model, "load")
    sources = (_source(pair, normalized) for pair in pairs)
    seen = {"mode": mode, "size": size, "normalized": normalized}
    said = {"truncate": truncate, "batch": batch, "broken": broken}
    return explain_sources(model, sources, None, method, **seen, **said, **options)


def _source(pair: object, normalized: bool | None) -> Source:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise TypeError(f"a pair is (image, text), not {shown(pair)}")
    image, texts = pair
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        texts = (texts,)
    texts = tuple(texts)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise TypeError(f"the text of a pair is a text, or several, not {shown(pair[1])}")
    return Source(pair, image, normalized, texts=texts)
