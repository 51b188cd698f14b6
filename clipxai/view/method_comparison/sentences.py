"""What does a comparison of methods say?"""

from collections.abc import Sequence

import numpy as np

from ...results.explanation import Explanation
from ...tasks.segmentation import Segmentation
from ..sentences import PLACE
from ..texts import listed
from .panels import Panel

NOT_KNOWN = "Hatched: patches whose score is not known; nothing here counts them."
MOST_NAMED = 4  # texts in a summary
MERITS = {
    "presence": (
        "cosine of the whole image with the text; a map shows where, even for something "
        "that is not there"
    ),
    "difference": "difference of the whole image's cosines with the two texts",
    "IoU": "overlap of the map's upper half (min-max above 0.5) with the true mask, 0 to 1",
    "contrast": (
        "mean of the min-max map inside the true mask minus outside, −1 to 1; negative: upside down"
    ),
    "rank corr.": "Spearman rank correlation with the first map, −1 to 1",
}

IN_TABLE = 10  # patches
TABLE_HEAD = ("rank", "row", "column")
# what is drawn over the maps, and the threshold that `Explanation.mask` and `.points` begin with
SURE = 0.8
OVERLAYS = (("nothing", 0.5), ("mask", 0.5), ("points for SAM", SURE))
WORDS = {
    "help": (
        "Move over a map to read it. Click to pin a patch, click it again or press Esc to unpin "
        "it. Arrow keys move by one patch, Space pins, ? shows this line. Rows and columns count "
        "from 0, as in explanation.scores."
    ),
    "keys": ("Arrow keys move over the patches, Space pins, Escape unpins, question mark helps."),
    "table": f"Table: the {IN_TABLE} highest patches",
    "idle": "Move over a map to read its patches; click to pin one.",
    "place": PLACE,
    "pinned_place": f"pinned: {PLACE} (Esc unpins)",
    "no_patch": "no patch",
    "spoken": "row {row} column {column}; {maps}",
    "spoken_map": "{title} by {method}: {reading}",
    "table_title": "Highest patches of “{title}” by {method}",
    "table_column": "{title} · {method}",
    "outside_cell": "outside",
}
ALL_TEXTS = "all texts"


def summary(explanations: Sequence[Explanation], texts: Sequence[str]) -> str:
    """One line: which methods, which texts."""
    methods = ", ".join(dict.fromkeys(e.method for e in explanations))
    sees = "sees" if len(explanations) == 1 else "see"
    return f"Where {methods} {sees} {listed(texts, MOST_NAMED)}"


def notes(
    explanations: Sequence[Explanation],
    panels: Sequence[Panel],
    refined: Sequence[Segmentation] = (),
) -> list[str]:
    """What a reader has to know: the figures of merit that occur, what hatching means where there
    is some, what the methods note, and how the masks of the points came about.
    """
    found = {name for panel in panels for name in panel.merits}
    used = [f"{name}: {meaning}" for name, meaning in MERITS.items() if name in found]
    noted = dict.fromkeys(note for e in explanations for note in e.notes)
    hatched = [NOT_KNOWN] if any(np.isnan(panel.scores).any() for panel in panels) else []
    made = dict.fromkeys(f"Masks of the points {one.rule}." for one in refined)
    told = [f"{one.explanation.method}: {note}" for one in refined for note in one.notes]
    return [*(["; ".join(used)] if used else []), *hatched, *noted, *made, *told]
