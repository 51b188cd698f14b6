"""Which word goes with which patch, and which patch with which word?

Formula    score(s, i) = T_s . F_i, or (T_s - T_empty) . F_i with feature surgery, where T_s is text
           token s through the final norm and the text projection, F_i an image token of the raw or
           of the CLIP Surgery path, both of unit length.
Reads      the trace's text tokens, image tokens and the rewritten tokens.
Returns    `TokenScores`: (S, P) cosines or differences of cosines, signed.
Reference  Multimodal visualisation of CLIP Surgery (arXiv 2304.05653). The released code has none,
           and the exact tensor could not be verified; this is our definition.
Misleads   The text tower is causal, so a token knows the words before it and never those after;
           [end] knows them all and therefore answers strongly everywhere. Only [end] was ever
           trained to match images.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import number_of, of_its_kinds
from ..model.clip import cosines
from ..model.towers.block import attend
from ..results.findings import Picture, TokenScores, WordRelevance
from ..trace.precision import unrounded
from ..trace.trace import Trace
from .leaving_out import leave_out
from .presets import PRESETS
from .surgery import rewrite

LEAVE_OUT = "leave_out"  # how words are asked; no map of an image is made like that
Spans = tuple[tuple[str, int, int], ...]  # a word, its first token, one behind its last


def spelled(trace: Trace, text: int) -> tuple[tuple[str, ...], Spans]:
    """The S tokens of a text, [start] and [end] included, and its words."""
    spans = trace.words(text)  # says it where there are no words, and so no ids
    ids, end = trace.token_ids[text], int(trace.model.text.end(trace.token_ids)[text])
    between = [trace.model.tokenizer.decode([int(number)]) for number in ids[1:end]]
    words = tuple((word.text, word.start, word.stop) for word in spans if word.stop <= end)
    return ("[start]", *between, "[end]"), words


def words_left_out(trace: Trace, text: int, picture: Picture) -> WordRelevance:
    """What the cosine loses without each word; its pieces share that evenly."""
    names, words = spelled(trace, text)
    scores = np.zeros(len(names), np.float32)
    if words:
        left = leave_out(trace.of(picture.number), text).trace
        cosine = cosines(left.image_features, left.text_features)[0].cpu().numpy()
        for (_, start, stop), without in zip(words, cosine[1:], strict=True):
            scores[start:stop] = (cosine[0] - without) / (stop - start)
    unit = "drop of the cosine when left out"
    return WordRelevance(picture, trace.texts[text], names, words, scores, LEAVE_OUT, unit)


@of_its_kinds
@torch.no_grad()
@unrounded
def token_scores(trace: Trace, text: int | str = 0, image: int = 0) -> TokenScores:
    """Every token of a text against every patch of an image, raw and through CLIP Surgery.

    Parameters
    ----------
    trace : from `record`, without templates
    text : number of the text, or the text
    image : number of the image in the batch

    Returns
    -------
    `TokenScores`: (S, P) cosines or differences of cosines, signed; this project's definition of
    what CLIP Surgery (arXiv 2304.05653) calls multimodal visualisation

    Raises
    ------
    TypeError : no Trace
    ValueError : no such text; texts recorded with templates, or as ids for a model without
        vocabulary; a SigLIP: there are no words to show
    IndexError : no text or image of that number

    Examples
    --------
    >>> found = token_scores(trace, text="a cat")
    >>> found.tokens
    ('[start]', 'a', 'cat', '[end]')
    """
    text, picture = number_of(trace.texts, text, "text", "this trace"), Picture.of(trace, image)
    names, words = spelled(trace, text)
    one, S = trace.of(image), len(names)
    tokens = F.normalize(trace.text_tokens[text, :S].float(), dim=-1)  # S E
    raw = one.image_tokens()[0]  # N E
    repaired = F.normalize(rewrite(one, PRESETS["clip_surgery"])[0], dim=-1)
    scores = {  # S N
        "raw": cosines(raw, tokens).T,
        "surgery": cosines(repaired, tokens).T,
        "surgery minus the empty text": cosines(repaired, tokens - trace.empty_features).T,
    }
    return TokenScores(
        picture,
        trace.texts[text],
        names,
        words,
        {name: values[:, 1:].cpu().numpy() for name, values in scores.items()},
        {name: values[:, 0].cpu().numpy() for name, values in scores.items()},
        _seen(trace, text)[:, :S, :S].cpu().numpy(),
    )


def _seen(trace: Trace, text: int) -> Tensor:
    """(L, S, S) where every token of a text looked, mean over heads."""
    causal = trace.model.text.causal
    layers = [attend(tape.q[text], tape.k[text], causal) for tape in trace.text_layers]
    return torch.stack([weights.float().mean(0) for weights in layers])
