"""Which explanations are there? One row a method: what it shows, what it needs and costs, where it
was published.
"""

import html
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import partial
from textwrap import wrap

from torch import Tensor

from .attention import bimodal, bimodal_words, legrad, raw_attention, rollout
from .bottleneck import m2ib, m2ib_words
from .decomposition import decomposition
from .dense import masked_max_pooling, resclip
from .gradients import (
    grad_cam,
    grad_eclip,
    grad_eclip_words,
    gradient_x_input,
    gradient_x_input_words,
    integrated_gradients,
)
from .perturbation import gscorecam, leave_out_words, occlusion, rise
from .scores import Scores
from .similarity import reversed_similarity, similarity, surgery
from .surgery import PRESETS, Rewrite

ANY = ("vit", "resnet")
# "siglip": no class token; patches are read through the pooling head (`model.siglip`)
ALL = ("vit", "siglip", "resnet")


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes
    ----------
    name : what `explain` is told
    function : (trace, **options) -> Scores
    shows : one line for people
    reference : where it was published
    architectures : image towers it is defined for
    needs : "forward" (the recorded pass is enough), "gradient" (backward passes), or "covered
        pictures" (many forward passes)
    cost : one line for people, on top of the recorded forward pass
    words : the same question about the only text of a trace, (trace, image, **options) -> (S,) and
        unit; None where the method has none
    """

    name: str
    function: Callable[..., Scores]
    shows: str
    reference: str
    architectures: tuple[str, ...] = ANY
    needs: str = "forward"
    cost: str = "nothing"
    words: Callable[..., tuple[Tensor, str]] | None = None

    @property
    def options(self) -> list[str]:
        """Names that may be passed to `explain` for this method."""
        bound = self.function.keywords if isinstance(self.function, partial) else {}
        parameters = inspect.signature(self.function).parameters.values()
        named = [
            p.name
            for p in parameters
            if p.name != "trace" and p.name not in bound and p.kind is not p.VAR_KEYWORD
        ]
        switches = (
            [field.name for field in fields(Rewrite)]
            if any(p.kind is p.VAR_KEYWORD for p in parameters)
            else []
        )
        return named + switches

    @property
    def preset(self) -> str | None:
        """Name of the preset that the method starts from, or None if there is none."""
        return self.function.keywords.get("preset") if isinstance(self.function, partial) else None

    def rewrites(self, options: dict[str, object]) -> bool:
        """Whether it reads patches from a rewritten path, as its preset has it, and never those
        that leave the model's last block.
        """
        return (
            self.preset is not None and PRESETS[self.preset].blocks > 0 and "blocks" not in options
        )


def _preset(function: Callable[..., Scores], name: str) -> Callable[..., Scores]:
    return partial(function, preset=name)


PAPER = "Li et al., arXiv 2304.05653"
ONE_ATTENTION, SIX_ATTENTIONS = "one attention", "six attentions"
_ROWS = (
    Method(
        "clip",
        _preset(similarity, "clip"),
        "raw similarity of patch and text",
        "Radford et al., arXiv 2103.00020",
        ALL,
    ),
    Method(
        "reversed_clip",
        reversed_similarity,
        "the raw map turned over",
        "RCLIP; origin unverified",
        ALL,
    ),
    Method(
        "clip_surgery",
        _preset(surgery, "clip_surgery"),
        "v-v dual path without FFN, minus what all texts share",
        PAPER,
        ALL,
        cost=SIX_ATTENTIONS,
    ),
    Method(
        "clip_surgery_architecture",
        _preset(similarity, "clip_surgery"),
        "v-v dual path without FFN, nothing subtracted",
        PAPER,
        ALL,
        cost=SIX_ATTENTIONS,
    ),
    Method(
        "clip_surgery_features",
        _preset(surgery, "clip"),
        "raw path, minus what all texts share",
        PAPER,
        ALL,
    ),
    Method(
        "clip_surgery_released",
        _preset(surgery, "clip_surgery_released"),
        "what the released ResNet code computes",
        PAPER,
        ("resnet",),
        cost=ONE_ATTENTION,
    ),
    Method(
        "maskclip",
        _preset(similarity, "maskclip"),
        "last block without attention: each patch for itself",
        "Zhou et al., arXiv 2112.01071",
        ALL,
        cost="one projection",
    ),
    Method(
        "maskclip_released",
        _preset(similarity, "maskclip_released"),
        "the same with residual and FFN, as in its released code",
        "Zhou et al., arXiv 2112.01071",
        ("vit", "siglip"),
        cost="one projection, one FFN",
    ),
    Method(
        "gem",
        _preset(similarity, "gem"),
        "self-self attention of q, k and v, averaged",
        "Bousselham et al., arXiv 2312.00878",
        ("vit", "siglip"),
        cost="36 attentions",
    ),
    Method(
        "sclip",
        _preset(similarity, "sclip"),
        "q-q plus k-k attention in the last block",
        "Wang et al., arXiv 2312.01597",
        ("vit", "siglip"),
        cost="two attentions, one FFN",
    ),
    Method(
        "naclip",
        _preset(similarity, "naclip"),
        "k-k attention that favours neighbours, last block",
        "Hajimiri et al., arXiv 2404.08181",
        ("vit", "siglip"),
        cost=ONE_ATTENTION,
    ),
    Method(
        "clearclip",
        _preset(similarity, "clearclip"),
        "q-q attention, last block without residual and FFN",
        "Lan et al., arXiv 2407.12442",
        ("vit", "siglip"),
        cost=ONE_ATTENTION,
    ),
    Method(
        "resclip",
        resclip,
        "k-k attention mixed with that of middle layers; RCS half only",
        "Yang et al., arXiv 2411.15851",
        ("vit",),
        cost="five attentions",
    ),
    Method(
        "eclip_pooling",
        masked_max_pooling,
        "raw similarity where the class token looks; ECLIP without its training",
        "Li et al., arXiv 2209.07046",
        cost="one attention row",
    ),
    Method(
        "attention",
        raw_attention,
        "where the class token of the last layer looked; same for every text",
        "Dosovitskiy et al., arXiv 2010.11929",
        cost="one attention row",
    ),
    Method(
        "rollout",
        rollout,
        "attention multiplied up over all layers; same for every text",
        "Abnar & Zuidema, arXiv 2005.00928",
        ("vit",),
        cost="all attention weights",
    ),
    Method(
        "decomposition",
        decomposition,
        "what the heads brought to the class token, exact shares of the cosine",
        "Gandelsman et al., arXiv 2310.05916",
        ("vit",),
        cost="one attention row per layer",
    ),
    Method(
        "grad_cam",
        grad_cam,
        "channels of the last block's input by gradient",
        "Selvaraju et al., arXiv 1610.02391",
        needs="gradient",
        cost="ViT: one block forward, one backward per text; ResNet: one forward",
    ),
    Method(
        "bimodal",
        bimodal,
        "attention times its gradient, last layer (blocks=None: all)",
        "Chefer et al., arXiv 2103.15679",
        ("vit",),
        "gradient",
        "one block forward, one backward per text",
        bimodal_words,
    ),
    Method(
        "legrad",
        legrad,
        "positive gradient of every layer's score by its attention",
        "Bousselham et al., arXiv 2404.03214",
        ("vit",),
        "gradient",
        "half a forward, half a backward pass per text",
    ),
    Method(
        "grad_eclip",
        grad_eclip,
        "values of the last layer by gradient and key similarity",
        "Zhao et al., arXiv 2502.18816",
        ("vit",),
        "gradient",
        "one token through one block",
        grad_eclip_words,
    ),
    Method(
        "gradient_x_input",
        gradient_x_input,
        "pixel times gradient",
        "Shrikumar et al., arXiv 1605.01713",
        needs="gradient",
        cost="one forward, one backward pass per text",
        words=gradient_x_input_words,
    ),
    Method(
        "integrated_gradients",
        integrated_gradients,
        "pixel times gradient, averaged from the mean colour to the image",
        "Sundararajan et al., arXiv 1703.01365",
        needs="gradient",
        cost="32 x (one forward, one backward pass per text)",
    ),
    Method(
        "m2ib",
        m2ib,
        "what noise must not replace (random: seed=)",
        "Wang et al., arXiv 2312.17174",
        ("vit",),
        "gradient",
        "100 x two blocks forward and backward per text",
        m2ib_words,
    ),
    Method(
        "gscorecam",
        gscorecam,
        "activation maps by the score of the picture seen through them",
        "Chen et al., ACCV 2022",
        needs="covered pictures",
        cost="up to 300 forward passes per text, shared between texts",
    ),
    Method(
        "occlusion",
        occlusion,
        "drop of the score when covered",
        "Zeiler & Fergus, arXiv 1311.2901",
        needs="covered pictures",
        cost="a forward pass for every patch",
        words=leave_out_words,
    ),
    Method(
        "rise",
        rise,
        "score under random masks (random: seed=)",
        "Petsiuk et al., arXiv 1806.07421",
        needs="covered pictures",
        cost="1,000 forward passes",
    ),
)
METHODS: dict[str, Method] = {row.name: row for row in _ROWS}


class MethodTable(tuple[Method, ...]):
    """The rows of `METHODS`; two or three short lines each in a terminal, a table in a notebook."""

    HEAD = ("method", "shows", "works on", "words too", "needs", "extra cost", "reference")

    def rows(self) -> list[tuple[str, ...]]:
        """Every method as texts, in the order of `HEAD`."""
        return [
            (
                m.name,
                m.shows,
                ", ".join(m.architectures),
                "yes" if m.words else "",
                m.needs,
                m.cost,
                m.reference,
            )
            for m in self
        ]

    def __repr__(self) -> str:
        indent = " " * (2 + max(len(m.name) for m in self))
        lines = []
        for m in self:
            needs = [f"needs {m.needs}"] if m.needs != "forward" else []
            more = [
                f"for {', '.join(m.architectures)}",
                *(["words too"] if m.words else []),
                *needs,
                f"costs {m.cost}",
                m.reference,
            ]
            lines += [
                m.name.ljust(len(indent)) + m.shows,
                *wrap("; ".join(more), 110, initial_indent=indent, subsequent_indent=indent),
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(row: tuple[str, ...], tag: str) -> str:
            return (
                "<tr>"
                + "".join(
                    f"<{tag} style='text-align:left'>{html.escape(cell)}</{tag}>" for cell in row
                )
                + "</tr>"
            )

        return (
            f"<table>{line(self.HEAD, 'th')}"
            f"{''.join(line(row, 'td') for row in self.rows())}</table>"
        )


def methods() -> MethodTable:
    """All methods: name, what it shows, which models it works on, what it needs and costs, where it
    was published.
    """
    return MethodTable(METHODS.values())


def find_method(name: str) -> Method:
    """The row of a method; an unknown name is an error that lists the nearest."""
    if name not in METHODS:
        near = get_close_matches(str(name), METHODS, 3, 0.4) or list(METHODS)
        raise ValueError(
            f"unknown method {name!r}; nearest: {', '.join(near)} (all: clipxai.methods())"
        )
    return METHODS[name]
