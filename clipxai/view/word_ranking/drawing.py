"""The matplotlib twin of a `WordRanking`: the sentence in its colours, with numbers below, the
photo, and all words ranked.
"""

from matplotlib.figure import Figure

from ..figures import GAP, LINE, MARGIN, SMALL, TITLE_LINE, Page
from ..lettering import drawable, shorten, width
from ..paper import (
    BELOW,
    HEAD,
    blank,
    draw_photo,
    draw_ranking,
    draw_scale,
    picture_height,
    small_print,
    write_lines,
)
from ..pictures import as_panel
from ..scales import number
from .viewer import WordRanking

WIDTH, WORD = 8.6, 12.0  # page in inches, letters of the sentence in points
PHOTO, ROW, PAD = 3.0, 0.56, 0.09
LONGEST = 2.5  # inches of a word


def relevance_figure(viewer: WordRanking) -> Figure:
    """Draw the first state of a viewer."""
    relevance, names = viewer.relevance, [unit.label for unit in viewer.units]
    places = _placed(viewer)
    top = MARGIN + TITLE_LINE + 0.15 + (places[-1][1] + 1) * ROW
    end = top + HEAD + picture_height(PHOTO, relevance.picture.image.shape[:2]) + BELOW + 0.1
    lines = small_print(viewer.notes(), WIDTH, names)
    page = blank(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write(
        MARGIN,
        MARGIN,
        shorten(viewer.summary, WIDTH - 2 * MARGIN, WORD, "bold"),
        WORD,
        weight="bold",
    )
    _draw_sentence(page, viewer, places)
    draw_photo(
        page,
        MARGIN,
        top,
        PHOTO,
        as_panel(
            relevance.picture, viewer.values[:1].repeat(relevance.picture.grid.patches), "", ""
        ),
    )
    draw_scale(page, MARGIN, end - BELOW, PHOTO, viewer.scale())
    x, kept = MARGIN + PHOTO + GAP, [n for n, word in enumerate(viewer.is_word) if word]
    place = x, top, WIDTH - x - MARGIN, end - top
    draw_ranking(
        page,
        place,
        ("words by relevance", relevance.unit),
        [names[n] for n in kept],
        viewer.values[kept],
    )
    write_lines(page, end, lines)
    return page.figure


def _placed(viewer: WordRanking) -> list[tuple[float, int, float]]:
    """Left edge, row and width of every word."""
    places, x, row = [], MARGIN, 0
    for unit, value in zip(viewer.units, viewer.values, strict=True):
        wide = (
            max(min(width(drawable(unit.name), WORD), LONGEST), width(number(float(value)), SMALL))
            + 2 * PAD
        )
        if x + wide > WIDTH - MARGIN and x > MARGIN:
            x, row = MARGIN, row + 1
        places.append((x, row, wide))
        x += wide + 0.08
    return places


def _draw_sentence(page: Page, viewer: WordRanking, places: list[tuple[float, int, float]]) -> None:
    scale = viewer.scale()
    for unit, value, (x, row, wide) in zip(viewer.units, viewer.values, places, strict=True):
        y = MARGIN + TITLE_LINE + 0.12 + row * ROW
        colour = scale.paint(value.reshape(1, 1))
        page.axes(x, y, wide, 0.27).imshow(colour, aspect="auto")
        ink = "white" if colour.mean() < 110 else "black"
        page.write(
            x + wide / 2,
            y + 0.13,
            shorten(unit.name, LONGEST, WORD),
            WORD,
            ha="center",
            va="center",
            color=ink,
        )
        page.write(x + wide / 2, y + 0.3, number(float(value)), ha="center")
