"""What does the model look like at each step? The block diagram of the two paths, in boxes and
lines on a board, which paper and browser draw alike.
"""

from dataclasses import dataclass
from typing import Literal

from ...results.findings import SurgerySteps
from ...results.findings.surgery_steps import Part
from .sentences import BOXES

WIDTH, HEIGHT = 1000, 146  # of the board
LETTERS = 23  # height of letters on it; beside a file browser a board is 530 pixels wide
TOP, HIGH = 28, 36  # of the boxes of the model's own path
SECOND = 106  # top of the boxes of the second path
OWN, BESIDE = TOP + HIGH / 2, SECOND + HIGH / 2  # middles of the two
FIRST, GAP, LAST = 96, 20, 246  # width of what stands before the layers, a gap, and behind them
ANSWER, MAP = WIDTH - 226, WIDTH - 66  # left edges of what stands behind them
WIDEST = 130  # of a layer
LATER = 99  # a step that never comes

Kind = Literal["model", "second", "values"]


@dataclass(frozen=True)
class Box:
    """A box with a word, there at the steps `since` to `until`, and crossed out from `out` on."""

    word: str
    title: str
    left: float
    top: float
    width: float
    kind: Kind = "model"
    since: int = 0
    until: int = LATER
    out: int = LATER
    height: float = HIGH


@dataclass(frozen=True)
class Line:
    """A line through points x, y, x, y …, there at the steps `since` to `until`."""

    points: tuple[float, ...]
    kind: Kind = "model"
    since: int = 0
    until: int = LATER


@dataclass(frozen=True)
class Board:
    """All of it; `ticks` are words without a box: x of their middle, and the word."""

    boxes: list[Box]
    lines: list[Line]
    ticks: list[tuple[float, str]]


def board_of(found: SurgerySteps) -> Board:
    """Boxes and lines for every step of a walk."""
    at = {part: n for n, part in enumerate(found.parts)}
    start = at.get("path", at["attention"])  # when the second path begins
    before = found.layers - found.blocks  # layers that it does not run beside
    names = [BOXES["pool"]]
    if found.has_stream:
        first, *others = map(str, range(before, found.layers))
        names = [BOXES["layer"] + first, *others]
    left = FIRST + GAP
    each = min(WIDEST, (WIDTH - left - LAST) / len(names))
    end = left + each * len(names)
    board = Board([], [], [])
    board.lines.append(Line((FIRST, OWN, ANSWER, OWN)))
    # patches are read from the model's own path, until there is another one
    board.lines.append(Line((end + 6, OWN, end + 6, 82, MAP, 82), until=start - 1))
    turn = FIRST + GAP / 2
    second = (turn, OWN, turn, BESIDE, MAP - 14, BESIDE, MAP - 14, 92, MAP, 92)
    board.lines.append(Line(second, "second", start))
    if found.has_stream and before:
        board.ticks.append((FIRST / 2, "0" if before == 1 else f"0–{before - 1}"))
    kind = "early" if before or not found.has_stream else "patches"
    board.boxes.append(Box(BOXES[kind], BOXES["first_title"], 0, TOP, FIRST))
    for n, name in enumerate(names):
        board.ticks.append((left + (n + 0.5) * each, name))
        _add_layer(board, found, at, left + n * each, each)
    board.boxes.append(Box(BOXES["whole"], BOXES["whole_title"], ANSWER, TOP, 126))
    if "empty" in at:
        told = BOXES["empty"], BOXES["empty_title"]
        board.boxes.append(Box(*told, ANSWER, SECOND, 126, "second", since=at["empty"]))
    board.boxes.append(Box(BOXES["map"], BOXES["map_title"], MAP, 68, WIDTH - MAP))
    return board


def _add_layer(
    board: Board, found: SurgerySteps, at: dict[Part, int], left: float, each: float
) -> None:
    """A layer on the model's own path, and on the second one beside it."""
    attention, start = at["attention"], at.get("path", at["attention"])
    half = (each - 8) / 2 if found.has_stream else each - 8
    x, other = left + 3, left + 5 + half
    middle = x + half / 2
    board.lines.append(Line((middle, TOP + HIGH, middle, SECOND), "values", start))
    second: tuple[float, float, Kind] = (SECOND, half, "second")
    board.boxes.append(Box(BOXES["qk"], BOXES["qk_title"], x, TOP, half))
    if start < attention:
        copy = Box(BOXES["qk"], BOXES["copy_title"], x, *second, start, attention - 1)
        board.boxes.append(copy)
    board.boxes.append(Box(BOXES["vv"], BOXES["vv_title"], x, *second, attention))
    if "ffn" in at:
        board.boxes.append(Box(BOXES["ffn"], BOXES["ffn_title"], other, TOP, half))
        left_out = Box(BOXES["ffn"], BOXES["no_ffn_title"], other, *second, start, out=at["ffn"])
        board.boxes.append(left_out)
