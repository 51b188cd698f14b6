"""What does the map of regions say?"""

from ...tasks.segmentation import BACKGROUND
from ..method_names import method_name
from ..number import fill, two_digits
from ..texts import one_line
from .content import Regions

MOST_NAMED = 4  # classes in a summary
FOUND, TRUTH = "{name}; best {measure} {confidence:number}", "; in truth {truth}"
WORDS = {
    "help": (
        "Move over a picture to read a pixel. Click to pin it, click it again or press Esc to "
        "unpin it. The buttons show one class alone. Arrow keys move, Space pins, ? shows this "
        "line."
    ),
    "keys": ("Arrow keys move over the picture, Space pins, Escape unpins, question mark helps."),
    "all": "all classes",
    "unseen": "not seen by the model",
}


def summary(regions: Regions) -> str:
    """What the figure shows, in one line."""
    names = [one_line(name) for name in regions.segmentation.legend]
    others = len(names) - MOST_NAMED
    more = f" and {others} more" if others > 0 else ""
    method = regions.segmentation.explanation.method
    return f"Regions by {method}: {', '.join(names[:MOST_NAMED])}{more}"


def panel_titles(regions: Regions) -> list[tuple[str, str]]:
    """Title and subtitle of the `panels`."""
    made = regions.segmentation
    by = method_name(made.explanation.method)
    classes = "classes", f"{by} · {len(made.classes)} to choose from"
    return [classes, ("truth", "")][: len(regions.panels)]


def merit(regions: Regions, number: int) -> str:
    """Share of the image that a class has, and its IoU where it is true."""
    name, overlaps = regions.segmentation.classes[number], regions.overlaps
    share = f"{100 * regions.segmentation.legend.get(name, 0):.0f} %"
    return f"{share} · IoU {overlaps[name]:.2f}" if name in overlaps else share


BEST = "Best found of {count} is “{name}” (IoU {best}){worst}."
WORST = ", worst “{name}” ({least})"
LARGEST = "“{name}” has the largest part of the picture, {share}."
NOTHING = "No pixel got a class."


def story(regions: Regions) -> str:
    """Which class is found best and worst where the truth is known, else which is the largest; the
    background is no class.
    """
    made = regions.segmentation
    known = {name: iou for name, iou in regions.overlaps.items() if name != BACKGROUND}
    if known:
        best, worst = (pick(known, key=known.__getitem__) for pick in (max, min))
        least = fill(WORST, name=_name(regions, worst), least=two_digits(known[worst]))
        told = {"name": _name(regions, best), "best": two_digits(known[best])}
        return fill(BEST, count=str(len(known)), worst=least if len(known) > 1 else "", **told)
    parts = {name: share for name, share in made.legend.items() if name != BACKGROUND}
    if not parts:
        return NOTHING
    largest = max(parts, key=parts.__getitem__)
    return fill(LARGEST, name=_name(regions, largest), share=f"{100 * parts[largest]:.0f} %")


def _name(regions: Regions, name: str) -> str:
    return regions.names[regions.segmentation.classes.index(name)]


def notes(regions: Regions) -> list[str]:
    """How the labels were chosen, and what a reader has to know."""
    made = regions.segmentation
    rule = f"{made.rule[0].upper()}{made.rule[1:]}."
    return [
        f"{rule} Scores: {made.explanation.unit}, bilinear onto the pixels.",
        *([f"Every class begins with “{regions.prompt}”."] if regions.prompt else []),
        *made.notes,
        *made.explanation.notes,
    ]


def words(measure: str) -> dict[str, str]:
    """The words of the page, with places for what a pixel has: its `measure` is how sure it is."""
    found = fill(FOUND, measure=measure)
    return {**WORDS, "found": found, "found_and_true": found + TRUTH}
