"""How is tracing drawn on paper? The images, and a map or a row of words for every layer."""

import numpy as np
from matplotlib.figure import Figure

from ..number import signed
from ..paper.defaults import defaults
from ..paper.lettering import shorten
from ..paper.maps import draw_image, draw_map, draw_photo, picture_height
from ..paper.page import (
    GREY,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    SMALL,
    TITLE,
    Page,
    headline,
    ink_on,
    small_print,
)
from ..scales import Scale
from ..sentences import layer_names, other_texts
from .content import Traced
from .sentences import OTHER, TITLES, captions, verdict

WIDTH, PHOTO, GAP, ROW = 10.6, 2.5, 0.3, 0.27  # inches
MOST_IN_A_ROW = 12  # maps
CELL, NAME = 1.0, 0.7  # widest cell, room of the layers' names


@defaults()
def draw(traced: Traced) -> Figure:
    """Draw the first text."""
    effects, title = traced.effects, headline(verdict(traced, 0), WIDTH)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.1
    image = effects.picture.image
    below = top + HEAD + picture_height(PHOTO, image.shape) + 0.45
    if effects.other is not None:
        tall = picture_height(PHOTO, effects.other.image.shape)
        below = max(below, top + HEAD + tall + 0.15)
    end = below + _strip_height(traced)
    lines = small_print([*captions(traced, 0), *other_texts(traced.texts)], WIDTH, traced.texts)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    mask = traced.mask(0)
    # what has no place on the image has no map either
    draw_photo(page, (MARGIN, top, PHOTO), image, mask if effects.of == "words" else None)
    x = MARGIN + PHOTO + GAP
    if effects.other is not None:
        page.write_title(x, top, PHOTO, *OTHER)
        other = effects.other.image
        draw_image(page, (x, top + HEAD, PHOTO), other, other.shape)
        x += PHOTO + GAP
    if effects.of != "words":
        row = traced.shown_layer(0)
        titles = (f"layer {effects.layers[row]}", TITLES[traced.by_other])
        place, values = (x, top, PHOTO), traced.patches(0)[row]
        draw_map(page, place, titles, effects.picture, values, traced.scales(0)[0], mask)
    (_draw_words if effects.of == "words" else _draw_strip)(page, below, traced)
    page.write_small_print(end, lines)
    return page.figure


def _strip_height(traced: Traced) -> float:
    layers = len(traced.effects.layers)
    if traced.effects.of == "words":
        return (layers + 1) * ROW + 0.15
    lines = -(-layers // MOST_IN_A_ROW)
    return lines * (_map_size(traced)[1] + (1 + traced.first) * ROW + 0.1) + 0.05


def _map_size(traced: Traced) -> tuple[float, float]:
    """Width and height of a map of the strip."""
    columns = min(MOST_IN_A_ROW, len(traced.effects.layers))
    grid, room = traced.effects.picture.grid, WIDTH - 2 * MARGIN - NAME
    width = min(1.2, room / columns - 0.06)
    return width, width * grid.height / grid.width


def _draw_strip(page: Page, top: float, traced: Traced) -> None:
    """A map for every layer; below it the tokens that are no patches."""
    grid, (width, height) = traced.effects.picture.grid, _map_size(traced)
    names = layer_names(traced.effects.layers)
    of_patches, of_others = traced.scales(0)
    for at, patches in enumerate(traced.patches(0)):
        line, column = divmod(at, MOST_IN_A_ROW)
        x = MARGIN + NAME + column * (width + 0.06)
        y = top + line * (height + (1 + traced.first) * ROW + 0.1)
        area = page.axes(x, y, width, height)
        colours = of_patches.paint(patches.reshape(grid.height, grid.width))
        area.imshow(colours, aspect="auto", interpolation="nearest")
        y += height + 0.03
        for n in range(traced.first):
            if column == 0:
                page.write(
                    MARGIN, y + 0.5 * ROW, shorten(traced.names[n], NAME, SMALL), va="center"
                )
            _draw_cell(page, (x, y, width), float(traced.alone(0)[at, n]), of_others)
            y += ROW
        page.write(x + width / 2, y + 0.03, names[at], ha="center", color=GREY)


def _draw_words(page: Page, top: float, traced: Traced) -> None:
    """Words across, layers down."""
    values, names = traced.alone(0), layer_names(traced.effects.layers, roomy=True)
    width = min(CELL, (WIDTH - 2 * MARGIN - NAME) / len(traced.names))
    for n, word in enumerate(traced.names):
        x = MARGIN + NAME + (n + 0.5) * width
        word = shorten(word, width - 0.05, TITLE, "bold")
        page.write(x, top, word, TITLE, ha="center", weight="bold")
    for row, name in enumerate(names):
        y = top + (row + 1) * ROW
        page.write(MARGIN, y + 0.5 * ROW, name, va="center", color=GREY)
        for n, value in enumerate(values[row]):
            place = (MARGIN + NAME + n * width, y, width - 0.03)
            _draw_cell(page, place, float(value), traced.scales(0)[1])


def _draw_cell(page: Page, place: tuple[float, float, float], value: float, scale: Scale) -> None:
    x, y, width = place
    colour = scale.paint(np.array([[value]]))
    page.axes(x, y, width, ROW - 0.03).imshow(colour, aspect="auto")
    if width > 0.45:
        middle = x + width / 2, y + (ROW - 0.03) / 2
        style = {"ha": "center", "va": "center", "color": ink_on(colour[0, 0])}
        page.write(*middle, signed(value), SMALL - 1, **style)
