"""How is the whole model drawn on paper? What blocks added, and the maps of both rails."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...results.findings import Overview
from ..given import outlines
from ..palette import MINUS, PLUS
from ..paper.defaults import defaults
from ..paper.lettering import shorten
from ..paper.maps import draw_image, draw_outlines, picture_height
from ..paper.page import (
    GREY,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    SMALL,
    Page,
    headline,
    small_print,
)
from ..scales import SEQUENTIAL, Scale
from ..sentences import other_texts
from .content import surgery_map
from .sentences import WORDS, captions, opening

WIDTH = 10.6  # of the page, in inches
PHOTO, GUTTER, FINAL, BARS, ROW_GAP = 1.9, 0.3, 1.25, 1.0, 0.22
FAINT = "#999999"


@defaults()
def draw(
    found: Overview, text: int, truths: Mapping[str, np.ndarray], notes: Sequence[str]
) -> Figure:
    """Draw the way of the image to one text; `notes` are for the end of the small print."""
    truth = truths.get(found.texts[text])
    title = headline(opening(found, text, truth), WIDTH)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.12
    x = MARGIN + PHOTO + GUTTER
    room = WIDTH - MARGIN - FINAL - GUTTER - x
    each = room / (found.layers + 1)
    small = min(0.9 * each, 0.75)
    tall = picture_height(small, _shape(found))
    stream = top + 0.2 + BARS + ROW_GAP
    rail = stream + tall + ROW_GAP + 0.14
    end = max(rail + tall, top + picture_height(PHOTO, found.picture.image.shape) + 0.2) + 0.45
    known = bool(outlines(truth))
    said = [*captions(found, known=known), *other_texts(_first(found.texts, text)), *notes]
    lines = small_print(said, WIDTH, found.texts)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    draw_image(page, (MARGIN, top + 0.2, PHOTO), found.picture.image, found.picture.image.shape)
    _draw_bars(page, found, text, (x + each, top, room - each))
    page.write(x, stream - 0.16, WORDS["stream_word"], color=GREY)
    stations = range(len(found.lens))
    offset = 0 if found.has_stream else found.layers
    for n in stations:
        left = x + (n + offset + 0.5) * each - small / 2
        _draw_small(page, found, found.lens[n, text, 1:], (left, stream, small))
    finals = [(WORDS["raw"], found.lens[-1, text, 1:])]
    if found.rail:
        page.write(x, rail - 0.16, WORDS["rail"], color=GREY)
        maps = found.rail.maps[-1, 1:, text]
        for n, values in enumerate(maps):
            column = found.layers - len(maps) + n + 1
            left = x + (column + 0.5) * each - small / 2
            _draw_small(page, found, values, (left, rail, small))
        finals.append((WORDS["surgery"], surgery_map(found, text)))
    side = min(FINAL, (end - top - 0.3) / 2 - 0.25)
    for n, (name, values) in enumerate(finals):
        y = top + 0.02 + n * (picture_height(side, _shape(found)) + 0.26)
        page.write(WIDTH - MARGIN - side, y, shorten(name, side, SMALL))
        area = _draw_small(page, found, values, (WIDTH - MARGIN - side, y + 0.16, side))
        draw_outlines(area, truth, found.picture.grid)
    page.write_small_print(end, lines)
    return page.figure


def _shape(found: Overview) -> tuple[int, int]:
    return found.picture.grid.height, found.picture.grid.width


def _first(texts: Sequence[str], text: int) -> list[str]:
    """The texts, one of them first."""
    return [texts[text], *texts[:text], *texts[text + 1 :]]


def _draw_small(
    page: Page, found: Overview, values: np.ndarray, place: tuple[float, float, float]
) -> Axes:
    """A map by itself, from its lowest patch to its highest."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    pixels = Scale(low, high, SEQUENTIAL).paint(values.reshape(_shape(found)))
    return draw_image(page, place, pixels, _shape(found), "nearest")


def _draw_bars(page: Page, found: Overview, text: int, place: tuple[float, float, float]) -> None:
    """Attention and FFN of every block side by side, for the whole image."""
    x, y, width = place
    each = width / max(found.layers, 1)
    step = -(-found.layers // 12) or 1
    for n in range(0, found.layers, step):
        name = WORDS["block"].format(layer=n) if n == 0 and each > 0.5 else str(n)
        page.write(x + (n + 0.5) * each, y, name, ha="center", color=GREY)
    if found.shares is None:
        return
    area = page.axes(x, y + 0.2, width, BARS)
    area.set_xlim(-0.5, found.layers - 0.5)
    area.axhline(0, color=FAINT, linewidth=0.7)
    parts = found.shares.attention[:, text, 0], found.shares.ffn[:, text, 0]
    for shift, letter, values in zip((-0.2, 0.2), "AF", parts, strict=True):
        colours = [PLUS if value >= 0 else MINUS for value in values]
        area.bar(np.arange(found.layers) + shift, values, width=0.36, color=colours)
        if each > 0.4:
            for n, value in enumerate(values):
                style = {"ha": "center", "size": 7, "color": GREY, "va": "bottom"}
                area.text(n + shift, max(float(value), 0), letter, **style)
