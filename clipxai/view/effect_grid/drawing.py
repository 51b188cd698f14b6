"""How are effects drawn on paper? Photo, what is lost without each part, its share."""

import numpy as np
from matplotlib.figure import Figure

from ..number import fill, signed
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
    TITLE,
    Page,
    headline,
    ink_on,
    small_print,
)
from ..scales import Scale
from ..sentences import layer_names, other_texts
from ..texts import title_of
from .content import Grids
from .details import Details, looking
from .sentences import DETAILS, TITLES, WORDS, captions, details_notes, status, turned

PHOTO, GRID, ROW, NAME, GAP = 2.6, 4.6, 0.27, 0.75, 0.3  # inches


@defaults()
def draw(grids: Grids, details: Details, row: int, column: int) -> Figure:
    """Draw the first text; the cell that is told of is framed."""
    shown, picture = grids.grids(0), grids.effects.picture
    width = 2 * MARGIN + PHOTO + len(shown) * (GAP + GRID)
    title = headline(f"“{title_of(grids.texts[0])}”", width)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.12
    tall = (len(grids.parts) + 1) * ROW + 0.1
    below = top + HEAD + max(picture_height(PHOTO, picture.image.shape) + BELOW, tall)
    told = f"{status(grids, 0, row, column)}."
    cell = row * len(grids.effects.layers) + column
    name = details.name(cell)
    told = f"{fill(WORDS['named'], status=told[:-1], name=name)}." if name else told
    turn = turned(details, 0)[details.mapped.index(cell)] if cell in details.mapped else ""
    told = f"{told} {turn}." if turn else told
    maps = _maps(details, cell)
    end = below + (HEAD + picture_height(PHOTO, picture.image.shape) + BELOW if maps else 0)
    said = [told, *captions(grids, 0), *details_notes(details, 0), *other_texts(grids.texts)]
    lines = small_print(said, width, grids.texts)
    page = Page(width, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    draw_photo(page, (MARGIN, top, PHOTO), picture.image, grids.mask(0))
    for n in range(len(shown)):
        x = MARGIN + PHOTO + GAP + n * (GRID + GAP)
        _draw_grid(page, (x, top), grids, n, (row, column))
    for n, (name, values, scale) in enumerate(maps):
        place = (MARGIN + n * (PHOTO + GAP), below, PHOTO)
        part = f"layer {grids.effects.layers[column]}, {grids.parts[row]}"
        draw_map(page, place, (name, part), picture, values, scale, grids.mask(0))
    page.write_small_print(end, lines)
    return page.figure


def _maps(details: Details, cell: int) -> list[tuple[str, np.ndarray, Scale]]:
    """Title, values and scale of what is known of a head: with it, without it, where it looks."""
    maps, looks, found = details.maps(0), details.looks(), []
    if maps is not None:
        shown = [0, *([1 + details.mapped.index(cell)] if cell in details.mapped else [])]
        found = [(DETAILS[n], maps[at], details.scale(0)) for n, at in enumerate(shown)]
    if looks is not None:
        found.append((DETAILS[2], looks[cell], looking(looks[cell])))
    return found


def _draw_grid(
    page: Page, place: tuple[float, float], grids: Grids, n: int, cell: tuple[int, int]
) -> None:
    """Parts down, layers across, every cell with its number if there is room."""
    (x, y), values, apart = place, grids.grids(0)[n], grids.apart(0)
    page.write(x + NAME, y + 0.05, TITLES[n], TITLE, weight="bold")
    y += HEAD
    for row, name in enumerate(grids.parts):
        page.write(x, y + (row + 0.5) * ROW, shorten(name, NAME, SMALL), va="center")
    colours = grids.scales(0)[n].paint(values)
    layers, column = values.shape[1], (GRID - NAME) / values.shape[1]
    area = page.axes(x + NAME, y, GRID - NAME, ROW * len(values))
    area.imshow(colours, aspect="auto", interpolation="nearest")
    down, across = cell
    left, right, up, low = across - 0.5, across + 0.5, down - 0.5, down + 0.5
    frame = (left, right, right, left, left), (up, up, low, low, up)
    area.plot(*frame, color=FRAME, linewidth=2)
    style = {"ha": "center", "va": "center", "size": SMALL - 1, "parse_math": False}
    for at in np.ndindex(values.shape) if layers <= MOST_NUMBERED else ():
        area.text(at[1], at[0], signed(float(values[at])), color=ink_on(colours[at]), **style)
    for down, across in np.argwhere(apart):
        area.plot(across + 0.4, down - 0.36, "o", color=FRAME, markersize=3)
    for at, name in enumerate(layer_names(grids.effects.layers)):
        middle = x + NAME + (at + 0.5) * column
        page.write(middle, y + len(values) * ROW + 0.04, name, ha="center", color=GREY)
