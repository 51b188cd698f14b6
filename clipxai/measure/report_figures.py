"""What do a run's numbers and maps look like? The figures of its report, as SVG, and its galleries
of best and worst maps.

Figures are inline SVG whose ink is the page's own colour, so they follow light and dark; photos are
inline too. Every text from outside (class names, ids) is escaped.
"""

import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from ..explainers.explain import explain
from ..explainers.table import find_method
from ..results.explanation import Explanation
from ..view.palette import DIM
from ..view.paper.defaults import defaults
from ..view.pictures import encode_photo
from ..view.scales import SEQUENTIAL, colour_table
from .bench import Bench
from .columns import COST
from .leaderboard import Board
from .questions import EFFECT, PLACE

SHOWN = 3  # best and worst maps of every method
SIDE = 150  # pixels of their longer side
MAP_SHARE = 0.6  # of a map's colour over its grey picture
INK, ACCENT = "#010203", "#010204"  # drawn by matplotlib, replaced by the page's colours


@defaults()
def trade_off(table: Board) -> str:
    """The leading measure against measured cost, as SVG; names stand in a column at the right so
    that none covers another. Nothing, "", where it was measured of none.
    """
    price = table.numbers(COST)
    points = sorted(
        # what costs nothing measurable has no place on a logarithmic axis
        (value, max(price[method], 1e-3), method)
        for method, value in table.numbers(table.leading).items()
        if method in price
    )
    if not points:
        return ""
    heading = table.leading.heading
    return _scatter(
        points,
        across="cost of the map on top of the recorded forward pass, in such passes (median)",
        up=f"mIoU {heading}" if heading.startswith("at ") else heading,
        logarithmic=True,
    )


@defaults()
def where_against_effect(points: Sequence[tuple[float, float, str]]) -> str:
    """(where, what made the score, method) of `questions.place_and_effect`, as SVG."""
    return _scatter(
        sorted((effect, place, method) for place, effect, method in points),
        across=f"where: {PLACE.heading}",
        up=f"what made the score: {EFFECT.heading}",
    )


def _scatter(
    points: Sequence[tuple[float, float, str]], across: str, up: str, logarithmic: bool = False
) -> str:
    """Points (height, place across, name), lowest first; their names in a column at the right."""
    figure, axes = _axes(width=9, height=max(3.2, 0.24 * len(points) + 1))
    values, places, names = zip(*points)
    axes.scatter(places, values, color=ACCENT, s=36, zorder=3)
    low, high = min(places), max(places)
    if logarithmic:
        axes.set_xscale("log")
        left, right = low / 1.6, high * 1.6
        end, label = right * (right / left) ** 0.45, right * 1.15
    else:
        room = (high - low) or 1.0
        left, right = low - 0.05 * room, high + 0.05 * room
        end, label = right + 0.5 * room, right + 0.05 * room
    axes.set_xlim(left, end)  # what is right of the points is for the names
    for y, value, place, name in zip(_label_places(values), values, places, names):
        axes.annotate(
            name,
            xy=(place, value),
            xytext=(label, y),
            fontsize=9,
            color=INK,
            va="center",
            parse_math=False,
            arrowprops={
                "arrowstyle": "-",
                "color": INK,
                "alpha": 0.25,
                "linewidth": 0.7,
                "shrinkB": 4,
            },
        )
    axes.set_xlabel(across, color=INK)
    axes.set_ylabel(up, color=INK)
    return _svg(figure)


def _label_places(values: Sequence[float]) -> np.ndarray:
    """Heights at equal distances, in the order of the values and about their middle."""
    low, high = min(values), max(values)
    room = max((high - low) or 1.0, 1.0)
    gap = room / max(len(values) - 1, 1)
    return (low + high - room) / 2 + gap * np.arange(len(values))


