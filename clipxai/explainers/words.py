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

import torch
import torch.nn.functional as F

from ..checks import expect, number_of
from ..results.findings import Picture, TokenScores
from ..trace.replay import attend
from ..trace.trace import Trace, cosines
from .surgery import PRESETS, rewrite


def spelled(trace: Trace, text: int) -> tuple[tuple[str, ...], tuple[tuple[str, int, int], ...]]:
    """The S tokens of a text, [start] and [end] included, and (word, its first token, one behind
    its last) of its words.
    """
    words, end = trace.words(text), int(trace.model.text.end(trace.token_ids)[text])
    between = (
        trace.model.tokenizer.decode([int(number)]) for number in trace.token_ids[text, 1:end]
    )
    return ("[start]", *between, "[end]"), tuple(
        (word.text, word.start, word.stop) for word in words if word.stop <= end
    )


@torch.no_grad()
def token_scores(trace: Trace, text: int | str = 0, image: int = 0) -> TokenScores:
    """Every token of one text of a trace against every patch of one image, raw and through CLIP
    Surgery.

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
    """
    expect(Trace, trace, "record")
    text, picture = number_of(trace.texts, text, "text", "this trace"), Picture.of(trace, image)
    names, words = spelled(trace, text)
    S = len(names)
    tokens = F.normalize(trace.text_tokens[text, :S].float(), dim=-1)  # S E
    paths = {"raw": trace.image_tokens()[image].float()}
    paths["surgery"] = F.normalize(rewrite(trace, PRESETS["clip_surgery"])[image].float(), dim=-1)
    scores = {name: cosines(image_tokens, tokens).T for name, image_tokens in paths.items()}  # S N
    scores["surgery minus the empty text"] = cosines(
        paths["surgery"], tokens - trace.empty_features.float()
    ).T
    seen = torch.stack(
        [
            attend(tape.q[text], tape.k[text], causal=True).float().mean(0)
            for tape in trace.text_layers
        ]
    )[:, :S, :S]
    return TokenScores(
        picture,
        trace.texts[text],
        names,
        words,
        {name: values[:, 1:].cpu().numpy() for name, values in scores.items()},
        {name: values[:, 0].cpu().numpy() for name, values in scores.items()},
        seen.cpu().numpy(),
    )
