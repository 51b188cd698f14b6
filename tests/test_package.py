"""What is packed: everything that the tests read, and what a safe reading of files needs."""

import re
from pathlib import Path

import clipxai
from clipxai.model.files.pickled import SAFE_TORCH

ROOT = Path(__file__).parent.parent
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def packed():
    """What a source distribution holds of the top folder."""
    [listed] = re.findall(r"targets\.sdist\]\ninclude = \[(.*?)\]", PROJECT, re.DOTALL)
    return {*re.findall(r'"([^"]+)"', listed), "pyproject.toml"}


def test_what_tests_read_is_packed():
    """Whoever unpacks the source distribution can run its tests."""
    made_by_tests = {"screenshots", "__pycache__"}
    sources = "".join(file.read_text(encoding="utf-8") for file in ROOT.glob("tests/**/*.py"))
    read = {
        path.name for path in ROOT.iterdir() if re.search(rf'"{re.escape(path.name)}["/]', sources)
    }
    assert {"benchmarks", "docs", "notebooks", "README.md", "CONTRIBUTING.md"} <= read
    assert read - made_by_tests <= packed()
    assert all((ROOT / name).exists() for name in packed()), "packed, and not there"


def test_no_torch_is_installed_that_runs_pickles():
    assert f'"torch>={".".join(map(str, SAFE_TORCH))}"' in PROJECT


def test_conda_asks_for_what_pip_asks_for():
    """The same versions of the same things, by the names they have there."""
    other = {
        "torch": "pytorch",
        "opencv-python-headless": "py-opencv",
        "huggingface-hub": "huggingface_hub",
        "matplotlib": "matplotlib-base",
    }
    [listed] = re.findall(r"^dependencies = \[\n(.*?)^\]", PROJECT, re.DOTALL | re.MULTILINE)
    asked = dict(re.findall(r'"([\w-]+)>=([\d.]+)"', listed))
    recipe = (ROOT / "recipe/recipe.yaml").read_text(encoding="utf-8")
    run = dict(re.findall(r"^    - ([\w-]+) >=([\d.]+)", recipe, re.MULTILINE))
    assert run.pop("python") == re.findall(r'requires-python = ">=([\d.]+)"', PROJECT)[0]
    assert run == {other.get(name, name): version for name, version in asked.items()}
    assert f'version: "{clipxai.__version__}"' in recipe


def test_what_is_supported_is_tested():
    """Classifiers name the Pythons that the workflow runs."""
    workflow = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    [ran] = re.findall(r"python: \[(.*?)\]", workflow)
    named = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
    assert named == re.findall(r"3\.\d+", ran)
