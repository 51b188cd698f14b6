"""`clipxai contrast`: why this text and not that one, as one signed map of an image."""

import argparse
from pathlib import Path

from .. import view
from ..explainers.differences import contrast
from ..explainers.table import find_method
from ..model.picture import image_file
from ..trace.record import record
from .asking import limited_pixels, loaded, of_texts, options_of
from .outputs import expect_apart


def run(given: argparse.Namespace) -> int:
    """One image and two texts."""
    if len(given.texts) != 2:
        raise ValueError(f"a contrast is between two texts, but {len(given.texts)} were given")
    row = find_method(given.method)
    outs = given.out or [f"{Path(given.image).stem}-contrast.png"]
    image_file(given.image)  # before a model is looked for
    expect_apart(outs, [given.image, given.model])
    [options] = options_of(given, [row])
    with limited_pixels(given):
        trace = record(
            loaded(given),
            given.image,
            given.texts,
            mode=given.mode,
            size=given.size,
            **of_texts(given),
        )
        found = contrast(trace, 0, 1, row.name, **options)
    for out in outs:
        view.save(found, out)
        print(out)
    one, other = given.texts
    print(f"  cosine with {one!r} minus cosine with {other!r}: {found.presence[0]:+.3f}")
    for note in found.notes:
        print(f"  note: {note}")
    return 0
