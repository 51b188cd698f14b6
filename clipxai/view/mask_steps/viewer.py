"""How did a text come by its mask?

Prompts on the picture, the mask before and those that came back, and the truth if it is known.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Grid
from ...tasks.proposal import Proposal
from ...tasks.segmentation import Segmentation
from ..payload import BUDGET, Header, Payload, pack
from ..pictures import at_most, picture_header, smaller_photo
from ..sentences import page_words
from ..texts import one_line
from ..viewer import Viewer
from .content import Steps
from .sentences import WORDS, notes, story, summary, titles

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class MaskSteps(Viewer):
    """From a map to a mask, step by step: points, box, masks that came back, and the truth.

    Parameters
    ----------
    segmentation : from `clipxai.refine`
    truth : text -> true mask (H, W) bool, drawn beside and compared with
    budget : most bytes the interactive figure's data may take
    live : whether a kernel answers clicks (`clipxai.app.masks`)

    Raises
    ------
    TypeError : no Segmentation
    ValueError : one that was not refined, a text it does not have, a mask of another size

    Examples
    --------
    >>> MaskSteps(refine(e)).save("steps.html")  # doctest: +SKIP
    """

    module = "mask_steps"

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
        live: bool = False,
    ) -> None:
        expect(Segmentation, segmentation, "refine")
        self.steps, self.budget, self.live = Steps.of(segmentation, truth), budget, live

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.steps)

    def figure(self) -> "Figure":
        """A row for every text."""
        from .drawing import draw  # loads matplotlib

        return draw(self.steps)

    def payload(self) -> Payload:
        """`masks` (M, h, w), 1 inside: of every text the plain one, the candidates, the truth; the
        header says which is which.
        """
        made = self.steps.made
        size = made.labels.shape
        masks: list[np.ndarray] = []
        texts = [self._of(one, masks) for one in made.proposals]
        few = at_most(masks)
        grid = Grid(*few.shape[1:], size, (0, 0, *size))
        header = {
            **picture_header(made.explanation.image, grid),
            "summary": self.summary,
            "texts": texts,
            "live": self.live,
            "notes": notes(self.steps),
            "words": page_words(made.explanation.image.shape, WORDS),
        }
        steps = [smaller_photo(made.explanation.image)]
        return pack(header, {"masks": (few, "u8")}, self.budget, steps, deflate=True)

    def _of(self, one: Proposal, masks: list[np.ndarray]) -> Header:
        """One text for the header; its masks are added to all."""
        first = len(masks)
        masks += self.steps.masks(one)
        truth = None
        if one.text in self.steps.truth:
            truth = len(masks)
            masks.append(self.steps.truth[one.text])
        points = zip(one.points.tolist(), one.point_labels.tolist())
        return {
            "name": one_line(one.text),
            "points": [{"x": x, "y": y, "label": label} for (x, y), label in points],
            "box": None if one.box is None else one.box.tolist(),
            "masks": [
                {"title": title, "words": words, "at": first + n}
                for n, (title, words) in enumerate(titles(self.steps, one))
            ],
            "chosen": one.chosen + 1,
            "story": story(self.steps, one),
            "truth": truth,
        }
