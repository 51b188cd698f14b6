"""How is a training drawn on paper? Photo and maps of one step, the curves with a mark below."""

from matplotlib.figure import Figure

from ...results.findings import Picture
from ..number import number
from ..palette import FRAME
from ..paper.defaults import defaults
from ..paper.maps import BELOW, draw_map, draw_photo, picture_height
from ..paper.page import (
    GREY,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    SMALL,
    Page,
    columns_of,
    headline,
    small_print,
)
from .content import COLOURS, Course
from .sentences import notes, step_name, stories, verdict

WIDTH, CHART, GUTTER = 10.0, 1.9, 0.5  # of the page, height of the chart, beside it for numbers


@defaults()
def draw(course: Course, step: int) -> Figure:
    """Draw the maps of one step, and where it lies on the curves."""
    head = headline(stories(course)[step], WIDTH)
    lines = small_print(notes(course), WIDTH, [course.text, *course.names])
    *lefts, each = columns_of(WIDTH, 1 + len(course.maps))
    top = MARGIN + len(head) * HEADLINE_LINE + 0.1
    below = top + HEAD + picture_height(each, course.image.shape) + BELOW + 0.2
    end = below + (CHART + 0.5 if course.curves else 0)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(head)
    draw_photo(page, (lefts[0], top, each), course.image)
    for x, name in zip(lefts[1:], course.names):
        e, scale = course.maps[name][step], course.scales(name)[step]
        titles = name, verdict(course, name, step)
        values = course.scores(name)[step]
        place = (x, top, each)
        draw_map(page, place, titles, Picture(e.image, e.grid), values, scale, course.truth)
    if course.curves:
        _draw_curves(page, below, course, step)
    page.write_small_print(end, lines)
    return page.figure


def _draw_curves(page: Page, y: float, course: Course, step: int) -> None:
    left, width = MARGIN + GUTTER, WIDTH - 2 * MARGIN - GUTTER
    area = page.axes(left, y + 0.2, width, CHART)
    area.axhline(0, color=GREY, linewidth=0.7)
    area.axvline(course.steps[step], color=FRAME, linewidth=2)
    across = width / len(course.curves)
    for n, (name, values) in enumerate(course.curves.items()):
        area.plot(course.steps, values, "o-", color=COLOURS[n], linewidth=1.8, markersize=4)
        page.write(left + n * across, y, f"— {name}", color=COLOURS[n], weight="bold")
    low, high = course.span
    pad = 0.05 * (high - low or 1)
    area.set(xlim=(course.steps[0], course.steps[-1]), ylim=(low - pad, high + pad))
    for value in (low, high):
        part = (high + pad - value) / (high - low + 2 * pad)
        style = {"ha": "right", "va": "center", "color": GREY}
        page.write(left - 0.06, y + 0.2 + part * CHART, number(value), **style)
    for n, side in ((0, "left"), (-1, "right")):
        x = left if n == 0 else left + width
        name = f"step {step_name(course, n)}"
        page.write(x, y + 0.24 + CHART, name, SMALL, ha=side, color=GREY)
