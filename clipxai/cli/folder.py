"""`clipxai explain FOLDER`, `clipxai segment FOLDER`: every image of a folder or pattern; an
interrupted run goes on where it stopped.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

from tqdm import tqdm

from .. import view
from ..checks import visible
from ..explainers.table import find_method
from ..many import folders
from ..many.batches import explain_each, pictures
from ..many.processes import Processes, joined
from ..results.explanation import Explanation
from ..results.writing import alone
from .asking import limited_pixels, loaded, of_texts, options_of
from .outputs import expect_apart
from .parser import FORMATS


def explain_folder(
    given: argparse.Namespace,
    write: Callable[[Explanation, Path], object] | None = None,
    **rule: object,
) -> int:
    """0 if every image was explained, 1 if some could not be read. Of several processes that
    torchrun started, each explains its share, and the first speaks for all; as for any other
    `--batch`, the last digit of a score may be another.

    `write` makes a file of an explanation, else `view.save`; what else decides the file is its
    `rule`.
    """
    out = _folder_for_maps(given)
    with (
        limited_pixels(given),
        joined() as processes,
        alone(out) if processes.rank == 0 else nullcontext(),  # the first for all
    ):
        return _explain_each(given, out, write or view.save, rule, processes)


def _explain_each(
    given: argparse.Namespace,
    out: Path,
    write: Callable[[Explanation, Path], object],
    rule: Mapping[str, object],
    processes: Processes,
) -> int:
    [options] = options_of(given, [find_method(given.method)])
    images = _images(given.image, out)
    model = loaded(given)
    formats = dict.fromkeys(given.format or ["png"])  # each once, in the order given
    files = folders.outputs(images, given.image, out, given.method, formats)
    expect_apart((file for made in files.values() for file in made), images, found=True)
    asked = {"method": given.method, "mode": given.mode, "size": given.size, **options}
    question = {
        "texts": given.texts,
        **asked,
        "model": model.provenance,
        "weights sha256": model.weights_sha256(),
        **{name: value for name, value in {"templates": given.templates}.items() if value},
        **rule,
    }
    unnamed = folders.unnamed(files)
    for image in unnamed:
        del files[image]
    left = list(files) if given.overwrite else folders.unanswered(files, out, question)
    first = processes.rank == 0
    own, unnamed = processes.share(left), unnamed if first else []
    broken: list[object] = []
    with tqdm(
        total=len(own) + len(unnamed),
        desc="explaining",
        unit="image",
        disable=None if first else True,
    ) as bar:

        def leave_out(image: object, error: Exception) -> None:
            broken.append(image)
            bar.write(f"clipxai: left out: {visible(str(error))}", file=sys.stderr)
            bar.update()

        for image in unnamed:
            leave_out(image, ValueError(f"the name of {image} is too long for that of its map"))
        # before anything is removed: wrong texts end here
        explained = explain_each(
            model,
            own,
            given.texts,
            **asked,
            **of_texts(given),
            batch=8 if given.batch is None else given.batch,
            broken=leave_out,
        )
        with folders.recording(files, left, out, question, processes) as made:
            for image, explanation in explained:
                for file in files[image]:
                    write(explanation, file)
                made(image)
                bar.update()
    failed = sum(processes.gather(len(broken)))
    if not first:
        return 0
    there, done = len(files) - len(left), len(left) + len(unnamed) - failed
    print(f"{out}: {done} explained, {there} were there already, {failed} could not be read")
    return 1 if failed else 0


def _folder_for_maps(given: argparse.Namespace) -> Path:
    if given.window is not None or given.stride is not None:
        raise ValueError("--window and --stride explain one image at a time, not a folder")
    outs = given.out or []
    if len(outs) != 1 or Path(outs[0]).suffix[1:] in FORMATS:
        raise ValueError(
            "a folder of images needs one folder for the maps, --out FOLDER; --format says what is "
            "written there"
        )
    return Path(outs[0])


def _images(where: str, out: Path) -> list[Path]:
    """The images, without the maps of former runs."""
    there = out.resolve()
    images = [image for image in pictures(where) if there not in image.resolve().parents]
    if not images:
        raise ValueError(
            f"all images of {where} lie in {out}, where the maps go: choose another --out"
        )
    return images
