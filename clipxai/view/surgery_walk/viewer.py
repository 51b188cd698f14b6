"""Which part of CLIP Surgery turns the map over? A walk from raw CLIP, one part after the other."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.findings import SurgerySteps
from ...results.owned import owned
from ..given import outlines
from ..number import hundredths
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import SEQUENTIAL, colour_table
from ..texts import chosen_rows
from ..viewer import Viewer
from .content import Walk
from .diagram import HEIGHT, LETTERS, WIDTH, board_of
from .sentences import named, names, notes, remarks, stories, summary, verdict, why, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class SurgeryWalk(Viewer):
    """The map from raw CLIP to CLIP Surgery, one part after the other, with the block diagram.

    Previous, next and play go from step to step: the map fades into the next one, its contrast
    grows as a bar, and the part that came lights up in the diagram of the two paths.

    Parameters
    ----------
    steps : from `clipxai.surgery_steps`
    texts : which texts, by number or as written; all for None
    truth : text -> true mask (H, W) bool: outlines, and which way up every map is
    step : the step that is shown first, by number; negative from the last
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : no SurgerySteps
    ValueError : a text it does not have, masks of other texts, a mask of another size
    IndexError : no step of that number

    Examples
    --------
    >>> SurgeryWalk(surgery_steps(trace)).save("surgery.html")  # doctest: +SKIP
    """

    module = "surgery_walk"

    def __init__(
        self,
        steps: SurgerySteps,
        *,
        texts: Sequence[int | str] | None = None,
        truth: Mapping[str, np.ndarray] | None = None,
        step: int = 0,
        budget: int = BUDGET,
    ) -> None:
        expect(SurgerySteps, steps, "surgery_steps")
        rows = chosen_rows(steps.texts, texts)
        self.walk, self.budget = Walk.of(steps, owned(truth), rows), budget
        count = len(steps.parts)
        if not -count <= step < count:
            raise IndexError(f"step number {step}, but there are {count} (0 to {count - 1})")
        self.step = int(step) % count

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.walk)

    def figure(self) -> "Figure":
        """A row of maps for every text, and the block diagram."""
        from .drawing import draw  # loads matplotlib

        return draw(self.walk, range(len(self.walk.rows)))

    def first_state(self) -> "Figure":
        """The same of the first text."""
        from .drawing import draw

        return draw(self.walk, range(1))

    def payload(self) -> Payload:
        """`map0` … (S, P) of every text, the colour table, the board and words."""
        walk, picture = self.walk, self.walk.found.picture
        board = board_of(walk.found)
        count = range(len(walk.rows))
        header: Header = {
            **picture_header(picture.image, picture.grid),
            "summary": self.summary,
            "texts": [self._of(text) for text in count],
            "steps": [
                {"name": name, "why": reason} for name, reason in zip(names(walk), why(walk))
            ],
            "step": self.step,
            "board": {
                "width": WIDTH,
                "height": HEIGHT,
                "letters": LETTERS,
                "boxes": [vars(box) for box in board.boxes],
                "lines": [{**vars(line), "points": list(line.points)} for line in board.lines],
                "ticks": [{"x": x, "word": word} for x, word in board.ticks],
            },
            "notes": notes(walk),
            "words": words(walk),
        }
        arrays: Arrays = {
            **{f"map{text}": (walk.scores(text), "u16") for text in count},
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(picture.image)])

    def _of(self, text: int) -> Header:
        walk = self.walk
        known = walk.contrasts[text]
        return {
            "name": named(walk.texts[text]),
            "stories": stories(walk, text),
            "scales": [vars(scale) for scale in walk.scales(text)],
            "verdicts": [verdict(walk, text, n) for n in range(len(known))],
            "contrasts": known,
            "written": ["" if value is None else hundredths(value) for value in known],
            "remarks": remarks(walk, text),
            "outlines": outlines(walk.mask(text)),
        }
