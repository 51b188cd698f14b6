"""How is a ranking drawn on paper? The sentence in its colours, the photo, all words ranked."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ..number import percent
from ..paper.defaults import defaults
from ..paper.lettering import drawable, shorten, width
from ..paper.maps import BELOW, draw_photo, draw_scale, picture_height
from ..paper.page import (
    GAP,
    HEAD,
    HEADLINE,
    LINE,
    MARGIN,
    SMALL,
    TITLE_LINE,
    Page,
    ink_on,
    small_print,
)
from ..paper.ranking import draw_ranking
from ..word_units import truth_of_word
from .content import RankedWords
from .sentences import OUTLINED, RANKING, below, notes, summary

WIDTH = 8.6  # of the page, in inches
PHOTO, ROW, PAD = 3.0, 0.56, 0.09  # width of the photo, height of a line of words, beside a word
WORD = HEADLINE  # points
LONGEST = 2.5  # inches of a word
Places = list[tuple[float, int, float]]


@defaults()
def draw(words: RankedWords, truths: Mapping[str, np.ndarray]) -> Figure:
    """Draw the sentence with its numbers, the photo and the ranking; what the word names that
    mattered most is outlined where it is among the `truths`.
    """
    relevance, names = words.relevance, [unit.label for unit in words.units]
    places = _placed(words)
    *_, (_, last_row, _) = places
    top = MARGIN + TITLE_LINE + 0.15 + (last_row + 1) * ROW
    end = top + HEAD + picture_height(PHOTO, relevance.picture.image.shape) + BELOW + 0.1
    said = [*notes(words), *([OUTLINED] if truths else [])]
    lines = small_print(said, WIDTH, names)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline([shorten(summary(words), WIDTH - 2 * MARGIN, HEADLINE, "bold")])
    _draw_sentence(page, words, places)
    truth = truth_of_word(truths, words.units[words.first()])
    draw_photo(page, (MARGIN, top, PHOTO), relevance.picture.image, truth)
    draw_scale(page, MARGIN, end - BELOW, PHOTO, words.scale())
    x, kept = MARGIN + PHOTO + GAP, [n for n, word in enumerate(words.is_word) if word]
    place, titles = (x, top, WIDTH - x - MARGIN, end - top), (RANKING["title"], RANKING["subtitle"])
    draw_ranking(page, place, titles, [names[n] for n in kept], words.shares[kept], percent)
    page.write_small_print(end, lines)
    return page.figure


def _placed(words: RankedWords) -> Places:
    """Left edge, row and width of every word."""
    places, x, row = [], MARGIN, 0
    for n, unit in enumerate(words.units):
        name = min(width(drawable(unit.name), WORD), LONGEST)
        wide = max(name, width(below(words, n), SMALL)) + 2 * PAD
        if x + wide > WIDTH - MARGIN and x > MARGIN:
            x, row = MARGIN, row + 1
        places.append((x, row, wide))
        x += wide + 0.08
    return places


def _draw_sentence(page: Page, words: RankedWords, places: Places) -> None:
    """Every word on its colour, its number below."""
    scale = words.scale()
    for n, (x, row, wide) in enumerate(places):
        unit, value = words.units[n], words.values[n]
        y, middle = MARGIN + TITLE_LINE + 0.12 + row * ROW, x + wide / 2
        colour = scale.paint(value.reshape(1, 1))
        page.axes(x, y, wide, 0.27).imshow(colour, aspect="auto")
        name = shorten(unit.name, LONGEST, WORD)
        style = {"ha": "center", "va": "center", "color": ink_on(colour)}
        page.write(middle, y + 0.13, name, WORD, **style)
        page.write(middle, y + 0.3, below(words, n), ha="center")
