"""A folder of images becomes a folder of maps: which files are written, and what is left to do when a run was interrupted?

`view.save` writes a file complete or not at all, so what is there is done. Which question the files answer stands beside them, so that maps
of other texts or of another method are never taken for this run's.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .view import replacing

QUESTION = "clipxai-explain.json"


def outputs(images: Sequence[Path], out: Path, method: str, formats: Iterable[str]) -> dict[Path, list[Path]]:
    """For every image the files made from it: `<out>/<image>-<method>.<format>`.

    Folders below the one that holds all images are kept; images of one name, `a.jpg` and `a.png`, keep their suffix as well.
    """
    root = os.path.commonpath([image.parent for image in images]) if images else ""
    names = Counter(image.with_suffix("") for image in images)
    files = {}
    for image in images:
        name = image.stem if names[image.with_suffix("")] == 1 else image.name
        folder = out / os.path.relpath(image.parent, root)
        files[image] = [folder / f"{name}-{method}.{suffix}" for suffix in formats]
    return files


def unanswered(files: Mapping[Path, Sequence[Path]], out: Path, question: Mapping[str, object]) -> list[Path]:
    """Images whose files are still to be written.

    Parameters
    ----------
    files : from `outputs`
    out : folder that is written to
    question : what decides the numbers (JSON): model, texts, method, options

    Raises
    ------
    ValueError : the folder answers another question
    """
    asked = out / QUESTION
    if asked.exists():
        before = json.loads(asked.read_text(encoding="utf-8"))
        changed = [name for name in {**before, **question} if before.get(name) != question.get(name)]
        if changed:
            was = ", ".join(f"{name}={before.get(name)!r}" for name in changed)
            raise ValueError(f"{out} holds maps of another question ({was}): choose another folder, or --overwrite them")
    return [image for image, some in files.items() if not all(file.exists() for file in some)]


def begin(files: Mapping[Path, Sequence[Path]], out: Path, question: Mapping[str, object], anew: bool) -> None:
    """Make the folders and leave the question in `out` for the next run; `anew` removes the files that are there."""
    for folder in {out, *(file.parent for some in files.values() for file in some)}:
        folder.mkdir(parents=True, exist_ok=True)
    if anew:
        for some in files.values():
            for file in some:
                file.unlink(missing_ok=True)
    with replacing(out / QUESTION) as draft:
        draft.write_text(json.dumps(question, indent=1, ensure_ascii=False), encoding="utf-8")
