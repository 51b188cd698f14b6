"""`clipxai explain`: heat-maps of texts on an image, or on each of a folder, by one method."""

import argparse
from pathlib import Path

from ..explainers.table import find_method
from ..many.places import is_place
from ..model.picture import image_file
from .asking import by_windows_or_whole, expect_one, limited_pixels, loaded, write
from .folder import explain_folder
from .outputs import expect_apart


def run(given: argparse.Namespace) -> int:
    """One image; a folder or a pattern goes to `folder`."""
    if is_place(given.image):
        return explain_folder(given)
    if given.format:
        raise ValueError("--format is for folders: for one image the suffix of --out decides")
    expect_one(given, "explained")
    row = find_method(given.method)
    outs = given.out or [f"{Path(given.image).stem}-{row.name}.png"]
    image_file(given.image)  # before a model is looked for
    expect_apart(outs, [given.image, given.model])
    with limited_pixels(given):
        write(given, [by_windows_or_whole(given, loaded(given), row)], outs)
    return 0
