"""How is a prediction drawn on paper? The photo to paint on, and the map, covered or not."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..palette import FRAME
from ..paper.defaults import defaults
from ..paper.maps import BELOW, cell_box, draw_image, draw_map, picture_height
from ..paper.page import (
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    Page,
    columns_of,
    headline,
    small_print,
)
from .content import Question
from .sentences import WORDS, ask, notes, titles

WIDTH = 8.2  # of the page, in inches


@defaults()
def draw(question: Question, *, revealed: bool) -> Figure:
    """Draw the photo with the patch that looks, and the map beside it."""
    picture, head = question.picture, headline(ask(question), WIDTH)
    size = picture.image.shape
    lines = small_print(notes(question), WIDTH, [*question.asked.values()])
    left, right, each = columns_of(WIDTH, 2)
    top = MARGIN + len(head) * HEADLINE_LINE + 0.1
    end = top + HEAD + picture_height(each, size) + BELOW + 0.1
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(head)
    page.write_title(left, top, each, WORDS["yours"], "")
    area = draw_image(page, (left, top + HEAD, each), picture.image, size)
    if question.query is not None:
        cell = cell_box(picture.grid, *divmod(question.query, picture.grid.width))
        area.add_patch(Rectangle(*cell, fill=False, ec=FRAME, lw=2.5))
    place = (right, top, each)
    if revealed:
        draw_map(page, place, titles(question), picture, question.values, question.scale)
    else:
        page.write_title(right, top, each, *titles(question))
        grey = np.full((*size[:2], 3), 221, np.uint8)
        covered = draw_image(page, (right, top + HEAD, each), grey, size)
        covered.text(size[1] / 2, size[0] / 2, WORDS["covered"], ha="center", va="center", size=14)
    page.write_small_print(end, lines)
    return page.figure
