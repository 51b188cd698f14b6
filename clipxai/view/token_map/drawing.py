"""The matplotlib twin of a `TokenMap`: photo, the largest word, the ranking of all words, and some
more words small.
"""

from matplotlib.figure import Figure

from ..figures import GAP, LINE, MARGIN, TITLE_LINE
from ..lettering import wrap
from ..paper import (
    BELOW,
    HEAD,
    blank,
    columns_of,
    draw_map,
    draw_photo,
    draw_ranking,
    picture_height,
    small_print,
    write_lines,
)
from ..pictures import as_panel
from .viewer import TokenMap, merged, subtitle, unit_of

WIDTH, SENTENCE = 10.6, 12.0  # page in inches, the sentence's letters in points
COLUMNS = 5  # of small maps


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
    first = (
        "Shown at first: the words with the highest patches." if len(small) + 1 < len(names) else ""
    )
    notes = [
        viewer.caption(viewer.path, viewer.units),
        *viewer.notes(),
        *([first] if first else []),
    ]
    lines = small_print(notes, WIDTH, [viewer.scores.text, *names])
    page = blank(WIDTH, end + len(lines) * LINE + MARGIN)
    for n, line in enumerate(title):
        page.write(MARGIN, MARGIN + n * (TITLE_LINE + 0.03), line, SENTENCE, weight="bold")
    draw_photo(page, MARGIN, top, third, as_panel(picture, maps[0], "", ""))
    for place, word in enumerate(viewer.shown):
        x, y, width = (
            (MARGIN + third + GAP, top, third)
            if not place
            else _small_place(place - 1, fifth, top + large_row, small_row)
        )
        panel = as_panel(picture, maps[word], names[word], unit_of(viewer.path))
        draw_map(
            page,
            x,
            y,
            width,
            panel,
            scales[word],
            subtitle(viewer, viewer.units[word], viewer.path),
        )
    whole = merged(viewer.scores.whole[viewer.path], viewer.units)
    titles = "words by share of the match", "score of each word with the whole image"
    draw_ranking(
        page, (MARGIN + 2 * (third + GAP), top, third, large_row - 0.2), titles, names, whole
    )
    write_lines(page, end, lines)
    return page.figure


def _small_place(n: int, width: float, top: float, row: float) -> tuple[float, float, float]:
    return MARGIN + n % COLUMNS * (width + GAP), top + n // COLUMNS * row, width
