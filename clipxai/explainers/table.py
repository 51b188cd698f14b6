"""Which explanations are there? One row a method.

What it shows, what it requires of a model, what it needs and costs, where it was published.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from functools import partial

from .attention import bimodal, bimodal_words, legrad, raw_attention, rollout
from .bottleneck import m2ib, m2ib_words
from .decomposition import decomposition, decomposition_among_texts
from .dense import masked_max_pooling, resclip
from .gradients import (
    grad_cam,
    grad_eclip,
    grad_eclip_words,
    gradient_x_input,
    gradient_x_input_words,
    integrated_gradients,
)
from .method import SCORE, Method, MethodTable
from .perturbation import gscorecam, leave_out_words, occlusion, rise
from .scores import Scores
from .similarity import reversed_similarity, similarity, surgery_similarity


def _preset(function: Callable[..., Scores], name: str) -> Callable[..., Scores]:
    return partial(function, preset=name)


PAPER = "Li et al., arXiv 2304.05653"
ONE_ATTENTION, SIX_ATTENTIONS = "one attention", "six attentions"
GATHERING = ("blocks", "class_token")  # a class token that gathers the image layer by layer
_ROWS = (
    Method(
        "clip",
        _preset(similarity, "clip"),
        shows="raw similarity of patch and text",
        reference="Radford et al., arXiv 2103.00020",
    ),
    Method(
        "reversed_clip",
        reversed_similarity,
        shows="the raw map turned over",
        reference="RCLIP; origin unverified",
    ),
    Method(
        "clip_surgery",
        _preset(surgery_similarity, "clip_surgery"),
        shows="v-v dual path without FFN, minus the empty text or what labels share",
        reference=PAPER,
        cost=SIX_ATTENTIONS,
    ),
    Method(
        "clip_surgery_architecture",
        _preset(similarity, "clip_surgery"),
        shows="v-v dual path without FFN, nothing subtracted",
        reference=PAPER,
        cost=SIX_ATTENTIONS,
    ),
    Method(
        "clip_surgery_features",
        _preset(surgery_similarity, "clip"),
        shows="raw path, minus the empty text or what labels share",
        reference=PAPER,
    ),
    Method(
        "clip_surgery_released",
        _preset(surgery_similarity, "clip_surgery_released"),
        shows="what the released ResNet code computes",
        reference=PAPER,
        requires=("attention_pool",),
        cost=ONE_ATTENTION,
    ),
    Method(
        "maskclip",
        _preset(similarity, "maskclip"),
        shows="last block without attention: each patch for itself",
        reference="Zhou et al., arXiv 2112.01071",
        cost="one projection",
    ),
    Method(
        "maskclip_released",
        _preset(similarity, "maskclip_released"),
        shows="the same with residual and FFN, as in its released code",
        reference="Zhou et al., arXiv 2112.01071",
        requires=("blocks",),
        cost="one projection, one FFN",
    ),
    Method(
        "gem",
        _preset(similarity, "gem"),
        shows="self-self attention of q, k and v, averaged",
        reference="Bousselham et al., arXiv 2312.00878",
        requires=("blocks",),
        cost="36 attentions",
    ),
    Method(
        "sclip",
        _preset(similarity, "sclip"),
        shows="q-q plus k-k attention in the last block",
        reference="Wang et al., arXiv 2312.01597",
        requires=("blocks",),
        cost="two attentions, one FFN",
    ),
    Method(
        "naclip",
        _preset(similarity, "naclip"),
        shows="k-k attention that favours neighbours, last block",
        reference="Hajimiri et al., arXiv 2404.08181",
        requires=("blocks",),
        cost=ONE_ATTENTION,
    ),
    Method(
        "clearclip",
        _preset(similarity, "clearclip"),
        shows="q-q attention, last block without residual and FFN",
        reference="Lan et al., arXiv 2407.12442",
        requires=("blocks",),
        cost=ONE_ATTENTION,
    ),
    Method(
        "resclip",
        resclip,
        shows="k-k attention mixed with that of middle layers; RCS half only",
        reference="Yang et al., arXiv 2411.15851",
        requires=GATHERING,
        cost="five attentions",
    ),
    Method(
        "eclip_pooling",
        masked_max_pooling,
        shows="raw similarity where the class token looks; ECLIP without its training",
        reference="Li et al., arXiv 2209.07046",
        requires=("class_token",),
        cost="one attention row",
    ),
    Method(
        "attention",
        raw_attention,
        shows="where the class token of the last layer looked, or a pool; same for every text",
        reference="Dosovitskiy et al., arXiv 2010.11929",
        requires=("attention",),
        cost="one attention row",
        reads_texts=False,
    ),
    Method(
        "rollout",
        rollout,
        shows="attention multiplied up over all layers; same for every text",
        reference="Abnar & Zuidema, arXiv 2005.00928",
        requires=("blocks",),
        cost="all attention weights",
        reads_texts=False,
    ),
    Method(
        "decomposition",
        decomposition,
        shows="what heads brought to the class token, or a pool read; exact shares",
        answers=SCORE,
        reference="Gandelsman et al., arXiv 2310.05916",
        requires=("blocks",),
        cost="one attention row per layer",
    ),
    Method(
        "decomposition_among_texts",
        decomposition_among_texts,
        shows="shares minus their mean over the texts: for this, not the others",
        answers=SCORE,
        reference="Gandelsman et al., arXiv 2310.05916",
        requires=("blocks",),
        cost="one attention row per layer",
        compares_texts=True,
    ),
    Method(
        "grad_cam",
        grad_cam,
        shows="channels of the last block's input by gradient",
        answers=SCORE,
        reference="Selvaraju et al., arXiv 1610.02391",
        requires=("channels",),
        needs="gradient",
        cost="ViT: one block forward, one backward per text; ResNet: one forward",
    ),
    Method(
        "bimodal",
        bimodal,
        shows="attention times its gradient, last layer (blocks=None: all)",
        answers=SCORE,
        reference="Chefer et al., arXiv 2103.15679",
        requires=("blocks",),
        needs="gradient",
        cost="one block forward, one backward per text",
        words=bimodal_words,
    ),
    Method(
        "legrad",
        legrad,
        shows="positive gradient of every layer's score by its attention",
        answers=SCORE,
        reference="Bousselham et al., arXiv 2404.03214",
        requires=("blocks",),
        needs="gradient",
        cost="half a forward, half a backward pass per text",
    ),
    Method(
        "grad_eclip",
        grad_eclip,
        shows="values of the last layer by gradient and key similarity",
        answers=SCORE,
        reference="Zhao et al., arXiv 2502.18816",
        requires=GATHERING,
        needs="gradient",
        cost="one token through one block",
        words=grad_eclip_words,
    ),
    Method(
        "gradient_x_input",
        gradient_x_input,
        shows="pixel times gradient",
        answers=SCORE,
        reference="Shrikumar et al., arXiv 1605.01713",
        needs="gradient",
        cost="one forward, one backward pass per text",
        words=gradient_x_input_words,
    ),
    Method(
        "integrated_gradients",
        integrated_gradients,
        shows="pixel times gradient, averaged from the mean colour to the image",
        answers=SCORE,
        reference="Sundararajan et al., arXiv 1703.01365",
        needs="gradient",
        cost="33 forward passes, 32 backward per text",
    ),
    Method(
        "m2ib",
        m2ib,
        shows="what noise must not replace (random: seed=)",
        answers=SCORE,
        reference="Wang et al., arXiv 2312.17174",
        requires=("blocks",),
        needs="gradient",
        cost="100 x two blocks forward and backward per text",
        words=m2ib_words,
    ),
    Method(
        "gscorecam",
        gscorecam,
        shows="activation maps by the score of the picture seen through them",
        answers=SCORE,
        reference="Chen et al., ACCV 2022",
        requires=("channels",),
        needs="covered pictures",
        cost="up to 300 forward passes per text, shared between texts",
    ),
    Method(
        "occlusion",
        occlusion,
        shows="drop of the score when covered",
        answers=SCORE,
        reference="Zeiler & Fergus, arXiv 1311.2901",
        needs="covered pictures",
        cost="a forward pass for every patch",
        words=leave_out_words,
    ),
    Method(
        "rise",
        rise,
        shows="score under random masks (random: seed=)",
        answers=SCORE,
        reference="Petsiuk et al., arXiv 1806.07421",
        needs="covered pictures",
        cost="1,000 forward passes",
    ),
)
METHODS: dict[str, Method] = {row.name: row for row in _ROWS}


def _released(name: str, words: str, **options: object) -> Method:
    """A method with the defaults of its released code."""
    row = METHODS[name]
    return replace(
        row,
        name=f"{name}_released",
        function=partial(row.function, **options),
        shows=f"{row.shows}; {words}",
        words=None,
    )


# the same methods by another name, in no list: as their released code runs by default
RELEASED: dict[str, Method] = {
    row.name: row
    for row in (
        _released("legrad", "the last two layers", blocks=2),
        _released("grad_cam", "behind the last block's first norm, ReLU", norm=True, relu=True),
        _released("grad_eclip", "ReLU", relu=True),
        _released("gscorecam", "ReLU", relu=True),
    )
}


def methods() -> MethodTable:
    """All methods: which question each answers, what it shows, requires of a model, needs and
    costs, and where it is from; and which of them to take.

    legrad_released, grad_cam_released, grad_eclip_released and gscorecam_released are these
    methods with the defaults of their released code.

    Examples
    --------
    >>> "clip_surgery" in [method.name for method in methods()]
    True
    """
    return MethodTable(METHODS.values())


def find_method(name: str) -> Method:
    """The row of a method, whose name may be written in capitals or with other dashes.

    ValueError: there is none; the message lists the nearest.
    """
    known, rows = re.sub(r"[\s_-]+", "_", str(name).strip().lower()), METHODS | RELEASED
    if known not in rows:
        near = get_close_matches(known, rows, 3, 0.4)
        those = f"nearest: {', '.join(near)}" if near else f"choose one of {', '.join(METHODS)}"
        raise ValueError(
            f"unknown method {name!r}; {those} (all: clipxai.methods(), or `clipxai methods`)"
        )
    return rows[known]
