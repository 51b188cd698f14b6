"""What do the steps from a map to a mask say?"""

from ...tasks.proposal import Proposal
from ..number import fill, two_digits
from ..texts import one_line
from .content import Steps

WORDS = {
    "help": (
        "The first picture has the points (+ for the text, − against it) and the box that were "
        "given. The buttons choose a text, and which of the masks that came back is shown. Beside "
        "a kernel, a click adds a point and a click on it removes it. Arrow keys move, Space pins, "
        "? shows this line."
    ),
    "keys": "Arrow keys move over the picture, Space pins, Escape unpins, question mark helps.",
    "before": "before",
    "after": "after",
    "truth": "truth",
    "both": "in both masks",
    "gained": "gained by refinement",
    "lost": "lost by refinement",
    "neither": "in neither mask",
    "true": "; in truth the thing",
    "untrue": "; in truth not the thing",
    "look": "click: look",
    "for": "click: it is here (+)",
    "against": "click: it is not here (−)",
}


def summary(steps: Steps) -> str:
    """What the figure shows, in one line."""
    names = [one_line(one.text) for one in steps.made.proposals]
    told = []
    for one, name in zip(steps.made.proposals, names):
        before, after = steps.iou(one.text, one.plain), steps.iou(one.text, one.mask)
        known = before is not None and after is not None
        told.append(f"{name} (IoU {before:.2f} to {after:.2f})" if known else name)
    return f"From a map by {steps.made.explanation.method} to a mask: {', '.join(told)}"


CHANGED = "“{name}”: refinement {moved} the IoU from {before} to {after}."
SIZE = "“{name}”: the map's own mask has {before} of the picture, the refined one {after}."
KEPT = "“{name}”: the map's own mask stayed; no better one came back."


def story(steps: Steps, one: Proposal) -> str:
    """What refinement did to a text's mask: to its IoU where the truth is known, else its size."""
    name = one_line(one.text)
    if one.chosen < 0:
        return fill(KEPT, name=name)
    was, now = (steps.iou(one.text, mask) for mask in (one.plain, one.mask))
    if was is None or now is None:
        before, after = (f"{100 * mask.mean():.0f} %" for mask in (one.plain, one.mask))
        return fill(SIZE, name=name, before=before, after=after)
    before, after = two_digits(was), two_digits(now)
    moved = "left" if before == after else "raised" if now > was else "lowered"
    return fill(CHANGED, name=name, moved=moved, before=before, after=after)


def titles(steps: Steps, one: Proposal) -> list[tuple[str, str]]:
    """Name and merit of the plain mask and of every candidate of a text."""
    before = ("the map's own", _merit(steps, one, 0))
    count = len(one.candidates)
    names = [f"mask {n + 1}" if count > 1 else "refined" for n in range(count)]
    if one.chosen >= 0 and count > 1:
        names[one.chosen] += ", chosen"
    return [before, *((name, _merit(steps, one, n + 1)) for n, name in enumerate(names))]


def _merit(steps: Steps, one: Proposal, n: int) -> str:
    mask = steps.masks(one)[n]
    found = steps.iou(one.text, mask)
    told = [f"{100 * mask.mean():.0f} % of the image" if found is None else f"IoU {found:.2f}"]
    if n and one.scores[n - 1] == one.scores[n - 1]:  # not NaN
        told.append(f"score {one.scores[n - 1]:.2f}")
    if n and len(one.candidates) > 1:
        told.append(f"agreement {one.agreement[n - 1]:.2f}")
    return " · ".join(told)


def notes(steps: Steps) -> list[str]:
    """How the masks were made, and what a reader has to know."""
    rule = steps.made.rule
    warning = (
        "A sharp edge is the picture's: where the map points at the wrong thing, that thing is cut "
        "out cleanly."
    )
    return [
        f"Masks {rule}.",
        warning,
        *steps.made.notes,
        *steps.made.explanation.notes,
    ]
