"""What does a training say, step by step?"""

from ..number import fill
from ..sentences import CONTRAST, OWN_SCALES, PLACE, REMARKS, no_verdict, page_words, remark, way_up
from ..texts import one_line, title_of
from .content import Course

STORY, MAP = "Step {step}: {maps}.", "{name} is {verdict}"
NOT_JUDGED = "{name} has {verdict}"
WORDS = {
    "help": (
        "Move the slider, click the chart, or press [ and ] to go from step to step. Move over a "
        "map to read it, click to pin a patch. Arrow keys move by one patch, Space pins, ? shows "
        "this line."
    ),
    "keys": "Brackets go from step to step. Arrow keys move over the patches, Space pins.",
    "step": "step",
    "chart": "curves over the steps of the training",
    "now": "step {step}",
    "curve": "{name} {value:number}",
    "place": PLACE,
}


def summary(course: Course) -> str:
    """What the figure shows, in one line."""
    first, last = (step_name(course, n) for n in (0, -1))
    return f"The map of {one_line(course.text)!r} from step {first} to step {last}"


def step_name(course: Course, step: int) -> str:
    """A step as it was counted: three digits would call step 1,000 and step 1,001 the same."""
    return f"{course.steps[step]:.12g}".replace("-", "\u2212")


def stories(course: Course) -> list[str]:
    """Of every step: which way up each map is, or only which step it is."""
    told = []
    for n in range(len(course.steps)):
        known = [_said(course, name, n) for name in course.names]
        shown = [one for one, name in zip(known, course.names) if verdict(course, name, n)]
        text = f"the map of “{title_of(course.text)}”"
        told.append(fill(STORY, step=step_name(course, n), maps="; ".join(shown) or text))
    return told


def verdict(course: Course, name: str, step: int) -> str:
    """Which way up a map is; empty where that is not known."""
    contrast = course.contrast(name, step)
    if contrast is None:
        return ""
    return no_verdict(course.maps[name][step], 0) or way_up(contrast)


def remarks(course: Course, name: str) -> list[str]:
    """Of every step, why the map has nothing to show."""
    return [REMARKS[remark(values)] for values in course.scores(name)]


def notes(course: Course) -> list[str]:
    """What colours and numbers mean, and what all explanations note alike."""
    every = [e for row in course.maps.values() for e in row]
    common = [note for note in every[0].notes if all(note in e.notes for e in every)]
    unit = dict.fromkeys(e.unit for e in every)
    known = [] if course.truth is None else [f"contrast: {CONTRAST}."]
    return [f"Colour: {' or '.join(unit)}. {OWN_SCALES}", *known, *common]


def words(course: Course) -> dict[str, str]:
    """The words of the page."""
    return page_words(course.image.shape, WORDS)


def _said(course: Course, name: str, step: int) -> str:
    told = verdict(course, name, step).replace("right", "the right")
    return fill(
        NOT_JUDGED if no_verdict(course.maps[name][step], 0) else MAP, name=name, verdict=told
    )
