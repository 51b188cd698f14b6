"""Do words point at their own thing? Three questions to one picture whose objects are known.

noun       A caption names all of its objects. Whose mask has the highest mean in a noun's map
           (`word_maps`)?
presence   A caption names an object and a thing that is not there, in either order. Which word
           mattered more (`word_relevance`)?
contrast   Of two objects, does the map "this rather than that" (`contrast`) peak on the one, and
           have its trough on the other?

Each answer is a row: `FIELDS`, 1 for a hit and 0 for none, NaN for what was not asked.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..explainers.differences import word_maps
from ..explainers.explain import word_relevance
from ..results.explanation import Explanation
from ..trace.trace import Trace

FIELDS = ("objects", "noun", "presence", "peak", "trough")
MOST_NAMED = 3  # objects in a caption
NOT_ASKED = dict.fromkeys(FIELDS, math.nan)
Row = list[float]
Span = tuple[int, int]


def nouns(
    trace: Trace, method: str, prompt: str, names: Sequence[str], masks: np.ndarray
) -> list[Row]:
    """A row for every object that can be seen, of pictures of two or three.

    Parameters
    ----------
    trace : of the picture
    method : name in `clipxai.methods()`
    prompt : with {} where the names of all objects go
    names, masks : of n objects; masks are (n, H, W) bool
    """
    seen = [n for n, mask in enumerate(masks) if mask.any()]
    if len(seen) < 2 or len(masks) > MOST_NAMED:
        return []
    text, spans = caption_of(prompt, names)
    maps = word_maps(trace.with_texts(text), method, words=[spans[n] for n in seen])
    rows = []
    for at in range(len(seen)):
        heat = maps.heatmap(at, masks.shape[1:], normalize="none")
        means = [np.nanmean(heat[masks[other]]) for other in seen]
        rows.append(_row(objects=len(masks), noun=float(np.argmax(means) == at)))
    return rows


def presence(
    trace: Trace, method: str, prompt: str, names: tuple[str, str], first: bool, objects: int
) -> Row:
    """Whether what is there, one of so many `objects`, mattered more than what is not.

    `names` are those of the two; what is there is named `first` or last.
    """
    order = names if first else names[::-1]
    sums = _sums(trace, method, caption_of(prompt, order)[0], order)
    there, not_there = sums if first else sums[::-1]
    return _row(objects=objects, presence=float(there > not_there))


def contrasts(maps: Explanation, masks: np.ndarray) -> list[Row]:
    """A row for every two objects; the first texts of the `maps` are theirs."""
    rows = []
    for a, b in combinations([n for n, mask in enumerate(masks) if mask.any()], 2):
        one, other = (maps.heatmap(n, masks.shape[1:], normalize="none") for n in (a, b))
        difference = (one - other).ravel()
        if not np.ptp(difference[~np.isnan(difference)]) > 0:
            continue  # a method that does not read the text
        peak, trough = np.nanargmax(difference), np.nanargmin(difference)
        hits = {"peak": masks[a].ravel()[peak], "trough": masks[b].ravel()[trough]}
        rows.append(_row(objects=len(masks), **{name: float(hit) for name, hit in hits.items()}))
    return rows


def caption_of(prompt: str, names: Sequence[str]) -> tuple[str, list[Span]]:
    """A caption that lists some names, and where each stands: its first character and one behind
    its last.
    """
    before, behind = prompt.split("{}")
    said, spans = before, []
    for n, name in enumerate(names):
        said += "" if n == 0 else " and " if n == len(names) - 1 else ", "
        spans.append((len(said), len(said) + len(name)))
        said += name
    return said + behind, spans


def _sums(trace: Trace, method: str, text: str, names: Sequence[str]) -> list[float]:
    """What the words of each name, which follow one another in a text, matter together."""
    found, begin, sums = word_relevance(trace.with_texts(text), method), 0, []
    words = [word for word, _, _ in found.words]
    for name in names:
        parts = [span.text for span in trace.model.tokenizer.words(name)]
        begin = next(n for n in range(begin, len(words)) if words[n : n + len(parts)] == parts)
        of_name = found.words[begin : begin + len(parts)]
        sums.append(float(sum(found.scores[start:stop].sum() for _, start, stop in of_name)))
        begin += len(parts)
    return sums


def _row(**known: float) -> Row:
    return [*{**NOT_ASKED, **known}.values()]
