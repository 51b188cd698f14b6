"""How are heads drawn on paper? Photo, maps of one head, of all, and of what its layer wrote, every
head's share below.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ..number import signed
from ..palette import FRAME
from ..paper.defaults import defaults
from ..paper.lettering import shorten
from ..paper.maps import BELOW, draw_map, draw_photo, picture_height
from ..paper.page import (
    GREY,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    MOST_NUMBERED,
    SMALL,
    Page,
    columns_of,
    headline,
    ink_on,
    small_print,
)
from ..scales import around_zero
from ..sentences import layer_names, other_texts
from ..texts import title_of
from .content import HeadShares
from .sentences import captions, map_subtitle, map_titles, proof, row_names, written_subtitle

WIDTH = 10.6  # of the page, in inches
GUTTER, ROW, GRID_GAP = 1.0, 0.27, 0.3
WIDE = 0.5  # of a column from which on it has the word "layer" below it


@defaults()
def draw(shares: HeadShares, layer: int, head: int, truth: Mapping[str, np.ndarray]) -> Figure:
    """Draw the first text and the map of one head."""
    picture, texts = shares.contributions.picture, shares.texts
    title = headline(f"“{title_of(texts[0])}”", WIDTH)
    *lefts, each = columns_of(WIDTH, 3 + shares.tells_written)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.12
    below = top + HEAD + picture_height(each, picture.image.shape) + BELOW + GRID_GAP
    end = below + (len(row_names(shares.heads)) + 1) * ROW + 0.15
    said = [f"{proof(shares, 0)}.", *captions(shares, 0), *other_texts(texts)]
    lines = small_print(said, WIDTH, texts)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    draw_photo(page, (lefts[0], top, each), picture.image)
    mask, names = truth.get(texts[0]), map_titles(layer, head)
    maps, scales = [*shares.maps(0, layer, head)], [*shares.scales(0)]
    below_titles = [map_subtitle(float(values.sum())) for values in maps]
    if shares.tells_written:
        maps.append(shares.written(0)[layer])
        scales.append(around_zero(shares.written(0)))
        below_titles.append(written_subtitle(shares.message(0, mask).written[layer]))
    titles = list(zip(names, below_titles))  # a last name has no line where nothing is known
    for x, said_above, values, scale in zip(lefts[1:], titles, maps, scales, strict=True):
        draw_map(page, (x, top, each), said_above, picture, values, scale, mask)
    _draw_grid(page, below, shares, layer, head)
    page.write_small_print(end, lines)
    return page.figure


def _draw_grid(page: Page, y: float, shares: HeadShares, layer: int, head: int) -> None:
    """Heads down, layers across, every cell with its number if there is room."""
    cells = shares.cells(0)
    column = (WIDTH - 2 * MARGIN - GUTTER) / shares.layers
    for n, name in enumerate(row_names(shares.heads)):
        page.write(MARGIN, y + (n + 0.5) * ROW, shorten(name, GUTTER, SMALL), va="center")
    colours = around_zero(cells).paint(cells)
    area = page.axes(MARGIN + GUTTER, y, column * shares.layers, ROW * len(cells))
    area.imshow(colours, aspect="auto", interpolation="nearest")
    left, right, up, down = layer - 0.5, layer + 0.5, head - 0.5, head + 0.5
    frame = (left, right, right, left, left), (up, up, down, down, up)
    area.plot(*frame, color=FRAME, linewidth=2)
    middle = {"ha": "center", "va": "center", "size": SMALL, "parse_math": False}
    for row, n in np.ndindex(cells.shape) if shares.layers <= MOST_NUMBERED else ():
        area.text(n, row, signed(float(cells[row, n])), color=ink_on(colours[row, n]), **middle)
    for n, name in enumerate(layer_names(range(shares.layers), roomy=column > WIDE)):
        x = MARGIN + GUTTER + (n + 0.5) * column
        page.write(x, y + len(cells) * ROW + 0.04, name, ha="center", color=GREY)
