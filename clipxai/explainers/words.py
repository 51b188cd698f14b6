"""Which words has a text, and what does its cosine with an image lose without each?

Formula    cos(image, text) - cos(image, text without the word), a word with all its pieces, which
           share that evenly; what goes along is said in `leaving_out`.
Reads      the trace's image features; the text tower runs for the shortened texts.
Returns    `WordRelevance`: (S,) a number for each token, 0 for [start] and [end].
Reference  Leaving out one part at a time: Zeiler & Fergus 2014 (arXiv 1311.2901), here of a text.
Misleads   Of two words that say the same, neither seems to matter.
"""

import numpy as np

from ..model.clip import cosines
from ..results.findings import Picture, WordRelevance
from ..trace.trace import Trace
from .leaving_out import leave_out

LEAVE_OUT = "leave_out"  # how words are asked; no map of an image is made like that
Spans = tuple[tuple[str, int, int], ...]  # a word, its first token, one behind its last


def spelled(trace: Trace, text: int) -> tuple[tuple[str, ...], Spans]:
    """The S tokens of a text, [start] and [end] included, and its words."""
    spans = trace.words(text)  # says it where there are no words, and so no ids
    ids = trace.token_ids[text]
    # the vocabulary's [end], as not all towers read a text there
    end = int((ids == trace.model.tokenizer.end).int().argmax())
    between = [trace.model.tokenizer.decode([int(number)]) for number in ids[1:end]]
    words = tuple((word.text, word.start, word.stop) for word in spans if word.stop <= end)
    return ("[start]", *between, "[end]"), words


def words_left_out(trace: Trace, text: int, picture: Picture) -> WordRelevance:
    """What the cosine loses without each word; its pieces share that evenly."""
    names, words = spelled(trace, text)
    scores = np.zeros(len(names), np.float32)
    if words:
        left = leave_out(trace.of(picture.number), text).trace
        cosine = cosines(left.image_features, left.text_features)[0].detach().cpu().numpy()
        for (_, start, stop), without in zip(words, cosine[1:], strict=True):
            scores[start:stop] = (cosine[0] - without) / (stop - start)
    unit = "drop of the cosine when left out"
    found = picture, trace.texts[text], names, words, scores, LEAVE_OUT, unit
    return WordRelevance(*found, text, tuple(trace.texts))
