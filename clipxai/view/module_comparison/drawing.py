"""How are modules drawn on paper? Bars of every layer, the logit lens, the maps of one layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..attention_kinds import label
from ..number import signed, two_digits
from ..paper.defaults import defaults
from ..paper.lettering import shorten
from ..paper.maps import BELOW, draw_map, draw_photo, picture_height
from ..paper.page import (
    GREY,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    MOST_NUMBERED,
    SMALL,
    Page,
    columns_of,
    headline,
    small_print,
)
from ..paper.ranking import bar_colours
from ..sentences import other_texts
from ..texts import title_of
from .content import ModuleShares
from .sentences import (
    ATTENTION,
    EMBEDDING,
    FFN,
    LANES,
    LENS_ROW,
    SELECTION_LANE,
    captions,
    map_subtitle,
    map_titles,
    names_of,
    proof,
)

WIDTH = 11.0  # of the page, in inches
GUTTER, LANE, LANE_GAP = 1.3, 0.72, 0.1
LANES_WIDTH = WIDTH - 2 * MARGIN - GUTTER
THUMB, WIDE = 0.8, 0.45  # side of the largest small map; of a column with the word "layer" below
TINY = 7.5  # points
FIRST, OTHER, FAINT = "#222222", "#777777", "#999999"  # lines: the first, the others, zero
HIGHLIGHT = "#0b6bcb1c"


@defaults()
def draw(shares: ModuleShares, layer: int, truth: Mapping[str, np.ndarray]) -> Figure:
    """Draw the first text and the maps of one layer."""
    picture, texts = shares.contributions.picture, shares.texts
    title = headline(f"“{title_of(texts[0])}”", WIDTH)
    *lefts, each = columns_of(WIDTH, 4)
    top = MARGIN + len(title) * HEADLINE_LINE + 0.12
    names = [*LANES, *([SELECTION_LANE] if shares.selections[0] else [])]
    lens = top + len(names) * (LANE + LANE_GAP) + 0.1
    column = LANES_WIDTH / (shares.layers + 2)
    thumb = min(0.9 * column, THUMB)
    below = lens + thumb + 0.42
    end = below + HEAD + picture_height(each, picture.image.shape) + BELOW + 0.15
    lines = small_print([*captions(shares, 0), *other_texts(texts)], WIDTH, texts)
    page = Page(WIDTH, end + len(lines) * LINE + MARGIN)
    page.write_headline(title)
    lanes = [_lane(page, top, n, name, shares.layers, layer) for n, name in enumerate(names)]
    _draw_shares(lanes, shares)
    _draw_alignment(lanes, shares)
    _draw_lens(page, shares, layer, lens, column, thumb)
    draw_photo(page, (lefts[0], below, each), picture.image)
    maps, scale = shares.maps(0, layer), shares.scale(0)
    names = zip(map_titles(layer), map(map_subtitle, shares.means(0, layer)), strict=True)
    for x, titles, values in zip(lefts[1:], names, maps, strict=True):
        draw_map(page, (x, below, each), titles, picture, values, scale, truth.get(texts[0]))
    page.write_small_print(end, lines)
    return page.figure


def _lane(page: Page, top: float, n: int, name: str, layers: int, shown: int) -> Axes:
    """An empty row: a column before all layers, one for each, one behind; one is lit."""
    y = top + n * (LANE + LANE_GAP)
    page.write(MARGIN, y + LANE / 2, name, SMALL + 1, va="center")
    area = page.axes(MARGIN + GUTTER, y, LANES_WIDTH, LANE)
    area.set_xlim(-0.5, layers + 1.5)
    area.axhline(0, color=FAINT, linewidth=0.7)
    area.axvspan(shown + 0.5, shown + 1.5, color=HIGHLIGHT, linewidth=0)
    return area


def _draw_shares(lanes: Sequence[Axes], shares: ModuleShares) -> None:
    """Attention, FFN and both ends of the stream on one scale, and below them their sum so far."""
    attention, ffn, ends = shares.of_class(0)
    layers, numbered = shares.layers, shares.layers <= MOST_NUMBERED
    middle = range(1, layers + 1)
    low = min(0.0, *(float(min(part)) for part in (attention, ffn, ends)))
    high = max(0.0, *(float(max(part)) for part in (attention, ffn, ends)))
    room = 0.3 * ((high - low) or 1)  # for numbers
    bars = (middle, attention), (middle, ffn), ([0, layers + 1], ends)
    for area, (places, values) in zip(lanes, bars, strict=False):
        area.set_ylim(low - (room if low < 0 else 0), high + room)
        _draw_bars(area, places, values, numbered)
    words = shorten(proof(shares, 0), LANES_WIDTH, SMALL)
    centred = {"transform": lanes[2].transAxes, "ha": "center", "va": "center"}
    lanes[2].text(0.5, 0.5, words, size=SMALL + 1, parse_math=False, **centred)
    _draw_sums(lanes[3], shares.cumulative(0), numbered)


def _draw_bars(area: Axes, places: Sequence[int], values: np.ndarray, numbered: bool) -> None:
    area.bar(places, values, width=0.62, color=bar_colours(values))
    for place, value in zip(places, values, strict=True) if numbered else ():
        shift, side = ((0, 2), "bottom") if value >= 0 else ((0, -2), "top")
        _annotate(area, signed(float(value)), (place, value), shift, ha="center", va=side)


def _draw_sums(area: Axes, sums: np.ndarray, numbered: bool) -> None:
    room = 0.35 * (np.ptp([0, *sums]) or 1)
    area.set_ylim(min(0, sums.min()) - room / 4, max(0, sums.max()) + room)
    area.plot(range(len(sums)), sums, color=FIRST, linewidth=1.4, marker="o", markersize=3)
    for place, value in enumerate(sums):
        if numbered or place in (0, len(sums) - 1):
            _annotate(area, two_digits(value), (place, value), (0, 4), ha="center")


def _draw_alignment(lanes: Sequence[Axes], shares: ModuleShares) -> None:
    """Alignment of both modules, and selection ratios of every kind of attention if known."""
    c, middle = shares.contributions, np.arange(1, shares.layers + 1)
    _draw_lines(lanes[4], middle, {ATTENTION: c.attention_alignment, FFN: c.ffn_alignment})
    if found := shares.selections[0]:
        area, numbered = lanes[5], shares.layers <= MOST_NUMBERED
        area.axhline(found.chance, color=OTHER, linewidth=1, linestyle=":")
        ratios = {label(kind): ratio for kind, ratio in found.ratio.items()}
        _draw_lines(area, middle, ratios, numbered)
        area.set_ylim(-0.3, 1.2)  # room for numbers


def _draw_lines(
    area: Axes, places: np.ndarray, lines: Mapping[str, np.ndarray], numbered: bool = False
) -> None:
    """Filled circles for the first line, open squares for the others, each named at its end.

    The higher one's numbers stand above.
    """
    values = np.stack(list(lines.values()))
    area.set_ylim(min(0, values.min()) - 0.15, max(0, values.max()) + 0.15)
    filled = {"color": FIRST, "marker": "o"}
    opened = {"color": OTHER, "marker": "s", "markerfacecolor": "white", "linestyle": "--"}
    for n, (name, line) in enumerate(lines.items()):
        area.plot(places, line, linewidth=1, markersize=4, **(opened if n else filled))
        above = line > values.mean(0) if n else line >= values.mean(0)
        for place, value, up in zip(places, line, above, strict=True) if numbered else ():
            shift = (0, 5 if up else -10)
            _annotate(area, two_digits(float(value)), (place, value), shift, ha="center")
        words, right = (name, 14) if numbered else (f"{name} {two_digits(float(line[-1]))}", 8)
        shift = (right, 5 if above[-1] else -5)
        _annotate(area, words, (places[-1], line[-1]), shift, va="center")


def _annotate(
    area: Axes, words: str, at: tuple[float, float], shift: tuple[float, float], **style: str
) -> None:
    area.annotate(words, at, shift, textcoords="offset points", size=TINY, **style)


def _draw_lens(
    page: Page, shares: ModuleShares, layer: int, y: float, column: float, side: float
) -> None:
    """A small map below every column: what the patches match if the network stops there."""
    grid, scale = shares.contributions.picture.grid, shares.lens_scale(0)
    page.write(MARGIN, y + side / 2, LENS_ROW.replace(" it ", " it\n"), SMALL + 1, va="center")
    layers = [f"layer {n}" if column > WIDE else str(n) for n in range(shares.layers)]
    height = min(side, side * grid.height / grid.width)
    width = height * grid.width / grid.height
    for n, name in enumerate([EMBEDDING, *layers, names_of(shares)["bias"]]):
        middle = MARGIN + GUTTER + (n + 0.5) * column
        colour = "black" if n == layer + 1 else GREY
        page.write(middle, y + side + 0.04, name, TINY, ha="center", color=colour)
    for n, values in enumerate(shares.lens(0)):
        left = MARGIN + GUTTER + (n + 0.5) * column - width / 2
        area = page.axes(left, y + side - height, width, height)
        area.imshow(scale.paint(values.reshape(grid.height, grid.width)), aspect="auto")
