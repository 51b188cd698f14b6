"""Which word goes with which patch, and which patch with which word?

Formula    score(s, i) = T_s . F_i, or (T_s - T_empty) . F_i with feature surgery, where T_s is text token s through the final norm and the
           text projection, F_i an image token of the raw or of the CLIP Surgery path, both of unit length.
Reads      the trace's text tokens, image tokens and the rewritten tokens.
Returns    `TokenScores`: (S, P) cosines or differences of cosines, signed.
Reference  Multimodal visualisation of CLIP Surgery (arXiv 2304.05653). The released code has none, and the exact tensor could not be
           verified; this is our definition.
Misleads   The text tower is causal, so a token knows the words before it and never those after; [end] knows them all and therefore answers
           strongly everywhere. Only [end] was ever trained to match images.
"""

import torch
import torch.nn.functional as F

from ..given import expect
from ..inside import Picture, TokenScores
from ..surgery import PRESETS, rewrite
from ..trace import Trace


@torch.no_grad()
def token_scores(trace: Trace, text: int = 0, image: int = 0) -> TokenScores:
    """Every token of one text of a trace against every patch of one image (their numbers), raw and through CLIP Surgery.

    Raises
    ------
    TypeError : no Trace
    ValueError : texts recorded with templates, or as ids for a model without vocabulary: there are no words to show
    """
    expect(Trace, trace, "record")
    words = trace.words(text)
    S = int(trace.model.text.end(trace.token_ids)[text]) + 1
    tokens = F.normalize(trace.text_tokens[text, :S].float(), dim=-1)  # S E
    names = ["[start]", *(trace.model.tokenizer.decode([int(number)]) for number in trace.token_ids[text, 1 : S - 1]), "[end]"]
    paths = {"raw": trace.image_tokens()[image].float()}
    paths["surgery"] = F.normalize(rewrite(trace, PRESETS["clip_surgery"])[image].float(), dim=-1)
    scores = {name: tokens @ image_tokens.T for name, image_tokens in paths.items()}  # S N
    scores["surgery minus the empty text"] = (tokens - trace.empty_features.float()) @ paths["surgery"].T
    attention = [(tape.q[text] @ tape.k[text].transpose(-1, -2) * tape.q.shape[-1] ** -0.5)[:, :S, :S] for tape in trace.text_layers]
    causal = torch.ones(S, S, device=tokens.device).tril().bool()
    seen = torch.stack([a.float().masked_fill(~causal, float("-inf")).softmax(-1).mean(0) for a in attention])
    return TokenScores(
        Picture(trace.images[image], trace.grids[image], dict(trace.model.provenance)), trace.texts[text], tuple(names),
        tuple((word.text, word.start, word.stop) for word in words),
        {name: values[:, 1:].cpu().numpy() for name, values in scores.items()},
        {name: values[:, 0].cpu().numpy() for name, values in scores.items()}, seen.cpu().numpy(),
    )  # fmt: skip
