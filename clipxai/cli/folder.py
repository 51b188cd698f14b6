"""`clipxai explain FOLDER`, `clipxai segment FOLDER`: every image of a folder, pattern, list or of
tar files; an interrupted run goes on where it stopped.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from .. import view
from ..checks import shown, visible
from ..explainers.table import find_method
from ..many import folders, parts
from ..many.batches import explain_sources
from ..many.places import Place, find_place
from ..many.processes import Processes, joined
from ..many.reading import Broken, Source
from ..many.telling import duration, filesize, telling
from ..model.clip import CLIP
from ..results.explanation import Explanation
from ..results.writing import alone
from .asking import limited_pixels, loaded, of_texts, options_of
from .outputs import expect_apart
from .parser import FORMATS

Write = Callable[[Explanation, Path], object]


def explain_folder(
    given: argparse.Namespace,
    write: Write | None = None,
    check: Callable[[Explanation], object] = lambda explanation: None,
    **rule: object,
) -> int:
    """0 if every image was explained, 1 if some could not be read. Of several processes that
    torchrun started, each explains its share, and the first speaks for all; as for any other
    `--batch`, the last digit of a score may be another.

    `write` makes a file of an explanation, else `view.save`; what else decides the file is its
    `rule`, which `check` tries on the first explanation.
    """
    out = _folder_for_maps(given)
    with (
        limited_pixels(given),
        joined() as processes,
        # the first for all; a trial makes no folder
        alone(out) if processes.rank == 0 and not given.dry_run else nullcontext(),
    ):
        place = _place(given, out, processes)
        model = loaded(given)
        asked = _asked(given)
        kind = parts.KINDS.get(given.format[0]) if given.format else None
        kept = Table(place, out, kind) if kind else Files(given, place, out, write or view.save)
        question = {
            "texts": given.texts,
            **asked,
            "model": model.provenance,
            "weights sha256": model.weights_sha256(),
            **_said(given),
            **rule,
        }
        return _explain_each(given, model, asked, question, kept, processes, check)


class Files:
    """Files of every image, as `folders` keeps them."""

    def __init__(self, given: argparse.Namespace, place: Place, out: Path, write: Write) -> None:
        formats = dict.fromkeys(given.format or ["png"])  # each once, in the order given
        self.files = folders.outputs(place.images, place.root, out, given.method, formats)
        made = (file for files in self.files.values() for file in files)
        expect_apart(made, place.images, found=True)
        unnamed = folders.unnamed(self.files)
        for image in unnamed:
            del self.files[image]
        too_long = [
            (image, ValueError(f"the name of {image} is too long for that of its map"))
            for image in unnamed
        ]
        self.place = replace(place, images=list(self.files), failed=[*place.failed, *too_long])
        self.out, self.write = out, write

    def unanswered(self, question: Mapping[str, object]) -> list[Path]:
        """Images whose files are still to be written."""
        return folders.unanswered(self.files, self.out, question, self.place.state)

    @contextmanager
    def recording(
        self, left: list[Path], question: Mapping[str, object], processes: Processes
    ) -> Iterator[Callable[[Path, Explanation], None]]:
        """`with kept.recording(...) as keep: ...; keep(image, explanation)`."""
        with folders.recording(
            self.files, left, self.out, question, self.place.state, processes
        ) as made:

            def keep(image: Path, explanation: Explanation) -> None:
                for file in self.files[image]:
                    self.write(explanation, file)
                made(image)

            yield keep

    def bytes_of(self, count: int, few: list[Explanation], folder: Path) -> float:
        """How large the files of so many images get, as few of them tell, tried in a folder."""
        suffixes = [file.suffix for file in next(iter(self.files.values()))]
        for number, explanation in enumerate(few):
            for suffix in suffixes:
                self.write(explanation, folder / f"{number}{suffix}")
        return sum(file.stat().st_size for file in folder.iterdir()) / len(few) * count


class Table:
    """One table of all images, as `parts` keeps it."""

    def __init__(self, place: Place, out: Path, kind: ModuleType) -> None:
        self.place, self.out, self.kind = place, out, kind

    def unanswered(self, question: Mapping[str, object]) -> list[Path]:
        """Images that have no row yet."""
        return parts.unanswered(self.place, self.out, self.kind, question)

    def recording(
        self, left: list[Path], question: Mapping[str, object], processes: Processes
    ) -> AbstractContextManager[Callable[[Path, Explanation], None]]:
        """As that of `Files`."""
        return parts.recording(self.place, left, self.out, self.kind, question, processes)

    def bytes_of(self, count: int, few: list[Explanation], folder: Path) -> float:
        """As that of `Files`."""
        return parts.bytes_of(count, few, folder, self.kind)


def _explain_each(
    given: argparse.Namespace,
    model: CLIP,
    asked: dict[str, object],
    question: dict[str, object],
    kept: Files | Table,
    processes: Processes,
    check: Callable[[Explanation], object],
) -> int:
    place, first = kept.place, processes.rank == 0
    left = place.images if given.overwrite else kept.unanswered(question)
    own = place.share(left, processes)
    if given.dry_run:
        return _try(given, model, asked, kept, left, own, processes) if first else 0
    failed = place.failed if first else []
    again = "the same command without --overwrite" if given.overwrite else "the same command"
    with telling("explaining", len(own) + len(failed), "image", first, again) as told:

        def leave_out(image: object, error: Exception) -> None:
            told.left_out(visible(str(error)))

        for image, error in failed:
            leave_out(image, error)
        # before anything is removed or begun: wrong texts end here, and a wrong rule
        explained = _explained(given, model, asked, place.read(own), leave_out)
        begun = list(islice(explained, 1))
        for _, explanation in begun:
            check(explanation)
        explained = chain(begun, explained)
        with kept.recording(left, question, processes) as keep:
            for image, explanation in explained:
                keep(image, explanation)
                told.done()
    broken = sum(processes.gather(told.failures))
    if not first:
        return 0
    there, done = len(place.images) - len(left), len(left) + len(failed) - broken
    print(f"{kept.out}: {done} explained, {there} were there already, {broken} could not be read")
    return 1 if broken else 0


def _explained(
    given: argparse.Namespace,
    model: CLIP,
    asked: dict[str, object],
    sources: Iterator[Source],
    broken: Broken,
) -> Iterator[tuple[object, Explanation]]:
    texts = None if given.texts_from else given.texts
    said = {**asked, **of_texts(given), "batch": _batch(given), "broken": broken}
    return explain_sources(model, sources, texts, **said)


def _batch(given: argparse.Namespace) -> int:
    return 8 if given.batch is None else given.batch


def _try(
    given: argparse.Namespace,
    model: CLIP,
    asked: dict[str, object],
    kept: Files | Table,
    left: list[Path],
    own: list[Path],
    processes: Processes,
) -> int:
    """Say what would be done, from a first batch that is explained twice, as the first time loads
    what the others find loaded; what it writes goes.
    """
    place, broken = kept.place, dict[object, Exception]()
    print(
        f"{kept.out}: {len(left)} to explain, {len(place.images) - len(left)} were there already, "
        f"{len(place.failed)} could not be read"
    )
    few = own[: _batch(given)]
    for _ in range(2):
        with TemporaryDirectory() as scratch:
            began = time.perf_counter()
            sources = place.read(few)
            found = list(_explained(given, model, asked, sources, broken.__setitem__))
            made = [explanation for _, explanation in found]
            size = kept.bytes_of(len(left), made, Path(scratch)) if made else 0
            seconds = (time.perf_counter() - began) / max(1, len(few))
    for error in broken.values():
        print(f"clipxai: would be left out: {visible(str(error))}", file=sys.stderr)
    if found:
        by = f" by {processes.count} processes" if processes.count > 1 else ""
        print(
            f"a first batch of {len(few)}: {1 / seconds:.3g} images a second, so about "
            f"{duration(seconds * len(own))}{by}; about {filesize(size)}"
        )
    print("nothing was written")
    return 0


def _asked(given: argparse.Namespace) -> dict[str, object]:
    """The method, and what it is told."""
    [options] = options_of(given, [find_method(given.method)])
    return {"method": given.method, "mode": given.mode, "size": given.size, **options}


def _said(given: argparse.Namespace) -> dict[str, object]:
    """What else decides the texts, where it was said."""
    said = {"templates": given.templates, "texts from": given.texts_from}
    return {name: value for name, value in said.items() if value}


def _folder_for_maps(given: argparse.Namespace) -> Path:
    if given.window is not None or given.stride is not None:
        raise ValueError("--window and --stride explain one image at a time, not a folder")
    if given.texts and given.texts_from:
        raise ValueError(
            f"texts for every image ({shown(given.texts)}) and --texts-from, by which each has its "
            "own, do not go together: leave one out"
        )
    if not (given.texts or given.texts_from):
        raise ValueError(
            "say texts that every image is asked about, or --texts-from where each has its own"
        )
    for name in {*parts.KINDS} & {*(given.format or [])}:
        if given.format != [name]:
            raise ValueError(f"--format {name} is one table of all images, without other files")
    outs = given.out or []
    if len(outs) != 1 or Path(outs[0]).suffix[1:] in (*FORMATS, *parts.KINDS):
        raise ValueError(
            "a folder of images needs one folder for the maps, --out FOLDER; --format says what is "
            "written there"
        )
    return Path(outs[0])


def _place(given: argparse.Namespace, out: Path, processes: Processes) -> Place:
    """The images, without the maps of former runs; those on a list that are not there are told."""
    place = find_place(given.image, given.column, given.texts_from, processes).of_all(processes)
    there = out.resolve()
    images = [image for image in place.images if there not in image.resolve().parents]
    if place.images and not images:
        raise ValueError(
            f"all images of {given.image} lie in {out}, where the maps go: choose another --out"
        )
    lost = [image for image in images if not os.path.isfile(place.shards.get(image, image))]
    told = [(image, FileNotFoundError(f"no such image file: {image}")) for image in lost]
    gone = set(lost)
    images = [image for image in images if image not in gone]
    return replace(place, images=images, failed=[*place.failed, *told])
