"""Which explanation do you want? A table of methods, and one verb that runs any of them on a trace.

explain(trace, "clip_surgery")                      # -> Explanation
explain(trace, "clip_surgery", blocks=3, ffn=True)  # every part is a switch
"""

import html
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import partial

from ..results import Explanation
from ..surgery import Rewrite
from ..trace import Trace
from .similarity import Scores, reversed_similarity, similarity, surgery

ANY = ("vit", "resnet")


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
    needs : "forward" or "gradient"
    cost : one line for people, on top of the recorded forward pass
    """

    name: str
    function: Callable[..., Scores]
    shows: str
    reference: str
    architectures: tuple[str, ...] = ANY
    needs: str = "forward"
    cost: str = "nothing"

    @property
    def options(self) -> list[str]:
        """Names that may be passed to `explain` for this method."""
        bound = self.function.keywords if isinstance(self.function, partial) else {}
        parameters = inspect.signature(self.function).parameters.values()
        named = [p.name for p in parameters if p.name != "trace" and p.name not in bound and p.kind is not p.VAR_KEYWORD]
        switches = [field.name for field in fields(Rewrite)] if any(p.kind is p.VAR_KEYWORD for p in parameters) else []
        return named + switches


def _preset(function: Callable[..., Scores], name: str) -> Callable[..., Scores]:
    return partial(function, preset=name)


PAPER = "Li et al., arXiv 2304.05653"
ONE_ATTENTION, SIX_ATTENTIONS = "one attention", "six attentions"
_ROWS = (
    Method("clip", _preset(similarity, "clip"), "raw similarity of patch and text", "Radford et al., arXiv 2103.00020"),
    Method("reversed_clip", reversed_similarity, "the raw map turned over", "RCLIP; origin not verified"),
    Method("clip_surgery", _preset(surgery, "clip_surgery"), "v-v dual path without FFN, minus what all texts share", PAPER,
           cost=SIX_ATTENTIONS),
    Method("clip_surgery_architecture", _preset(similarity, "clip_surgery"), "v-v dual path without FFN, nothing subtracted", PAPER,
           cost=SIX_ATTENTIONS),
    Method("clip_surgery_features", _preset(surgery, "clip"), "raw path, minus what all texts share", PAPER),
    Method("clip_surgery_released", _preset(surgery, "clip_surgery_released"), "what the released ResNet code computes", PAPER,
           ("resnet",), cost=ONE_ATTENTION),
    Method("maskclip", _preset(similarity, "maskclip"), "last block without attention: each patch for itself",
           "Zhou et al., arXiv 2112.01071", cost="one projection"),
    Method("gem", _preset(similarity, "gem"), "self-self attention of q, k and v, averaged", "Bousselham et al., arXiv 2312.00878",
           ("vit",), cost="36 attentions"),
    Method("sclip", _preset(similarity, "sclip"), "q-q plus k-k attention in the last block", "Wang et al., arXiv 2312.01597",
           ("vit",), cost="two attentions, one FFN"),
    Method("naclip", _preset(similarity, "naclip"), "k-k attention that favours neighbours, last block",
           "Hajimiri et al., arXiv 2404.08181", ("vit",), cost=ONE_ATTENTION),
    Method("clearclip", _preset(similarity, "clearclip"), "q-q attention, last block without residual and FFN",
           "Lan et al., arXiv 2407.12442", ("vit",), cost=ONE_ATTENTION),
)  # fmt: skip
METHODS: dict[str, Method] = {row.name: row for row in _ROWS}


class MethodTable(tuple[Method, ...]):
    """The rows of `METHODS`; prints as a table in a terminal and in a notebook."""

    HEAD = ("method", "shows", "works on", "needs", "extra cost", "reference")

    def rows(self) -> list[tuple[str, ...]]:
        """Every method as texts, in the order of `HEAD`."""
        return [(m.name, m.shows, ", ".join(m.architectures), m.needs, m.cost, m.reference) for m in self]

    def __repr__(self) -> str:
        table = [self.HEAD, *self.rows()]
        widths = [max(len(row[n]) for row in table) for n in range(len(self.HEAD))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)

    def _repr_html_(self) -> str:
        def line(row: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag} style='text-align:left'>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"

        return f"<table>{line(self.HEAD, 'th')}{''.join(line(row, 'td') for row in self.rows())}</table>"


def methods() -> MethodTable:
    """All methods: name, what it shows, which models it works on, what it needs and costs, where it was published."""
    return MethodTable(METHODS.values())


def explain(trace: Trace, method: str = "clip_surgery", **options: object) -> Explanation | list[Explanation]:
    """Where does the model see each text?

    Parameters
    ----------
    trace : from `record`
    method : a name in `methods()`
    options : the method's own switches, such as redundant="labels", blocks=4, ffn=True, dual_path=False (fields of `Rewrite`)

    Returns
    -------
    An `Explanation` with scores (T, gh, gw), or a list of them where several images were recorded

    Raises
    ------
    ValueError : unknown method or option, or a method that the model's architecture does not allow
    """
    row, kind = find_method(method), trace.model.visual.kind
    if kind not in row.architectures:
        raise ValueError(f"{method} is defined for {' and '.join(row.architectures)} models, but {trace.model.name} is a {kind}")
    unknown = sorted(set(options) - set(row.options))
    if unknown:
        raise ValueError(f"{method} has no option {', '.join(map(repr, unknown))}; its options: {', '.join(row.options) or 'none'}")
    scores = row.function(trace, **options)
    maps = scores.values.float().transpose(1, 2).unflatten(-1, trace.grid).cpu().numpy()  # B T gh gw
    presence = (trace.image_features @ trace.text_features.T).float().cpu().numpy()
    provenance = {**trace.model.provenance, "options": ", ".join(f"{name}={value}" for name, value in options.items())}
    explained = [
        Explanation(values, trace.texts, method, grid, scores.unit, image, present, scores.notes, provenance)
        for values, grid, image, present in zip(maps, trace.grids, trace.images, presence)
    ]
    return explained[0] if len(explained) == 1 else explained


def find_method(name: str) -> Method:
    """The row of a method; an unknown name is an error that lists the nearest."""
    if name not in METHODS:
        near = get_close_matches(str(name), METHODS, 3, 0.4) or list(METHODS)
        raise ValueError(f"unknown method {name!r}; nearest: {', '.join(near)} (all: clipxai.methods())")
    return METHODS[name]
