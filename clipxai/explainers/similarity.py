"""Which patches resemble the text? Cosines of patches and texts, raw or through a rewritten path.

Formula    s[i, t] = F_i . T_t with unit-length F (patches) and T (texts); CLIP Surgery then
           subtracts what all texts share.
Reads      the trace's image tokens, or `surgery.rewrite` of them, and the text features.
Returns    `Scores`: (B, P, T) cosines or differences of cosines, signed; 0 means unrelated (or: no
           more than what all texts share).
Reference  CLIP Surgery (arXiv 2304.05653), MaskCLIP (2112.01071), GEM (2312.00878), SCLIP
           (2312.01597), NACLIP (2404.08181), ClearCLIP (2407.12442); the constants of all six were
           compared with their released code. RCLIP, the raw map reversed: formula and origin
           unverified.
Misleads   A map says *where*, never *whether*: it peaks somewhere even for what is not there (see
           `Explanation.presence`). The raw map is often upside down, background above object.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F

from ..model.clip import cosines
from ..trace.trace import Trace
from .presets import PRESETS
from .scores import Scores
from .surgery import feature_surgery, rewrite


def similarity(trace: Trace, preset: str, **switches: object) -> Scores:
    """Cosine of every patch with every text; `switches` change fields of the preset's `Rewrite`."""
    tokens = F.normalize(rewrite(trace, replace(PRESETS[preset], **switches)), dim=-1)
    return Scores(cosines(tokens, trace.text_features)[:, 1:], "cosine similarity")


def reversed_similarity(trace: Trace) -> Scores:
    """The raw map turned over: where background outscores the object, less is more (RCLIP; its
    formula unverified).
    """
    return Scores(-trace.similarity()[:, 1:], "negative cosine similarity")


def surgery(
    trace: Trace,
    preset: str,
    redundant: Literal["empty", "labels"] | Sequence[str] = "empty",
    temperature: float = 2.0,
    **switches: object,
) -> Scores:
    """Similarity through a rewritten path, minus what is redundant: what lights up whatever the
    text says.

    `redundant` names the estimate: "empty" subtracts the empty text (each map by itself); "labels"
    what the recorded texts share (each map depends on the others: use many); a list of texts what
    these share with the recorded ones, such as all classes of a data set.
    """
    tokens = F.normalize(rewrite(trace, replace(PRESETS[preset], **switches)), dim=-1)
    texts, notes = trace.text_features, ()
    if redundant == "labels" and len(texts) == 1:
        redundant, notes = (
            "empty",
            ("A single text shares nothing with others, so the empty text was subtracted.",),
        )
    if redundant == "empty":
        values = feature_surgery(tokens, texts, trace.empty_features, temperature)
        return Scores(values[:, 1:], "cosine similarity minus the empty text", notes)
    if redundant is None or isinstance(redundant, str) and redundant != "labels":
        raise ValueError(
            f"unknown redundant={redundant!r}; choose 'empty', 'labels' or a list of texts (none: "
            "clip_surgery_architecture)"
        )
    if redundant != "labels":
        texts = torch.cat([texts, trace.with_texts(redundant, trace.templates).text_features])
    values = feature_surgery(tokens, texts, None, temperature)[:, 1:, : len(trace.texts)]
    return Scores(values, f"cosine similarity minus what {len(texts)} texts share", notes)
