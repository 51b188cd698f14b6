"""What is asked of the annotations of a data set before they are believed: a file of somebody else
names files, sizes and places.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
from PIL import Image

from ..checks import visible
from ..many.shards import Member
from ..results.writing import remember_input

# truth values of all masks of one picture: the largest of ImageNet with fifty classes
MOST_MASKS = 1 << 30
LIST_BYTES = 1 << 30  # of a list of annotations; COCO's of all its training pictures has half of it

LONGEST_NAME = 240  # bytes, a suffix not counted


@contextmanager
def reading(file: Path | Member) -> Iterator[None]:
    """Whatever a damaged annotation makes fail within is one ValueError that names its file."""
    try:
        yield
    except FileNotFoundError:
        raise FileNotFoundError(f"no such annotation file: {visible(str(file))}") from None
    except Exception as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        reason = visible(what.split("\n")[0])[:200] or type(error).__name__
        raise ValueError(f"{file} cannot be read as annotations: {reason}") from error


def inside(folder: Path, name: object) -> Path:
    """A file within a folder; a name that leads out of it is a ValueError."""
    for path in (
        PurePosixPath,
        PureWindowsPath,
    ):  # both, so that no system reads what others refuse
        parts = path(name) if isinstance(name, str) and "\0" not in name else path("/")
        if parts.is_absolute() or parts.drive or parts.root or ".." in parts.parts:
            raise ValueError(f"{str(name)[:60]!r} is no name of a file within {folder}")
        if any(len(os.fsencode(part)) > LONGEST_NAME for part in parts.parts):
            raise ValueError(f"{str(name)[:60]!r}… is too long for the name of a file")
    return folder / str(name)


def read_png(file: Path | Member) -> Image.Image:
    """The PNG of an annotation.

    Raises
    ------
    ValueError : no PNG, a damaged one, or one of more pixels than Pillow's guard; with its name
    FileNotFoundError : it is not there
    """
    remember_input(file)
    with reading(file), warnings.catch_warnings():
        # Pillow only warns of up to twice its limit
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=("PNG",)) as image:
            image.load()
            return image


def read_classes_png(file: Path | Member) -> np.ndarray:
    """(H, W) of an indexed PNG: a number for every pixel."""
    values = np.array(read_png(file))
    if values.ndim != 2:
        raise ValueError(
            f"{file} cannot be read as annotations: it has {values.shape[2]} colours a pixel, but "
            "one number, an index, is expected"
        )
    return values


def expect_masks(count: int, size: tuple[int, int]) -> None:
    """A ValueError if so many masks of a picture are too much."""
    if count * size[0] * size[1] > MOST_MASKS:
        raise ValueError(
            f"{count} masks of {size[0]}x{size[1]} pixels are more than {MOST_MASKS:,} values"
        )
