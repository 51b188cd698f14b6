"""What does a map become while a model learns? One slider for the maps and the curves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...results.explanation import Explanation
from ...results.owned import owned
from ..given import Truth, outlines
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import SEQUENTIAL, colour_table
from ..sentences import unsaid
from ..viewer import Viewer
from .content import COLOURS, Course
from .sentences import notes, remarks, step_name, stories, summary, verdict, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TrainingSteps(Viewer):
    """Maps of one picture and text after some steps of a training, with its curves.

    A slider moves a mark on the curves, and shows the maps of that step.

    Parameters
    ----------
    maps : name -> explanations, one of every step; the first text of each is shown
    steps : when they were made, rising
    curves : name -> numbers, one of every step, such as the loss; all share an axis
    truth : true mask (H, W) bool, or a table text -> mask: outlines, and which way up a map is
    step : which of the steps is shown first, by number; negative from the last
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError, ValueError : no maps, another number of maps or values than of steps, maps of
        different images, texts or grids
    IndexError : no step of that number

    Examples
    --------
    >>> raw = [explain(trace, "clip"), explain(trace, "clip_surgery")]  # doctest: +SKIP
    >>> TrainingSteps({"raw": raw}, [0, 40], {"loss": [3.4, 2.1]})  # doctest: +SKIP
    <TrainingSteps: The map of 'a cat' from step 0 to step 40>
    """

    module = "training_steps"

    def __init__(
        self,
        maps: Mapping[str, Sequence[Explanation]],
        steps: Sequence[float] | np.ndarray,
        curves: Mapping[str, Sequence[float] | np.ndarray],
        *,
        truth: Truth | None = None,
        step: int = -1,
        budget: int = BUDGET,
    ) -> None:
        self.course, self.budget = Course.of(maps, list(steps), curves, owned(truth)), budget
        count = len(self.course.steps)
        if not -count <= step < count:
            raise IndexError(f"step number {step}, but there are {count} (0 to {count - 1})")
        self.step = int(step) % count

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.course)

    def figure(self) -> "Figure":
        """The maps of the step that is shown first, and the curves."""
        from .drawing import draw  # loads matplotlib

        return draw(self.course, self.step)

    def payload(self) -> Payload:
        """`map0` … (S, P) of every kind of map, `curves` (curves, S), colour table and words."""
        course, first = self.course, next(iter(self.course.maps.values()))[0]
        count = len(course.steps)
        header: Header = {
            **picture_header(course.image, first.grid),
            "summary": self.summary,
            "stories": stories(course),
            "steps": [step_name(course, n) for n in range(count)],
            "at": (course.steps - course.steps[0]).tolist(),
            "step": self.step,
            "maps": [self._kind(name) for name in course.names],
            "curves": [
                {"name": name, "colour": colour} for name, colour in zip(course.curves, COLOURS)
            ],
            "span": list(course.span),
            "outlines": outlines(course.truth),
            "notes": notes(course),
            "words": words(course),
        }
        lines = list(course.curves.values()) or [np.full(len(course.steps), np.nan)]
        arrays: Arrays = {
            **{f"map{n}": (course.scores(name), "u16") for n, name in enumerate(course.names)},
            "curves": (np.stack(lines), "f32"),
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(course.image)])

    def _kind(self, name: str) -> Header:
        count = range(len(self.course.steps))
        return {
            "name": name,
            "scales": [vars(scale) for scale in self.course.scales(name)],
            "verdicts": [verdict(self.course, name, n) for n in count],
            "told": [unsaid(e, 0, self.course.truth) for e in self.course.maps[name]],
            "remarks": remarks(self.course, name),
        }
