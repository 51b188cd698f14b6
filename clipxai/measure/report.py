"""What does a run look like? One page that needs nothing else: leaderboard, what a map costs,
classes, and where each method fails.

Every text from outside (class names, model name) is escaped.
"""

import html
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from ..results.writing import replacing
from ..view.html import PAGE, POLICY
from .bench import Bench
from .columns import COST, about, cell
from .leaderboard import Board, board, inside_tables, markdown
from .questions import is_method, place_and_effect, questions
from .report_figures import gallery, strips, trade_off, where_against_effect

WORST_CLASSES = 4
ORACLE = "(at oracle)"


def write(
    bench: Bench, results: Mapping, rows: Sequence[Mapping], out: Path, command: str
) -> list[Path]:
    """`results.json`, `leaderboard.md` and `report.html` in the folder; returns their paths."""
    everything = strict({**results, "command": command})
    pages = {
        "results.json": json.dumps(everything, indent=1, ensure_ascii=False) + "\n",
        "leaderboard.md": markdown(results, command),
        "report.html": page(bench, results, rows, command),
    }
    for name, content in pages.items():
        with replacing(out / name) as draft:
            draft.write_text(content, encoding="utf-8")
    return [out / name for name in pages]


def strict(values: object) -> object:
    """JSON knows no NaN: what is undefined becomes null."""
    if isinstance(values, Mapping):
        return {name: strict(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [strict(value) for value in values]
    return None if isinstance(values, float) and math.isnan(values) else values


def page(bench: Bench, results: Mapping, rows: Sequence[Mapping], command: str) -> str:
    """The whole report as one HTML document."""
    style = (files(__package__) / "report.css").read_text(encoding="utf-8")
    table, title = board(results), f"{results['model']['name']} on {results['data']}"
    parts = [
        f"<style>{style}</style>",
        f"<h1>{html.escape(title)}</h1>",
        _facts(results, command),
        *_questions(results, table),
        "<h2>Leaderboard</h2>",
        f"<p>{html.escape(about(results))}</p>",
        _leaderboard(table),
    ]
    drawn = trade_off(table) if table.leading != COST else ""
    if drawn:
        parts += ["<h2>What does a better map cost?</h2>", drawn]
    for caption, words in inside_tables(results):
        lines = [_row(html.escape(word) for word in row) for row in words]
        parts += [f"<h2>{html.escape(caption)}</h2>", _scrolling(lines)]
    if results["by class"]:
        parts += [
            "<h2>Class by class</h2>",
            "<p>Each dot is the mean score contrast of one class, the bar their median. Left of "
            "zero, background outscores the object.</p>",
            strips(table, results["by class"]),
            _worst_classes(table, results["by class"]),
            "<h2>Best and worst maps</h2>",
            "<p>The maps of highest and of lowest score contrast, one a picture; dark violet is a "
            "map's minimum, yellow its maximum, and the white line the true outline.</p>",
            *(gallery(bench, rows, method) for method in table.rows if is_method(method)),
        ]
    return PAGE.format(policy=POLICY, title=html.escape(title), body="\n".join(parts))


def _facts(results: Mapping, command: str) -> str:
    """What was run, as a list of definitions."""
    facts = {
        "command": command,
        "images": f"{results['images']} ({results['images with a label']} with a label)",
        "seed": results["seed"],
        **results["protocol"],
        "versions": ", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        "weights": ", ".join(f"{name} {value}" for name, value in results["model"].items()),
    }
    listed = (
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>"
        for name, value in facts.items()
    )
    return f"<dl>{''.join(listed)}</dl>"


def _questions(results: Mapping, table: Board) -> list[str]:
    """The three questions beside one another, where they were asked, and the first two drawn."""
    short, points = questions(results, list(table.rows)), place_and_effect(results)
    parts = []
    if short:
        lines = [_row(html.escape(cell) for cell in row) for row in short]
        parts += ["<h2>Which method for which question?</h2>", _scrolling(lines)]
    if len(points) > 1:
        parts += [
            "<p>To point at the thing, and to tell what made the score, are two questions: far to "
            "the right is good at the one, far up at the other.</p>",
            where_against_effect(points),
        ]
    return parts


def _leaderboard(table: Board) -> str:
    """The leaderboard; the best number of a column stands out where more is better, and the oracle
    stands back.
    """
    best = {
        column: max(table.numbers(column).values(), default=None)
        for column in table.columns
        if not column.less_is_better and column.heading != ORACLE
    }
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in ("method", *table.headings))
    lines = [f"<tr>{head}</tr>"]
    for method, numbers in table.rows.items():
        cells = f"<td>{html.escape(method)}</td>"
        for column, value in zip(table.columns, numbers):
            kind = ""
            if column.heading == ORACLE:
                kind = ' class="oracle"'
            elif value is not None and value == best.get(column):
                kind = ' class="best"'
            cells += f"<td{kind}>{cell(column, value)}</td>"
        lines.append(f"<tr>{cells}</tr>")
    return _scrolling(lines)


def _worst_classes(table: Board, by_class: Mapping) -> str:
    """The classes that each method shows worst."""
    lines = ["<tr><th>method</th><th>its worst classes, by mean score contrast</th></tr>"]
    for method in (method for method in table.rows if method in by_class):
        contrasts = sorted(
            (of["mSC"], name) for name, of in by_class[method].items() if not math.isnan(of["mSC"])
        )
        worst = contrasts[:WORST_CLASSES]
        said = ", ".join(f"{html.escape(name)} ({contrast:.0f})" for contrast, name in worst)
        lines.append(_row([html.escape(method), said]))
    return _scrolling(lines, kind=' class="words"')


def _row(cells: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _scrolling(lines: Sequence[str], kind: str = "") -> str:
    """A table in a box of its own: a wide one scrolls, not the page."""
    return f'<div class="scroll"><table{kind}>{"".join(lines)}</table></div>'
