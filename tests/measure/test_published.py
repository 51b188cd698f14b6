"""The commands that benchmarks/published.md and uses.md give can be run: they parse, and every name
in them exists.
"""

import re
import shlex
from pathlib import Path

import pytest

import clipxai as cx
from clipxai.cli.parser import parser
from clipxai.measure.asking import ENSEMBLES
from clipxai.measure.bench import METRICS, Bench
from clipxai.measure.data import LAYOUTS, dataset
from clipxai.model.files.hub import KNOWN

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PAGES = {
    name: (BENCHMARKS / name).read_text(encoding="utf-8") for name in ("published.md", "uses.md")
}
COMMANDS = [
    command
    for page in PAGES.values()
    for command in re.findall(
        r"^(?:Made by `)?clipxai (bench [^`\n]*)", page.replace("\\\n", " "), re.MULTILINE
    )
]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_name_what_exists(command):
    given = parser().parse_args(shlex.split(command))
    assert all(name in cx.METHODS for name in given.methods.split(","))
    assert all(name in METRICS for name in (given.metrics or "localisation").split(","))
    assert given.layout is None or given.layout in LAYOUTS
    assert given.templates is None or given.templates in ENSEMBLES
    assert given.model is None or any(given.model in (known.id, known.short) for known in KNOWN)


def test_there_are_commands_and_none_of_the_numbers_is_called_ours():
    assert len(COMMANDS) > 6
    for line in PAGES["published.md"].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and "ours" in cells:
            width, ours = len(cells), cells.index("ours")
        elif line.startswith("|"):
            # nothing was measured on a real checkpoint
            assert len(cells) == width and cells[ours] in ("", "---"), line


def test_uses_were_measured_on_the_model_that_ships(embedded):
    settings = Bench(embedded, dataset("emoji-world")).settings
    assert settings["model"]["weights sha256"] in PAGES["uses.md"], (
        "the embedded model changed: run the command in uses.md again"
    )
