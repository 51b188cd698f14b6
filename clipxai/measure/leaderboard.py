"""How do results read? The table of methods, best first, for the terminal and in Markdown.

Numbers of other people never stand here: their protocols differ.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..checks import visible
from ..explainers.table import find_method
from .columns import COLUMNS, COST, REMEASURED, Column, about, cell, is_number
from .questions import answers, is_method, questions


@dataclass(frozen=True)
class Board:
    """A table of methods.

    Attributes
    ----------
    columns : what was measured
    rows : method -> a number for every column, the best method first; None or NaN where something
        was not measured or is not defined
    leading : the column that orders the methods
    """

    columns: tuple[Column, ...]
    rows: dict[str, list[float | None]]
    leading: Column

    @property
    def headings(self) -> tuple[str, ...]:
        """What stands over the columns."""
        return tuple(column.heading for column in self.columns)

    def numbers(self, column: Column) -> dict[str, float]:
        """Method -> number, where there is one."""
        at = self.columns.index(column)
        return {method: row[at] for method, row in self.rows.items() if is_number(row[at])}


def board(results: Mapping) -> Board:
    """The leaderboard of results from `summary.summary`."""
    milliseconds = results["milliseconds"]
    found = {}
    for method, scores in results["scores"].items():
        found[method] = {column: column.of(scores) for column in COLUMNS}
        if method in milliseconds:  # the class token's rows cost nothing beyond the forward pass
            found[method][COST] = milliseconds[method] / milliseconds["forward"]
    columns = tuple(
        column
        for column in COLUMNS
        if any(numbers[column] is not None for numbers in found.values())
    )
    leading = _leading(columns, found)
    known = [method for method in found if is_number(found[method][leading])]
    ranked = sorted(
        known, key=lambda method: found[method][leading], reverse=not leading.less_is_better
    )
    unknown = [method for method in found if method not in known]
    rows = {method: [found[method][column] for column in columns] for method in (*ranked, *unknown)}
    return Board(columns, rows, leading)


def _leading(columns: Sequence[Column], found: Mapping[str, Mapping[Column, float]]) -> Column:
    """The column that orders the methods: of those made for it the first with a number, else the
    first of all.
    """
    leaders = sorted((c for c in columns if c.leads is not None), key=lambda column: column.leads)
    return next(
        (
            column
            for column in (*leaders, *columns)
            if any(is_number(numbers[column]) for numbers in found.values())
        ),
        COST,
    )


def text(results: Mapping) -> str:
    """A table for the terminal."""
    table = board(results)
    lines = [[method, *map(cell, table.columns, numbers)] for method, numbers in table.rows.items()]
    found = _aligned(["method", *table.headings], lines)
    short = questions(results, list(table.rows))
    if short:
        found += ["", *_aligned([*short[0]], [[*row] for row in short[1:]])]
    for caption, rows in inside_tables(results):
        found += ["", caption]
        for name, *words in rows:
            found.append("  ".join([name.ljust(26), *(word.rjust(5) for word in words)]))
    return "\n".join(found)


def _aligned(headings: list[str], lines: list[list[str]]) -> list[str]:
    """Columns below their headings, which take as many lines as keeps them narrow."""
    columns = list(zip(headings, *lines))
    widths = [max(*map(len, heading.split(" ")), *map(len, words)) for heading, *words in columns]
    wrapped = [_wrapped(heading, width) for heading, width in zip(headings, widths)]
    tall = max(map(len, wrapped))
    # headings stand at the bottom of their column
    head = zip(*([""] * (tall - len(words)) + words for words in wrapped))
    rule = ["-" * width for width in widths]
    aligned = []
    for first, *numbers in (*head, rule, *lines):
        right = [number.rjust(width) for number, width in zip(numbers, widths[1:])]
        aligned.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return aligned


def _wrapped(heading: str, width: int) -> list[str]:
    lines = [""]
    for word in heading.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= width else [*lines, word]
    return lines


def inside_tables(results: Mapping) -> list[tuple[str, list[list[str]]]]:
    """What was measured of the model's layers, as (caption, rows of words); none if nothing was."""
    found = results.get("inside", {"objects": 0})
    if not found["objects"]:
        return []
    by_layer = {
        "mFSR": found["mFSR by layer"],
        "attention that stays": found["attention that stays by layer"],
    }
    blocks = len(found["mFSR by layer"]["qk"])
    layers = [["block", *(str(n + 1) for n in range(blocks))]]
    for name, kinds in by_layer.items():
        for kind, values in kinds.items():
            layers.append([f"{name}, {kind}", *(f"{value:.2f}" for value in values)])
    tables = [
        (
            f"Attention on {found['objects']} objects: share of what is attended to that is the "
            f"object's; mFSR by chance {found['mFSR by chance']:.2f}",
            layers,
        )
    ]
    pairs = [[pair, f"{value:.2f}"] for pair, value in found["L1 redundancy"].items()]
    if pairs:  # none where every class is in every picture
        of = "L1 distance of what two texts light up, relative to the first; small is redundant"
        tables.append((of, pairs))
    return tables


def markdown(results: Mapping, command: str) -> str:
    """`leaderboard.md`: what was run, the table, and the first images alone, which a test can
    measure again.
    """
    table, model = board(results), results["model"]
    rows = [
        (f"`{name}`", answers(name), *map(cell, table.columns, numbers), _reference(name))
        for name, numbers in table.rows.items()
    ]
    lines = [
        f"# {_escaped(model['name'])} on {_escaped(results['data'])}",
        "",
        f"Made by {_code(command)}",
        f"(clipxai {results['clipxai']}, seed {results['seed']}, {results['images']} images, "
        f"weights sha256 {model['weights sha256']}…, torch {results['versions']['torch']}).",
        "",
        *(f"- {_escaped(name)}: {_escaped(words)}" for name, words in results["protocol"].items()),
        "",
        about(results),
        "",
        *_short(results, table),
        *_table(("method", "says", *table.headings, "reference"), rows),
        *_first_images(results),
    ]
    for caption, (head, *below) in inside_tables(results):
        lines += ["", caption, "", *_table(tuple(head), below)]
    return "\n".join(lines) + "\n"


def _short(results: Mapping, table: Board) -> list[str]:
    """The three questions beside one another, where they were asked."""
    short = questions(results, list(table.rows))
    if not short:
        return []
    head, *below = short
    rows = [(f"`{name}`", *cells) for name, *cells in below]
    return ["Three questions:", "", *_table(head, rows), "", "Everything that was measured:", ""]


def _reference(method: str) -> str:
    return find_method(method).reference if is_method(method) else ""


def _first_images(results: Mapping) -> list[str]:
    """The first images alone, where all that is measured again was measured."""
    first = {
        method: [column.of(scores) for column in REMEASURED]
        for method, scores in results["scores of the first images"].items()
    }
    if any(value is None for numbers in first.values() for value in numbers):
        return []
    rows = [(f"`{name}`", *(f"{value:.2f}" for value in first[name])) for name in first]
    return [
        "",
        f"The first {min(results['images'], results['first'])} images alone, for a test that "
        "measures them again:",
        "",
        *_table(("method", *(column.heading for column in REMEASURED)), rows),
    ]


def _table(head: tuple, rows: Sequence[Sequence]) -> list[str]:
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]


def _escaped(text: object) -> str:
    """Words of others, as words of Markdown: neither HTML nor links nor another line."""
    line = html.escape(visible(str(text)), quote=False)
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", line)


def _code(text: str) -> str:
    """A text between backticks, more of them than it has in a row."""
    line = visible(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"
