"""A folder of images becomes a folder of maps: which files are written, and what is left to do when
a run was interrupted?

A record stands beside the maps, one line of JSON each: first the question that all of them answer,
then every map with the image it was made from. A map is there already if its file is and its image
is still the one on record. `view.save` writes a file complete or not at all, and its line comes
after it; a line that was cut off is none.

Processes share the images (`torchrun --nproc-per-node 2 -m clipxai explain photos/ …`): each keeps
a record of its own, which the first puts into the one when all are done. Those that an interruption
leaves are read by the next run, if they answer the same question.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..results.writing import append, replacing
from .journal import whole_lines
from .places import State
from .processes import ALONE, Processes

RECORD, OTHERS = "clipxai-explain.jsonl", "clipxai-explain.*.jsonl"
LONGEST_NAME = 255  # bytes; of ext4, XFS, APFS and, in another way of counting, NTFS
StateOf = Callable[[Path], State]
Files = Mapping[Path, Sequence[Path]]


def outputs(
    images: Sequence[Path], root: Path, out: Path, method: str, formats: Iterable[str]
) -> dict[Path, list[Path]]:
    """For every image the files made from it, no two the same: `<out>/<image>-<method>.<format>`.

    Folders below `root` are kept, whichever images are found; of an image outside of it, as a list
    may name one, its whole path is. An image that shares its name with another in its folder keeps
    its suffix as well, large and small letters alike: `a.jpg` and `A.png`; so does one whose name
    is another's with suffix: `a.png.jpg` beside `a.png`.
    """
    # casefold: file systems of macOS and Windows take `a.png` and `A.png` for the same
    names = Counter(
        str(name).casefold() for image in images for name in {image, image.with_suffix("")}
    )
    files = {}
    for image in images:
        alone = names[str(image.with_suffix("")).casefold()] == 1
        name = image.stem if alone else image.name
        folder = out / below(image, root).parent
        files[image] = [folder / f"{name}-{method}.{suffix}" for suffix in formats]
    return files


def below(image: Path, root: Path) -> Path:
    """The way to an image from `root`; if it lies elsewhere, its whole path without the first sign.

    Examples
    --------
    >>> below(Path("photos/a/dog.png"), Path("photos")).as_posix()
    'a/dog.png'
    >>> below(Path("/other/dog.png"), Path("/photos")).as_posix()
    'other/dog.png'
    """
    way = Path(os.path.relpath(image, root))
    if ".." not in way.parts:
        return way
    whole = Path(os.path.abspath(image))
    return whole.relative_to(whole.anchor)


def unnamed(files: Files) -> list[Path]:
    """Images whose files would have a longer name than file systems keep."""
    return [
        image
        for image, wanted in files.items()
        if any(len(os.fsencode(file.name)) > LONGEST_NAME for file in wanted)
    ]


def unanswered(
    files: Files, out: Path, question: Mapping[str, object], state: StateOf
) -> list[Path]:
    """Images whose files are still to be written, or were made before the image changed.

    Parameters
    ----------
    files : from `outputs`
    out : folder that is written to
    question : what decides the numbers (JSON): model, texts, method, options
    state : what a map of an image is made from, `Place.state`

    Raises
    ------
    ValueError : the folder answers another question; one of the files is the map of another image
        that is still there; a damaged record
    """
    before, made = _recorded(out)
    if before:
        expect_same_question(out, before, question)
    left = []
    for image, wanted in files.items():
        source = state(image)
        there = [made.get(_name(file, out)) for file in wanted if file.is_file()]
        for other in there:
            if other and other[0] != source[0] and is_there(str(other[0])):
                raise ValueError(
                    f"{out} holds a map of {other[0]} where that of {image} goes: choose another "
                    "folder, or --overwrite it"
                )
        if there != [source] * len(wanted):
            left.append(image)
    return left


def expect_same_question(
    out: Path, before: Mapping[str, object], question: Mapping[str, object]
) -> None:
    """A ValueError unless the question that was answered `before` is the one that is asked."""
    changed = [name for name in {**before, **question} if before.get(name) != question.get(name)]
    if changed:
        was = ", ".join(f"{name}={before.get(name)!r}" for name in changed)
        if changed == ["weights sha256"]:
            was += ", which another --dtype changes too"
        raise ValueError(
            f"{out} holds maps of another question ({was}): choose another folder, or --overwrite "
            "them"
        )


@contextmanager
def recording(
    files: Files,
    images: Sequence[Path],
    out: Path,
    question: Mapping[str, object],
    state: StateOf,
    processes: Processes = ALONE,
) -> Iterator[Callable[[Path], None]]:
    """Remove what is left of former maps of `images`, and record the new ones: `with recording(...)
    as made: ...; made(image)`.

    Call `made` when all files of the image are written. An image that changes meanwhile is
    explained anew by the next run. Of several processes, which agree on `images`, each writes some,
    and goes on when all of them are done.
    """
    sources = {image: state(image) for image in images}
    kept: list[str] = []
    processes.wait()  # all have read the record
    if processes.rank == 0:
        kept = _prepare(files, images, out, question)
    processes.wait()
    own = out / (OTHERS.replace("*", str(processes.rank)) if processes.rank else RECORD)
    with own.open("ab", buffering=0) as lines:
        if processes.rank:
            append(lines, (json.dumps(question) + "\n").encode())

        def made_now(image: Path) -> None:
            said = [json.dumps([_name(file, out), *sources[image]]) for file in files[image]]
            # one unbuffered write for all, so that an interruption cuts off one line at most
            append(lines, "".join(line + "\n" for line in said).encode())

        yield made_now
    processes.wait()
    if processes.rank == 0 and processes.count > 1:
        _, made = _recorded(out)
        names = [_name(file, out) for image in images for file in files[image]]
        _write(out, question, {name: made[name] for name in [*kept, *names] if name in made})


def _prepare(
    files: Files, images: Iterable[Path], out: Path, question: Mapping[str, object]
) -> list[str]:
    """Leave only the maps, and the lines, that still hold: their names."""
    before, made = _recorded(out)
    stale = [file for image in images for file in files[image]]
    taken = next((file for file in stale if file.is_dir() and not file.is_symlink()), None)
    if taken:
        raise ValueError(f"{taken} is a folder, and a map goes there: move it, or choose another")
    for folder in {out, *(file.parent for file in stale)}:
        folder.mkdir(parents=True, exist_ok=True)
    forgotten = {_name(file, out) for file in stale}
    kept = {
        name: source
        for name, source in made.items()
        if before == question and name not in forgotten
    }
    # first of all, so that an interruption leaves no line of a map that is gone or another's
    _write(out, question, kept)
    for file in stale:
        file.unlink(missing_ok=True)
    return list(kept)


def _write(out: Path, question: Mapping[str, object], made: Mapping[str, State]) -> None:
    """One record of all, in the place of those that there are."""
    lines = [question, *([name, *source] for name, source in made.items())]
    with replacing(out / RECORD) as draft:
        draft.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for other in out.glob(OTHERS):
        other.unlink()


def _is_map(said: object) -> bool:
    """A line of a map: its name, and the `State` of its image."""
    kinds = [str, str, int, int]
    return isinstance(said, list) and [*map(type, said)] in (kinds, [*kinds, str])


def is_there(path: str) -> bool:
    """Whether a picture that a map was made from is there still, or its tar file is."""
    return any(os.path.isfile(place) for place in (path, *map(str, Path(path).parents)))


def _name(file: Path, out: Path) -> str:
    return file.relative_to(out).as_posix()


def _recorded(out: Path) -> tuple[dict[str, object], dict[str, State]]:
    """The question that the maps in `out` answer, and name -> image of every map; empty without a
    record.
    """
    if not (out / RECORD).exists():
        return {}, {}
    question, *made = _lines(out / RECORD) or [{}]
    for other in sorted(out.glob(OTHERS)):
        first, *more = _lines(other) or [None]
        if first == question:  # else it was left by a run before the record was written anew
            made += more
    return question, {name: source for name, *source in made}


def _lines(record: Path) -> list:
    return whole_lines(record, lambda said: isinstance(said, dict), _is_map)
