"""The matplotlib twin of a `TokenMap`: photo, the largest word, the ranking of all words, and some more words small."""

import numpy as np
from matplotlib.figure import Figure

from .figures import GAP, GREY, LINE, MARGIN, SMALL, TITLE_LINE, Page
from .lettering import shorten, wrap
from .paper import BELOW, HEAD, MINUS, PLUS, blank, columns_of, draw_map, draw_photo, picture_height, small_print, write_lines
from .pictures import as_panel
from .scales import number
from .words import TokenMap, merged, subtitle, unit_of

WIDTH, SENTENCE = 10.6, 12.0  # page in inches, the sentence's letters in points
COLUMNS = 5  # of small maps
BAR_ROW, BAR_NAME, BAR_NUMBER = 0.2, 1.05, 0.62


def word_figure(viewer: TokenMap) -> Figure:
    """Draw the first state of a viewer."""
    picture, names = viewer.scores.picture, [unit.label for unit in viewer.units]
    maps, scales = viewer.maps(), viewer.scales(viewer.path, viewer.units)
    title = wrap(f"“{viewer.scores.text}”", WIDTH - 2 * MARGIN, SENTENCE, "bold", most=2)
    *_, third = columns_of(WIDTH, 3)
    *_, fifth = columns_of(WIDTH, COLUMNS)
    top = MARGIN + len(title) * (TITLE_LINE + 0.03) + 0.1
    large_row = HEAD + picture_height(third, picture.image.shape[:2]) + BELOW + 0.2
    small_row = HEAD + picture_height(fifth, picture.image.shape[:2]) + BELOW + 0.15
    small = viewer.shown[1:]
    end = top + large_row + -(-len(small) // COLUMNS) * small_row
    first = "Shown at first: the words with the highest patches." if len(small) + 1 < len(names) else ""
    notes = [viewer.caption(viewer.path, viewer.units), *viewer.notes(), *([first] if first else [])]
    lines = small_print(notes, WIDTH, [viewer.scores.text, *names])
    page = blank(WIDTH, end + len(lines) * LINE + MARGIN)
    for n, line in enumerate(title):
        page.write(MARGIN, MARGIN + n * (TITLE_LINE + 0.03), line, SENTENCE, weight="bold")
    draw_photo(page, MARGIN, top, third, as_panel(picture, maps[0], "", ""))
    for place, word in enumerate(viewer.shown):
        x, y, width = (MARGIN + third + GAP, top, third) if not place else _small_place(place - 1, fifth, top + large_row, small_row)
        panel = as_panel(picture, maps[word], names[word], unit_of(viewer.path))
        draw_map(page, x, y, width, panel, scales[word], subtitle(viewer, viewer.units[word], viewer.path))
    _draw_ranking(page, viewer, MARGIN + 2 * (third + GAP), top, third, large_row - 0.2)
    write_lines(page, end, lines)
    return page.figure


def _small_place(n: int, width: float, top: float, row: float) -> tuple[float, float, float]:
    return MARGIN + n % COLUMNS * (width + GAP), top + n // COLUMNS * row, width


def _draw_ranking(page: Page, viewer: TokenMap, x: float, y: float, width: float, height: float) -> None:
    """All words by the share of the match they carry, the strongest on top; says how many did not fit."""
    whole = merged(viewer.scores.whole[viewer.path], viewer.units)
    order = np.argsort(-np.nan_to_num(whole, nan=-np.inf), kind="stable")
    room = int((height - HEAD) / BAR_ROW)
    shown = order if len(order) <= room else order[: room - 1]
    page.write(x, y, "words by share of the match", 11, weight="bold")
    page.write(x, y + 0.2, shorten("score of each word with the whole image", width, SMALL), color=GREY)
    low, high = min(0.0, float(np.nanmin(whole))), max(0.0, float(np.nanmax(whole)))
    area = page.axes(x + BAR_NAME, y + HEAD, width - BAR_NAME - BAR_NUMBER, len(shown) * BAR_ROW)
    area.set_xlim(low, high if high > low else low + 1)
    area.set_ylim(len(shown) - 0.5, -0.5)
    area.barh(range(len(shown)), whole[shown], height=0.72, color=[PLUS if whole[n] > 0 else MINUS for n in shown])
    area.axvline(0, color=GREY, linewidth=0.8)
    for row, n in enumerate(shown):
        middle = y + HEAD + (row + 0.5) * BAR_ROW
        name = shorten(viewer.units[n].label, BAR_NAME - 0.1, SMALL)
        page.write(x + BAR_NAME - 0.08, middle, name, ha="right", va="center")
        page.write(x + width, middle, number(float(whole[n])), ha="right", va="center")
    if len(shown) < len(order):
        rest = whole[order[len(shown) :]]
        words = f"and {len(rest)} more, from {number(float(rest.max()))} to {number(float(rest.min()))}"
        page.write(x, y + HEAD + (len(shown) + 0.5) * BAR_ROW, words, va="center", color=GREY)
