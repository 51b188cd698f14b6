"""How does one correct a mask by hand? Points that are clicked on the picture, and a threshold;
every change asks again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as w
import numpy as np

from ..results.explanation import Explanation
from ..tasks import Segmentation, refine
from ..view import MaskSteps
from .live import live

BETWEEN = (0.05, 0.95)  # thresholds
NEAR = 0.03  # of the longer side: a click so near to a point takes it away


class MaskEditor(w.VBox):
    """From maps to masks, live: click where a text's thing is, or is not, and see the mask follow.

    Parameters
    ----------
    explanation, by, text, threshold, options : as for `clipxai.refine`
    truth : text -> true mask (H, W) bool, if it is known

    Attributes
    ----------
    refined : the last `Segmentation`
    points : text -> points and labels, once some were clicked

    Raises
    ------
    TypeError, ValueError : as `clipxai.refine`

    Examples
    --------
    >>> MaskEditor(e, text="a cat")  # doctest: +SKIP
    """

    def __init__(
        self,
        explanation: Explanation,
        by: object = "grabcut",
        text: int | str | Sequence[int | str] | None = None,
        *,
        truth: Mapping[str, np.ndarray] | None = None,
        threshold: float = 0.5,
        **options: Any,
    ) -> None:
        low, high = BETWEEN
        if not (isinstance(threshold, (int, float)) and low <= threshold <= high):
            raise ValueError(f"threshold={threshold!r}, but its slider goes from {low} to {high}")
        if "points" in options:
            raise TypeError("a MaskEditor begins with the map's own points: click the others")
        self._asked = {"explanation": explanation, "by": by, "text": text, **options}
        self._truth, self._heard = truth, 0
        self.points: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._threshold = w.FloatSlider(
            threshold,
            min=low,
            max=high,
            step=0.05,
            description="threshold",
            continuous_update=False,
        )
        self._said = w.HTML()
        self._live = live(MaskSteps.module)
        self.refined: Segmentation = self._ask()
        self._draw()
        super().__init__([self._threshold, self._live, self._said])
        self._threshold.observe(lambda change: self._again(), "value")
        self._live.observe(lambda change: self._click(change["new"].get("click")), "view")

    def _ask(self) -> Segmentation:
        return refine(threshold=self._threshold.value, points=self.points, **self._asked)

    def _draw(self) -> None:
        steps = MaskSteps(self.refined, truth=self._truth, live=self._asked["by"] != "pamr")
        self._live.show(steps.payload())

    def _again(self) -> None:
        """Ask once more; what cannot be answered is said, and the last answer stays."""
        try:
            self.refined = self._ask()
        except (TypeError, ValueError) as error:
            self._said.value = f"<pre>{_escaped(str(error))}</pre>"
            return
        self._said.value = ""
        self._draw()

    def _click(self, click: Mapping[str, Any] | None) -> None:
        """Add a point, or take one away; each click once."""
        if not click or click["n"] <= self._heard:
            return
        self._heard = click["n"]
        shown = self.refined.proposals[click["text"]]
        xy, labels = self.points.get(shown.text, (shown.points, shown.point_labels))
        here = np.array([click["x"], click["y"]])
        near = NEAR * max(self.refined.labels.shape)
        far = np.hypot(*(xy - here).T) > near if len(xy) else np.zeros(0, bool)
        if far.all():
            xy, labels = np.vstack([xy, here]), np.append(labels, click["label"])
        else:
            xy, labels = xy[far], labels[far]
        before = dict(self.points)
        self.points[shown.text] = xy, labels
        self._again()
        if self._said.value:  # refused: the points stay as they were, too
            self.points = before


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
