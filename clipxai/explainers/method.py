"""What is a method? A function from a trace to scores, and what people have to know of it."""

import html
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from textwrap import wrap
from typing import Literal, get_args

from torch import Tensor

from ..model.clip import CLIP
from ..model.towers.tower import Capability, in_words
from .presets import PRESETS, SWITCHES
from .scores import Scores

Question = Literal["where", "what made the score"]
WHERE, SCORE = get_args(Question)
# what measures best on the embedded model (benchmarks/leaderboard.md)
ADVICE = (
    "Which to take: clip_surgery for where the thing of a text is; decomposition for what made the "
    "score, decomposition_among_texts where all things that are there are asked for; word_maps, by "
    "decomposition, for which word."
)


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes
    ----------
    name : what `explain` is told
    function : (trace, **options) -> Scores
    shows : one line for people
    reference : where it was published
    requires : what the image tower has to have (`clipxai.model.towers.tower`)
    needs : "forward" (the recorded pass is enough), "gradient" (backward passes), or "covered
        pictures" (many forward passes)
    cost : one line for people, on top of the recorded forward pass
    words : the same question about the only text of a trace, (trace, image, **options) -> (S,) and
        unit; None where the method has none. It requires a causal text tower
    reads_texts : whether its map of an image depends on the text
    compares_texts : whether its map of a text depends on the other texts of the trace
    answers : the question it was made for: `WHERE` a text's thing is, or `SCORE`, what made the
        cosine of the whole image. Which word is asked of any of them by `word_maps`
    """

    name: str
    function: Callable[..., Scores]
    shows: str
    reference: str
    requires: tuple[Capability, ...] = ()
    needs: str = "forward"
    cost: str = "nothing"
    words: Callable[..., tuple[Tensor, str]] | None = None
    reads_texts: bool = True
    compares_texts: bool = False
    answers: Question = "where"

    def works_on(self, model: CLIP) -> bool:
        """Whether the model's image tower has what the method requires."""
        return set(self.requires) <= model.visual.has

    def expect_fits(self, model: CLIP) -> None:
        """A ValueError unless a model has what the method requires, and texts if it reads them."""
        if self.reads_texts:
            model.expect_texts(self.name)
        model.expect(self.name, *self.requires)

    @property
    def requires_in_words(self) -> str:
        """What it requires of a model, for people."""
        return in_words(self.requires) or "any CLIP"

    @property
    def options(self) -> list[str]:
        """Names that may be passed to `explain` for this method."""
        bound = self.function.keywords if isinstance(self.function, partial) else {}
        parameters = inspect.signature(self.function).parameters.values()
        rewrites = any(p.kind is p.VAR_KEYWORD for p in parameters)
        own = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD]
        switches = SWITCHES if rewrites else ()
        return [name for name in own if name != "trace" and name not in bound] + [*switches]

    @property
    def preset(self) -> str | None:
        """Name of the preset that the method starts from, or None if there is none."""
        bound = self.function.keywords if isinstance(self.function, partial) else {}
        return bound.get("preset")

    def path(self, options: dict[str, object]) -> int | None:
        """Through how many of the last blocks the path runs that its preset rewrites, as
        `Trace.with_images` takes it; None if it may read anything.
        """
        known = self.preset is not None and "blocks" not in options
        return PRESETS[self.preset].blocks if known else None


class MethodTable(tuple[Method, ...]):
    """The rows of `METHODS`; two or three short lines each in a terminal, a table in a notebook.

    Examples
    --------
    >>> print(methods().bibtex("rise").splitlines()[0])
    @inproceedings{petsiuk2018rise,
    """

    HEAD = (
        "method",
        "answers",
        "shows",
        "requires",
        "words too",
        "needs",
        "extra cost",
        "reference",
    )

    def rows(self) -> list[tuple[str, ...]]:
        """Every method as texts, in the order of `HEAD`."""
        return [
            (
                method.name,
                method.answers,
                method.shows,
                method.requires_in_words,
                "yes" if method.words else "",
                method.needs,
                method.cost,
                method.reference,
            )
            for method in self
        ]

    def __repr__(self) -> str:
        indent = " " * (2 + max(len(method.name) for method in self))
        lines = []
        for name, answers, shows, requires, words, needs, cost, reference in self.rows():
            told = [f"for {requires}" if requires == "any CLIP" else f"requires {requires}"]
            told += ["words too"] if words else []
            told += [f"needs {needs}"] if needs != "forward" else []
            more = "; ".join([*told, f"costs {cost}", reference])
            lines.append(f"{name.ljust(len(indent))}{answers}: {shows}")
            lines += wrap(more, 110, initial_indent=indent, subsequent_indent=indent)
        lines += wrap(ADVICE, 110, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(row: tuple[str, ...], tag: str) -> str:
            cells = (f"<{tag} style='text-align:left'>{html.escape(cell)}</{tag}>" for cell in row)
            return f"<tr>{''.join(cells)}</tr>"

        rows = "".join(line(row, "td") for row in self.rows())
        table = f"<table>{line(self.HEAD, 'th')}{rows}</table>"
        return f"{table}<p>{html.escape(ADVICE)}</p>"

    def bibtex(self, *names: str) -> str:
        """The papers of all methods, or of those with these names, as BibTeX: each paper once, with
        its methods as keywords.

        Raises
        ------
        ValueError : a name of no method here, or of one without a paper
        """
        entries = _references()
        known = {method.name for method in self}
        for name in names:
            if name not in known:
                raise ValueError(f"unknown method {name!r} (all: clipxai.methods())")
            if not any(name in of for of in entries.values()):
                raise ValueError(f"no paper is known to have {name!r}")
        wanted = set(names) or known
        return "\n".join(entry for entry, of in entries.items() if wanted & of)


@cache
def _references() -> dict[str, frozenset[str]]:
    """Every entry of `data/methods.bib`, and the methods that it is cited for."""
    text = (files("clipxai.data") / "methods.bib").read_text(encoding="utf-8")
    found = {}
    for entry in re.split(r"\n(?=@)", text):
        [cited] = re.findall(r"keywords = \{(.*?)\}", entry)
        found[entry] = frozenset(cited.split(", "))
    return found
