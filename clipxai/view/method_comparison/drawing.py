"""How is an explanation drawn on paper? The image first, then a panel for each text and method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ...results.explanation import Explanation
from ..given import Truth, gather
from ..palette import RIM
from ..paper.defaults import defaults
from ..paper.maps import (
    BAR,
    BAR_GAP,
    NUMBERS,
    draw_image,
    draw_scale,
    hatch,
    overlay,
    picture_height,
    say_if_blank,
)
from ..paper.page import GAP, LINE, MARGIN, TITLE, TITLE_LINE, Page, small_print, title_lines
from ..scales import Scale, Scaling, scales_of
from ..sentences import caption, image_size
from ..texts import title_of
from .panels import Panel, first_scaling, panels_of, rows_of
from .sentences import merit, notes, told

WIDE, NARROW = 3.2, 2.7  # panel width with few and with many columns
HEAD, BADGES, ROW_GAP = 0.45, 0.19, 0.22  # of a panel, a line of merits, between rows
MOST_TITLE_LINES = 2
Row = Sequence[int | None]


@defaults()
def figure(
    explanations: Explanation | Sequence[Explanation],
    *,
    texts: Sequence[int | str] | None = None,
    normalize: Scaling | None = None,
    alpha: float = 0.6,
    mask: Truth | None = None,
) -> Figure:
    """Draw explanations of one image: the image first, then one panel for each text and method.

    Parameters
    ----------
    explanations : one, or several of the same image
    texts : which of their texts, by number or as written; all by default
    normalize : "minmax" (each map on its own scale), "shared" (one scale for all maps of a unit) or
        "signed" (zero in the middle); None: "minmax", but for differences one of the others
    alpha : opacity of the map, 0…1
    mask : true mask (H, W) bool, drawn as an outline and compared with; or a table text -> mask

    Returns
    -------
    A figure: `.savefig(path)` writes it, a notebook shows it

    Raises
    ------
    TypeError : something else than explanations
    ValueError : no explanation or text, images that differ, an unknown normalisation, a mask of
        another size, alpha outside 0…1
    IndexError : no text of that number
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is the opacity of the map and lies in 0…1, not {alpha}")
    given = gather(explanations)
    normalize = first_scaling(given) if normalize is None else normalize
    panels = panels_of(given, texts, mask)
    units = [panel.explanation.unit for panel in panels]
    differences = all(e.difference for e in given)
    scales = scales_of(
        [panel.scores for panel in panels], units, normalize, differences=differences
    )
    said = [caption(units, normalize, scales), *notes(given, panels)]
    rows, image = rows_of(panels), given[0].image
    cells = _cells_for(panels, rows, image)
    page = _page_of(cells, rows, said, [panel.text for panel in panels])
    for r, row in enumerate(rows):
        for c, n in enumerate(row):
            x, y = MARGIN + c * (cells.width + GAP), MARGIN + r * cells.height
            if n is None:
                page.write_title(x, y, cells.width, "image", image_size(image.shape))
                draw_image(page, (x, y + cells.head, cells.width), image, image.shape)
            else:
                _draw_panel(page, (x, y), cells, panels[n], scales[n], alpha)
    return page.figure


@dataclass(frozen=True)
class Cells:
    """Sizes of a panel: its width, the height of its title, and of all with the gap below it."""

    width: float
    head: float
    height: float


def _cells_for(panels: Sequence[Panel], rows: Sequence[Row], image: np.ndarray) -> Cells:
    width = WIDE if max(map(len, rows)) <= 2 else NARROW
    titles = (title_lines(title_of(panel.text), width, MOST_TITLE_LINES) for panel in panels)
    head = HEAD + TITLE_LINE * (max(map(len, titles)) - 1)
    badges = -(-max(len(_badges(panel)) for panel in panels) // 2)  # two on a line
    drawn = head + picture_height(width, image.shape) + BAR_GAP + BAR + NUMBERS
    return Cells(width, head, drawn + badges * BADGES + ROW_GAP)


def _page_of(cells: Cells, rows: Sequence[Row], said: Sequence[str], shown: Sequence[str]) -> Page:
    """A page with room for the rows, and the sentences below them."""
    columns, end = max(map(len, rows)), len(rows) * cells.height
    width = 2 * MARGIN + columns * cells.width + (columns - 1) * GAP
    lines = small_print(said, width, shown)
    page = Page(width, 2 * MARGIN + end + len(lines) * LINE)
    page.write_small_print(MARGIN + end, lines)
    return page


def _draw_panel(
    page: Page,
    corner: tuple[float, float],
    cells: Cells,
    panel: Panel,
    scale: Scale,
    alpha: float,
) -> None:
    """One map over its image, with colour bar, outline of the true mask and figures of merit."""
    x, y = corner
    picture, scores, truth = panel.picture, panel.scores, panel.truth
    page.write_title(x, y, cells.width, title_of(panel.text), panel.method, most=MOST_TITLE_LINES)
    place = x, y + cells.head, cells.width
    area = draw_image(page, place, overlay(picture, scores, scale, alpha), picture.image.shape)
    hatch(area, scores, picture.grid)
    if truth is not None and truth.any() and not truth.all():
        _outline(area, truth)
    say_if_blank(area, scores, TITLE)
    below = y + cells.head + picture_height(cells.width, picture.image.shape) + BAR_GAP
    if not np.isnan(scores).all():
        draw_scale(page, x, below, cells.width, scale)
    merits = _badges(panel)
    for n in range(0, len(merits), 2):
        line = "   ".join(merits[n : n + 2])
        page.write(x, below + BAR + NUMBERS + n // 2 * BADGES, line)


def _badges(panel: Panel) -> list[str]:
    """Its numbers, and what the contrast among them does not say."""
    merits = [f"{name} {merit(name, value)}" for name, value in panel.merits.items()]
    return [*merits, *filter(None, [told(panel)])]


def _outline(area: Axes, truth: np.ndarray) -> None:
    """The edge of a mask (H, W) bool, white with a dark rim so that it shows on every colour."""
    edge = np.pad(truth, 1).astype(np.float32)
    height, width = edge.shape
    middles = np.arange(-1, max(truth.shape) + 1) + 0.5
    lines = area.contour(
        middles[:width], middles[:height], edge, levels=[0.5], colors="white", linewidths=1.2
    )
    lines.set_path_effects([withStroke(linewidth=2.6, foreground=RIM)])
