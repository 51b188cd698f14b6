"""What is packed: everything that the tests read, and what a safe reading of files needs."""

import re
from pathlib import Path

from clipxai.model.files.pickled import SAFE_TORCH

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def packed():
    """What a source distribution holds of the top folder."""
    [listed] = re.findall(r"targets\.sdist\]\ninclude = \[(.*?)\]", PROJECT, re.DOTALL)
    return {*re.findall(r'"([^"]+)"', listed), "pyproject.toml"}


def test_what_tests_read_is_packed():
    """Whoever unpacks the source distribution can run its tests."""
    made_by_tests = {"screenshots"}
    sources = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("tests/**/*.py"))
    read = {
        path.name for path in ROOT.iterdir() if re.search(rf'"{re.escape(path.name)}["/]', sources)
    }
    assert {"benchmarks", "docs", "notebooks", "README.md", "CONTRIBUTING.md"} <= read
    assert read - made_by_tests <= packed()
    assert all((ROOT / name).exists() for name in packed()), "packed, and not there"


def test_no_torch_is_installed_that_runs_pickles():
    assert f'"torch>={".".join(map(str, SAFE_TORCH))}"' in PROJECT
