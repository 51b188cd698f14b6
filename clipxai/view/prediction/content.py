"""Which map is to be predicted, and how is a prediction scored?"""

from dataclasses import dataclass

import numpy as np

from ...checks import expect, layer_of
from ...results.explanation import Explanation
from ...results.findings import AttentionMaps, Picture
from ...results.what_if import what_if
from ..attention_kinds import label
from ..given import patch_at
from ..method_names import method_name, short_code_of
from ..scales import SEQUENTIAL, Scale, finite, scales_of, varies


@dataclass(frozen=True, eq=False)
class Question:
    """A map that is covered.

    Attributes
    ----------
    picture : the image
    values : (P,) what is predicted; NaN where a prediction does not count
    query : the patch that looks, in attention; else None
    asked : what the question names: row, column, layer and kind; or text and method
    unit : of the values
    notes : what a reader has to know
    beside : what is looked at and is no patch, in attention; "" where there is nothing
    """

    picture: Picture
    values: np.ndarray
    query: int | None
    asked: dict[str, str]
    unit: str
    notes: tuple[str, ...]
    beside: str = ""

    @classmethod
    def of_text(cls, e: Explanation, text: int | str) -> "Question":
        """The map of a text."""
        row = e.index(text)
        values = finite(e.scores[row].ravel())
        asked = {"text": e.texts[row], "method": method_name(short_code_of(e))}
        return _known(cls(Picture(e.image, e.grid), values, None, asked, e.unit, e.notes))

    @classmethod
    def of_attention(
        cls, maps: AttentionMaps, patch: tuple[int, int], layer: int, kind: str | None
    ) -> "Question":
        """What a patch gives to the others, in multiples of an even gaze."""
        expect(AttentionMaps, maps, "attention_maps")
        kinds = ", ".join(maps.mean)
        name = next(iter(maps.mean), "") if kind is None else kind
        if name not in maps.mean:
            raise ValueError(f"no attention of the kind {name!r} in these maps; they have: {kinds}")
        query, number = patch_at(maps.picture.grid, patch), layer_of(len(maps.entropy), layer)
        given = maps.mean[name][number, 1 + query].astype(np.float64)
        values = finite(given[1:] * maps.seen)  # as in the figure of attention, [class] included
        values[query] = np.nan
        row, column = divmod(query, maps.picture.grid.width)
        asked = {"row": str(row), "column": str(column), "layer": str(number), "kind": label(name)}
        notes = tuple(what_if(maps.picture.provenance))
        unit = "times an even gaze"
        return _known(cls(maps.picture, values, query, asked, unit, notes, maps.beside))

    @property
    def scale(self) -> Scale:
        """From the lowest patch to the highest; attention from zero."""
        (found,) = scales_of([self.values], [self.unit], "minmax")
        return found if self.query is None else Scale(0.0, found.high, SEQUENTIAL)

    def hits(self, painted: list[int]) -> tuple[int, float]:
        """How many of some patches are among as many of the highest, and what guessing gives."""
        known = np.flatnonzero(~np.isnan(self.values))
        chosen = set(painted) & set(known.tolist())
        highest = known[np.argsort(-self.values[known], kind="stable")][: len(chosen)]
        return len(chosen & set(highest.tolist())), len(chosen) ** 2 / len(known)


def _known(question: Question) -> Question:
    if not varies(question.values):
        raise ValueError("this map has no variation, so there is nothing to predict")
    return question
