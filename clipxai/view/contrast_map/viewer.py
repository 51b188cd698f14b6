"""What speaks for one text, and what for another? One map in two colours, both names on it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Explanation
from ...results.owned import owned
from ..given import outlines, truths_of
from ..method_names import method_name
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table
from ..sentences import REMARKS, page_words, remark
from ..texts import one_line
from ..viewer import Viewer
from .content import Sides
from .sentences import NUMBER, RANKING, ROW, WORDS, ends, names, notes, summary, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ContrastMap(Viewer):
    """A contrast: where the image speaks for one text, where for the other, and how much in all.

    Parameters
    ----------
    explanation : from `clipxai.contrast`
    truth : side, as written -> true mask (H, W) bool: outlines, and whether the patch that speaks
        most for a side lies in its own
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : something else than an Explanation
    ValueError : an Explanation that is no contrast; masks, and none is of a side

    Examples
    --------
    >>> ContrastMap(contrast(trace, "a cat", "a guitar")).save("why.html")  # doctest: +SKIP
    """

    module = "contrast_map"

    def __init__(
        self,
        explanation: Explanation,
        *,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Explanation, explanation, "contrast")
        if not explanation.sides:
            raise ValueError(
                "this explanation has no two sides: make one with clipxai.contrast(trace, a, b)"
            )
        self.explanation, self.budget = explanation, budget
        known = truths_of(owned(truth), explanation.sides, explanation.grid.image_size)
        self.sides = Sides(explanation, known)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.sides)

    def figure(self) -> "Figure":
        """Photo, the map with both texts at the ends of its colours, and what each side has."""
        from .drawing import draw  # loads matplotlib

        return draw(self.sides)

    def payload(self) -> Payload:
        """The map (P,), what each side has in all, the colour table, words and photo."""
        e, sides = self.explanation, self.sides
        title, subtitle = RANKING
        header: Header = {
            **picture_header(e.image, e.grid),
            "summary": self.summary,
            "verdict": verdict(sides),
            "outlines": [line for mask in sides.truth.values() for line in outlines(mask)],
            "sides": list(map(one_line, e.sides)),
            "ends": list(ends(sides)),
            "map": {
                "title": e.texts[0],
                "subtitle": method_name(e.method),
                "remark": REMARKS[remark(sides.values)],
                "scale": vars(sides.scale()),
            },
            "parts": names(sides),
            "ranking": {"title": title, "subtitle": subtitle, "row": ROW, "number": NUMBER},
            "notes": notes(sides),
            "words": page_words(e.image.shape, WORDS),
        }
        arrays: Arrays = {
            "values": (sides.values, "f32"),
            "parts": (sides.parts(), "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(e.image)])
