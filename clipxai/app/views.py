"""What can the Explorer show? One row for each view: the word on its button, the line of Python
that makes what it shows, and the viewer.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from ..explainers.decomposition import head_contributions
from ..explainers.differences import contrast
from ..explainers.effects import effects
from ..explainers.explain import word_relevance
from ..explainers.layers import attention_maps, contributions
from ..explainers.overview import overview
from ..explainers.surgery_steps import surgery_steps
from ..explainers.tokens import token_scores
from ..results.explanation import Explanation
from ..results.findings import on_patches
from ..scenes.naming import masks_of
from ..tasks import segment
from ..trace.trace import Trace
from ..view import (
    ContrastMap,
    EffectGrid,
    HeadGrid,
    LayerAttentionViewer,
    ModelOverview,
    ModuleComparison,
    RegionMap,
    SurgeryWalk,
    TokenMap,
    Viewer,
    WordRanking,
)
from ..view.word_units import units_of

Masks = Mapping[str, np.ndarray]  # thing -> true mask (H, W) bool, where it is known
Explain = Callable[[], Explanation]  # by the chosen method and switches
CUT = {"threshold": 0.5, "of": "map"}  # of regions: below it a pixel is background


class View(NamedTuple):
    """One row.

    Attributes
    ----------
    label : on its button
    code : the line; in it stand {trace}, {text}, a {pair} of texts, {maps} of the method
    show : (trace, number of the text, masks of the things, explain) makes the viewer
    lives : as long as the "image", the "texts", or one "answer"
    """

    label: str
    code: str
    show: Callable[[Trace, int, Masks, Explain], Viewer]
    lives: Literal["image", "texts", "answer"] = "texts"


def _attention(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    found = attention_maps(trace).with_heads(trace)
    return LayerAttentionViewer(found, truth=masks_of(list(masks), masks))


def _modules(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    found = contributions(trace)
    grid, truth = found.picture.grid, masks_of(trace.texts, masks)
    # attention within a thing needs two patches of it
    large = {text: mask for text, mask in truth.items() if on_patches(mask, grid).sum() > 1}
    return ModuleComparison(found.with_masks(trace, large), truth=truth)


def _words(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    found = token_scores(trace, text)
    return TokenMap(found, truth=masks_of([unit.name for unit in units_of(found)[0]], masks))


def _relevance(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return WordRanking(word_relevance(trace, text=text))


def _heads(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return HeadGrid(head_contributions(trace), truth=masks_of(trace.texts, masks))


def _effects(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return EffectGrid(effects(trace), truth=masks_of(trace.texts, masks))


def _regions(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return RegionMap(segment(explain(), **CUT), truth=masks_of(trace.texts, masks) or None)


def _contrast(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    if len(trace.texts) < 2:
        raise ValueError("this or that takes two texts, the first two: type another one")
    pair = trace.texts[:2]
    return ContrastMap(contrast(trace, *pair), truth=masks_of(pair, masks))


def _surgery(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return SurgeryWalk(surgery_steps(trace), truth=masks_of(trace.texts, masks))


def _model(trace: Trace, text: int, masks: Masks, explain: Explain) -> Viewer:
    return ModelOverview(overview(trace))


_CUT = ", ".join(f"{name}={value!r}" for name, value in CUT.items())
VIEWS = {
    "attention": View(
        "attention", "cx.attention_maps({trace}).with_heads({trace})", _attention, "image"
    ),
    "modules": View("attention or FFN", "cx.contributions({trace})", _modules, "answer"),
    "heads": View("heads", "cx.head_contributions({trace})", _heads),
    "effects": View("effects", "cx.effects({trace})", _effects),
    "words": View("words", "cx.token_scores({trace}{text})", _words),
    "relevance": View("which word", "cx.word_relevance({trace}{text})", _relevance),
    "contrast": View("this or that", "cx.contrast({trace}, {pair})", _contrast),
    "regions": View("regions", f"cx.segment({{maps}}, {_CUT})", _regions, "answer"),
    "surgery": View("surgery", "cx.surgery_steps({trace})", _surgery),
    "model": View("whole model", "{trace}", _model),
}
OF_A_TEXT = ("words", "relevance")
OF_A_METHOD = ("methods", "regions")
WITH_TRUTH = (
    "methods",
    "attention",
    "modules",
    "heads",
    "effects",
    "words",
    "contrast",
    "regions",
    "surgery",
)
