"""`clipxai lessons`: the course, as notebooks of one's own.

A wheel holds the lessons without what their cells gave (`hatch_build.py` packs them); in a checkout
they are those of notebooks/.
"""

import argparse
import json
from pathlib import Path

PACKED = Path(__file__).parent.parent / "lessons"
FIRST = "00_start_here.ipynb"


def run(given: argparse.Namespace) -> int:
    """0; what is there already stays."""
    folder = Path(given.folder)
    new, kept = write(folder)
    for name in kept:
        print(f"kept {folder / name}, which is yours; away from there, it would be written anew")
    there = f"lessons written to {folder}: {len(new)}" if new else f"the lessons are in {folder}"
    print(f"{there}; open them with: clipxai lab {folder / FIRST}")
    return 0


def source() -> Path:
    """The folder they come from."""
    return PACKED if PACKED.is_dir() else Path(__file__).parents[2] / "notebooks"


def write(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the lessons that were written, and of those that were there in other words and stay.

    One that was run is in no other words.

    Raises
    ------
    FileNotFoundError : a package that was made without lessons
    OSError : `folder` cannot be written
    """
    from ..results.writing import replacing

    lessons = sorted(source().glob("*.ipynb"))
    if not lessons:
        raise FileNotFoundError(
            f"this package was made without its lessons (none in {source()}); they are in the "
            "folder notebooks/ of the repository"
        )
    folder.mkdir(parents=True, exist_ok=True)
    new, kept = [], []
    for lesson in lessons:
        text, target = without_outputs(lesson.read_text(encoding="utf-8")), folder / lesson.name
        if not target.exists():
            with replacing(target) as draft:
                draft.write_text(text, encoding="utf-8")
            new.append(lesson.name)
        elif _words(target) != text:
            kept.append(lesson.name)
    return new, kept


def _words(lesson: Path) -> str | None:
    """What it says, whatever its cells gave; None of what is no notebook any more."""
    try:
        return without_outputs(lesson.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def without_outputs(notebook: str) -> str:
    """A notebook's JSON without what its cells gave, and without what running them changes."""
    made = json.loads(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
            for noted in ("execution", "ExecuteTime", "trusted"):
                cell["metadata"].pop(noted, None)
    # of the machine that ran it last
    made["metadata"] = {"kernelspec": {"display_name": "Python 3", "name": "python3"}}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"
