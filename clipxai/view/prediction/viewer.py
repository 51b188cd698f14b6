"""Where will the map be? Its reader paints patches, reveals the map, and is scored."""

from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Explanation
from ...results.findings import AttentionMaps
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import SEQUENTIAL, colour_table
from ..sentences import page_words
from ..viewer import Viewer
from .content import Question
from .sentences import WORDS, ask, notes, summary, titles, told

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Prediction(Viewer):
    """Predict a map before it is seen: patches are painted, the map revealed, the overlap counted.

    Of as many patches as were painted, the highest of the map: how many did the reader paint? Of
    attention also: which share of it do the painted patches get?

    Parameters
    ----------
    what : an explanation, whose map of a text is to be predicted; or attention maps, and where a
        patch looks
    text : of an explanation: which text, by number or as written; the first by default
    patch : of attention maps: (row, column) of the patch that looks
    layer : of attention maps: in which layer, negative from the last; the last by default
    kind : of attention maps: "qk", "vv", …; the first by default
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : neither an explanation nor attention maps; attention maps without a patch
    ValueError : what is for the other of the two; an unknown text or kind, a map without variation
    IndexError : no such patch or layer

    Examples
    --------
    >>> Prediction(explain(trace, "clip")).save("predict.html")  # doctest: +SKIP
    >>> Prediction(attention_maps(trace), patch=(4, 8), layer=6)  # doctest: +SKIP
    <Prediction: Predict where the patch in row 4, column 8 looks, then see it>
    """

    module = "prediction"

    def __init__(
        self,
        what: Explanation | AttentionMaps,
        *,
        text: int | str | None = None,
        patch: tuple[int, int] | None = None,
        layer: int | None = None,
        kind: str | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.budget = budget
        if isinstance(what, AttentionMaps):
            if patch is None:
                raise TypeError("which patch looks? Pass patch=(row, column)")
            if text is not None:
                raise ValueError("text= is for an explanation; attention is of no text")
            last = -1 if layer is None else layer
            self.question = Question.of_attention(what, patch, last, kind)
            return
        expect(Explanation, what, "explain")
        if any(given is not None for given in (patch, layer, kind)):
            raise ValueError(
                "patch=, layer= and kind= are for attention maps; a map of a text has text="
            )
        self.question = Question.of_text(what, 0 if text is None else text)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.question)

    def figure(self) -> "Figure":
        """The photo, and the map."""
        from .drawing import draw  # loads matplotlib

        return draw(self.question, revealed=True)

    def first_state(self) -> "Figure":
        """The photo, and the map covered."""
        from .drawing import draw  # loads matplotlib

        return draw(self.question, revealed=False)

    def payload(self) -> Payload:
        """`values` (P,), colour table, photo and words."""
        question = self.question
        image = question.picture.image
        title, subtitle = titles(question)
        header: Header = {
            **picture_header(image, question.picture.grid),
            "summary": self.summary,
            "story": ask(question),
            "told": told(question),
            "query": question.query,
            "map": {"title": title, "subtitle": subtitle, "scale": vars(question.scale)},
            "notes": notes(question),
            "words": page_words(image.shape, WORDS),
        }
        arrays: Arrays = {
            "values": (question.values.astype(np.float32), "f32"),
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(image)])
