"""How is attention drawn on paper? A query in the image, where it looks in one layer and in all.

The colour of a weight is its square root on the scale: attention is so uneven that most of a linear
scale would stay empty.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from ...results.findings import AttentionMaps
from ..attention_kinds import label
from ..palette import DIM, FRAME, RIM
from ..paper.defaults import defaults
from ..paper.lettering import wrap
from ..paper.maps import BAR, BAR_GAP, cell_box, draw_bar, draw_image, draw_outlines, picture_height
from ..paper.page import GAP, GREY, LINE, MARGIN, SMALL, TITLE, Page
from ..scales import SEQUENTIAL, colour_table
from ..sentences import IMAGE, layer_names
from .content import OPACITY, UNKNOWN, hidden_of, layers_of, patch_of, sinks_by_layer, top_of
from .sentences import (
    ROLLOUT,
    colour_notes,
    map_titles,
    query_subtitle,
    rollout_note,
    sinks_note,
)

PANEL, HEAD, GUTTER, THUMB_GAP = 2.9, 0.47, 0.62, 0.05  # inches
BELOW = 0.15 + BAR + 0.3  # between the large maps and the strips
WIDE = 0.6  # of a small map from which on it has the word "layer" below it
SINK_RADIUS = 0.3  # of a patch
# of a line may be filled: on a coarse screen, letters are rounded up to whole pixels
HINTING = 0.91


@defaults()
def draw(
    maps: AttentionMaps,
    query: int,
    layer: int,
    notes: Sequence[str],
    truth: Mapping[str, np.ndarray],
    on: Sequence[str],
) -> Figure:
    """Draw the attention of one query token.

    Parameters
    ----------
    maps : attention of one image
    query, layer : which token (0 is the whole image), and the layer of the large maps
    notes : sentences for the end of the small print
    truth : true masks (H, W) bool of things, whose outlines are drawn on the large pictures
    on : the thing that every patch lies on, if that is known
    """
    rows = {kind: mean[:, query] for kind, mean in maps.mean.items()}
    top = top_of(list(rows.values()), hidden_of(maps, query))
    rollout_top = top_of([maps.rollout], hidden_of(maps, 0))
    colours = [*colour_notes(maps, query, layer, top), *sinks_note(maps)]
    said = [*colours, rollout_note(maps, rollout_top), *notes]
    page, strips, width = _plan(maps, said)
    area = _draw_panel(page, 0, maps.picture.image, (IMAGE, query_subtitle(maps, query, on)))
    _mark_sinks(area, maps, sinks_by_layer(maps)[layer])
    areas = [area]
    for n, (kind, weights) in enumerate(rows.items(), 1):
        titles = map_titles(maps, kind, layer, float(weights[layer, 0]))
        areas.append(_draw_map(page, n, maps, weights[layer], top, titles))
    for area in areas:
        for mask in truth.values():
            draw_outlines(area, mask)
        _mark_query(area, maps, query)
    for y, (kind, weights) in zip(strips, rows.items(), strict=False):
        areas = _draw_strip(page, y, width, maps, label(kind), weights, top)
        _mark_layer(areas[layer])
    _draw_strip(page, strips[-1], width, maps, ROLLOUT, maps.rollout, rollout_top)
    return page.figure


def paint(weights: np.ndarray, grid_size: tuple[int, int], top: float) -> np.ndarray:
    """Weights (N,) of all tokens as the colours of the patches, (gh, gw, 3) uint8."""
    patches = weights[1:].reshape(grid_size)
    place = np.sqrt(np.clip(patches / top, 0, 1)) if top > 0 else np.zeros(grid_size)
    colours = colour_table(SEQUENTIAL)[np.rint(np.nan_to_num(place) * 255).astype(int)]
    colours[np.isnan(patches)] = UNKNOWN
    return colours


def _plan(maps: AttentionMaps, said: Sequence[str]) -> tuple[Page, list[float], float]:
    """A page with its small print, where each strip begins, and the width of a small map."""
    grid, columns = maps.picture.grid, 1 + len(maps.mean)
    page_width = 2 * MARGIN + columns * PANEL + (columns - 1) * GAP
    room = page_width - 2 * MARGIN - GUTTER + THUMB_GAP
    width = min(1.0, room / layers_of(maps) - THUMB_GAP)
    height = width * grid.height / grid.width
    first = MARGIN + HEAD + picture_height(PANEL, maps.picture.image.shape) + BELOW
    tops = [first + n * (height + THUMB_GAP) for n in range(len(maps.mean) + 1)]
    lines = [
        line for note in said for line in wrap(note, HINTING * (page_width - 2 * MARGIN), SMALL)
    ]
    end = tops[-1] + height + 0.28
    page = Page(page_width, end + len(lines) * LINE + MARGIN)
    page.write_small_print(end, lines)
    for n, name in enumerate(layer_names(range(layers_of(maps)), roomy=width > WIDE)):
        middle = MARGIN + GUTTER + n * (width + THUMB_GAP) + width / 2
        page.write(middle, end - 0.24, name, ha="center", color=GREY)
    return page, tops, width


def _draw_panel(page: Page, n: int, pixels: np.ndarray, titles: tuple[str, str]) -> Axes:
    """Pixels of the image in one of the large panels."""
    x = MARGIN + n * (PANEL + GAP)
    page.write_title(x, MARGIN, PANEL, *titles, most=2)
    return draw_image(page, (x, MARGIN + HEAD, PANEL), pixels, pixels.shape)


def _draw_map(
    page: Page,
    n: int,
    maps: AttentionMaps,
    weights: np.ndarray,
    top: float,
    titles: tuple[str, str],
) -> Axes:
    """Weights (N,) over the grey image, and their colour bar."""
    grid, image = maps.picture.grid, maps.picture.image
    up, left, down, right = grid.box
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    dimmed = np.rint(grey * DIM).astype(np.uint8)
    seen = np.s_[round(up) : round(down), round(left) : round(right)]
    dimmed[seen] = grey[seen]
    area = _draw_panel(page, n, dimmed, titles)
    limits = area.get_xlim(), area.get_ylim()
    area.imshow(
        paint(weights, (grid.height, grid.width), top),
        extent=(left, right, down, up),
        alpha=OPACITY,
        aspect="auto",
        interpolation="nearest",
    )
    area.set(xlim=limits[0], ylim=limits[1])
    y = MARGIN + HEAD + picture_height(PANEL, image.shape) + BAR_GAP
    times = top * maps.seen
    numbers = [(part, times * part**2) for part in (0, 0.5, 1)]
    draw_bar(page, (MARGIN + n * (PANEL + GAP), y, PANEL), SEQUENTIAL, numbers)
    return area


def _mark_query(area: Axes, maps: AttentionMaps, query: int) -> None:
    """Mark the query's patch, white with a dark rim; the whole image is nowhere."""
    if query == 0:
        return
    for colour, line in ((RIM, 3.2), ("white", 1.6)):
        box = cell_box(maps.picture.grid, *patch_of(maps, query))
        area.add_patch(Rectangle(*box, fill=False, edgecolor=colour, linewidth=line))


