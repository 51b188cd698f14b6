"""What does a comparison of methods say?"""

import re
from collections.abc import Sequence

import numpy as np

from ...results.explanation import Explanation
from ...tasks.segmentation import Segmentation
from ..method_names import method_name
from ..number import fill, hundredths, two_digits
from ..sentences import (
    CONTRAST,
    HOTTEST,
    HOTTEST_INSIDE,
    HOTTEST_OUTSIDE,
    PLACE,
    hottest_elsewhere,
    is_right_way_up,
    no_verdict,
    way_up,
)
from ..texts import listed, title_of
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
    "contrast": CONTRAST,
    HOTTEST: "whether the highest place of the map lies inside of the true mask",
    "rank corr.": "Spearman rank correlation with the first map, −1 to 1",
}

IN_TABLE = 10  # patches
TABLE_HEAD = ("rank", "row", "column")
# what is drawn over the maps, and the threshold that `Explanation.mask` and `.points` begin with
SURE = 0.8
OVERLAYS = (("nothing", 0.5), ("mask", 0.5), ("points for SAM", SURE))
MERITS_TABLE, MERITS_TITLE = "Numbers of each map", "How far each map agrees"
WORDS = {
    "help": (
        "Move over a map to read it. Click to pin a patch, click it again or press Esc to unpin "
        "it. Arrow keys move by one patch, Space pins, ? shows this line. Rows and columns count "
        "from 0, as in explanation.scores."
    ),
    "keys": ("Arrow keys move over the patches, Space pins, Escape unpins, question mark helps."),
    "table": f"Table: the {IN_TABLE} highest patches",
    "merits": MERITS_TABLE,
    "merits_map": "map",
    "idle": "Move over a map to read its patches; click to pin one.",
    "place": PLACE,
    "pinned_place": f"pinned: {PLACE} (Esc unpins)",
    "no_patch": "no patch",
    "spoken": "row {row} column {column}; {maps}",
    "spoken_map": "{title} by {method}: {reading}",
    "table_title": "Highest patches of “{title}” by {method}",
    "table_column": "{title} · {method}",
    "outside_cell": "outside",
    "cut": "IoU {iou:two_digits}",
}
ALL_TEXTS = "all texts"
ONE = "The map of “{text}” by {method} is {verdict}."
PAIR = "“{text}”: {first} is {said}, {second} is {answered}."
MANY = (
    "“{text}”: {up} of {count} maps are the right way up; best {best} ({high}), last {last} "
    "({low})."
)
EQUAL = "“{text}”: {up} of {count} maps are the right way up, all with the contrast {high}."
EVERY = "{up} of {count} maps are the right way up."
WITHOUT = "; {left} without a verdict"
OPPOSED = (
    "“{text}”: {other} and {first} disagree; where one is high the other tends to be low (rank "
    "correlation {lowest})."
)
ALIKE = (
    "“{text}”: of the others {nearest} is most like {first} (rank correlation {highest}), {other} "
    "least ({lowest})."
)
TWO_ALIKE = "“{text}”: {other} and {first} order the patches with a rank correlation of {lowest}."
HIGHEST = "The map of “{text}” by {method} is highest in row {row}, column {column}."


def summary(explanations: Sequence[Explanation], texts: Sequence[str]) -> str:
    """One line: which methods, which texts."""
    methods = ", ".join(dict.fromkeys(e.method for e in explanations))
    sees = "sees" if len(explanations) == 1 else "see"
    return f"Where {methods} {sees} {listed(texts, MOST_NAMED)}"


def merit(name: str, value: float) -> str:
    """A number of a map for people: a contrast as its verdict has it, the others as cosines."""
    return hundredths(value) if name == "contrast" else two_digits(value)


def numbers(panel: Panel) -> dict[str, str]:
    """All numbers of a map by the names in `MERITS`, and where its hottest pixel lies."""
    lies = HOTTEST_INSIDE if panel.hottest else HOTTEST_OUTSIDE
    hottest = {} if panel.hottest is None else {HOTTEST: lies}
    return {name: merit(name, value) for name, value in panel.merits.items()} | hottest


def told(panel: Panel) -> str:
    """What its verdict does not say: a map may be higher on the thing, and highest elsewhere."""
    return hottest_elsewhere(panel.hottest)


