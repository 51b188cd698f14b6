"""`clipxai explain`: heat-maps of texts on an image, or on each of a folder, by one method."""

import argparse
from pathlib import Path

from ..explainers.table import find_method
from .asking import by_windows_or_whole, limit_pixels, loaded, write
from .folder import explain_folder


def run(given: argparse.Namespace) -> int:
    """One image; a folder or a pattern goes to `folder`."""
    if Path(given.image).is_dir() or _is_pattern(given.image):
        return explain_folder(given)
    if given.format:
        raise ValueError("--format is for folders: for one image the suffix of --out decides")
    row = find_method(given.method)
    limit_pixels(given)
    explanation = by_windows_or_whole(given, loaded(given), row)
    write(given, [explanation], given.out or [f"{Path(given.image).stem}-{row.name}.png"])
    return 0


def _is_pattern(image: str) -> bool:
    """A file may have such a sign in its name, too."""
    return any(sign in image for sign in "*?[") and not Path(image).exists()
