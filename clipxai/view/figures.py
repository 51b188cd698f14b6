"""How is an explanation drawn on paper? The matplotlib twin of the interactive figures.

Built from `matplotlib.figure.Figure` alone: nothing global is read or changed, no window opens, and
a figure that is dropped is gone. Every length is in inches from the top left corner, so that panels
line up whatever is written around them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from ..results.explanation import Explanation, Grid
from .lettering import UNKNOWN, drawable, fonts, one_line, shorten, title_of, wrap
from .panels import Panel, Truth, gather, legend, panels_of, rows_of
from .scales import Scale, Scaling, caption, colour_table, number, scales_of, two_digits

MARGIN, GAP, ROW_GAP = 0.18, 0.24, 0.22
HEAD, TITLE_LINE, BAR_GAP, BAR, NUMBERS, BADGES, LINE = 0.45, 0.19, 0.07, 0.09, 0.19, 0.19, 0.165
TITLE, SMALL = 11.0, 8.5  # points
WIDE, NARROW = 3.2, 2.7  # panel width with few and with many columns
TALLEST = 1.5  # height of an image in panel widths; a taller one is drawn smaller
DRAWN_AT = 560  # pixels of an image's longer side
GREY, DIM = "#555555", 0.3  # small print; brightness of what the model did not see


def figure(
    explanations: Explanation | Sequence[Explanation],
    *,
    texts: Sequence[int | str] | None = None,
    normalize: Scaling = "minmax",
    alpha: float = 0.6,
    mask: Truth | None = None,
) -> Figure:
    """Draw explanations of one image: the image first, then one panel for each text and method.

    Parameters
    ----------
    explanations : one, or several of the same image
    texts : which of their texts, by number or as written; all by default
    normalize : "minmax" (each map on its own scale), "shared" (one scale for all maps of a unit) or
        "signed" (zero in the middle)
    alpha : opacity of the map, 0…1
    mask : true mask (H, W) bool, drawn as an outline and compared with; or a table text -> mask

    Returns
    -------
    A figure: `.savefig(path)` writes it, a notebook shows it

    Raises
    ------
    TypeError : something else than explanations
    ValueError : no explanation or text, images that differ, an unknown normalisation, a mask of
        another size, alpha outside 0…1
    IndexError : no text of that number
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is the opacity of the map and lies in 0…1, not {alpha}")
    given = gather(explanations)
    panels = panels_of(given, texts, mask)
    units = [p.explanation.unit for p in panels]
    scales = scales_of([p.scores for p in panels], units, normalize)
    image = given[0].image
    notes = [
        caption(units, normalize, scales),
        *legend(panels),
        *(note for e in given for note in e.notes),
    ]
    if any(drawable(p.text) != one_line(p.text) for p in panels):
        notes.append(UNKNOWN)
    rows = rows_of(panels)
    lines = -(-max(len(p.merits) for p in panels) // 2)
    page = Page.plan(
        rows, image.shape[:2], [title_of(p.text) for p in panels], list(dict.fromkeys(notes)), lines
    )
    for r, row in enumerate(rows):
        for c, place in enumerate(row):
            if place is None:
                page.draw_image(
                    (r, c), image, "image", f"{image.shape[1]} × {image.shape[0]} pixels"
                )
            else:
                page.draw_panel((r, c), panels[place], scales[place], alpha)
    return page.figure


@dataclass(frozen=True, eq=False)
class Page:
    """A figure and where its panels lie on it."""

    figure: Figure
    panel: tuple[float, float]  # width of a panel, height of its image
    head: float  # height of the title and subtitle
    row_height: float

    @classmethod
    def plan(
        cls,
        rows: Sequence[Sequence[object]],
        image_size: tuple[int, int],
        titles: Sequence[str],
        notes: Sequence[str],
        merits: int,
    ) -> "Page":
        """A page for rows of panels with these titles and lines of merits, for images of a size (H,
        W), and the notes below them.
        """
        columns = max(map(len, rows))
        width = WIDE if columns <= 2 else NARROW
        height = width * min(image_size[0] / image_size[1], TALLEST)
        head = HEAD + TITLE_LINE * (
            max(len(wrap(title, width, TITLE, "bold", most=2)) for title in titles) - 1
        )
        row_height = head + height + BAR_GAP + BAR + NUMBERS + merits * BADGES + ROW_GAP
        page_width = 2 * MARGIN + columns * width + (columns - 1) * GAP
        lines = [line for note in notes for line in wrap(note, page_width - 2 * MARGIN, SMALL)]
        size = (page_width, 2 * MARGIN + len(rows) * row_height + len(lines) * LINE)
        page = cls(Figure(figsize=size, facecolor="white"), (width, height), head, row_height)
        for n, line in enumerate(lines):
            page.write(MARGIN, MARGIN + len(rows) * row_height + n * LINE, line, color=GREY)
        return page

    def write(self, x: float, y: float, text: str, size: float = SMALL, **style: object) -> None:
        """One line of text with its top at y; letter by letter, so a `$` is a dollar."""
        width, height = self.figure.get_size_inches()
        style = {"va": "top", "family": list(fonts()), **style}
        self.figure.text(x / width, 1 - y / height, text, size=size, parse_math=False, **style)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """An empty drawing area, its top left corner at x, y."""
        page_width, page_height = self.figure.get_size_inches()
        area = self.figure.add_axes(
            (
                x / page_width,
                1 - (y + height) / page_height,
                width / page_width,
                height / page_height,
            )
        )
        area.set_axis_off()
        return area

    def corner(self, place: tuple[int, int]) -> tuple[float, float]:
        """Where the cell in a row and column begins."""
        return MARGIN + place[1] * (self.panel[0] + GAP), MARGIN + place[0] * self.row_height

    def draw_image(
        self,
        place: tuple[int, int],
        pixels: np.ndarray,
        title: str,
        subtitle: str,
        image_size: tuple[int, int] | None = None,
    ) -> Axes:
        """Pixels (h, w, 3) uint8 with a title and a subtitle; coordinates of the returned axes are
        pixels of the image.
        """
        x, y = self.corner(place)
        lines = wrap(title, self.panel[0], TITLE, "bold", most=2)
        for n, line in enumerate(lines):
            self.write(x, y + n * TITLE_LINE, line, TITLE, weight="bold")
        self.write(
            x,
            y + 0.025 + len(lines) * TITLE_LINE,
            shorten(subtitle, self.panel[0], SMALL),
            color=GREY,
        )
        H, W = image_size or pixels.shape[:2]
        width = min(self.panel[0], self.panel[1] * W / H)
        area = self.axes(x + (self.panel[0] - width) / 2, y + self.head, width, width * H / W)
        area.imshow(
            pixels,
            extent=(0, W, H, 0),
            aspect="auto",
            interpolation="lanczos" if max(pixels.shape) < DRAWN_AT else "antialiased",
        )
        return area

    def draw_panel(self, place: tuple[int, int], panel: Panel, scale: Scale, alpha: float) -> None:
        """One map over its image, with colour bar, outline of the true mask and figures of
        merit.
        """
        size = panel.explanation.grid.image_size
        area = self.draw_image(
            place, overlay(panel, scale, alpha), title_of(panel.text), panel.method, size
        )
        hatch(area, panel.scores, panel.explanation.grid)
        if panel.truth is not None and panel.truth.any() and not panel.truth.all():
            outline(area, panel.truth)
        if panel.flat:
            words = "no finite value" if np.isnan(panel.scores).all() else "no variation"
            box = {"boxstyle": "round", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
            area.text(
                0.5,
                0.5,
                words,
                transform=area.transAxes,
                ha="center",
                va="center",
                size=TITLE,
                bbox=box,
            )
        x, y = np.add(self.corner(place), (0, self.head + self.panel[1] + BAR_GAP))
        if not np.isnan(panel.scores).all():
            self._draw_bar(x, y, scale)
        merits = [f"{name} {two_digits(value)}" for name, value in panel.merits.items()]
        for n in range(0, len(merits), 2):
            self.write(x, y + BAR + NUMBERS + n // 2 * BADGES, "   ".join(merits[n : n + 2]))

    def _draw_bar(self, x: float, y: float, scale: Scale) -> None:
        self.axes(x, y, self.panel[0], BAR).imshow(
            colour_table(scale.colours)[None], aspect="auto", extent=(0, 1, 0, 1)
        )
        ends = (
            (0.0, "left", scale.low),
            (0.5, "center", (scale.low + scale.high) / 2),
            (1.0, "right", scale.high),
        )
        for at, side, value in ends:
            if scale.high > scale.low or at == 0.5:
                self.write(
                    x + at * self.panel[0], y + BAR + 0.035, number(value), ha=side, color=GREY
                )


def overlay(panel: Panel, scale: Scale, alpha: float) -> np.ndarray:
    """The image with a map over it, (h, w, 3) uint8; what the model did not see is dimmed."""
    H, W = panel.explanation.grid.image_size
    zoom = DRAWN_AT / max(H, W)
    size = (max(1, round(H * zoom)), max(1, round(W * zoom)))
    photo = cv2.resize(
        panel.explanation.image,
        size[::-1],
        interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC,
    )
    known = panel.scores[~np.isnan(panel.scores)]
    # hatched over later
    filled = np.where(np.isnan(panel.scores), known.mean() if known.size else 0, panel.scores)
    heat = panel.explanation.grid.onto_image(filled, size)
    # so that the only hues in a panel are those of the map
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None]
    seen = ~np.isnan(heat)[..., None]
    blended = np.where(seen, (1 - alpha) * grey + alpha * scale.paint(heat), DIM * grey)
    return np.rint(blended).astype(np.uint8)


def hatch(area: Axes, scores: np.ndarray, grid: Grid) -> None:
    """Cover patches whose score is not a number."""
    top, left, bottom, right = grid.box
    height, width = (bottom - top) / grid.height, (right - left) / grid.width
    for r, c in np.argwhere(np.isnan(scores)):
        corner = (left + c * width, top + r * height)
        area.add_patch(
            Rectangle(
                corner,
                width,
                height,
                facecolor="#dddddd",
                edgecolor="#888888",
                hatch="////",
                linewidth=0,
            )
        )


def outline(area: Axes, truth: np.ndarray) -> None:
    """Draw the edge of a mask (H, W) bool, white with a dark rim so that it shows on every
    colour.
    """
    edge = np.pad(truth, 1).astype(np.float32)
    at = np.arange(-1, max(truth.shape) + 1) + 0.5
    lines = area.contour(
        at[: edge.shape[1]], at[: edge.shape[0]], edge, levels=[0.5], colors="white", linewidths=1.2
    )
    lines.set_path_effects([withStroke(linewidth=2.6, foreground="#202020")])
