"""How is a segmentation drawn? Grey photo under the colours of its classes, beside the truth."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from ...tasks.segmentation import UNSEEN
from ..palette import DIM, OPACITY, RIM
from ..paper.defaults import defaults
from ..paper.lettering import fonts, shorten
from ..paper.lettering import width as text_width
from ..paper.maps import draw_image, draw_photo, picture_height
from ..paper.page import GAP, HEAD, LINE, MARGIN, SMALL, Page, columns_of, small_print
from .content import MOST, UNCOLOURED, Colour, Regions
from .sentences import merit, notes, panel_titles

PANEL = 3.2  # width of a panel, in inches
NAMED = 0.02  # share of the image from which a class is named on it
COLUMN, SWATCH, BESIDE = 2.1, 0.11, 0.06  # of the key, a patch of colour, between it and its words


@defaults()
def draw(regions: Regions) -> Figure:
    """Draw image, classes and truth side by side, the key below."""
    photo = regions.segmentation.explanation.image
    panels = list(zip(panel_titles(regions), regions.panels, strict=True))
    width = 2 * MARGIN + (1 + len(panels)) * PANEL + len(panels) * GAP
    key, lines = _key(regions), small_print(notes(regions), width, regions.names)
    below = MARGIN + HEAD + picture_height(PANEL, photo.shape) + 0.12
    columns = int((width - 2 * MARGIN) // COLUMN)
    end = -(-len(key) // columns) * LINE + 0.08
    page = Page(width, below + end + len(lines) * LINE + MARGIN)
    first, *lefts, each = columns_of(width, 1 + len(panels))
    draw_photo(page, (first, MARGIN, each), photo)
    for x, (titles, labels) in zip(lefts, panels, strict=True):
        page.write_title(x, MARGIN, each, *titles)
        painted = paint(photo, labels, regions.colours)
        area = draw_image(page, (x, MARGIN + HEAD, each), painted, photo.shape, "nearest")
        _write_names(area, labels, regions.names, regions.colours)
    for n, (colour, words) in enumerate(key):
        x, y = MARGIN + n % columns * COLUMN, below + n // columns * LINE
        swatch = Rectangle((0, 0), 1, 1, facecolor=np.array(colour) / 255)
        page.axes(x, y + 0.02, SWATCH, SWATCH).add_patch(swatch)
        page.write(x + SWATCH + BESIDE, y, words)
    page.write_small_print(below + end, lines)
    return page.figure


def paint(photo: np.ndarray, labels: np.ndarray, colours: Mapping[int, Colour]) -> np.ndarray:
    """The photo (H, W, 3) in grey under the colours of the classes.

    A class without a colour stays grey, what was not seen is dimmed.
    """
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    painted = np.repeat(grey, 3, axis=2)
    for number, colour in colours.items():
        of_class = labels == number
        painted[of_class] = (1 - OPACITY) * painted[of_class] + OPACITY * np.array(colour)
    painted[labels == UNSEEN] *= DIM
    return np.rint(painted).astype(np.uint8)


def _key(regions: Regions) -> list[tuple[Colour, str]]:
    """Colour and words of every line of the key."""
    lines = []
    for number in regions.key[:MOST]:
        told = f"  {merit(regions, number)}"
        # the numbers stay, the name is shortened
        room = COLUMN - SWATCH - BESIDE - 0.1 - text_width(told, SMALL)
        words = shorten(regions.names[number], room, SMALL) + told
        lines.append((regions.colours.get(number, UNCOLOURED), words))
    more = len(regions.key) - MOST
    return [*lines, (UNCOLOURED, f"and {more} more")] if more > 0 else lines


def _write_names(
    area: Axes, labels: np.ndarray, names: Sequence[str], colours: Mapping[int, Colour]
) -> None:
    """Each class's name at the innermost place of its largest piece."""
    style = {"color": "white", "size": SMALL, "family": list(fonts()), "va": "center"}
    outlined = [withStroke(linewidth=2.2, foreground=RIM)]
    for number in colours:
        mask = (labels == number).astype(np.uint8)
        if mask.mean() < NAMED:
            continue
        depth = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(depth.argmax(), depth.shape)
        # towards the middle, so that none leaves the picture
        side = ("left", "center", "right")[int(3 * x / labels.shape[1])]
        name = area.text(x + 0.5, y + 0.5, shorten(names[number], 1.4, SMALL), ha=side, **style)
        name.set(path_effects=outlined, parse_math=False, clip_on=True)
