"""What does a comparison of methods say?"""

from collections.abc import Sequence

from ...results.explanation import Explanation
from ..texts import listed
from .panels import Panel

MOST_NAMED = 4  # texts in a summary
MERITS = {
    "presence": (
        "cosine of the whole image with the text; a map shows where, even for something "
        "that is not there"
    ),
    "IoU": "overlap of the map's upper half (min-max above 0.5) with the true mask, 0 to 1",
    "contrast": (
        "mean of the min-max map inside the true mask minus outside, −1 to 1; negative: upside down"
    ),
    "rank corr.": "Spearman rank correlation with the first map, −1 to 1",
}


def summary(explanations: Sequence[Explanation], texts: Sequence[str]) -> str:
    """One line: which methods, which texts."""
    methods = ", ".join(dict.fromkeys(e.method for e in explanations))
    sees = "sees" if len(explanations) == 1 else "see"
    return f"Where {methods} {sees} {listed(texts, MOST_NAMED)}"


def notes(explanations: Sequence[Explanation], panels: Sequence[Panel]) -> list[str]:
    """What a reader has to know: the figures of merit that occur, and what the methods note."""
    found = {name for panel in panels for name in panel.merits}
    used = [f"{name}: {meaning}" for name, meaning in MERITS.items() if name in found]
    noted = dict.fromkeys(note for e in explanations for note in e.notes)
    return [*(["; ".join(used)] if used else []), *noted]
