"""Which patches resemble the text? Cosines of patches and texts, raw or through a rewritten path.

Formula    s[i, t] = cos(x_i, y_t) of patch i and text t; CLIP Surgery then subtracts what lights
           up whatever the text says.
Reads      the trace's image tokens, or `surgery.rewrite` of them, and the text features.
Returns    `Scores`: (B, P, T) cosines or differences of cosines, signed; 0 means unrelated (or: no
           more than what all texts share).
Reference  CLIP Surgery (arXiv 2304.05653), MaskCLIP (2112.01071), GEM (2312.00878), SCLIP
           (2312.01597), NACLIP (2404.08181), ClearCLIP (2407.12442); the constants of all six were
           compared with their released code. RCLIP, the raw map reversed: formula and origin
           unverified.
Misleads   A map says *where*, never *whether*: it peaks somewhere even for what is not there (see
           `Explanation.presence`). The raw map is often upside down, background above object.

Axes: B images, P patches, T texts, E joint width.
"""

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import Factor
from ..model.clip import cosines
from ..trace.sharing import shared
from ..trace.trace import Trace
from .presets import Rewrite, turned
from .scores import Scores
from .surgery import feature_surgery, rewrite


def similarity(trace: Trace, preset: str, **switches: object) -> Scores:
    """Cosine of every patch with every text; `switches` change fields of the preset's `Rewrite`."""
    patches = _tokens(trace, turned(preset, switches, trace.model.visual))[:, 1:]
    return Scores(cosines(patches, trace.text_features), "cosine similarity")


def reversed_similarity(trace: Trace) -> Scores:
    """The raw map turned over: where background outscores the object, less is more.

    RCLIP; its formula is unverified.
    """
    return Scores(-trace.similarity()[:, 1:], "negative cosine similarity")


def surgery_similarity(
    trace: Trace,
    preset: str,
    redundant: Literal["empty", "labels"] | Sequence[str] | None = "empty",
    temperature: Factor | None = None,
    **switches: object,
) -> Scores:
    """Similarity through a rewritten path, minus what lights up whatever the text says.

    `redundant` names the estimate: "empty" subtracts the empty text (each map by itself); "labels"
    what the recorded texts share (each map depends on the others: use many); a list of texts what
    these share with the recorded ones, such as all classes of a data set. `temperature` (2, as in
    the paper) weighs texts that share something, so it is a ValueError with the empty text.
    """
    texts, notes = trace.text_features, ()
    if redundant == "labels" and len(texts) == 1:
        redundant = "empty"
        notes = ("A single text shares nothing with others, so the empty text was subtracted.",)
    elif redundant == "empty" and temperature is not None:
        raise ValueError(
            f"temperature={temperature} changes nothing where the empty text is subtracted: pass "
            "redundant='labels' or a list of texts with it"
        )
    if redundant is None:
        raise ValueError(
            "redundant=None subtracts nothing: ask for clip_surgery_architecture instead"
        )
    weighs = redundant != "empty"
    tokens = _tokens(trace, turned(preset, switches, trace.model.visual, weighs_texts=weighs))
    if redundant == "empty":
        values = feature_surgery(tokens, texts, trace.empty_features)
        return Scores(values[:, 1:], "cosine similarity minus the empty text", notes)
    if redundant != "labels":
        texts = torch.cat([texts, trace.features_beside(redundant)])
    weighed = 2.0 if temperature is None else temperature
    values = feature_surgery(tokens, texts, None, weighed)[:, 1:, : len(trace.texts)]
    return Scores(values, f"cosine similarity minus what {len(texts)} texts share", notes)


@shared("model", "stream", "edits")
def _tokens(trace: Trace, change: Rewrite) -> Tensor:
    """(B, 1 + P, E) unit length, as the rewritten path sees them."""
    return F.normalize(rewrite(trace, change), dim=-1)
