"""What is left of a text when a word is taken out?

Formula    map(word) = map(text) - map(text without the word)
Reads      the text's words (`Trace.words`); where there are none, as for SigLIP or with templates,
           what stands between blanks.
Returns    `Words`: the names of what is taken out, and the trace of the text and all shortened
           texts, which are read in one batch. The image tower does not run again.
Reference  Leaving out one part at a time: Zeiler & Fergus 2014 (arXiv 1311.2901), here of a text.
           What goes along is this project's rule:
           - an article before the gap, if behind the gap comes the end, a mark, another article or
             a word that joins (`JOINING`): "a cat and ..." without "cat" is "and ...";
           - a comma before the gap, if the end or a mark comes behind; a comma behind it, if before
             it is the beginning or a word that joins.
           Nothing else changes: "an old cat" without "old" is "an cat".
Misleads   The shortened text may mean something else, and need not be a sentence. What two words
           say together is found in neither map alone: take the phrase out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..model.words.piece_tokenizer import PieceTokenizer
from ..model.words.tokenizer import WordSpan
from ..trace.sides import read_at_ends
from ..trace.trace import Trace

ARTICLES = {"a", "an", "the"}
MARKS = {",", ".", ";", ":", "!", "?"}
JOINING = set(
    "and or but with without on in at of by near under over behind beside between from to into "
    "beneath above below is are was were while here there".split()
)
Phrase = str | tuple[int, int]  # as written, or its first character and one behind its last


class Words(NamedTuple):
    """What is taken out of a text.

    Attributes
    ----------
    names : a name for each part; what occurs twice has its place in brackets, [start] being 0
    parts : the numbers of the words of each, among the words of the text
    trace : the text, and then the text without each part
    """

    names: tuple[str, ...]
    parts: tuple[range, ...]
    trace: Trace


def kept(words: Sequence[str], taken: range) -> list[int]:
    """Numbers of the words that stay when those of `taken` go.

    Examples
    --------
    >>> kept("a cat , a dog and an owl".split(), range(1, 2))  # a dog and an owl
    [3, 4, 5, 6, 7]
    >>> kept("a red car".split(), range(1, 2))
    [0, 2]
    """
    low = [word.lower() for word in words]
    before, after = taken.start - 1, taken.stop
    ends = after == len(low) or low[after] in MARKS
    joined = not ends and low[after] in JOINING | ARTICLES
    if before >= 0 and low[before] in ARTICLES and (ends or joined):
        before -= 1
    if before >= 0 and low[before] == "," and ends:
        before -= 1
    elif after < len(low) and low[after] == "," and (before < 0 or low[before] in JOINING):
        after += 1
    return [*range(before + 1), *range(after, len(low))]


def leave_out(trace: Trace, text: int, phrases: Sequence[Phrase] | None = None) -> Words:
    """A text of a trace, and the text without each of its words, or without each of `phrases`.

    Raises
    ------
    ValueError : no words; a phrase that is not in the text, or there more than once; characters
        that are no whole words
    """
    written, spans = trace.texts[text], None
    if trace.token_ids is not None and not isinstance(trace.model.tokenizer, PieceTokenizer):
        spans, ids = trace.words(text), trace.token_ids[text]
        # the vocabulary's [end], as not all towers read a text there
        end = int((ids == trace.model.tokenizer.end).int().argmax())
        spans = [span for span in spans if span.stop <= end]
    words = [span.text for span in spans] if spans is not None else written.split()
    if not words:
        raise ValueError(f"{written!r} has no words to leave out")
    parts = [range(n, n + 1) for n in range(len(words))]
    if phrases is not None:
        parts = [_part(trace, written, words, phrase, spans is not None) for phrase in phrases]
        if not parts:
            raise ValueError("words=[] leaves nothing out: name at least one word or phrase")
        twice = next((part for n, part in enumerate(parts) if part in parts[:n]), None)
        if twice is not None:
            name = " ".join(words[n] for n in twice)
            raise ValueError(f"{name!r} is named twice in words=: name every phrase once")
    starts = [span.start for span in spans] if spans is not None else range(1, len(words) + 1)
    names = [" ".join(words[n] for n in part) for part in parts]
    told = [
        name if names.count(name) == 1 else f"{name} ({starts[part.start]})"
        for name, part in zip(names, parts)
    ]
    remaining = [kept(words, part) for part in parts]
    if spans is None:
        read = _read_again(trace, text, [" ".join(words[n] for n in rest) for rest in remaining])
    else:
        tower = trace.model.text
        rows = ids if tower.full else ids[: end + 1]
        read = _read_shorter(trace, text, _without(rows, spans, remaining, tower.pad_id))
    return Words(tuple(told), tuple(parts), read)


def _read_again(trace: Trace, text: int, shorter: Sequence[str]) -> Trace:
    """A text as it was recorded, and then the `shorter` ones."""
    written = trace.texts[text]
    read = trace.with_texts([written, *shorter], trace.templates)
    # by another batch half precision rounds otherwise; another text is farther away
    if not torch.allclose(read.text_features[0], trace.text_features[text], atol=1e-2):
        raise ValueError(
            f"{written!r} read again is not what was recorded (token ids, or a text that was cut): "
            "record the text itself, short enough to be read whole"
        )
    return read


@torch.no_grad()
def _read_shorter(trace: Trace, text: int, rows: Tensor) -> Trace:
    """The text as it was recorded, and then those of its `rows` (1 + W, S) that are shorter."""
    model = trace.model
    # in half precision another batch rounds otherwise, which would look like what a word adds
    known = model.dtype.itemsize >= torch.float32.itemsize
    if trace.text_edits:
        features = trace.with_texts(rows).text_features
    else:
        features = read_at_ends(model, rows)
    if known:
        features[0] = trace.text_features[text]
    texts = (trace.texts[text], *(model.tokenizer.decode(row.tolist()) for row in rows[1:]))
    return trace.with_encoded_texts(texts, features)


def _without(
    ids: Tensor, spans: Sequence[WordSpan], remaining: Sequence[Sequence[int]], pad: int
) -> Tensor:
    """(1 + W, S) the `ids` (S,) of a text, and again with only the `remaining` words of each,
    filled up with `pad`.
    """
    rows = ids.new_full((1 + len(remaining), len(ids)), pad)
    rows[0] = ids
    for row, rest in zip(rows[1:], remaining):
        stays = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
        for n, span in enumerate(spans):
            stays[span.start : span.stop] = n in rest
        row[: int(stays.sum())] = ids[stays]
    return rows


def _part(trace: Trace, written: str, words: Sequence[str], phrase: Phrase, spelled: bool) -> range:
    """Numbers of the words of a phrase."""
    if not isinstance(phrase, str):
        return _between(written, words, *phrase)
    asked = phrase.split()
    if spelled:
        asked = [span.text for span in trace.model.tokenizer.words(phrase)]
    low, sought = [word.lower() for word in words], [word.lower() for word in asked]
    size = len(sought)
    found = [n for n in range(len(low) - size + 1) if size and low[n : n + size] == sought]
    if len(found) != 1:
        where = f"stands {len(found)} times" if found else "does not stand"
        raise ValueError(
            f"{phrase!r} {where} in {written!r}, whose words are {', '.join(map(repr, words))}: "
            "name whole words as they follow one another, or give the first character and one "
            "behind the last, such as words=[(2, 5)]"
        )
    return range(found[0], found[0] + size)


def _between(written: str, words: Sequence[str], start: int, stop: int) -> range:
    """Numbers of the words that characters `start` to `stop` of a text hold."""
    # one small letter may be several characters, as that of İ is
    folded = [(letter, n) for n, one in enumerate(written) for letter in one.casefold()]
    low, places, done = "".join(letter for letter, _ in folded), [], 0
    for word in words:
        sought = "".join(one.casefold() for one in word)
        at = low.find(sought, done)
        if at < 0 or low[done:at].strip():  # between words there are blanks only
            raise ValueError(
                f"{word!r} is not written like that in {written!r}, so characters do not tell "
                "where it is: name the phrase instead"
            )
        done = at + len(sought)
        places.append((folded[at][1], folded[done - 1][1] + 1))
    inside = [n for n, (first, last) in enumerate(places) if start <= first and last <= stop]
    cut = [n for n, (first, last) in enumerate(places) if first < stop and start < last]
    if start < 0 or stop > len(written):
        raise ValueError(
            f"characters {start} to {stop} are not all in {written!r}, whose places are 0 to "
            f"{len(written)}"
        )
    if not inside or cut != inside:
        raise ValueError(
            f"characters {start} to {stop} of {written!r} are {written[max(start, 0) : stop]!r}, "
            f"no whole words; these stand at {', '.join(map(str, places))}"
        )
    return range(inside[0], inside[-1] + 1)
