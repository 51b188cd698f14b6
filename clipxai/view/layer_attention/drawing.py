"""How is attention drawn on paper? The image and a query in it, where it looks in one layer, and in
all of them.

The colour of a weight is its square root on the scale: attention is so uneven that most of a linear
scale would stay empty.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...results.findings import AttentionMaps
from ..figures import DIM, GREY, MARGIN, SMALL, TITLE, Page
from ..lettering import wrap
from ..scales import SEQUENTIAL, colour_table, number

PANEL, GAP, HEAD, LABEL, THUMB_GAP = 2.9, 0.24, 0.47, 0.62, 0.05  # inches
BAR, LINE, TITLE_GAP = 0.09, 0.165, 0.3
ALPHA = 0.7  # of the map over the image
# of a line may be filled: on a coarse screen, letters are rounded up to whole pixels
HINTING = 0.91


def attention_figure(
    maps: AttentionMaps,
    query: int,
    layer: int,
    kinds: Mapping[str, tuple[str, str]],
    more_notes: Sequence[str] = (),
) -> Figure:
    """Draw the attention of one query token (0 is the class token).

    Parameters
    ----------
    maps : attention of one image
    query, layer : which token, and the layer of the large maps
    kinds : kind -> (its short name, what it compares)
    more_notes : sentences for the small print
    """
    names = {kind: kinds.get(kind, (kind, ""))[0] for kind in maps.mean}
    rows = {kind: mean[:, query] for kind, mean in maps.mean.items()}
    top, rollout_top = (
        top_of(list(rows.values()), hidden_of(maps, query)),
        top_of([maps.rollout], hidden_of(maps, 0)),
    )
    notes = [*notes_of(maps, query, layer, names, top), rollout_note(rollout_top), *more_notes]
    page, strips = _plan(maps, notes)
    _draw_query(page, maps, query)
    for n, (kind, weights) in enumerate(rows.items(), 1):
        subtitle = f"layer {layer} · on [class] {number(float(weights[layer, 0]))}"
        _draw_map(page, n, maps, weights[layer], top, query, f"{names[kind]} attention", subtitle)
    for n, (name, weights, end) in enumerate(
        [*((names[k], w, top) for k, w in rows.items()), ("rollout", maps.rollout, rollout_top)]
    ):
        _draw_strip(page, strips[n], maps, name, weights, end, None if name == "rollout" else layer)
    return page.figure


def hidden_of(maps: AttentionMaps, query: int) -> list[int]:
    """Tokens that are left out of the scale: the query itself, [class] and the sinks."""
    return sorted({0, query, *(1 + sink for sink in maps.sinks)})


def top_of(weights: list[np.ndarray], hidden: list[int]) -> float:
    """Largest weight among arrays (..., N), hidden tokens aside; 0 if there is none."""
    shown = [np.delete(values, hidden, axis=-1) for values in weights]
    finite = np.concatenate([values[np.isfinite(values)] for values in shown])
    return float(finite.max(initial=0))


def notes_of(
    maps: AttentionMaps, query: int, layer: int, names: Mapping[str, str], top: float
) -> list[str]:
    """What the colours of the first state mean; the viewer says the same of every other state."""
    row, column = divmod(query - 1, maps.picture.grid.width)
    who = "[class]" if query == 0 else f"the patch in row {row}, column {column}"
    sinks = ["the sinks"] if maps.sinks else []
    hidden = ["[class]", *sinks] if query == 0 else ["the query itself", "[class]", *sinks]
    return [
        f"Colour: attention weight of {who} in layer {layer}: the share of its attention that goes "
        "to each patch, mean of "
        f"{maps.entropy.shape[1]} heads. One scale for all "
        f"layers{' and kinds' if len(names) > 1 else ''}, from 0 to {number(top)}; "
        "colour follows the square root.",
        f"Drawn, but left out when the scale was set: {', '.join(hidden)}. Where they exceed the "
        "scale they have its last colour.",
    ]


def rollout_note(top: float) -> str:
    """What the rollout row shows."""
    return (
        "Rollout: attention of all layers so far multiplied, seen from [class]; half of every "
        "token stays where it is (Abnar & Zuidema "
        f"2020). Its own scale, from 0 to {number(top)}."
    )


def paint(weights: np.ndarray, grid_size: tuple[int, int], top: float) -> np.ndarray:
    """Weights (N,) of all tokens as the colours of the patches, (gh, gw, 3) uint8; grey where they
    are no number.
    """
    patches = weights[1:].reshape(grid_size)
    place = np.sqrt(np.clip(patches / top, 0, 1)) if top > 0 else np.zeros(grid_size)
    colours = colour_table(SEQUENTIAL)[np.rint(np.nan_to_num(place) * 255).astype(int)]
    colours[np.isnan(patches)] = 221
    return colours


def _plan(maps: AttentionMaps, notes: list[str]) -> tuple[Page, list[tuple[float, float]]]:
    """An empty page with its notes written, and (top, height) of every film strip."""
    picture, columns = maps.picture, 1 + len(maps.mean)
    H, W = picture.image.shape[:2]
    width = 2 * MARGIN + columns * PANEL + (columns - 1) * GAP
    height = PANEL * min(H / W, 1.5)
    thumb = _thumb(maps, width)
    tops = [
        MARGIN + HEAD + height + 0.15 + BAR + TITLE_GAP + n * (thumb[1] + THUMB_GAP)
        for n in range(len(maps.mean) + 1)
    ]
    lines = [line for note in notes for line in wrap(note, HINTING * (width - 2 * MARGIN), SMALL)]
    end = tops[-1] + thumb[1] + 0.28
    page = Page(
        Figure(figsize=(width, end + len(lines) * LINE + MARGIN), facecolor="white"),
        (PANEL, height),
        HEAD,
        height,
    )
    for n, line in enumerate(lines):
        page.write(MARGIN, end + n * LINE, line, color=GREY)
    for n in range(len(maps.entropy)):
        x = MARGIN + LABEL + n * (thumb[0] + THUMB_GAP) + thumb[0] / 2
        page.write(
            x,
            end - 0.24,
            f"layer {n}" if n == 0 or thumb[0] > 0.6 else str(n),
            ha="center",
            color=GREY,
        )
    return page, [(top, thumb[1]) for top in tops]


def _thumb(maps: AttentionMaps, page_width: float) -> tuple[float, float]:
    """Width and height of a small map."""
    L, grid = len(maps.entropy), maps.picture.grid
    width = min(1.0, (page_width - 2 * MARGIN - LABEL + THUMB_GAP) / L - THUMB_GAP)
    return width, width * grid.height / grid.width


def _draw_query(page: Page, maps: AttentionMaps, query: int) -> None:
    grid, image = maps.picture.grid, maps.picture.image
    row, column = divmod(query - 1, grid.width)
    what = "query: [class]" if query == 0 else f"query: row {row}, column {column}"
    area = page.draw_image((0, 0), image, "image", what)
    if query:
        _frame(area, maps, query)


def _draw_map(
    page: Page,
    n: int,
    maps: AttentionMaps,
    weights: np.ndarray,
    top: float,
    query: int,
    title: str,
    subtitle: str,
) -> None:
    """Weights (N,) over the grey image, and their colour bar."""
    grid, image = maps.picture.grid, maps.picture.image
    up, left, down, right = grid.box
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    dimmed = np.rint(grey * DIM).astype(np.uint8)
    seen = np.s_[round(up) : round(down), round(left) : round(right)]
    dimmed[seen] = grey[seen]
    area = page.draw_image((0, n), dimmed, title, subtitle)
    limits = area.get_xlim(), area.get_ylim()
    area.imshow(
        paint(weights, (grid.height, grid.width), top),
        extent=(left, right, down, up),
        alpha=ALPHA,
        aspect="auto",
        interpolation="nearest",
    )
    area.set(xlim=limits[0], ylim=limits[1])
    if query:
        _frame(area, maps, query)
    x, y = page.corner((0, n))
    y += page.head + page.panel[1] + 0.07
    page.axes(x, y, PANEL, BAR).imshow(
        colour_table(SEQUENTIAL)[None], aspect="auto", extent=(0, 1, 0, 1)
    )
    for at, side in ((0, "left"), (0.5, "center"), (1, "right")):
        page.write(x + at * PANEL, y + BAR + 0.03, number(top * at**2), ha=side, color=GREY)


def _frame(area: object, maps: AttentionMaps, query: int) -> None:
    """Mark the query's patch, white with a dark rim."""
    grid, (up, left, down, right) = maps.picture.grid, maps.picture.grid.box
    row, column = divmod(query - 1, grid.width)
    height, width = (down - up) / grid.height, (right - left) / grid.width
    for colour, line in (("#202020", 3.2), ("white", 1.6)):
        corner = (left + column * width, up + row * height)
        area.add_patch(
            Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=line)
        )


def _draw_strip(
    page: Page,
    place: tuple[float, float],
    maps: AttentionMaps,
    name: str,
    weights: np.ndarray,
    top: float,
    layer: int | None,
) -> None:
    """One small map per layer of weights (L, N); the layer of the large maps is framed."""
    width = _thumb(maps, page.figure.get_size_inches()[0])[0]
    page.write(MARGIN, place[0] + place[1] / 2, name, TITLE - 1, va="center", weight="bold")
    for n, row in enumerate(weights):
        area = page.axes(MARGIN + LABEL + n * (width + THUMB_GAP), place[0], width, place[1])
        area.imshow(
            paint(row, (maps.picture.grid.height, maps.picture.grid.width), top),
            aspect="auto",
            interpolation="nearest",
        )
        if n == layer:
            frame = Rectangle(
                (0, 0),
                1,
                1,
                transform=area.transAxes,
                fill=False,
                edgecolor="#d9480f",
                linewidth=3,
                clip_on=False,
            )
            area.add_patch(frame)
