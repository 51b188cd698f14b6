"""How is a contrast drawn on paper? Photo, one map in two colours, and what each side has."""

from matplotlib.figure import Figure

from ..palette import MINUS, PLUS
from ..paper.defaults import defaults
from ..paper.lettering import shorten
from ..paper.maps import BELOW, draw_map, draw_outlines, draw_photo, picture_height
from ..paper.page import (
    GAP,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    TITLE,
    TITLE_LINE,
    Page,
    columns_of,
    headline,
    small_print,
)
from ..paper.ranking import draw_ranking
from .content import Sides
from .sentences import RANKING, ends, names, notes, verdict

WIDTH = 10.6  # of the page, in inches


@defaults()
def draw(sides: Sides) -> Figure:
    """Draw the contrast, both texts at the ends of its colours."""
    e, title = sides.explanation, headline(verdict(sides), WIDTH)
    first, second, third, wide = columns_of(WIDTH, 3)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.1
    below = top + HEAD + picture_height(wide, e.image.shape) + BELOW
    end = below + TITLE_LINE + 0.15
    lines = small_print(notes(sides), WIDTH, e.sides)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    draw_photo(page, (first, top, wide), e.image)
    place, titles = (second, top, wide), (e.texts[0], f"{e.method}: {e.unit}")
    area = draw_map(page, place, titles, sides.picture, sides.values, sides.scale())
    for mask in sides.truth.values():
        draw_outlines(area, mask)
    against, towards = (shorten(text, wide / 2 - 0.1, TITLE, "bold") for text in ends(sides))
    style = {"weight": "bold", "size": TITLE}
    page.write(second, below, against, color=MINUS, ha="left", **style)
    page.write(second + wide, below, towards, color=PLUS, ha="right", **style)
    place = (third, top, WIDTH - MARGIN - third, end - top - GAP)
    draw_ranking(page, place, RANKING, names(sides), sides.parts())
    page.write_small_print(end, lines)
    return page.figure
