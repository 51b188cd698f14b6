"""Which word goes with which patch, and which patch with which word?

Formula    Leaving the word out: the map of the text minus that without the word (`word_maps`).
           The token itself: score(s, i) = T_s . F_i, or (T_s - T_empty) . F_i with feature surgery,
           where T_s is text token s through the final norm and the text projection, F_i an image
           token of the raw or of the CLIP Surgery path, both of unit length.
Reads      the trace's text tokens, image tokens and the rewritten tokens; the text tower runs for
           the shortened texts.
Returns    `TokenScores`: (S, P) cosines or differences of cosines, signed.
Reference  Multimodal visualisation of CLIP Surgery (arXiv 2304.05653). The released code has none,
           and the exact tensor could not be verified; this is our definition.
Misleads   The text tower is causal, so a token knows the words before it and never those after:
           what a later word's token lights up may be an earlier word's object. [end] knows them all
           and therefore answers strongly everywhere. Only [end] was ever trained to match images.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import number_of, of_its_kinds
from ..model.clip import cosines
from ..results.findings import LEFT_OUT, Picture, TokenScores
from ..trace.precision import unrounded
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .differences import word_maps
from .explain import explain
from .presets import PRESETS
from .surgery import rewrite
from .table import find_method
from .words import Spans, spelled

# what points at the right object most often, and what comes closest and requires nothing
BEST, NEXT = "decomposition", "clip_surgery_architecture"


@of_its_kinds
@torch.no_grad()
@unrounded
def token_scores(trace: Trace, text: int | str = 0, image: int = 0) -> TokenScores:
    """Every word of a text against every patch of an image: by leaving it out, and its tokens
    themselves, raw and through CLIP Surgery.

    Parameters
    ----------
    trace : from `record`, without templates
    text : number of the text, or the text
    image : number of the image in the batch

    Returns
    -------
    `TokenScores`: (S, P) on four paths, signed. The three of the token itself are this project's
    definition of what CLIP Surgery (arXiv 2304.05653) calls multimodal visualisation. The fourth is
    `word_maps` by the decomposition, or by "clip_surgery_architecture" where the tower has no
    blocks; a text without words has three

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
    expect_texts(trace.model, trace.texts, "token_scores")
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
    patches = {name: values[:, 1:].cpu().numpy() for name, values in scores.items()}
    whole = {name: values[:, 0].cpu().numpy() for name, values in scores.items()}
    method = BEST if find_method(BEST).works_on(trace.model) else NEXT
    if words:
        patches[LEFT_OUT], whole[LEFT_OUT] = _left_out(one, text, method, words, S)
    return TokenScores(
        picture,
        trace.texts[text],
        names,
        words,
        patches,
        whole,
        _seen(trace, text)[:, :S, :S].cpu().numpy(),
        method if words else "",
        text,
        tuple(trace.texts),
    )


def _left_out(
    one: Trace, text: int, method: str, words: Spans, tokens: int
) -> tuple[np.ndarray, np.ndarray]:
    """(S, P) and (S,) of every token: what its word adds; of [end] the text's own, of [start] 0."""
    features = one.text_features[text, None]
    alone = one.with_encoded_texts((one.texts[text],), features, one.empty_features)
    found, whole = word_maps(one, method, text), explain(alone, method)
    maps, adds = np.zeros((tokens, one.grids[0].patches), np.float32), np.zeros(tokens, np.float32)
    maps[-1], adds[-1] = whole.scores[0].ravel(), whole.presence[0]
    for (_, start, stop), values, drop in zip(words, found.scores, found.presence, strict=True):
        maps[start:stop], adds[start:stop] = values.ravel(), drop
    return maps, adds


def _seen(trace: Trace, text: int) -> Tensor:
    """(L, S, S) where every token of a text looked, mean over heads."""
    causal = trace.model.text.causal
    one = slice(text, text + 1)
    layers = [tape.of(one).weights(causal=causal)[0] for tape in trace.text_layers]
    return torch.stack([weights.float().mean(0) for weights in layers])
