"""Every notebook runs top to bottom, is short, and asks one question first."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def test_there_is_a_door():
    assert (FOLDER / "00_start_here.ipynb") in NOTEBOOKS


def test_short_and_with_a_question(notebook):
    assert len(notebook.cells) <= 20
    assert notebook.cells[0].cell_type == "markdown" and "?" in notebook.cells[0].source
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    imported = set(re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE))
    assert "clipxai" in imported and imported <= {"clipxai", "numpy", "matplotlib"}, "a lesson needs nothing but the package"


@pytest.mark.filterwarnings("ignore")
def test_runs_top_to_bottom(notebook):
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert sum("text/html" in output.get("data", {}) for output in outputs) >= 1, "the figures are there"
