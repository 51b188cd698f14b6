"""Every lesson runs top to bottom and says what it said when it was committed; it is short, and
asks one question first.

Drift is: other words, other kinds of figures in other cells, or numbers further apart than machines
are. Numbers may differ by two units of their last printed digit or by 5 %, whichever is more (one
map of thirty is 3 %); after a cell that trains a model, which no two machines do alike, the words
alone count, and the lesson asserts what must hold.
"""

import asyncio
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
FORKED = Path(__file__).with_name("forked_kernel.py")
ALLOWED = {"clipxai", "numpy", "matplotlib"}
BESIDES = {  # lessons about other people's files, and about tensors
    "05_your_own_model": {"transformers", "safetensors", "torch"},
    "08_surgery_step_by_step": {"torch"},
    "09_train_your_own_tiny_clip": {"torch"},
}
TRAINS = re.compile(r"\.backward\(\)|\blearn\(")
# what a reader's own change gives; the end of a scale
UNPRINTED = {"00_start_here": {"-10"}, "04_explorer": {"−100", "+100"}}
MOST_BYTES = 1_300_000  # of a lesson with its figures
LARGER = {"00_start_here": 2_300_000}
MOST_BYTES_OF_ALL = 12_000_000
NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:\.\d+)?")
# with a sign, a decimal point or a per cent
QUOTED = re.compile(r"(?<![\w.\d])(?:[-+−]\d+(?:\.\d+)?|\d+\.\d+|\d+(?= %))(?![\w.]*\d)")
# an answer, until it is clicked
FOLDED = {"jupyter": {"outputs_hidden": True, "source_hidden": True}}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def test_there_is_a_door():
    assert (FOLDER / "00_start_here.ipynb") in NOTEBOOKS


def test_short_and_with_a_question(path, notebook):
    assert len(notebook.cells) <= 20
    assert notebook.cells[0].cell_type == "markdown" and "?" in notebook.cells[0].source
    imported = {
        name
        for cell in code_cells(notebook)
        for name in re.findall(r"^ *(?:import|from) (\w+)", cell.source, re.MULTILINE)
    }
    assert "clipxai" in imported and imported - sys.stdlib_module_names <= ALLOWED | BESIDES.get(
        path.stem, set()
    )


