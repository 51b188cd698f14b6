"""Pictures of one's own: a list in CSV or Parquet whose rows name a picture, a mask, and what the
mask is of.

    path,mask,label
    one.jpg,one-dog.png,dog
    one.jpg,one-cat.png,cat

Paths are told from the list's folder. A mask is a PNG with one number a pixel, 0 where the thing is
not. Masks of one label in a picture are put together, as those of two dogs. What no row names in a
picture counts as absent from it, as does a thing whose mask is empty.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..many.lists import table
from ..many.shards import Member
from .annotations import expect_masks, read_classes_png
from .samples import Opened, Sample

COLUMNS = ("path", "mask", "label")
TABLES = (".csv", ".parquet")


def open_list(
    where: Path, classes: Mapping[str, str] | None = None
) -> tuple[dict[str, str], Opened]:
    """The classes of a list, {label: words}, and its pictures, by their paths.

    Parameters
    ----------
    where : a file of one of `TABLES`, with the `COLUMNS`
    classes : {label: words} of what is asked for; other labels are background. By default every
        label, in its own words

    Raises
    ------
    FileNotFoundError : a picture or a mask that is not there
    ValueError : another kind of file; no such columns; a row that leaves one of them empty; no row;
        no label that is asked for; Parquet without pyarrow
    """
    if where.suffix.lower() not in TABLES:
        raise ValueError(
            f"{where} names no masks, without which nothing is measured: give a list in "
            f"{' or '.join(TABLES)} with the columns {', '.join(COLUMNS)}, or a data set's folder"
        )
    masks: dict[str, list[tuple[str, Path]]] = {}
    spelled: dict[Path, str] = {}  # one.jpg and ./one.jpg are one picture
    how = "a bench needs a picture, its mask, and what the mask is of"
    for number, row in enumerate(table(where, COLUMNS, how), 1):
        picture, mask, label = (str(row[name] or "").strip() for name in COLUMNS)
        empty = [name for name in COLUMNS if not str(row[name] or "").strip()]
        if empty:
            raise ValueError(f"row {number} of {where} has no {' and no '.join(empty)}")
        for file in (picture, mask):
            if not (where.parent / file).is_file():
                raise FileNotFoundError(f"row {number} of {where}: no such file: {file}")
        picture = spelled.setdefault((where.parent / picture).resolve(), picture)
        masks.setdefault(picture, []).append((label, where.parent / mask))
    if not masks:
        raise ValueError(f"{where} names no picture")
    words = named(where, (label for each in masks.values() for label, _ in each), classes)
    numbers = {label: number for number, label in enumerate(words)}

    def read(name: str) -> Sample:
        return sample_of(where.parent / name, masks[name], numbers)

    def files(name: str) -> list[Path]:
        return [where, where.parent / name, *(mask for _, mask in masks[name])]

    return words, Opened([*masks], read, files)


def named(where: Path, labels: Iterable[str], classes: Mapping[str, str] | None) -> dict[str, str]:
    """{label: words} of what is asked for: the `classes`, or every label in its own words.

    Raises
    ------
    ValueError : no class is one of the labels of `where`
    """
    there = dict.fromkeys(labels)
    words = dict(classes) if classes else {label: label for label in there}
    if not there.keys() & words.keys():
        raise ValueError(f"none of the classes asked for is a label of {where}: {', '.join(there)}")
    return words


def sample_of(
    picture: Path | Member,
    masks: Sequence[tuple[str, Path | Member]],
    numbers: Mapping[str, int],
) -> Sample:
    """A picture with its masks, each of a label; those without a number are of the background.

    Raises
    ------
    ValueError : a mask that cannot be read, or of another size than the first
    """
    drawn: dict[int, np.ndarray] = {}
    size = None
    for label, file in masks:
        mask = read_classes_png(file) > 0
        if size is not None and mask.shape != size:
            raise ValueError(
                f"the masks of {picture} have {size[0]}x{size[1]} pixels, but {file} has "
                f"{mask.shape[0]}x{mask.shape[1]}"
            )
        size = mask.shape
        expect_masks(len(drawn) + 1, size)
        if label in numbers:
            number = numbers[label]
            drawn[number] = drawn.get(number, False) | mask
    seen = {number: mask for number, mask in sorted(drawn.items()) if mask.any()}
    return Sample(picture, tuple(seen), np.array([*seen.values()], bool).reshape(-1, *size))
