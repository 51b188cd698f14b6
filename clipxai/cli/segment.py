"""`clipxai segment`: each pixel to the text that fits it best."""

import argparse
from pathlib import Path

from ..explainers.table import find_method
from ..model.picture import image_file
from ..tasks import segment
from ..view import save
from .asking import by_windows_or_whole, limited_pixels, loaded
from .outputs import expect_apart


def run(given: argparse.Namespace) -> int:
    """The regions as a figure, as an indexed PNG, or both; and the share of each text."""
    row = find_method(given.method)
    masks = [given.mask] if given.mask else []
    # a figure only where nothing else was asked for
    outs = given.out or ([] if masks else [f"{Path(given.image).stem}-segmented.png"])
    image_file(given.image)  # before a model is looked for
    expect_apart([*masks, *outs], [given.image, given.model])
    given.texts += given.background
    with limited_pixels(given):
        explanation = by_windows_or_whole(given, loaded(given), row)
    found = segment(explanation, given.background, given.threshold, of=given.of)
    for mask in masks:
        print(found.save_mask(mask))
    for out in outs:
        print(save(found, out))
    for name, share in found.legend.items():
        print(f"  {name!r}: {100 * share:.1f} % of the pixels, value {found.classes.index(name)}")
    return 0
