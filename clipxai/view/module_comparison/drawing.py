"""The matplotlib twin of a `ModuleComparison`: bars of every layer above each other, the logit
lens, and the maps of one layer.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..figures import GREY, LINE, MARGIN, SMALL, TITLE_LINE, Page
from ..layer_attention.viewer import label
from ..lettering import shorten, title_of, wrap
from ..paper import (
    BELOW,
    HEAD,
    MINUS,
    PLUS,
    blank,
    columns_of,
    draw_map,
    draw_photo,
    picture_height,
    small_print,
    write_lines,
)
from ..pictures import as_panel
from ..scales import number, two_digits
from .viewer import ModuleComparison

WIDTH, TITLE = 11.0, 12.0  # page in inches, the text's letters in points
GUTTER, LANE, LANE_GAP = 1.3, 0.72, 0.1
NUMBERED = 14  # with more layers than this, bars carry no numbers: they would run into one another
TINY = 7.5  # points
LANES = ("attention adds", "FFN adds", "embedding, bias", "sum so far", "alignment")
SELECTION = "selection ratio"  # one lane more where the mask of the text is known
HIGHLIGHT = "#0b6bcb1c"


def module_figure(viewer: ModuleComparison) -> Figure:
    """Draw the first state of a viewer."""
    picture, layer = viewer.contributions.picture, viewer.layer
    title = wrap(f"“{title_of(viewer.texts[0])}”", WIDTH - 2 * MARGIN, TITLE, "bold", most=2)
    *lefts, each = columns_of(WIDTH, 4)
    top = MARGIN + len(title) * (TITLE_LINE + 0.03) + 0.12
    lanes = [*LANES, *([SELECTION] if viewer.selections[0] else [])]
    lens = top + len(lanes) * (LANE + LANE_GAP) + 0.1
    column = (WIDTH - 2 * MARGIN - GUTTER) / (viewer.layers + 2)
    thumbnail = min(0.9 * column, 0.8)
    below = lens + thumbnail + 0.42
    end = below + HEAD + picture_height(each, picture.image.shape[:2]) + BELOW + 0.15
    others = (
        [f"Other texts of this viewer: {', '.join(viewer.texts[1:])}."]
        if len(viewer.texts) > 1
        else []
    )
    lines = small_print([*viewer.captions(0), *others], WIDTH, viewer.texts)
    page = blank(WIDTH, end + len(lines) * LINE + MARGIN)
    for n, line in enumerate(title):
        page.write(MARGIN, MARGIN + n * (TITLE_LINE + 0.03), line, TITLE, weight="bold")
    _draw_lanes(page, viewer, top, lanes)
    _draw_lens(page, viewer, lens, column, thumbnail)
    maps, scale = viewer.maps(0, layer), viewer.scale(0)
    draw_photo(page, lefts[0], below, each, as_panel(picture, maps[0], "", ""))
    names = (f"layer {layer}: attention", f"layer {layer}: FFN", "attention − FFN")
    for x, name, values in zip(lefts[1:], names, maps, strict=True):
        draw_map(
            page,
            x,
            below,
            each,
            as_panel(picture, values, name, ""),
            scale,
            f"mean over patches {number(float(np.nanmean(values)))}",
        )
    write_lines(page, end, lines)
    return page.figure


def signed(value: float) -> str:
    """A share for people: its sign and three decimals, so that the figures of a row compare at a
    glance.
    """
    return f"{value:+.3f}".replace("-", "−")


def _draw_lanes(page: Page, viewer: ModuleComparison, top: float, names: Sequence[str]) -> None:
    """Rows over the same columns: attention, FFN, both ends of the stream, the sum so far,
    alignment, and perhaps selection ratios.
    """
    c, row, layers = viewer.contributions, viewer.rows[0], viewer.layers
    attention, ffn = c.attention[:, row, 0], c.ffn[:, row, 0]
    ends = np.array([c.embedding[row, 0], c.bias[row, 0]])
    middle = np.arange(1, layers + 1)
    low, high = (
        limit(0.0, *(float(limit(part)) for part in (attention, ffn, ends))) for limit in (min, max)
    )
    lanes = [_lane(page, top, n, name, viewer) for n, name in enumerate(names)]
    numbered = layers <= NUMBERED
    for area, places, values in zip(
        lanes, (middle, middle, [0, layers + 1]), (attention, ffn, ends), strict=False
    ):
        room = 0.3 * ((high - low) or 1)
        area.set_ylim(low - (room if low < 0 else 0), high + room)
        _bars(area, places, values, numbered)
    closing = shorten(viewer.closure(0), WIDTH - 2 * MARGIN - GUTTER, SMALL)
    lanes[2].text(
        0.5,
        0.5,
        closing,
        transform=lanes[2].transAxes,
        ha="center",
        va="center",
        size=SMALL + 1,
        parse_math=False,
    )
    _line(lanes[3], viewer.cumulative(0), numbered)
    _points(lanes[4], middle, {"attention": c.attention_alignment, "FFN": c.ffn_alignment})
    if found := viewer.selections[0]:
        lanes[5].axhline(found.chance, color="#777777", linewidth=1, linestyle=":")
        _points(
            lanes[5], middle, {label(kind): ratio for kind, ratio in found.ratio.items()}, numbered
        )
        lanes[5].set_ylim(-0.3, 1.2)  # room for numbers


def _lane(page: Page, top: float, n: int, name: str, viewer: ModuleComparison) -> Axes:
    y = top + n * (LANE + LANE_GAP)
    page.write(MARGIN, y + LANE / 2, name, SMALL + 1, va="center")
    area = page.axes(MARGIN + GUTTER, y, WIDTH - 2 * MARGIN - GUTTER, LANE)
    area.set_xlim(-0.5, viewer.layers + 1.5)
    area.axhline(0, color="#999999", linewidth=0.7)
    area.axvspan(viewer.layer + 0.5, viewer.layer + 1.5, color=HIGHLIGHT, linewidth=0)
    return area


def _bars(area: Axes, places: Sequence[int], values: np.ndarray, numbered: bool) -> None:
    area.bar(places, values, width=0.62, color=[PLUS if value > 0 else MINUS for value in values])
    for place, value in zip(places, values, strict=True):
        if numbered:
            offset = (0, 2 if value >= 0 else -2)
            _annotate(
                area,
                signed(float(value)),
                (place, value),
                offset,
                ha="center",
                va="bottom" if value >= 0 else "top",
            )


def _line(area: Axes, sums: np.ndarray, numbered: bool) -> None:
    room = 0.35 * (np.ptp([0, *sums]) or 1)
    area.set_ylim(min(0, sums.min()) - room / 4, max(0, sums.max()) + room)
    area.plot(range(len(sums)), sums, color="#222222", linewidth=1.4, marker="o", markersize=3)
    for place, value in enumerate(sums):
        if numbered or place in (0, len(sums) - 1):
            _annotate(area, two_digits(value), (place, value), (0, 4), ha="center")


def _points(
    area: Axes, places: np.ndarray, lines: Mapping[str, np.ndarray], numbered: bool = False
) -> None:
    """Filled circles for the first line, open squares for the others, each named at its end; the
    higher one's numbers stand above.
    """
    values = np.stack(list(lines.values()))
    area.set_ylim(min(0, values.min()) - 0.15, max(0, values.max()) + 0.15)
    for n, (name, line) in enumerate(lines.items()):
        style = (
            {"markerfacecolor": "white", "linestyle": "--", "marker": "s"} if n else {"marker": "o"}
        )
        area.plot(
            places, line, color="#777777" if n else "#222222", linewidth=1, markersize=4, **style
        )
        above = line > values.mean(0) if n else line >= values.mean(0)
        for place, value, up in zip(places, line, above, strict=True) if numbered else ():
            _annotate(
                area, two_digits(float(value)), (place, value), (0, 5 if up else -10), ha="center"
            )
        words, shift = (name, 14) if numbered else (f"{name} {two_digits(float(line[-1]))}", 8)
        _annotate(area, words, (places[-1], line[-1]), (shift, 5 if above[-1] else -5), va="center")


def _annotate(
    area: Axes, words: str, at: tuple[float, float], shift: tuple[float, float], **style: str
) -> None:
    area.annotate(words, at, shift, textcoords="offset points", size=TINY, **style)


def _draw_lens(page: Page, viewer: ModuleComparison, y: float, column: float, side: float) -> None:
    """A small map below every column: what the patches match if the network stops there."""
    grid, scale = viewer.contributions.picture.grid, viewer.lens_scale(0)
    page.write(MARGIN, y + side / 2, "map if it\nstopped here", SMALL + 1, va="center")
    names = [
        "embedding",
        *(f"layer {n}" if column > 0.45 else str(n) for n in range(viewer.layers)),
        "bias",
    ]
    for n, name in enumerate(names):
        middle = MARGIN + GUTTER + (n + 0.5) * column
        page.write(
            middle,
            y + side + 0.04,
            name,
            TINY,
            ha="center",
            color="black" if n == viewer.layer + 1 else GREY,
        )
        if n <= viewer.layers:
            values = viewer.contributions.lens[n, viewer.rows[0]].reshape(grid.height, grid.width)
            height = min(side, side * grid.height / grid.width)
            width = height * grid.width / grid.height
            page.axes(middle - width / 2, y + side - height, width, height).imshow(
                scale.paint(values), aspect="auto"
            )
