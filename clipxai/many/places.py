"""Where do pictures come from? Which are there in a folder, of a pattern, on a list, in tar files,
and how are those that are wanted read?
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .lists import LISTS, is_list, read_list
from .patterns import is_pattern, matching, split_pattern
from .processes import ALONE, Processes
from .reading import Source
from .shards import find_shards, is_shards, members, read_members, root_of, webdataset

# what a map is made from: path, bytes and time of the last change, in nanoseconds, of the file, and
# what tells the texts of its own, if it has some
State = list[str | int]
SUFFIXES = tuple(".jpg .jpeg .png .webp .gif .bmp .tif .tiff .avif .jp2 .ppm .pgm .tga".split())


@dataclass(frozen=True)
class Place:
    """The pictures that a name stands for.

    Attributes
    ----------
    root : the folder that names of pictures are told from
    images : the path of each; of one in a tar file, its place below that
    texts : of a list, by path, what each picture alone is asked about; {} if nothing is
    failed : entries that are no pictures, and why
    shards : the tar file of each picture, where they lie in tar files
    order : the tar files, those too of which this process does not know what is in them
    column, texts_from : which entries of a tar file are the picture, and its texts
    """

    root: Path
    images: list[Path]
    texts: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    failed: list[tuple[Path, Exception]] = field(default_factory=list)
    shards: dict[Path, Path] = field(default_factory=dict)
    order: Sequence[Path] = ()
    column: str | None = None
    texts_from: Sequence[str] = ()

    def share(self, images: Sequence[Path], processes: Processes = ALONE) -> list[Path]:
        """What one of several processes does of `images`: those in its tar files, which no other
        reads, or every so manieth picture.
        """
        if not self.order:
            return list(processes.share(images))
        own = set(processes.share(self.order))
        return [image for image in images if self.shards[image] in own]

    def of_all(self, processes: Processes) -> "Place":
        """The pictures that processes found, each in its own tar files."""
        if not self.order:
            return self
        everyone = processes.gather((self.shards, self.failed))
        shards = {image: shard for found, _ in everyone for image, shard in found.items()}
        place = {shard: number for number, shard in enumerate(self.order)}
        return replace(
            self,
            images=sorted(shards, key=lambda image: place[shards[image]]),
            shards=shards,
            failed=[one for _, failed in everyone for one in failed],
        )

    def state(self, image: Path) -> State:
        """What a map of an image is made from: if any of it changes, the map is another.

        Raises
        ------
        FileNotFoundError : it is not there
        """
        state = self.shards.get(image, image).stat()
        # a link to an image keeps its name: what it points at may be replaced like any photo
        path = image.parent.resolve() / image.name
        own = json.dumps(self.texts[image]).encode() if self.texts else b""
        told = [hashlib.sha256(own).hexdigest()[:16]] if own else []
        return [str(path), state.st_size, state.st_mtime_ns, *told]

    def read(self, images: Sequence[Path]) -> Iterator[Source]:
        """Those images, in order; of tar files as they lie there, each read once."""
        if not self.order:
            yield from (Source(one, one, texts=self.texts.get(one, ())) for one in images)
            return
        of_shards: dict[Path, list[Path]] = {}
        for image in images:
            of_shards.setdefault(self.shards[image], []).append(image)
        for shard, wanted in of_shards.items():
            yield from read_members(shard, wanted, SUFFIXES, self.column, self.texts_from)


def is_place(where: str) -> bool:
    """Whether a name stands for many pictures, not for one.

    Examples
    --------
    >>> is_place("photos/*.jpg"), is_place("photo.jpg")
    (True, False)
    """
    return os.path.isdir(where) or is_list(where) or is_shards(where) or is_pattern(where)


def find_place(
    where: str | Path,
    column: str | None = None,
    texts_from: Sequence[str] = (),
    processes: Processes = ALONE,
) -> Place:
    """What a name stands for.

    Parameters
    ----------
    where : a folder, a pattern such as "photos/**/*.jpg", a list (.txt, .csv, .parquet), or tar
        files such as "shards/{000..009}.tar"
    column : of a list, the column of paths ("path"); of tar files, the kind of entry that is the
        picture ("jpg")
    texts_from : of a list, columns, of tar files, kinds of entries ("txt"), that are texts of one
        picture alone
    processes : those that share the pictures; of tar files only its own are looked into

    Raises
    ------
    FileNotFoundError : no picture there
    ValueError : columns of what has none; a list without such a column, or a damaged one; Parquet
        without pyarrow, tar files without webdataset
    """
    if is_shards(where):
        return _in_shards(where, column, texts_from, processes)
    if is_list(where) and not is_pattern(str(where)):
        texts, failed = read_list(where, column, texts_from)
        own = texts if texts_from else {}
        return Place(Path(where).parent, list(texts), own, failed)
    if column or texts_from:
        raise ValueError(
            f"{where} has no {column or ', '.join(texts_from)}: columns are those of a list "
            f"({', '.join(LISTS)}), or entries of tar files"
        )
    root = Path(where) if os.path.isdir(where) else split_pattern(where)[0]
    return Place(root, pictures(where))


def pictures(where: str | Path) -> list[Path]:
    """Image files of a folder, or of a pattern with `*`, `?` or `**`, by name; hidden files are
    left out.

    Raises
    ------
    FileNotFoundError : no image there
    """
    folder = Path(where)
    if os.path.isdir(folder):
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    else:  # whoever gives a pattern says which files are images
        root, pattern = split_pattern(where)
        found = matching(pattern, root)
    # a set, as `**/**` finds some twice
    found = sorted(
        {path for path in found if os.path.isfile(path) and not path.name.startswith(".")}
    )
    if not found:
        raise FileNotFoundError(
            f"no images in {where}: pass a folder with {', '.join(SUFFIXES)}, a pattern such as "
            "'photos/**/*.jpg', a list (.txt, .csv, .parquet), or 'shards/*.tar'"
        )
    return found


def _in_shards(
    where: str | Path, column: str | None, texts_from: Sequence[str], processes: Processes
) -> Place:
    webdataset()  # before anything is looked at: without it nothing can be read
    shards, failed = dict[Path, Path](), list[tuple[Path, Exception]]()
    order = find_shards(where)
    for shard in processes.share(order):
        try:
            shards.update((image, shard) for image in members(shard, SUFFIXES, column))
        except ValueError as error:
            failed.append((shard, error))
    if processes.count == 1 and not shards and not failed:
        kind = f"called {column}" if column else f"with {', '.join(SUFFIXES)}"
        raise FileNotFoundError(f"no images in {where}: no entry is {kind}")
    return Place(
        root_of(where),
        list(shards),
        failed=failed,
        shards=shards,
        order=order,
        column=column,
        texts_from=texts_from,
    )
