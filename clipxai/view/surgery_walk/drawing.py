"""How is the walk drawn on paper? A row of maps for every text, and the diagram of the two paths
with all parts in place.
"""

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..palette import FRAME
from ..paper.defaults import defaults
from ..paper.maps import BELOW, draw_map, draw_photo, picture_height
from ..paper.page import (
    GREY,
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    SMALL,
    Page,
    columns_of,
    headline,
    small_print,
)
from .content import Walk
from .diagram import HEIGHT, LETTERS, WIDTH, Board, board_of
from .sentences import names, notes, verdict, whole

ACROSS, ROOM = 11.0, 0.3  # of the page; between rows
COLOURS = {"model": GREY, "second": "#1b7f5f", "values": "#1b7f5f"}


@defaults()
def draw(walk: Walk, texts: Iterable[int]) -> Figure:
    """Photo and maps of these texts, a row each, and below them the diagram."""
    shown, found = list(texts), walk.found
    picture, last = found.picture, len(found.parts) - 1
    heads = [headline(whole(walk, text), ACROSS) for text in shown]
    lines = small_print(notes(walk), ACROSS, [walk.texts[text] for text in shown])
    *lefts, each = columns_of(ACROSS, 1 + len(found.maps))
    row = HEAD + picture_height(each, picture.image.shape) + BELOW + ROOM
    board = (ACROSS - 2 * MARGIN) * HEIGHT / WIDTH
    titles = sum(len(head) * HEADLINE_LINE + 0.1 for head in heads)
    end = MARGIN + titles + len(shown) * row
    page = Page(ACROSS, end + board + 0.15 + len(lines) * LINE + MARGIN)
    y = MARGIN
    for text, head in zip(shown, heads):
        for n, line in enumerate(head):
            page.write(MARGIN, y + n * HEADLINE_LINE, line, 12.0, weight="bold")
        y += len(head) * HEADLINE_LINE + 0.1
        draw_photo(page, (lefts[0], y, each), picture.image, walk.mask(text))
        for step, (x, name) in enumerate(zip(lefts[1:], names(walk))):
            titled = name, verdict(walk, text, step)
            values, scale = walk.scores(text)[step], walk.scales(text)[step]
            draw_map(page, (x, y, each), titled, picture, values, scale, walk.mask(text))
        y += row
    _draw_board(page, y, board, board_of(found), last)
    page.write_small_print(end + board + 0.15, lines)
    return page.figure


def _draw_board(page: Page, y: float, height: float, board: Board, step: int) -> None:
    """The diagram at a step."""
    area = page.axes(MARGIN, y, ACROSS - 2 * MARGIN, height)
    area.set(xlim=(-3, WIDTH + 3), ylim=(HEIGHT, 0))
    for line in board.lines:
        if line.since <= step <= line.until:
            how = ":" if line.kind == "values" else "-"
            wide = 2.2 if line.kind == "second" else 1.2
            xs, ys = line.points[::2], line.points[1::2]
            area.plot(xs, ys, color=COLOURS[line.kind], linestyle=how, linewidth=wide)
    for box in board.boxes:
        if not box.since <= step <= box.until:
            continue
        gone = step >= box.out
        edge, how = (GREY, "--") if gone else (COLOURS[box.kind], "-")
        corner, wide, high = (box.left, box.top), box.width, box.height
        area.add_patch(Rectangle(corner, wide, high, ec=edge, fc="white", linestyle=how, zorder=3))
        middle = box.left + wide / 2, box.top + high / 2
        _write(area, middle, box.word, GREY if gone else "black")
        if gone:
            ends = (box.left, box.left + wide), (box.top + high, box.top)
            area.plot(*ends, color=FRAME, linewidth=1.5, zorder=5)
    for x, word in board.ticks:
        _write(area, (x, LETTERS / 2), word, GREY)


def _write(area: Axes, middle: tuple[float, float], word: str, colour: str) -> None:
    area.text(*middle, word, size=SMALL, color=colour, ha="center", va="center", zorder=4)
