"""Pack the lessons into the wheel, without what their cells gave: `clipxai lessons` writes them."""

import importlib.util
import tempfile
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Lessons(BuildHookInterface):
    """Found by hatchling through pyproject.toml."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Called before a wheel is built; one that only points to a checkout needs no lessons."""
        if version == "editable":
            return
        root = Path(self.root)
        where = root / "clipxai/cli/lessons.py"
        spec = importlib.util.spec_from_file_location("lessons", where)
        lessons = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(lessons)
        self.made = tempfile.TemporaryDirectory()
        for notebook in sorted((root / "notebooks").glob("*.ipynb")):
            packed = Path(self.made.name) / notebook.name
            text = lessons.without_outputs(notebook.read_text(encoding="utf-8"))
            packed.write_text(text, encoding="utf-8")
            build_data["force_include"][str(packed)] = f"clipxai/lessons/{notebook.name}"

    def finalize(self, version: str, build_data: dict, artifact_path: str) -> None:
        """Called when the wheel is there."""
        if version != "editable":
            self.made.cleanup()
