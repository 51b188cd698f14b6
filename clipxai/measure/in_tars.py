"""Pictures of one's own in tar files, as WebDataset lays them out: beside each picture its masks,
named by what they are of.

    000.tar    one.jpg  one.dog.png  one.traffic light.png  two.jpg  two.cat.png

A mask is a PNG with one number a pixel, 0 where the thing is not. What no mask beside a picture
names counts as absent from it, as does a thing whose mask is empty. Entries that are no pictures
say nothing here.

Which there are, and where they lie, is read from the headers, by every process those of all tar
files; pictures and masks are read from there, in any order, a tar file by one process only.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import NamedTuple

from ..many.folders import below
from ..many.places import SUFFIXES
from ..many.processes import Processes
from ..many.shards import Member, files_of, find_shards, root_of, taken_apart
from .listed import named, sample_of
from .samples import Opened, Sample

LAYOUT = "beside one.jpg a mask for each thing in it, one.dog.png, 0 where the thing is not"


class Lies(NamedTuple):
    """Where a file lies in a tar file, and what it is called there."""

    shard: Path
    name: str
    start: int
    size: int

    def read(self) -> Member:
        """Its bytes."""
        with self.shard.open("rb") as file:
            file.seek(self.start)
            member = Member(file.read(self.size))
        member.name = f"{self.shard}/{self.name}"
        return member


class Masked(NamedTuple):
    """A picture, and label -> mask."""

    picture: Lies
    masks: dict[str, Lies]


def open_tars(
    where: Path, classes: Mapping[str, str] | None = None
) -> tuple[dict[str, str], Opened]:
    """The classes of tar files, {label: words}, and their pictures, by their place below the folder
    of the tar files: `000.tar/one.jpg`.

    Parameters
    ----------
    where : a tar file, or a pattern such as "shards/{000..009}.tar"
    classes : as for `open_list`

    Raises
    ------
    FileNotFoundError : no such tar file
    ValueError : a damaged tar file; a picture without a mask, or a mask without a picture; two
        files of one name; no picture; no label that is asked for
    """
    root, order = root_of(where), find_shards(where)
    found = {
        (below(one.picture.shard, root) / one.picture.name).as_posix(): one
        for shard in order
        for one in _masked(shard)
    }
    if not found:
        raise ValueError(f"{where} holds no picture: a bench needs {LAYOUT}")
    words = named(where, (label for one in found.values() for label in one.masks), classes)
    numbers = {label: number for number, label in enumerate(words)}

    def read(name: str) -> Sample:
        masks = [(label, mask.read()) for label, mask in found[name].masks.items()]
        return sample_of(found[name].picture.read(), masks, numbers)

    def files(name: str) -> list[Path]:
        return [found[name].picture.shard]

    def share(names: Sequence[str], processes: Processes) -> list[str]:
        own = set(processes.share(order))
        return [name for name in names if found[name].picture.shard in own]

    return words, Opened([*found], read, files, share)


def _masked(shard: Path) -> Iterator[Masked]:
    """The pictures of a tar file, by its headers."""
    pictures: dict[str, Lies] = {}
    masks: dict[str, dict[str, Lies]] = {}
    for member in files_of(shard, links=True):
        # "./one.jpg" is one.jpg
        key, kind = taken_apart(normpath(member.name))
        label, dot, suffix = kind.rpartition(".")
        if f".{suffix.lower()}" not in SUFFIXES:
            continue
        if dot and (suffix.lower() != "png" or not label.strip()):
            raise ValueError(f"{member.name} in {shard} is no mask: a bench needs {LAYOUT}")
        if not member.isreg() or member.issparse():
            raise ValueError(
                f"{member.name} in {shard} is a link, or kept in pieces: write it with "
                "--dereference --hard-dereference, and without --sparse"
            )
        of_key = masks.setdefault(key, {}) if dot else pictures
        name = label.strip() if dot else key
        if name in of_key:
            raise ValueError(
                f"{shard} holds {of_key[name].name} and {member.name}, but a bench needs {LAYOUT}"
            )
        of_key[name] = Lies(shard, member.name, member.offset_data, member.size)
    for key in {**pictures, **masks}:
        if key not in masks:
            raise ValueError(f"{pictures[key].name} in {shard} has no mask: a bench needs {LAYOUT}")
        if key not in pictures:
            [name, *_] = (mask.name for mask in masks[key].values())
            raise ValueError(f"{name} in {shard} has no picture: a bench needs {LAYOUT}")
        yield Masked(pictures[key], masks[key])
