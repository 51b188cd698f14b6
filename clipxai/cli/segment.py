"""`clipxai segment`: each pixel to the text that fits it best."""

import argparse
from pathlib import Path

from ..explainers.table import find_method
from ..tasks import segment
from ..view import save
from .asking import by_windows_or_whole, limit_pixels, loaded


def run(given: argparse.Namespace) -> int:
    """The regions as a figure, as an indexed PNG, or both; and the share of each text."""
    limit_pixels(given)
    row = find_method(given.method)
    model = loaded(given)
    given.texts += given.background
    explanation = by_windows_or_whole(given, model, row)
    found = segment(explanation, given.background, given.threshold, of=given.of)
    if given.mask:
        print(found.save_mask(given.mask))
    # a figure only where nothing else was asked for
    usual = [] if given.mask else [f"{Path(given.image).stem}-segmented.png"]
    for out in given.out or usual:
        print(save(found, out))
    for name, share in found.legend.items():
        print(f"  {name!r}: {100 * share:.1f} % of the pixels, value {found.classes.index(name)}")
    return 0