@defaults()
def strips(table: Board, by_class: Mapping) -> str:
    """Every class's mean score contrast, a strip a method, in the order of the leaderboard; as
    SVG.
    """
    methods = [method for method in table.rows if method in by_class]
    figure, axes = _axes(width=9, height=max(2.0, 0.34 * len(methods) + 1))
    jitter = np.random.default_rng(0)
    # matplotlib counts from below, the leaderboard from above
    for n, method in enumerate(reversed(methods)):
        contrasts = [of["mSC"] for of in by_class[method].values()]
        values = np.array([contrast for contrast in contrasts if not math.isnan(contrast)])
        if not len(values):  # where a thing fills its picture there is no outside
            continue
        heights = n + jitter.uniform(-0.22, 0.22, len(values))
        axes.scatter(values, heights, s=9, color=ACCENT, alpha=0.55, linewidth=0, zorder=3)
        axes.plot([np.median(values)] * 2, [n - 0.33, n + 0.33], color=INK, linewidth=2, zorder=4)
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
    axes.set_yticks(range(len(methods)), [*reversed(methods)])
    axes.set_xlabel("mean score contrast of a class", color=INK)
    return _svg(figure)


def _axes(width: float, height: float) -> tuple:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    axes.tick_params(colors=INK, which="both", labelsize=9)
    for name, line in axes.spines.items():
        line.set_visible(name in ("left", "bottom"))
        line.set_color(INK)
    return figure, axes


def _svg(figure: Figure) -> str:
    """The figure as SVG to stand in a page, its ink and dots in the page's colours, its text as
    text.
    """
    drawn = io.StringIO()
    with rc_context({"svg.fonttype": "none"}):
        # without a date, the same numbers give the same file
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    # an XML declaration may not stand within a page
    inline = re.sub(r"^.*?(?=<svg)", "", drawn.getvalue(), flags=re.DOTALL)
    return inline.replace(INK, "currentColor").replace(ACCENT, "var(--accent)")


class Shown(NamedTuple):
    """A map to show: its score contrast, the picture's id, and which of its labels."""

    contrast: float
    picture: str
    label: int


def gallery(bench: Bench, rows: Sequence[Mapping], method: str) -> str:
    """A method's best and worst maps, at most one a picture, drawn anew."""
    maps = sorted(
        Shown(numbers[0], row["id"], n)
        for row in rows
        if row["labels"]  # else nothing of the list is in the picture, and nothing was measured
        for n, numbers in enumerate(row["scores"][method]["localisation"])
        if not math.isnan(numbers[0])
    )
    best, worst = (
        "".join(_picture(bench, method, shown) for shown in _one_a_picture(side))
        for side in (maps[::-1], maps)
    )
    shows = html.escape(find_method(method).shows)
    head = f"<h3>{html.escape(method)} <small>{shows}</small></h3>"
    return f'{head}<div class="maps">{best}<div class="maps worst">{worst}</div></div>'


def _one_a_picture(maps: Sequence[Shown]) -> list[Shown]:
    first: dict[str, Shown] = {}
    for shown in maps:
        first.setdefault(shown.picture, shown)
        if len(first) == SHOWN:
            break
    return [*first.values()]


def _picture(bench: Bench, method: str, shown: Shown) -> str:
    """One map over its picture with the true outline, and what was asked."""
    sample = bench.data.read(shown.picture)
    trace = bench.record(sample.image)
    label = bench.labels(sample, trace)[shown.label]
    explanation = explain(bench.with_texts(trace, [label]), method)
    photo = encode_photo(_drawn(explanation, sample.masks[shown.label]), SIDE, most_bytes=0)
    words = html.escape(bench.data.classes[label])
    about = f"contrast {shown.contrast:.0f} · picture {html.escape(shown.picture)}"
    return (
        f'<figure><img src="{photo}" alt="map of {words}">'
        f"<figcaption>{words}<span>{about}</span></figcaption></figure>"
    )


def _drawn(explanation: Explanation, mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8, the map over the grey picture, dim where it is not known, and the outline of
    the mask in white.
    """
    height, width = explanation.image.shape[:2]
    zoom = SIDE / max(height, width)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))  # OpenCV: width first
    smooth = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    grey = cv2.cvtColor(
        cv2.resize(explanation.image, size, interpolation=smooth), cv2.COLOR_RGB2GRAY
    )
    heat, grey = explanation.heatmap(0, size[::-1]), grey[..., None]
    colours = colour_table(SEQUENTIAL)[np.rint(np.nan_to_num(heat) * 255).astype(int)]
    blended = (1 - MAP_SHARE) * grey + MAP_SHARE * colours
    over = np.rint(np.where(np.isnan(heat)[..., None], DIM * grey, blended)).astype(np.uint8)
    small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(over, outlines, -1, color=(255, 255, 255), thickness=1)
