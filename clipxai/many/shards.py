"""What is in tar files as WebDataset lays them out: `000.tar` holds `dog.jpg` and, if it has a text
of its own, `dog.txt` beside it?

A picture is known by its place below its shard, `shards/000.tar/dog.jpg`. Which there are is read
from the headers alone; the pictures are read by the `webdataset` package, a shard from its
beginning to its end, and only those that are asked for.
"""

import os
import re
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import product
from pathlib import Path, PurePosixPath
from types import ModuleType

from ..checks import shown
from .patterns import is_pattern, matching, split_pattern
from .reading import FAILURES, Source, own_texts

BRACES = re.compile(r"\{([^{}]*)\}")
SIGNS = re.compile(r"[*?\[{]")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
MOST_SHARDS = 1_000_000


def is_shards(where: str | Path) -> bool:
    """Whether a name is that of a tar file, or a pattern of them.

    Examples
    --------
    >>> is_shards("shards/{000..009}.tar"), is_shards("photos/*.jpg")
    (True, False)
    """
    return Path(where).suffix.lower() == ".tar"


def find_shards(where: str | Path) -> list[Path]:
    """The tar files of a pattern, with `*`, `?` or "{000..009}", or one tar file, each once.

    Raises
    ------
    FileNotFoundError : no such file, or none of that pattern
    """
    found: list[Path] = []
    for name in _without_braces(str(where)):
        if is_pattern(name):
            root, pattern = split_pattern(name)
            found += sorted(path for path in matching(pattern, root) if path.is_file())
        elif Path(name).is_file():
            found.append(Path(name))
        else:
            raise FileNotFoundError(f"no such tar file: {name}")
    if not found:
        raise FileNotFoundError(f"no tar files in {where}")
    return list(dict.fromkeys(found))


def root_of(where: str | Path) -> Path:
    """The folder before the first sign of a pattern of tar files.

    Examples
    --------
    >>> root_of("shards/{000..009}.tar").name
    'shards'
    """
    return Path(os.path.dirname(SIGNS.split(str(where))[0]))


def members(shard: Path, suffixes: Sequence[str], column: str | None = None) -> Iterator[Path]:
    """The pictures of a shard, by its headers; of its entries, the one called `column` ("jpg"), or
    that with a picture's suffix.

    Raises
    ------
    ValueError : as `files_of`; at the end, of pictures whose names lead out of the shard
    """
    outside: list[str] = []
    for member in files_of(shard, outside=outside):
        if named := _picture(member.name, suffixes, column):
            yield shard / named
    lost = [name for name in outside if _picture(name, suffixes, column)]
    if lost:
        raise ValueError(
            f"{shard} has {len(lost)} pictures whose names lead out of it, such as "
            f"{shown(lost[0])}: they are not read"
        )


def files_of(
    shard: Path, links: bool = False, outside: list[str] | None = None
) -> Iterator[tarfile.TarInfo]:
    """The headers of the files of a shard, and of `links` to files; names that lead out of the
    shard are none, and put into `outside`.

    Raises
    ------
    ValueError : a damaged file, after what comes before the damage
    """
    try:
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                archive.members = []  # or it keeps them all
                if not (member.isreg() or links and (member.islnk() or member.issym())):
                    continue
                # else it might be taken for a file outside, and its map be written there
                if member.name.startswith("/") or ".." in PurePosixPath(member.name).parts:
                    if outside is not None:
                        outside.append(member.name)
                    continue
                yield member
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ValueError(f"{shard} is no tar file, or a damaged one: {error}") from error


def read_members(
    shard: Path,
    wanted: Iterable[Path],
    suffixes: Sequence[str],
    column: str | None = None,
    texts_from: Sequence[str] = (),
) -> Iterator[Source]:
    """The wanted pictures of a shard, which is read up to the last of them; those that are not
    found whole are errors at its end.

    Raises
    ------
    ValueError : `webdataset` is not installed
    """
    tars = webdataset().tariterators
    left, told = dict.fromkeys(wanted), list[Exception]()

    def go_on(error: Exception) -> bool:
        told.append(error)
        return True

    with shard.open("rb") as stream:
        files = tars.tar_file_expander([{"url": str(shard), "stream": stream}], handler=go_on)
        for sample in tars.group_by_keys(files, handler=go_on):
            if not left:
                return
            for entry in [entry for entry in sample if not entry.startswith("__")]:
                named = _picture(f"{sample['__key__']}.{entry}", suffixes, column)
                if named and shard / named in left:
                    del left[shard / named]
                    yield _member(shard / named, sample[entry], sample, texts_from)
    # without the open file that webdataset adds to it
    reason = f" ({str(told[0]).split(' @ ')[0]})" if told else ""
    for path in left:
        yield Source(path, ValueError(f"{path} cannot be read: its shard is damaged{reason}"))


class Member(BytesIO):
    """The bytes of a file in a shard, with the name that its errors say."""

    name = ""

    def __str__(self) -> str:
        return self.name

    __repr__ = __str__  # what Pillow says


def webdataset() -> ModuleType:
    """The package; a ValueError that says how to install it."""
    try:
        import webdataset.tariterators
    except ModuleNotFoundError as error:
        raise ValueError(
            "tar shards are read by the webdataset package: pip install 'clipxai[data]'"
        ) from error
    return webdataset


def _member(path: Path, data: bytes, sample: dict, texts_from: Sequence[str]) -> Source:
    image = Member(data)
    image.name = str(path)
    beside = {name: value for name, value in sample.items() if not name.startswith("__")}
    try:
        return Source(path, image, texts=own_texts(beside, texts_from))
    except FAILURES as error:
        return Source(path, ValueError(f"{path}: {error}"))


def taken_apart(name: str) -> tuple[str, str]:
    """The key and the kind of an entry, as `webdataset` takes its name apart: at the first dot
    behind the folder; "" of what has no such dot.

    Examples
    --------
    >>> taken_apart("a.b/one.dog.png")
    ('a.b/one', 'dog.png')
    """
    folder, _, last = name.rpartition("/")
    key, dot, kind = last.partition(".")
    if not (key and dot):
        return "", ""
    return (f"{folder}/{key}" if folder else key), kind


def _picture(name: str, suffixes: Sequence[str], column: str | None) -> str | None:
    """How a picture is called, if this is the name of one: its key, and its kind in small
    letters.
    """
    key, kind = taken_apart(name)
    kind = kind.lower()
    fits = kind == column.lower() if column else f".{kind}" in suffixes
    return f"{key}.{kind}" if key and fits else None


def _without_braces(where: str) -> Iterator[str]:
    """Every name that "{000..009}" and "{a,b}" stand for; a name with braces of its own is one."""
    if Path(where).exists() or not BRACES.search(where):
        yield where
        return
    choices = [_choices(inside, where) for inside in BRACES.findall(where)]
    parts = BRACES.split(where)[::2]
    for chosen in product(*choices):
        yield parts[0] + "".join(one + part for one, part in zip(chosen, parts[1:]))


def _choices(inside: str, where: str) -> list[str]:
    if not (numbers := RANGE.fullmatch(inside)):
        return inside.split(",")
    first, last = numbers.groups()
    if not 0 <= int(last) - int(first) < MOST_SHARDS:
        raise ValueError(f"{{{inside}}} in {where} is no range of shards, from the lower number up")
    return [f"{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]
