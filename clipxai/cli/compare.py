"""`clipxai compare`: the same image by several methods, side by side."""

import argparse
from pathlib import Path

from ..explainers.table import find_method
from ..model.picture import image_file
from .asking import by_methods, limited_pixels, loaded, write
from .outputs import expect_apart


def run(given: argparse.Namespace) -> int:
    """One picture or page of all methods."""
    names = [name.strip() for name in given.methods.split(",") if name.strip()]
    made_by = names[0] if len(names) == 1 else "compared"
    outs = given.out or [f"{Path(given.image).stem}-{made_by}.png"]
    for out in outs:
        if Path(out).suffix == ".npz" and len(names) > 1:
            raise ValueError(
                f"{out}: an .npz holds one explanation; save one method at a time with `clipxai "
                "explain`"
            )
    rows = [find_method(name) for name in names]
    image_file(given.image)  # before a model is looked for
    expect_apart(outs, [given.image, given.model])
    with limited_pixels(given):
        write(given, by_methods(given, loaded(given), rows), outs)
    return 0
