"""`clipxai effects`: what each text's score would be without each head, module, patch or word."""

import argparse
from pathlib import Path

from .. import view
from ..explainers.effects import effects
from ..model.picture import image_file
from ..trace.record import record
from ..trace.trace import Trace
from ..view.viewer import PICTURES, known_suffix
from .asking import limited_pixels, loaded, of_texts
from .outputs import expect_apart

SAVED = (".html", *PICTURES, ".npz", ".csv")


def run(given: argparse.Namespace) -> int:
    """The effects of one image's parts, as a figure, as numbers, or both."""
    source = None if given.by in ("zero", "mean") else given.by
    if given.of == "words" and (source or len(given.texts) > 1):
        raise ValueError(
            "--of words leaves the words of one text out, by zero or mean: give one text, and no "
            "other image"
        )
    outs = given.out or [f"{Path(given.image).stem}-effects.png"]
    image_file(given.image)  # before a model is looked for
    if source:
        _source_file(source)
    for out in outs:
        known_suffix(Path(out), SAVED)
    expect_apart(outs, [given.image, source, given.model])
    with limited_pixels(given):
        model = loaded(given)
        told = dict(mode=given.mode, size=given.size, **of_texts(given))
        trace = record(model, given.image, given.texts, **told)
        by: str | Trace = record(model, source, given.texts, **told) if source else given.by
        found = effects(trace, given.of, by, estimate=given.estimate)
    for out in outs:
        view.save(found, out)
        print(out)
    print(found)
    return 0


def _source_file(source: str) -> None:
    """An image that is there, or what `--by` may be else."""
    try:
        image_file(source)
    except FileNotFoundError as error:
        raise ValueError(f"--by is zero, mean or an image file, but {error}") from error
