"""Which label, and why not the next? All ranked; two that are clicked open their contrast."""

from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Explanation
from ...tasks.recognition import recognise
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import DIVERGING, colour_table
from ..sentences import page_words
from ..viewer import Viewer
from .content import Labels
from .sentences import WORDS, bars, names, notes, summary, verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class LabelRanking(Viewer):
    """How strongly the image shows each label; a click on two shows what speaks for which.

    Parameters
    ----------
    explanation : of all labels; the maps are its method's
    by : how the image is asked, as for `recognise`
    budget : most bytes the interactive figure's data may take
    options : those of `recognise`, such as scale=None for cosines instead of probabilities

    Raises
    ------
    TypeError : something else than an Explanation
    ValueError : as `recognise`; an explanation that is a difference

    Examples
    --------
    >>> LabelRanking(explain(trace, "decomposition")).save("labels.html")  # doctest: +SKIP
    """

    module = "label_ranking"

    def __init__(
        self,
        explanation: Explanation,
        by: str = "class token",
        *,
        budget: int = BUDGET,
        **options: float | None,
    ) -> None:
        expect(Explanation, explanation, "explain")
        if explanation.difference:
            raise ValueError(
                "the maps of this explanation are differences, not of labels: pass one from "
                "clipxai.explain(trace, method)"
            )
        values = recognise(explanation, by, **options)
        self.labels, self.budget = Labels(explanation, values, by), budget

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.labels)

    def figure(self) -> "Figure":
        """Photo, the contrast of the two best labels, and the ranking."""
        from .drawing import draw  # loads matplotlib

        return draw(self.labels)

    def payload(self) -> Payload:
        """The maps (shown, P), values (shown,), colour table, words and photo."""
        labels, e = self.labels, self.labels.explanation
        header: Header = {
            **picture_header(e.image, e.grid),
            "summary": self.summary,
            "verdict": verdict(labels),
            "labels": names(labels),
            "chosen": labels.chosen,
            "subtitle": f"{e.method}: {e.unit}",
            "ranking": bars(labels),
            "notes": notes(labels),
            "words": page_words(e.image.shape, WORDS),
        }
        arrays: Arrays = {
            "maps": (labels.maps(), "f32"),
            "values": (np.asarray(labels.values[labels.order], np.float32), "f32"),
            DIVERGING: (colour_table(DIVERGING), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(e.image)])
