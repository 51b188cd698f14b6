"""The matplotlib twin of a `HeadGrid`: photo, the map of one head and of all of them, and every
head's share below.
"""

import numpy as np
from matplotlib.figure import Figure

from ..figures import GREY, LINE, MARGIN, SMALL, TITLE_LINE, Page
from ..lettering import shorten, title_of, wrap
from ..module_comparison.drawing import NUMBERED, signed
from ..paper import (
    BELOW,
    HEAD,
    blank,
    columns_of,
    draw_map,
    draw_photo,
    picture_height,
    small_print,
    write_lines,
)
from ..pictures import as_panel, reach_of
from ..scales import DIVERGING, Scale, number
from .viewer import HeadGrid

WIDTH, TITLE = 10.6, 12.0  # page in inches, the text's letters in points
GUTTER, ROW, GRID_GAP = 1.0, 0.27, 0.3
FRAME = "#e8590c"


def head_figure(viewer: HeadGrid) -> Figure:
    """Draw the first state of a viewer."""
    picture, (layer, head) = viewer.contributions.picture, viewer.head
    title = wrap(f"“{title_of(viewer.texts[0])}”", WIDTH - 2 * MARGIN, TITLE, "bold", most=2)
    *lefts, each = columns_of(WIDTH, 3)
    top = MARGIN + len(title) * (TITLE_LINE + 0.03) + 0.12
    below = top + HEAD + picture_height(each, picture.image.shape[:2]) + BELOW + GRID_GAP
    end = below + (viewer.heads + 3) * ROW + 0.15
    others = (
        [f"Other texts of this viewer: {', '.join(viewer.texts[1:])}."]
        if len(viewer.texts) > 1
        else []
    )
    lines = small_print(
        [f"{viewer.closure(0)}.", *viewer.captions(0), *others], WIDTH, viewer.texts
    )
    page = blank(WIDTH, end + len(lines) * LINE + MARGIN)
    for n, line in enumerate(title):
        page.write(MARGIN, MARGIN + n * (TITLE_LINE + 0.03), line, TITLE, weight="bold")
    maps, names = viewer.maps(0, layer, head), (f"layer {layer}, head {head}", "all heads together")
    draw_photo(page, lefts[0], top, each, as_panel(picture, maps[0], "", ""))
    for x, name, values, scale in zip(lefts[1:], names, maps, viewer.scales(0), strict=True):
        draw_map(
            page,
            x,
            top,
            each,
            as_panel(picture, values, name, ""),
            scale,
            f"from patches {number(float(values.sum()))}",
        )
    _draw_grid(page, viewer, below)
    write_lines(page, end, lines)
    return page.figure


def _draw_grid(page: Page, viewer: HeadGrid, y: float) -> None:
    """Heads down, layers across, every cell with its number if there is room."""
    cells = viewer.cells(0)
    reach = reach_of(cells)
    column = (WIDTH - 2 * MARGIN - GUTTER) / viewer.layers
    names = [*(f"head {n}" for n in range(viewer.heads)), "bias", "FFN"]
    for n, name in enumerate(names):
        page.write(MARGIN, y + (n + 0.5) * ROW, shorten(name, GUTTER, SMALL), va="center")
    colours = Scale(-reach, reach, DIVERGING).paint(cells)
    area = page.axes(MARGIN + GUTTER, y, column * viewer.layers, ROW * len(cells))
    area.imshow(colours, aspect="auto", interpolation="nearest")
    layer, head = viewer.head
    area.plot(
        *np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5), (-0.5, -0.5)]).T
        + [[layer], [head]],
        color=FRAME,
        linewidth=2,
    )
    for row, column_ in np.ndindex(cells.shape) if viewer.layers <= NUMBERED else ():
        ink = "white" if colours[row, column_].mean() < 110 else "black"
        area.text(
            column_,
            row,
            signed(float(cells[row, column_])),
            ha="center",
            va="center",
            size=SMALL,
            color=ink,
            parse_math=False,
        )
    for n in range(viewer.layers):
        name = f"layer {n}" if n == 0 or column > 0.5 else str(n)
        page.write(
            MARGIN + GUTTER + (n + 0.5) * column,
            y + len(cells) * ROW + 0.04,
            name,
            ha="center",
            color=GREY,
        )