def test_committed_as_it_was_executed(path, notebook):
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.metadata in ({}, FOLDED) for cell in notebook.cells), (
        "no tags, timings or editor's traces"
    )
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), (
        "executed once, from top to bottom"
    )
    assert not [
        output
        for cell in cells
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_an_exercise_has_its_answer_folded_away(notebook):
    cells = notebook.cells
    (asked,) = (
        n
        for n, cell in enumerate(cells)
        if cell.cell_type == "markdown" and re.search("^##.*Exercise", cell.source, re.MULTILINE)
    )
    (told,) = (
        n
        for n, cell in enumerate(cells)
        if cell.cell_type == "markdown"
        and re.search("^<details><summary>", cell.source, re.MULTILINE)
    )
    assert asked < told and "</details>" in cells[told].source
    assert [n for n, cell in enumerate(cells) if cell.metadata] in ([], [told - 1]), (
        "folded is the code of the answer, nothing else"
    )


def test_size():
    sizes = {path.stem: path.stat().st_size for path in NOTEBOOKS}
    assert {name: size for name, size in sizes.items() if size > LARGER.get(name, MOST_BYTES)} == {}
    assert sum(sizes.values()) <= MOST_BYTES_OF_ALL


# --- what a lesson says
#
# ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def executed(request, tmp_path_factory):
    """The chosen lessons after a run, or what went wrong; on one core each, the longest, which are
    the last, first.
    """
    chosen = {
        item.callspec.params["path"]
        for item in request.session.items
        if "executed" in item.fixturenames
    }
    forks = tmp_path_factory.mktemp("kernels") / "socket"
    forking = subprocess.Popen(
        [sys.executable, FORKED, "wait", forks], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        while not forks.exists() and forking.poll() is None:
            time.sleep(0.1)
        with ThreadPoolExecutor(1) as thread:  # Playwright's event loop may still run in this one
            lessons = execute(sorted(chosen, reverse=True), str(forks))
            return thread.submit(asyncio.run, lessons).result()
    finally:
        forking.terminate()
        forking.wait()


async def execute(paths, forks):
    # two at a time, unless another process of the tests has the other core
    at_a_time = asyncio.Semaphore(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)

    class Forked(AsyncKernelManager):
        def format_kernel_cmd(self, extra_arguments=None):
            return [sys.executable, str(FORKED), "run", forks, self.connection_file]

    def kernels_of(path):
        """The first lesson's as a reader's, from its first import."""
        return AsyncKernelManager if path == NOTEBOOKS[0] or os.name != "posix" else Forked

    async def run(path):
        client = NotebookClient(
            nbformat.read(path, as_version=4),
            timeout=1200,
            kernel_name="python3",
            kernel_manager_class=kernels_of(path),
            resources={"metadata": {"path": str(FOLDER)}},
        )
        async with at_a_time:
            return await client.async_execute(env={**os.environ, "OMP_NUM_THREADS": "1"})

    return dict(zip(paths, await asyncio.gather(*map(run, paths), return_exceptions=True)))


@pytest.mark.filterwarnings("ignore")
def test_runs_top_to_bottom_and_says_the_same(path, notebook, executed):
    again = executed[path]
    if isinstance(again, Exception):
        raise again
    outputs = [output for cell in code_cells(again) for output in cell.outputs]
    assert not [
        output
        for output in outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert sum("text/html" in output.get("data", {}) for output in outputs) >= 1, (
        "the figures are there"
    )
    assert drifts(code_cells(notebook), code_cells(again)) == []


def drifts(then, now):
    """What two executions of the same cells say differently."""
    found, exact = [], True
    for number, (before, after) in enumerate(zip(then, now, strict=True), 1):
        exact = exact and not TRAINS.search(before.source)
        if figures(before) != figures(after):
            found.append(f"[{number}] showed {figures(before)}, shows {figures(after)}")
        was, said = said_by(before).splitlines(), said_by(after).splitlines()
        if len(was) != len(said):
            found.append(f"[{number}] printed {len(was)} lines, prints {len(said)}")
        found += [
            f"[{number}] {a!r} became {b!r}"
            for a, b in zip(was, said)
            if differ(a, b, numbers=exact)
        ]
    return found


def figures(cell):
    """Kinds of what a cell shows, in order."""
    return [
        sorted(set(output.data) - {"text/plain"})
        for output in cell.outputs
        if output.output_type != "stream"
    ]


def said_by(cell):
    """What a cell prints, however the kernel cut it in pieces, and what its figures are called."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return printed + "\n".join(
        output.data.get("text/plain", "")
        for output in cell.outputs
        if output.output_type != "stream"
    )


def differ(before, after, numbers=True):
    """Whether two lines say something else; bars drawn of blocks repeat a number and are left
    out.
    """
    if words(before) != words(after):
        return True
    return numbers and any(
        apart(a, b) for a, b in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True)
    )


def words(line):
    return " ".join(NUMBER.sub("#", line).replace("█", "").split())


def apart(a, b):
    unit = 10.0 ** -len(a.partition(".")[2])
    return abs(as_float(a) - as_float(b)) > max(2.01 * unit, 0.05 * abs(as_float(a)))


def as_float(written):
    return float(written.replace("−", "-"))


def test_what_drift_is():
    line = "thirty scenes, clip_surgery  mean contrast +48.7   upside down 0 % of maps  ████"
    for same in ("+48.6", "+48.9", "+46.9"):
        assert not differ(line, line.replace("+48.7", same).replace("████", "█████"))
    for other in ("+41.0", "-48.7", "48.7 or so", "nan"):
        assert differ(line, line.replace("+48.7", other))
    assert not differ(line, line.replace("+48.7", "+10.0"), numbers=False)
    assert differ(line, line.replace("scenes", "pictures"), numbers=False)
    cell = nbformat.v4.new_code_cell(
        "show()", outputs=[nbformat.v4.new_output("display_data", {"text/html": "a figure"})]
    )
    assert drifts([cell], [cell]) == [] != drifts([cell], [nbformat.v4.new_code_cell("show()")])


def test_numbers_in_the_text_are_printed_by_a_cell(path, notebook):
    """A number that a lesson quotes is one that it measures, rounded; prose cannot go stale
    alone.
    """
    printed = "\n".join(map(said_by, code_cells(notebook)))
    assert unprinted(prose(notebook), printed) - UNPRINTED.get(path.stem, set()) == set()


def unprinted(text, printed):
    """Quoted numbers, outside of code, that no printed number rounds to; one without a sign may be
    quoted of a negative one.
    """
    text = re.sub(r"<code>.*?</code>|`[^`]*`|^    .*$", "", text, flags=re.MULTILINE)
    measured = [as_float(number) for number in NUMBER.findall(printed)]

    def was_printed(number):
        half = 0.5001 * 10.0 ** -len(number.partition(".")[2])
        return any(
            abs((m if number[0] in "-+−" else abs(m)) - as_float(number)) <= half for m in measured
        )

    return {number for number in QUOTED.findall(text) if not was_printed(number)}


def test_what_unprinted_is():
    printed = "contrast +48.7, cosine -0.15, 73 % of 30 scenes"
    assert (
        unprinted(
            "+49, 48.7, 0.15 and 73 % of thirty; 6 blocks, `-5`\n    z + 7.5\nor <code>+3</code>.",
            printed,
        )
        == set()
    )
    assert unprinted("    code\n(+48 against -48.7), 0.2 or 74 %", printed) == {
        "+48",
        "-48.7",
        "74",
    }


# --- the way in
#
# ----------------------------------------------------------------------

README = (FOLDER / "README.md").read_text(encoding="utf-8")
LINKS = re.findall(r"\[([^]]*)\]\(([^)]+)\)", README)


def test_the_route_leads_through_every_lesson():
    rows = {
        name: question
        for name, question in re.findall(
            r"^\| \[(\w+)\]\(\1\.ipynb\) \| ([^|]+\?) \|", README, re.MULTILINE
        )
    }
    assert set(rows) == {path.stem for path in NOTEBOOKS}


def test_links_lead_somewhere():
    assert LINKS and not [target for _, target in LINKS if not (FOLDER / target).exists()]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:cx|clipxai)\.[\w.]+)`", README))))
def test_names_in_the_glossary_exist(name):
    found = named(name)
    where = {target for text, target in LINKS if text == f"`{name}`"}
    for target in where:
        assert re.search(
            rf"\b{name.rpartition('.')[2]}\b", (FOLDER / target).read_text(encoding="utf-8")
        ), f"{name} is not in {target}"
    assert found is not None


def named(name):
    """What a dotted name stands for: a module's attribute, a class's, or the annotation of a
    dataclass's field.
    """
    parts = (
        name.replace("cx", "clipxai", 1).split(".") if name.startswith("cx.") else name.split(".")
    )
    found = import_module(parts[0])
    for part in parts[1:]:
        if part in getattr(found, "__annotations__", {}):
            found = found.__annotations__[part]
        elif hasattr(found, part):
            found = getattr(found, part)
        else:
            found = import_module(f"{found.__name__}.{part}")
    return found


def test_methods_and_fields_in_the_glossary_exist():
    import clipxai as cx

    assert set(re.findall(r'the method `"(\w+)"`', README)) <= set(cx.METHODS)
    fields = re.findall(r"`(\w+)` of \[`([\w.]+)`\]", README)
    assert fields and all(field in named(owner).__annotations__ for field, owner in fields)