def verdict(panel: Panel) -> str:
    """Which way up a map is, with its contrast in hundredths; empty where the truth is unknown."""
    if "contrast" not in panel.merits:
        return ""
    return no_verdict(panel.explanation, panel.row) or way_up(panel.merits["contrast"])


def story(panels: Sequence[Panel], text: str | None) -> str:
    """What is to be seen: how many maps are the right way up where the truth is known, and else how
    far they agree; of one `text`, or of all.
    """
    shown = [panel for panel in panels if text in (None, panel.text)]
    known = [panel for panel in shown if verdict(panel)]
    judged = [panel for panel in known if not no_verdict(panel.explanation, panel.row)]
    if judged:
        left = len(known) - len(judged)
        rest = fill(WITHOUT, left=str(left)) if left else ""
        return _of_truth(judged, text).removesuffix(".") + rest + "."
    if text is None and len({panel.text for panel in shown}) > 1:
        return ""
    return _of_agreement(shown)


def _of_truth(judged: Sequence[Panel], text: str | None) -> str:
    up = sum(is_right_way_up(panel.merits["contrast"]) for panel in judged)
    order = sorted(judged, key=lambda panel: -panel.merits["contrast"])
    names = [method_name(panel.method) for panel in judged]
    if len({panel.text for panel in judged}) > 1:
        return fill(EVERY, up=str(up), count=str(len(judged)))
    named = title_of(judged[0].text)
    if len(judged) == 1:
        return fill(ONE, text=named, method=names[0], verdict=_told(judged[0]))
    if len(judged) == 2:
        told = {"said": _told(judged[0]), "answered": _told(judged[1])}
        return fill(PAIR, text=named, first=names[0], second=names[1], **told)
    ends = [
        (method_name(p.method), hundredths(p.merits["contrast"])) for p in (order[0], order[-1])
    ]
    (best, high), (last, low) = ends
    told = {"best": best, "high": high, "last": last, "low": low}
    return fill(
        EQUAL if high == low else MANY, text=named, up=str(up), count=str(len(judged)), **told
    )


def _told(panel: Panel) -> str:
    return re.sub(r"(\S+)$", r"(\1)", verdict(panel).replace("right", "the right"))


def _of_agreement(shown: Sequence[Panel]) -> str:
    first, named = shown[0], title_of(shown[0].text)
    others = sorted(
        (p for p in shown if "rank corr." in p.merits), key=lambda p: p.merits["rank corr."]
    )
    if others:
        lowest, highest = (two_digits(p.merits["rank corr."]) for p in (others[0], others[-1]))
        names = {"first": method_name(first.method), "other": method_name(others[0].method)}
        told = {"text": named, "lowest": lowest, "highest": highest, **names}
        if others[0].merits["rank corr."] < 0:
            return fill(OPPOSED, **told)
        return fill(
            TWO_ALIKE if len(others) == 1 else ALIKE,
            nearest=method_name(others[-1].method),
            **told,
        )
    if first.flat or len(shown) > 1:
        return ""
    row, column = np.unravel_index(int(np.nanargmax(first.scores)), first.scores.shape)
    where = {"row": str(row), "column": str(column)}
    return fill(HIGHEST, text=named, method=method_name(first.method), **where)


def notes(
    explanations: Sequence[Explanation],
    panels: Sequence[Panel],
    refined: Sequence[Segmentation] = (),
) -> list[str]:
    """What a reader has to know: the figures of merit that occur, what hatching means where there
    is some, what the methods note, and how the masks of the points came about.
    """
    found = {name for panel in panels for name in numbers(panel)}
    used = [f"{name}: {meaning}" for name, meaning in MERITS.items() if name in found]
    noted = dict.fromkeys(note for e in explanations for note in e.notes)
    hatched = [NOT_KNOWN] if any(np.isnan(panel.scores).any() for panel in panels) else []
    made = dict.fromkeys(f"Masks of the points {one.rule}." for one in refined)
    told = [f"{one.explanation.method}: {note}" for one in refined for note in one.notes]
    return [*(["; ".join(used)] if used else []), *hatched, *noted, *made, *told]
