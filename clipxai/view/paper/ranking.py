"""How are words ranked on paper? By falling value, with bars from zero."""

from collections.abc import Callable, Sequence

import numpy as np

from ..number import number
from ..palette import MINUS, PLUS
from .lettering import shorten
from .page import GREY, HEAD, SMALL, Page

ROW, NAME, NUMBER = 0.2, 1.05, 0.62  # height of a row, width of its name and of its number


def draw_ranking(
    page: Page,
    place: tuple[float, float, float, float],
    titles: tuple[str, str],
    names: Sequence[str],
    values: np.ndarray,
    written: Callable[[float], str] = number,
) -> None:
    """Words with their values, the highest first; says how many did not fit.

    Parameters
    ----------
    page : what is drawn on
    place : x, y, width and height
    titles : title and subtitle
    names, values : of every word, in any order
    written : how a value is written
    """
    x, y, width, height = place
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    room = int((height - HEAD) / ROW)
    shown = order if len(order) <= room else order[: room - 1]
    page.write_title(x, y, width, *titles)
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    area = page.axes(x + NAME, y + HEAD, width - NAME - NUMBER, len(shown) * ROW)
    area.set_xlim(low, high if high > low else low + 1)
    area.set_ylim(len(shown) - 0.5, -0.5)
    area.barh(range(len(shown)), values[shown], height=0.72, color=bar_colours(values[shown]))
    area.axvline(0, color=GREY, linewidth=0.8)
    for row, n in enumerate(shown):
        middle = y + HEAD + (row + 0.5) * ROW
        name = shorten(names[n], NAME - 0.1, SMALL)
        page.write(x + NAME - 0.08, middle, name, ha="right", va="center")
        page.write(x + width, middle, written(float(values[n])), ha="right", va="center")
    if len(shown) < len(order):
        rest = values[order[len(shown) :]]
        ends = f"from {written(float(rest.max()))} to {written(float(rest.min()))}"
        below = y + HEAD + (len(shown) + 0.5) * ROW
        page.write(x, below, f"and {len(rest)} more, {ends}", va="center", color=GREY)


def bar_colours(values: np.ndarray) -> list[str]:
    """Of signed bars: one colour above zero, another below."""
    return [PLUS if value > 0 else MINUS for value in values]
