"""How is a table written in plain text? In columns, the first to the left, numbers to the right."""

from collections.abc import Sequence

WIDEST = 24  # letters of a cell


def in_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A line for the head and for each row.

    Examples
    --------
    >>> in_columns(["part", "a cat"], [["layer 6, head 3", "-0.034"]])
    ['part              a cat', 'layer 6, head 3  -0.034']
    """
    table = [[shortened(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = []
    for first, *others in table:
        numbers = [cell.rjust(width) for cell, width in zip(others, widths[1:])]
        lines.append("  ".join([first.ljust(widths[0]), *numbers]).rstrip())
    return lines


def shortened(cell: str) -> str:
    """A cell that is not too wide, in one line."""
    cell = " ".join(cell.split())
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 1]}…"
