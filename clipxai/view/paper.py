"""What do the figures of words and of modules share on paper? A map with its colour bar, signed
bars, and small print below.

Lengths are in inches from the top left corner, as in `figures`.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from .figures import (
    BAR,
    BAR_GAP,
    GAP,
    GREY,
    LINE,
    MARGIN,
    NUMBERS,
    SMALL,
    TALLEST,
    TITLE,
    Page,
    hatch,
    overlay,
)
from .lettering import UNKNOWN, drawable, one_line, shorten, title_of, wrap
from .panels import Panel
from .scales import Scale, colour_table, number

ALPHA = 0.6  # opacity of a map over the photo
HEAD = 0.4  # title and subtitle above a map
BELOW = BAR_GAP + BAR + NUMBERS
BAR_ROW, BAR_NAME, BAR_NUMBER = 0.2, 1.05, 0.62  # of a ranking
# signed bars, as in the browser: the hues of the diverging map, dark enough on white and on black
PLUS, MINUS = "#c9453c", "#3579b8"


def blank(width: float, height: float) -> Page:
    """An empty white page to write and draw on."""
    return Page(Figure(figsize=(width, height), facecolor="white"), (0, 0), 0, 0)


def small_print(notes: Sequence[str], width: float, shown: Sequence[str] = ()) -> list[str]:
    """Notes as lines that fit between the margins of a page; one more if the `shown` texts have
    letters without a font.
    """
    notes = [
        *notes,
        *([UNKNOWN] if any(drawable(text) != one_line(text) for text in shown) else []),
    ]
    return [line for note in dict.fromkeys(notes) for line in wrap(note, width - 2 * MARGIN, SMALL)]


def write_lines(page: Page, y: float, lines: Sequence[str]) -> None:
    """Small print from y on downwards."""
    for n, line in enumerate(lines):
        page.write(MARGIN, y + n * LINE, line, color=GREY)


def picture_height(width: float, image_size: tuple[int, int]) -> float:
    """Height of an image (H, W) drawn this wide; a tall one is drawn smaller."""
    return width * min(image_size[0] / image_size[1], TALLEST)


def draw_map(
    page: Page, x: float, y: float, width: float, panel: Panel, scale: Scale, subtitle: str
) -> None:
    """One map over its photo with title, subtitle and colour bar: HEAD + `picture_height` + BELOW
    high.
    """
    H, W = panel.explanation.grid.image_size
    height = picture_height(width, (H, W))
    across = min(width, height * W / H)
    page.write(x, y, shorten(title_of(panel.text), width, TITLE, "bold"), TITLE, weight="bold")
    page.write(x, y + 0.2, shorten(subtitle, width, SMALL), color=GREY)
    area = page.axes(x + (width - across) / 2, y + HEAD, across, height)
    area.imshow(overlay(panel, scale, ALPHA), extent=(0, W, H, 0), aspect="auto")
    hatch(area, panel.scores, panel.explanation.grid)
    if panel.flat:
        box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
        area.text(
            0.5,
            0.5,
            "no variation",
            transform=area.transAxes,
            ha="center",
            va="center",
            size=SMALL,
            bbox=box,
        )
    draw_scale(page, x, y + HEAD + height + BAR_GAP, width, scale)


def draw_photo(page: Page, x: float, y: float, width: float, panel: Panel) -> None:
    """The image itself, as high as the maps beside it."""
    H, W = panel.explanation.grid.image_size
    height = picture_height(width, (H, W))
    across = min(width, height * W / H)
    page.write(x, y, "image", TITLE, weight="bold")
    page.write(x, y + 0.2, f"{W} × {H} pixels", color=GREY)
    page.axes(x + (width - across) / 2, y + HEAD, across, height).imshow(
        panel.explanation.image, extent=(0, W, H, 0), aspect="auto"
    )


def draw_scale(page: Page, x: float, y: float, width: float, scale: Scale) -> None:
    """A colour bar with its numbers."""
    page.axes(x, y, width, BAR).imshow(
        colour_table(scale.colours)[None], aspect="auto", extent=(0, 1, 0, 1)
    )
    for at, side, value in (
        (0.0, "left", scale.low),
        (0.5, "center", (scale.low + scale.high) / 2),
        (1.0, "right", scale.high),
    ):
        if scale.high > scale.low or at == 0.5:
            page.write(x + at * width, y + BAR + 0.035, number(value), ha=side, color=GREY)


def draw_ranking(
    page: Page,
    place: tuple[float, float, float, float],
    titles: tuple[str, str],
    names: Sequence[str],
    values: np.ndarray,
) -> None:
    """Words by falling value with bars from zero, in x, y, width, height; says how many did not
    fit.
    """
    x, y, width, height = place
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    room = int((height - HEAD) / BAR_ROW)
    shown = order if len(order) <= room else order[: room - 1]
    page.write(x, y, titles[0], TITLE, weight="bold")
    page.write(x, y + 0.2, shorten(titles[1], width, SMALL), color=GREY)
    low, high = min(0.0, float(np.nanmin(values))), max(0.0, float(np.nanmax(values)))
    area = page.axes(x + BAR_NAME, y + HEAD, width - BAR_NAME - BAR_NUMBER, len(shown) * BAR_ROW)
    area.set_xlim(low, high if high > low else low + 1)
    area.set_ylim(len(shown) - 0.5, -0.5)
    area.barh(
        range(len(shown)),
        values[shown],
        height=0.72,
        color=[PLUS if values[n] > 0 else MINUS for n in shown],
    )
    area.axvline(0, color=GREY, linewidth=0.8)
    for row, n in enumerate(shown):
        middle = y + HEAD + (row + 0.5) * BAR_ROW
        page.write(
            x + BAR_NAME - 0.08,
            middle,
            shorten(names[n], BAR_NAME - 0.1, SMALL),
            ha="right",
            va="center",
        )
        page.write(x + width, middle, number(float(values[n])), ha="right", va="center")
    if len(shown) < len(order):
        rest = values[order[len(shown) :]]
        words = (
            f"and {len(rest)} more, from {number(float(rest.max()))} to {number(float(rest.min()))}"
        )
        page.write(x, y + HEAD + (len(shown) + 0.5) * BAR_ROW, words, va="center", color=GREY)


def columns_of(width: float, count: int) -> list[float]:
    """Left edges of `count` equal columns between the margins; the last entry is their width."""
    each = (width - 2 * MARGIN - (count - 1) * GAP) / count
    return [*(MARGIN + n * (each + GAP) for n in range(count)), each]
