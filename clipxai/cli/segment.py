"""`clipxai segment`: each pixel to the text that fits it best; of an image, or each of a folder."""

import argparse
import os
from functools import partial
from pathlib import Path

from ..explainers.table import find_method
from ..many.places import is_place
from ..model.picture import image_file
from ..results.explanation import Explanation
from ..tasks import Segmentation, refine, segment
from ..view import save
from .asking import by_windows_or_whole, expect_one, limited_pixels, loaded
from .folder import explain_folder
from .outputs import expect_apart


def run(given: argparse.Namespace) -> int:
    """The regions as a figure, as an indexed PNG, or both; and the share of each text."""
    if given.refine and (given.background or given.of != "probability"):
        raise ValueError(
            "--refine makes masks of maps, where all that is in no mask is background: leave out "
            "--background and --of"
        )
    alone = len(given.texts) == 1 and not (given.background or given.refine or given.texts_from)
    if alone and (given.of == "probability" or given.threshold is None):
        raise ValueError(
            f"{given.texts[0]!r} alone wins every pixel: give more texts, or a --background, or "
            "cut its own map with --of map --threshold 0.5"
        )
    # which maps are best differs: refinement cuts each map, else the texts are compared
    given.method = given.method or ("clip_surgery" if given.refine else "clip_surgery_architecture")
    if is_place(given.image):
        return _folder(given)
    expect_one(given, "segmented")
    row = find_method(given.method)
    masks = [given.mask] if given.mask else []
    # a figure only where nothing else was asked for
    outs = given.out or ([] if masks else [f"{Path(given.image).stem}-segmented.png"])
    image_file(given.image)  # before a model is looked for
    expect_apart([*masks, *outs], [given.image, given.model])
    given.texts += given.background
    with limited_pixels(given):
        explanation = by_windows_or_whole(given, loaded(given), row)
    found = _segmented(given, explanation)
    for mask in masks:
        print(found.save_mask(mask))
    for out in outs:
        print(save(found, out))
    for name, share in found.legend.items():
        print(f"  {name!r}: {100 * share:.1f} % of the pixels, value {found.classes.index(name)}")
    for note in found.notes:
        print(f"  note: {note}")
    return 0


def _segmented(given: argparse.Namespace, explanation: Explanation) -> Segmentation:
    if not given.refine:
        return segment(explanation, given.background, given.threshold, of=given.of)
    threshold = 0.5 if given.threshold is None else given.threshold
    return refine(explanation, given.refine, threshold=threshold)


def _folder(given: argparse.Namespace) -> int:
    """An indexed PNG for every image; 0 if all were segmented, 1 if some could not be read."""
    if given.out or not given.mask or Path(given.mask).suffix == ".png":
        raise ValueError(
            "a folder of images needs one folder for the masks, --mask FOLDER, and no --out"
        )
    if given.background and given.texts_from:
        raise ValueError("--background goes with texts that every image is asked about")
    given.out, given.format = [given.mask], ["png"]
    given.texts += given.background

    def write(explanation: Explanation, file: Path) -> None:
        _segmented(given, explanation).save_mask(file)

    rule = {name: getattr(given, name) for name in ("background", "threshold", "of", "refine")}
    if given.refine and os.path.isdir(given.refine):  # other weights are another question
        found = sorted(path for path in Path(given.refine).iterdir() if path.is_file())
        rule["refine files"] = [
            [one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in found
        ]
    return explain_folder(given, write, partial(_segmented, given), segmented=rule)
