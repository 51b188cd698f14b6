"""How is a segmentation drawn? The photo in grey under the colours of its classes, their names
written on them, the truth beside it.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from ...tasks.segmentation import UNSEEN
from ..figures import DIM, GAP, GREY, LINE, MARGIN, SMALL, TITLE, WIDE, Page
from ..lettering import fonts, shorten
from ..lettering import width as text_width
from ..paper import HEAD, blank, columns_of, picture_height, small_print, write_lines
from .viewer import MOST, RegionMap

OPACITY = 0.6
NAMED = 0.02  # share of the image from which a class is named on it
COLUMN, SWATCH = 2.1, 0.11  # inches
UNCOLOURED = (190, 190, 190)  # in the key: background, and classes beyond MOST
Colours = Mapping[int, tuple[int, int, int]]


def figure(regions: RegionMap) -> Figure:
    """Image, classes and truth side by side, the key below."""
    photo, panels, colours, names = (
        regions.segmentation.explanation.image,
        regions.panels,
        regions.colours(),
        regions.names,
    )
    height = picture_height(WIDE, photo.shape[:2])
    width = 2 * MARGIN + (1 + len(panels)) * WIDE + len(panels) * GAP
    key, notes = _key(regions), small_print(regions.notes(), width, names)
    below, columns = MARGIN + HEAD + height + 0.12, int((width - 2 * MARGIN) // COLUMN)
    lines = -(-len(key) // columns)
    page = blank(width, below + (lines + len(notes)) * LINE + 0.08 + MARGIN)
    *left, each = columns_of(width, 1 + len(panels))
    _draw(
        page, (left[0], each, height), photo, "image", f"{photo.shape[1]} × {photo.shape[0]} pixels"
    )
    for x, (title, subtitle, labels) in zip(left[1:], panels):
        area = _draw(page, (x, each, height), paint(photo, labels, colours), title, subtitle)
        _write_names(area, labels, names, colours)
    for n, (number, words) in enumerate(key):
        x, y = MARGIN + n % columns * COLUMN, below + n // columns * LINE
        swatch = page.axes(x, y + 0.02, SWATCH, SWATCH)
        swatch.add_patch(
            Rectangle((0, 0), 1, 1, facecolor=np.array(colours.get(number, UNCOLOURED)) / 255)
        )
        page.write(x + SWATCH + 0.06, y, words)
    write_lines(page, below + lines * LINE + 0.08, notes)
    return page.figure


def paint(photo: np.ndarray, labels: np.ndarray, colours: Colours) -> np.ndarray:
    """The photo (H, W, 3) in grey under the colours of the classes; a class without a colour stays
    grey, what was not seen is dimmed.
    """
    grey = np.repeat(
        cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32), 3, axis=2
    )
    painted = grey.copy()
    for number, colour in colours.items():
        painted[labels == number] = (1 - OPACITY) * grey[labels == number] + OPACITY * np.array(
            colour
        )
    painted[labels == UNSEEN] *= DIM
    return np.rint(painted).astype(np.uint8)


def _key(regions: RegionMap) -> list[tuple[int, str]]:
    """(number, words) of every line of the key."""
    listed, lines = regions.listed(), []
    for number in listed[:MOST]:
        merit = f"  {regions.merit(number)}"
        # the numbers stay, the name is shortened
        room = COLUMN - SWATCH - 0.16 - text_width(merit, SMALL)
        lines.append((number, shorten(regions.names[number], room, SMALL) + merit))
    return lines if len(listed) <= MOST else [*lines, (UNSEEN, f"and {len(listed) - MOST} more")]


def _draw(
    page: Page, place: tuple[float, float, float], pixels: np.ndarray, title: str, subtitle: str
) -> Axes:
    """Pixels (H, W, 3) in a panel at x, of a width and height; coordinates of the returned axes are
    pixels.
    """
    x, width, height = place
    H, W = pixels.shape[:2]
    across = min(width, height * W / H)
    page.write(x, MARGIN, title, TITLE, weight="bold")
    page.write(x, MARGIN + 0.2, shorten(subtitle, width, SMALL), color=GREY)
    area = page.axes(x + (width - across) / 2, MARGIN + HEAD, across, height)
    area.imshow(pixels, extent=(0, W, H, 0), aspect="auto", interpolation="nearest")
    return area


def _write_names(area: Axes, labels: np.ndarray, names: Sequence[str], colours: Colours) -> None:
    """Each class's name at the innermost place of its largest piece."""
    for number in colours:
        mask = (labels == number).astype(np.uint8)
        if mask.mean() < NAMED:
            continue
        depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        # towards the middle, so that none leaves the picture
        side = ("left", "center", "right")[int(3 * x / labels.shape[1])]
        outlined = [withStroke(linewidth=2.2, foreground="#202020")]
        area.text(
            x + 0.5,
            y + 0.5,
            shorten(names[number], 1.4, SMALL),
            color="white",
            size=SMALL,
            family=list(fonts()),
            ha=side,
            va="center",
            path_effects=outlined,
            parse_math=False,
            clip_on=True,
        )
