"""What does a run look like? One page that needs nothing else: leaderboard, what a map costs,
classes, and where each method fails.

Every text from outside (class names, model name) is escaped. Figures are inline SVG whose ink is
the page's own colour, so they follow light and dark; photos are inline too.
"""

import html
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..explainers.explain import explain
from ..explainers.table import METHODS
from ..results.maps import minmax
from ..view.html import PAGE, POLICY
from ..view.pictures import encode_photo
from ..view.scales import SEQUENTIAL, colour_table
from ..view.viewer import replacing
from .bench import Bench
from .leaderboard import COST, LESS_IS_BETTER, Board, about, board, cell, inside_tables, markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 3  # best and worst maps of every method
SIDE = 150  # pixels of their longer side
INK, ACCENT = "#010203", "#010204"  # drawn by matplotlib, replaced by the page's colours
WORST_CLASSES = 4


def write(
    bench: Bench, results: Mapping, rows: Sequence[Mapping], out: Path, command: str
) -> list[Path]:
    """`results.json`, `leaderboard.md` and `report.html` in the folder; returns their paths."""
    pages = {
        "results.json": json.dumps(
            strict({**results, "command": command}), indent=1, ensure_ascii=False
        )
        + "\n",
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
    facts = {
        "command": command,
        "images": f"{results['images']} ({results['images with a label']} with a label)",
        "seed": results["seed"],
        **results["protocol"],
        "versions": ", ".join(f"{name} {number}" for name, number in results["versions"].items()),
        "weights": ", ".join(f"{name} {value}" for name, value in results["model"].items()),
    }
    parts = [
        f"<style>{style}</style>",
        f"<h1>{html.escape(title)}</h1>",
        "<dl>"
        + "".join(
            f"<dt>{html.escape(name)}</dt><dd>{html.escape(str(value))}</dd>"
            for name, value in facts.items()
        )
        + "</dl>",
        "<h2>Leaderboard</h2>",
        f"<p>{html.escape(about(results))}</p>",
        _table(table),
    ]
    if table.leading != COST:
        parts += ["<h2>What does a better map cost?</h2>", _svg(trade_off(table))]
    for caption, words in inside_tables(results):
        lines = (
            "<tr>" + "".join(f"<td>{html.escape(word)}</td>" for word in row) + "</tr>"
            for row in words
        )
        parts += [
            f"<h2>{html.escape(caption)}</h2>",
            f'<div class="scroll"><table>{"".join(lines)}</table></div>',
        ]
    if results["by class"]:
        parts += [
            "<h2>Class by class</h2>",
            "<p>Each dot is the mean score contrast of one class, the bar their median. Left of "
            "zero, background outscores the object.</p>",
            _svg(strips(table, results["by class"])),
            _worst_classes(table, results["by class"]),
            "<h2>Best and worst maps</h2>",
            "<p>The maps of highest and of lowest score contrast, one a picture; dark violet is a "
            "map's minimum, yellow its maximum, "
            "and the white line the true outline.</p>",
            *(_gallery(bench, rows, method) for method in table.rows if method in METHODS),
        ]
    return PAGE.format(policy=POLICY, title=html.escape(title), body="\n".join(parts))


def _table(table: Board) -> str:
    """The leaderboard; the best number of a column stands out where more is better, and the oracle
    stands back.
    """
    plain = {*LESS_IS_BETTER, "(at oracle)"}
    best = [
        None if heading in plain else max(table.column(heading).values(), default=None)
        for heading in table.headings
    ]
    lines = [
        "<tr><th>method</th>"
        + "".join(f"<th>{html.escape(heading)}</th>" for heading in table.headings)
        + "</tr>"
    ]
    for method, numbers in table.rows.items():
        cells = ""
        for heading, value, top in zip(table.headings, numbers, best):
            kind = (
                ' class="oracle"'
                if heading == "(at oracle)"
                else ' class="best"'
                if value is not None and value == top
                else ""
            )
            cells += f"<td{kind}>{cell(heading, value)}</td>"
        lines.append(f"<tr><td>{html.escape(method)}</td>{cells}</tr>")
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def trade_off(table: Board) -> "Figure":
    """The leading measure against measured cost, names in a column at the right so that none covers
    another.
    """
    price = table.column(COST)
    points = sorted(
        (value, max(price[method], 1e-3), method)
        for method, value in table.column(table.leading).items()
        if method in price
    )
    figure, axes = _axes(9, max(3.2, 0.24 * len(points) + 1))
    values, costs, names = zip(*points)
    axes.scatter(costs, values, color=ACCENT, s=36, zorder=3)
    axes.set_xscale("log")
    left, right = min(costs) / 1.6, max(costs) * 1.6
    low, high = min(values), max(values)
    axes.set_xlim(left, right * (right / left) ** 0.45)
    room = max((high - low) or 1.0, 1.0)
    gap, label_at = room / max(len(points) - 1, 1), (low + high - room) / 2
    for n, (value, spent, name) in enumerate(points):
        y = label_at + n * gap
        axes.annotate(
            name,
            (spent, value),
            (right * 1.15, y),
            fontsize=9,
            color=INK,
            va="center",
            parse_math=False,
            arrowprops={
                "arrowstyle": "-",
                "color": INK,
                "alpha": 0.25,
                "linewidth": 0.7,
                "shrinkB": 4,
            },
        )
    axes.set_xlabel(
        "cost of the map on top of the recorded forward pass, in such passes (median)", color=INK
    )
    axes.set_ylabel(
        f"mIoU {table.leading}" if table.leading.startswith("at ") else table.leading, color=INK
    )
    return figure


def strips(table: Board, by_class: Mapping) -> "Figure":
    """Every class's mean score contrast, a strip a method, in the order of the leaderboard."""
    methods = [method for method in table.rows if method in by_class]
    figure, axes = _axes(9, 0.34 * len(methods) + 1)
    jitter = np.random.default_rng(0)
    for n, method in enumerate(reversed(methods)):
        values = np.array(
            [of["mSC"] for of in by_class[method].values() if not math.isnan(of["mSC"])]
        )
        axes.scatter(
            values,
            n + jitter.uniform(-0.22, 0.22, len(values)),
            s=9,
            color=ACCENT,
            alpha=0.55,
            linewidth=0,
            zorder=3,
        )
        axes.plot([np.median(values)] * 2, [n - 0.33, n + 0.33], color=INK, linewidth=2, zorder=4)
    axes.axvline(0, color=INK, linewidth=0.8, alpha=0.6)
    axes.set_yticks(range(len(methods)), [*reversed(methods)])
    axes.set_xlabel("mean score contrast of a class", color=INK)
    return figure


def _axes(width: float, height: float) -> tuple:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    axes.grid(color=INK, alpha=0.12, linewidth=0.6)
    axes.tick_params(colors=INK, which="both", labelsize=9)
    for name, line in axes.spines.items():
        line.set_visible(name in ("left", "bottom"))
        line.set_color(INK)
    return figure, axes


def _svg(figure: "Figure") -> str:
    """The figure as SVG to stand in a page, its ink and dots in the page's colours, its text as
    text.
    """
    from matplotlib import rc_context

    drawn = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "clipxai"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return (
        re.sub(r"^.*?(?=<svg)", "", drawn.getvalue(), flags=re.DOTALL)
        .replace(INK, "currentColor")
        .replace(ACCENT, "var(--accent)")
    )


def _worst_classes(table: Board, by_class: Mapping) -> str:
    """The classes that each method shows worst."""
    lines = ["<tr><th>method</th><th>its worst classes, by mean score contrast</th></tr>"]
    for method in (method for method in table.rows if method in by_class):
        worst = sorted(
            (of["mSC"], name) for name, of in by_class[method].items() if not math.isnan(of["mSC"])
        )[:WORST_CLASSES]
        said = ", ".join(f"{html.escape(name)} ({contrast:.0f})" for contrast, name in worst)
        lines.append(f"<tr><td>{html.escape(method)}</td><td>{said}</td></tr>")
    return f'<div class="scroll"><table class="words">{"".join(lines)}</table></div>'


def _gallery(bench: Bench, rows: Sequence[Mapping], method: str) -> str:
    """A method's best and worst maps, at most one a picture, drawn anew."""
    pairs = sorted(
        (numbers[0], row["id"], n)
        for row in rows
        for n, numbers in enumerate(row["scores"][method]["localisation"])
        if not math.isnan(numbers[0])
    )
    sides = [_one_a_picture(side) for side in (pairs[::-1], pairs)]
    best, worst = ("".join(_picture(bench, method, *pair) for pair in side) for side in sides)
    head = f"<h3>{html.escape(method)} <small>{html.escape(METHODS[method].shows)}</small></h3>"
    return f'{head}<div class="maps">{best}<div class="maps worst">{worst}</div></div>'


def _one_a_picture(pairs: Sequence[tuple]) -> list[tuple]:
    first = {}
    for pair in pairs:
        first.setdefault(pair[1], pair)
        if len(first) == SHOWN:
            break
    return [*first.values()]


def _picture(bench: Bench, method: str, contrast: float, name: str, n: int) -> str:
    """One map over its picture with the true outline, and what was asked."""
    sample = bench.data.read(name)
    trace = bench.record(sample.image)
    labels = bench.labels(sample, trace)
    explanation = explain(bench.with_texts(trace, labels[n : n + 1]), method)
    height, width = explanation.image.shape[:2]
    zoom = SIDE / max(height, width)
    size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
    photo = cv2.resize(
        explanation.image, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    )
    heat = np.nan_to_num(minmax(explanation.heatmap(0, size[::-1])))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None]
    over = np.rint(
        0.4 * grey + 0.6 * colour_table(SEQUENTIAL)[np.rint(heat * 255).astype(int)]
    ).astype(np.uint8)
    mask = cv2.resize(sample.masks[n].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    cv2.drawContours(
        over,
        cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0],
        -1,
        (255, 255, 255),
        1,
    )
    words = html.escape(bench.data.classes[labels[n]])
    caption = f"{words}<span>contrast {contrast:.0f} · picture {html.escape(name)}</span>"
    return (
        f'<figure><img src="{encode_photo(over, SIDE, most_bytes=0)}" alt="map of '
        f'{words}"><figcaption>{caption}</figcaption></figure>'
    )
