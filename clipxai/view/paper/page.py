"""What is a figure on paper? A white sheet, to be written and drawn on.

Not made by `pyplot`: no window opens, and a figure that is dropped is gone. Every length is in
inches from the top left corner, so that panels line up whatever is written around them; sizes of
letters are in points.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis, YAxis

from ..texts import one_line
from .defaults import Sheet
from .lettering import UNKNOWN, drawable, fonts, shorten, wrap

MARGIN, GAP = 0.18, 0.24  # around the page, between panels
HEADLINE_LINE, TITLE_LINE, LINE = 0.22, 0.19, 0.165  # of the page, of a panel, of small print
HEADLINE, TITLE, SMALL = 12.0, 11.0, 8.5  # points
BELOW_TITLE = 0.01  # between a title and its subtitle
HEAD = 0.4  # of a panel: title, subtitle and some air
GREY = "#555555"  # small print
MOST_NUMBERED = 14  # with more layers, their numbers would run into one another: they are left out
DARK = 110  # mean of a colour below which white letters are read better


class Page:
    """A white sheet of a size."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Sheet(figsize=(width, height), facecolor="white")

    def write(self, x: float, y: float, text: str, size: float = SMALL, **style: object) -> None:
        """One line of text with its top at y; letter by letter, so a `$` is a dollar."""
        style = {"va": "top", "family": list(fonts()), **style}
        place = x / self.width, 1 - y / self.height
        self.figure.text(*place, text, size=size, parse_math=False, **style)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """An empty drawing area, its top left corner at x, y."""
        left, bottom = x / self.width, 1 - (y + height) / self.height
        place = left, bottom, width / self.width, height / self.height
        area = self.figure.add_axes(place, axes_class=Area)
        area.set_axis_off()
        return area

    def write_headline(self, lines: Sequence[str]) -> None:
        """What the page is about, from `headline`, at its top."""
        for n, line in enumerate(lines):
            self.write(MARGIN, MARGIN + n * HEADLINE_LINE, line, HEADLINE, weight="bold")

    def write_title(
        self, x: float, y: float, width: float, title: str, subtitle: str, most: int = 1
    ) -> None:
        """The title of a panel, in at `most` so many lines, and its subtitle in one."""
        lines = title_lines(title, width, most)
        for n, line in enumerate(lines):
            self.write(x, y + n * TITLE_LINE, line, TITLE, weight="bold")
        below = y + len(lines) * TITLE_LINE + BELOW_TITLE
        self.write(x, below, shorten(subtitle, width, SMALL), color=GREY)

    def write_small_print(self, y: float, lines: Sequence[str]) -> None:
        """Lines of `small_print` from y on downwards."""
        for n, line in enumerate(lines):
            self.write(MARGIN, y + n * LINE, line, color=GREY)


class Area(Axes):
    """Axes whose scales have no ticks: they are never drawn, and took two thirds of the time in
    which a figure of many small maps was made.
    """

    def _init_axis(self) -> None:
        """Called by matplotlib, as of every kind of axes that brings scales of its own."""
        self.xaxis, self.yaxis = _Across(self, clear=False), _Upward(self, clear=False)
        for axis, sides in ((self.xaxis, ("bottom", "top")), (self.yaxis, ("left", "right"))):
            for side in sides:
                self.spines[side].register_axis(axis)


class _Unmarked(Axis):
    """A scale that asks nothing of its ticks, which would be made for it."""

    def set_clip_path(self, path: Any, transform: Any = None) -> None:
        Artist.set_clip_path(self, path, transform)

    def set_tick_params(self, *_: object, **__: object) -> None: ...

    def grid(self, *_: object, **__: object) -> None: ...


class _Across(_Unmarked, XAxis): ...


class _Upward(_Unmarked, YAxis): ...


def headline(text: str, page_width: float) -> list[str]:
    """What a page is about, in at most two lines."""
    return wrap(text, page_width - 2 * MARGIN, HEADLINE, "bold", most=2)


def title_lines(title: str, width: float, most: int) -> list[str]:
    """The title of a panel in lines."""
    if most == 1:
        return [shorten(title, width, TITLE, "bold")]
    return wrap(title, width, TITLE, "bold", most=most)


def small_print(notes: Sequence[str], page_width: float, shown: Sequence[str] = ()) -> list[str]:
    """Notes as lines that fit between the margins of a page.

    One more if the `shown` texts have letters that no font has.
    """
    strange = any(drawable(text) != one_line(text) for text in shown)
    notes = [*notes, *([UNKNOWN] if strange else [])]
    room = page_width - 2 * MARGIN
    return [line for note in dict.fromkeys(notes) for line in wrap(note, room, SMALL)]


def columns_of(page_width: float, count: int) -> list[float]:
    """Left edges of `count` equal columns between the margins; the last entry is their width."""
    each = (page_width - 2 * MARGIN - (count - 1) * GAP) / count
    return [*(MARGIN + n * (each + GAP) for n in range(count)), each]


def ink_on(colour: np.ndarray) -> str:
    """White or black, whichever is read better on a colour (…, 3) uint8."""
    return "white" if colour.mean() < DARK else "black"
