"""How is a map drawn over its photo? Colours on grey, a bar that says what they mean."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from PIL import Image

from ...results.explanation import Grid
from ...results.findings import Picture
from ..given import outlines
from ..number import number
from ..palette import DIM, OPACITY, RIM, WHITE
from ..scales import Scale, colour_table, finite
from ..sentences import IMAGE, REMARKS, image_size, remark
from ..texts import title_of
from .page import GREY, HEAD, SMALL, Page

TALLEST = 1.5  # height of an image in panel widths; a taller one is drawn smaller
DRAWN_AT = 560  # pixels of an image's longer side
MOST_DRAWN = 2048  # of which matplotlib makes floats; more are no finer on paper
BAR_GAP, BAR, NUMBERS = 0.07, 0.09, 0.19  # above a colour bar, the bar, the numbers below it
BELOW = BAR_GAP + BAR + NUMBERS  # of a map


def picture_height(width: float, size: tuple[int, ...]) -> float:
    """Height of an image (H, W, …) drawn this wide; a tall one is drawn smaller."""
    return width * min(size[0] / size[1], TALLEST)


def draw_image(
    page: Page,
    place: tuple[float, float, float],
    pixels: np.ndarray,
    size: tuple[int, ...],
    interpolation: str | None = None,
) -> Axes:
    """Pixels (h, w, 3) uint8 in the middle of a panel.

    Parameters
    ----------
    page : what is drawn on
    place : x, y and width of the panel, without its head
    pixels : the image, or what was made of it
    size : (H, W, …) of the image; coordinates of the returned axes are its pixels
    interpolation : matplotlib's name; by default what makes a small image smooth
    """
    x, y, width = place
    H, W = size[:2]
    height = picture_height(width, size)
    across = min(width, height * W / H)
    longest = max(pixels.shape[:2])
    if longest > MOST_DRAWN:
        fewer = (max(1, round(side * MOST_DRAWN / longest)) for side in pixels.shape[1::-1])
        how = Image.Resampling.NEAREST if interpolation == "nearest" else Image.Resampling.BOX
        pixels = np.asarray(Image.fromarray(pixels).resize((*fewer,), how))
    if interpolation is None:
        interpolation = "lanczos" if max(pixels.shape) < DRAWN_AT else "antialiased"
    area = page.axes(x + (width - across) / 2, y, across, height)
    area.imshow(pixels, extent=(0, W, H, 0), aspect="auto", interpolation=interpolation)
    return area


def draw_photo(
    page: Page,
    place: tuple[float, float, float],
    image: np.ndarray,
    truth: np.ndarray | None = None,
) -> None:
    """The image itself, as high as the maps beside it; `place` is x, y and width of the panel.
    The outline of a `truth` (H, W) bool is drawn on it.
    """
    x, y, width = place
    page.write_title(x, y, width, IMAGE, image_size(image.shape))
    draw_outlines(draw_image(page, (x, y + HEAD, width), image, image.shape), truth)


def draw_map(
    page: Page,
    place: tuple[float, float, float],
    titles: tuple[str, str],
    picture: Picture,
    values: np.ndarray,
    scale: Scale,
    truth: np.ndarray | None = None,
) -> Axes:
    """One map over its photo: HEAD + `picture_height` + BELOW high. More may be drawn on its axes.

    Parameters
    ----------
    page : what is drawn on
    place : x, y and width of the panel
    titles : title and subtitle
    picture : what the map lies on
    values : (P,), a score for every patch
    scale : what the colours mean
    truth : (H, W) bool, whose outline is drawn
    """
    x, y, width = place
    scores = finite(values).reshape(picture.grid.height, picture.grid.width)
    page.write_title(x, y, width, title_of(titles[0]), titles[1])
    pixels = overlay(picture, scores, scale, OPACITY)
    area = draw_image(page, (x, y + HEAD, width), pixels, picture.image.shape)
    hatch(area, scores, picture.grid)
    draw_outlines(area, truth)
    say_if_blank(area, scores, SMALL)
    below = y + HEAD + picture_height(width, picture.image.shape)
    draw_scale(page, x, below + BAR_GAP, width, scale)
    return area


def draw_outlines(area: Axes, truth: np.ndarray | None, grid: Grid | None = None) -> None:
    """The edges of a mask (H, W) bool on an image, light on dark; nothing where there is none. A
    `grid` is that of a map drawn by itself, whose coordinates are its patches.
    """
    for line in outlines(truth):
        closed = np.reshape([*line, *line[:2]], (-1, 2)).T
        if grid is not None:
            top, left, bottom, right = grid.box
            shares = (closed - [[left], [top]]) / [[right - left], [bottom - top]]
            if (shares >= 1).all(1).any() or (shares <= 0).all(1).any():
                continue  # beyond the patches
            closed = shares.clip(0, 1) * [[grid.width], [grid.height]]
        area.plot(*closed, color=RIM, linewidth=2.2)
        area.plot(*closed, color=WHITE, linewidth=1)


def overlay(picture: Picture, scores: np.ndarray, scale: Scale, opacity: float) -> np.ndarray:
    """The image with a map (gh, gw) over it, (h, w, 3) uint8; what is not known is dim."""
    H, W = picture.image.shape[:2]
    zoom = DRAWN_AT / max(H, W)
    height, width = max(1, round(H * zoom)), max(1, round(W * zoom))
    # not cv2, which takes as long to load as a tenth of torch, while Pillow is there already
    smoothly = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BICUBIC
    photo = Image.fromarray(picture.image).resize((width, height), smoothly)
    heat = picture.grid.onto_image(scores, (height, width))
    # so that the only hues in a panel are those of the map
    grey = np.asarray(photo.convert("L"))[..., None]
    seen = ~np.isnan(heat)[..., None]
    blended = np.where(seen, (1 - opacity) * grey + opacity * scale.paint(heat), DIM * grey)
    return np.rint(blended).astype(np.uint8)


def hatch(area: Axes, scores: np.ndarray, grid: Grid) -> None:
    """Cover patches whose score is not a number."""
    style = {"facecolor": "#dddddd", "edgecolor": "#888888", "hatch": "////", "linewidth": 0}
    for row, column in np.argwhere(np.isnan(scores)):
        area.add_patch(Rectangle(*cell_box(grid, row, column), **style))


def cell_box(grid: Grid, row: int, column: int) -> tuple[tuple[float, float], float, float]:
    """Corner, width and height of a patch in pixels of the image."""
    top, left, bottom, right = grid.box
    height, width = (bottom - top) / grid.height, (right - left) / grid.width
    return (left + column * width, top + row * height), width, height


def say_if_blank(area: Axes, scores: np.ndarray, size: float) -> None:
    """Write on a map that there is nothing to see on it."""
    words = REMARKS[remark(scores)]
    if not words:
        return
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    middle = {"transform": area.transAxes, "ha": "center", "va": "center"}
    area.text(0.5, 0.5, words, size=size, bbox=box, **middle)


def draw_scale(page: Page, x: float, y: float, width: float, scale: Scale) -> None:
    """A colour bar with its ends and its middle; the middle only where it has no extent."""
    ends = [(0, scale.low), (1, scale.high)] if scale.high > scale.low else []
    draw_bar(page, (x, y, width), scale.colours, [*ends, (0.5, (scale.low + scale.high) / 2)])


def draw_bar(
    page: Page,
    place: tuple[float, float, float],
    colours: str,
    numbers: Sequence[tuple[float, float]],
) -> None:
    """A colour bar at x, y, of a width, and below it numbers: (part of the width, number)."""
    x, y, width = place
    area = page.axes(x, y, width, BAR)
    area.imshow(colour_table(colours)[None], aspect="auto", extent=(0, 1, 0, 1))
    for part, value in numbers:
        side = {0: "left", 1: "right"}.get(part, "center")
        page.write(x + part * width, y + BAR + 0.035, number(value), ha=side, color=GREY)
