"""How are labels drawn on paper? Photo, what speaks for the best against the next, all ranked."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

from ..paper.defaults import defaults
from ..paper.maps import BELOW, draw_map, draw_photo, picture_height
from ..paper.page import (
    GAP,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    Page,
    columns_of,
    headline,
    small_print,
)
from ..paper.ranking import draw_ranking
from .content import Labels
from .sentences import names, notes, ranking, title, verdict, written

WIDTH = 10.6  # of the page, in inches


@defaults()
def draw(labels: Labels) -> Figure:
    """Draw the two best labels' contrast and the ranking."""
    e, head = labels.explanation, headline(verdict(labels), WIDTH)
    first, second, third, wide = columns_of(WIDTH, 3)
    top = MARGIN + len(head) * HEADLINE_LINE + 0.1
    end = top + HEAD + picture_height(wide, e.image.shape) + BELOW + 0.15
    lines = small_print(notes(labels), WIDTH, e.texts)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(head)
    draw_photo(page, (first, top, wide), e.image)
    place, titles = (second, top, wide), (title(labels), f"{e.method}: {e.unit}")
    draw_map(page, place, titles, labels.picture, labels.first_map(), labels.scale())
    place = (third, top, WIDTH - MARGIN - third, end - top - GAP)
    values = np.asarray(labels.values[labels.order], np.float32)
    told = partial(written, labels)
    draw_ranking(page, place, ranking(labels), names(labels), values, told)
    page.write_small_print(end, lines)
    return page.figure
