"""What does ImageNet-Segmentation's one file say? It is MATLAB 7.3, which is HDF5: cells of
pictures and cells of masks, both with their axes reversed.

HDF5 is read by a large library in C (through h5py), of which flaws become known every year. A file
from a stranger reaches it: take this one from where it was published. What can be asked is asked:
that its cells lie in this file and not in others, and that they are of the size of pictures.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from .annotations import reading
from .samples import Opened, Sample

if TYPE_CHECKING:
    import h5py

GTSEGS = "gtsegs_ijcv.mat"
SIDE = (224, 224)  # the protocol squashes pictures and masks to this
MOST_VALUES = 1 << 28  # of one picture: Pillow's guard, in three colours


def open_imagenet_segmentation(root: Path) -> Opened:
    """The pictures of the file, or of the one in a folder.

    Raises
    ------
    ValueError : h5py is not installed; the file is another, or damaged, or leads out of itself
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise ValueError(
            "gtsegs_ijcv.mat is an HDF5 file: pip install 'clipxai[bench]' to read it"
        ) from None
    path = root if root.is_file() else root / GTSEGS

    # once, not for every picture
    @cache
    def opened() -> h5py.File:
        return h5py.File(path, "r")

    def read(name: str) -> Sample:
        with reading(path):
            file, at = opened(), int(name)
            image = _values(file, _cells(file, "img")[at, 0]).transpose(2, 1, 0)
            inner = _dataset(file, _cells(file, "gt")[at, 0])
            mask = _values(file, inner[0, 0]).T
            if mask.shape != image.shape[:2]:
                raise ValueError(
                    f"picture {name} is {image.shape[0]}x{image.shape[1]}, but its mask "
                    f"{mask.shape[0]}x{mask.shape[1]}"
                )
            squashed = cv2.resize(mask, SIDE, interpolation=cv2.INTER_NEAREST_EXACT)
        return Sample(np.ascontiguousarray(image), labels=None, masks=squashed[None] > 0)

    with reading(path):
        ids = [str(number) for number in range(len(_cells(opened(), "img")))]
    return Opened(ids, read, files=lambda name: (path,))


def _cells(file: "h5py.File", name: str) -> "h5py.Dataset":
    """The references of `value/<name>`."""
    import h5py

    for at in ("value", f"value/{name}"):
        if not isinstance(file.get(at, getlink=True), h5py.HardLink):
            raise ValueError(f"{at} is missing, or lies in another file")
    return _expect_here(file[f"value/{name}"])


def _dataset(file: "h5py.File", reference: object) -> "h5py.Dataset":
    return _expect_here(file[reference])


def _expect_here(found: object) -> "h5py.Dataset":
    """HDF5 can keep the numbers of a data set in any file there is."""
    import h5py

    if not isinstance(found, h5py.Dataset):
        raise ValueError(f"a cell is a {type(found).__name__}, not a data set")
    if found.is_virtual or found.external:
        raise ValueError("a cell lies in another file")
    if found.size is None or found.size > MOST_VALUES:
        raise ValueError(f"a cell is said to hold {found.size} values")
    return found


def _values(file: "h5py.File", reference: object) -> np.ndarray:
    """The numbers of a picture or a mask."""
    found = _dataset(file, reference)
    if found.dtype not in (np.uint8, np.bool_) or found.ndim not in (2, 3):
        raise ValueError(f"a picture or mask is {found.dtype} {found.shape}, not bytes")
    return np.array(found)
