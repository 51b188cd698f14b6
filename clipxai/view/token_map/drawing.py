"""How are words drawn on paper? Photo, the largest word, all words ranked, some words small."""

from collections.abc import Mapping, Sequence

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
from ..word_units import truth_of_word
from .content import WordMaps
from .sentences import FIRST, colours, map_subtitle, notes, said_of

WIDTH = 10.6  # of the page, in inches
COLUMNS = 5  # of small maps


@defaults()
def draw(
    words: WordMaps, path: str, shown: Sequence[int], truth: Mapping[str, np.ndarray]
) -> Figure:
    """Draw the words that are `shown` on a `path`, the first of them large."""
    picture, names = words.scores.picture, [unit.label for unit in words.units]
    title = headline(f"“{words.scores.text}”", WIDTH)
    *_, third = columns_of(WIDTH, 3)
    *_, fifth = columns_of(WIDTH, COLUMNS)
    size = picture.image.shape
    top = MARGIN + len(title) * HEADLINE_LINE + 0.1
    large_row = HEAD + picture_height(third, size) + BELOW + 0.2
    small_row = HEAD + picture_height(fifth, size) + BELOW + 0.15
    end = top + large_row + -(-(len(shown) - 1) // COLUMNS) * small_row
    said = [colours(words, path, words.units), *notes(words, path)]
    said += [FIRST] if len(shown) < len(names) else []
    lines = small_print(said, WIDTH, [words.scores.text, *names])
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    draw_photo(page, (MARGIN, top, third), picture.image)
    large = (MARGIN + third + GAP, top, third)
    small = [
        (MARGIN + n % COLUMNS * (fifth + GAP), top + large_row + n // COLUMNS * small_row, fifth)
        for n in range(len(shown) - 1)
    ]
    _draw_maps(page, words, path, list(zip(shown, [large, *small], strict=True)), truth)
    right = MARGIN + 2 * (third + GAP)
    whole = words.whole(path, words.units)
    titles = said_of(path)["title"], said_of(path)["subtitle"]
    kept = words.ranked(path, words.units)
    place = (right, top, third, large_row - 0.2)
    draw_ranking(page, place, titles, [names[n] for n in kept], whole[kept])
    page.write_small_print(end, lines)
    return page.figure


def _draw_maps(
    page: Page,
    words: WordMaps,
    path: str,
    places: list[tuple[int, tuple[float, float, float]]],
    truth: Mapping[str, np.ndarray],
) -> None:
    """Maps of words, each by its number and its place: x, y and width."""
    maps, scales = words.maps(path, words.units), words.scales(path, words.units)
    whole = words.whole(path, words.units)
    for word, place in places:
        unit = words.units[word]
        titles = unit.label, map_subtitle(path, float(whole[word]), unit.pieces)
        known = truth_of_word(truth, unit)
        draw_map(page, place, titles, words.scores.picture, maps[word], scales[word], known)