def _mark_sinks(area: Axes, maps: AttentionMaps, sinks: Sequence[int]) -> None:
    """A small circle in the patch of every sink, white with a dark rim."""
    for sink in sinks:
        (x, y), across, down = cell_box(maps.picture.grid, *patch_of(maps, sink))
        middle = x + across / 2, y + down / 2
        for colour, line in ((RIM, 2.6), ("white", 1.2)):
            radius = SINK_RADIUS * min(across, down)
            area.add_patch(Circle(middle, radius, fill=False, edgecolor=colour, linewidth=line))


def _draw_strip(
    page: Page,
    y: float,
    width: float,
    maps: AttentionMaps,
    name: str,
    weights: np.ndarray,
    top: float,
) -> list[Axes]:
    """One small map per layer of weights (L, N)."""
    grid = maps.picture.grid
    height = width * grid.height / grid.width
    page.write(MARGIN, y + height / 2, name, TITLE - 1, va="center", weight="bold")
    areas = []
    for n, row in enumerate(weights):
        area = page.axes(MARGIN + GUTTER + n * (width + THUMB_GAP), y, width, height)
        colours = paint(row, (grid.height, grid.width), top)
        area.imshow(colours, aspect="auto", interpolation="nearest")
        areas.append(area)
    return areas


def _mark_layer(area: Axes) -> None:
    """Frame the layer of the large maps."""
    style = {"fill": False, "edgecolor": FRAME, "linewidth": 3, "clip_on": False}
    area.add_patch(Rectangle((0, 0), 1, 1, transform=area.transAxes, **style))
