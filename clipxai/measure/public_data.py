"""How do the public data sets lie on disk, and what do their annotations say? One row of `LAYOUTS`
each.

A reader turns a picture's annotation into a `Sample`: which classes of a list are there, and where.
Annotations are read with Pillow: OpenCV would turn the indices of a PNG into colours.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from .samples import Sample

VOID = 255  # pixels without a truth in the indexed PNGs of VOC and COCO-Stuff
IMAGENET_S_CLASSES = (50, 300, 919)
IMAGENET_S_IGNORED = 1000
GTSEGS = "gtsegs_ijcv.mat"


class Opened(NamedTuple):
    """The pictures of a folder: their ids, how one is read, and which files are read for it."""

    ids: list[str]
    read: Callable[[str], Sample]
    files: Callable[[str], Sequence[Path]]


@dataclass(frozen=True)
class FolderLayout:
    """How a data set lies on disk.

    Attributes
    ----------
    needs : paths it is recognised by
    classes : packaged class list
    open : (root, values of the classes) -> its pictures
    """

    needs: tuple[str, ...]
    classes: str
    open: Callable[[Path, tuple[str, ...]], Opened]

    def fits(self, root: Path) -> bool:
        """Whether everything needed is there."""
        return all((root / path).exists() for path in self.needs) or (
            root.is_file() and root.name in self.needs
        )


def _by_value(image: Path, annotation: np.ndarray, values: Mapping[int, int], void: int) -> Sample:
    """A picture whose annotation (H, W) holds a class value in every pixel; `values` {value: number
    of the class}.
    """
    present = [value for value in np.unique(annotation).tolist() if value in values]
    masks = np.array([annotation == value for value in present])
    return Sample(
        image,
        labels=tuple(values[value] for value in present),
        masks=masks.reshape(-1, *annotation.shape),  # (0, H, W) where no class is present
        ignore=annotation == void,
    )


def _numbered(values: tuple[str, ...]) -> dict[int, int]:
    odd = next((value for value in values if not value.isdigit()), None)
    if odd is not None:
        raise ValueError(f"the classes of this data set are numbers, not {odd!r}")
    return {int(value): number for number, value in enumerate(values)}


def _pngs(images: Path, annotations: Path, ids: list[str], values: tuple[str, ...]) -> Opened:
    """Photos as .jpg and annotations as indexed .png of the same name."""
    numbered = _numbered(values)

    def files_of(name: str) -> tuple[Path, Path]:
        return images / f"{name}.jpg", annotations / f"{name}.png"

    def read(name: str) -> Sample:
        image, annotation = files_of(name)
        return _by_value(image, np.array(Image.open(annotation)), numbered, VOID)

    return Opened(ids, read, files_of)


def _voc(root: Path, values: tuple[str, ...]) -> Opened:
    ids = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    return _pngs(root / "JPEGImages", root / "SegmentationClass", ids, values)


def _pascal_context(root: Path, values: tuple[str, ...]) -> Opened:
    ids = (root / "ImageSets/SegmentationContext/val.txt").read_text().split()
    return _pngs(root / "JPEGImages", root / "SegmentationClassContext", ids, values)


def _coco_stuff(root: Path, values: tuple[str, ...]) -> Opened:
    annotations = root / "annotations/val2017"
    # others are mmsegmentation's renumbered copies
    ids = sorted(file.stem for file in annotations.glob("*.png") if file.stem.isdigit())
    return _pngs(root / "images/val2017", annotations, ids, values)


def _coco(root: Path, values: tuple[str, ...]) -> Opened:
    """Polygons of instances, drawn class by class; crowds, which are outlined roughly, are
    ignored.
    """
    numbered = _numbered(values)
    folders = [root / name for name in ("val2017", "images/val2017")]
    photos = next((folder for folder in folders if folder.is_dir()), None)
    if photos is None:
        raise ValueError(
            f"{root} has annotations/instances_val2017.json, but no photos in val2017 or "
            "images/val2017"
        )
    annotations = root / "annotations/instances_val2017.json"
    told = json.loads(annotations.read_text(encoding="utf-8"))
    pictures = {str(picture["id"]): picture for picture in told["images"]}
    outlines: dict[str, list] = {}
    for outline in told["annotations"]:
        outlines.setdefault(str(outline["image_id"]), []).append(outline)

    def read(name: str) -> Sample:
        picture = pictures[name]
        size = picture["height"], picture["width"]
        return _instances(photos / picture["file_name"], outlines[name], numbered, size)

    return Opened(
        ids=sorted(outlines, key=int),  # pictures without an outline have no truth to measure by
        read=read,
        files=lambda name: (photos / pictures[name]["file_name"], annotations),
    )


def _instances(
    photo: Path, outlines: list[dict], numbered: Mapping[int, int], size: tuple[int, int]
) -> Sample:
    drawn: dict[int, np.ndarray] = {}
    ignore = np.zeros(size, bool)
    for outline in outlines:
        mask = _drawn(outline["segmentation"], size)
        if outline["iscrowd"]:
            ignore |= mask
        elif outline["category_id"] in numbered:
            number = numbered[outline["category_id"]]
            drawn[number] = drawn.get(number, False) | mask
    counted = {number: mask & ~ignore for number, mask in sorted(drawn.items())}
    seen = {number: mask for number, mask in counted.items() if mask.any()}
    return Sample(
        photo,
        labels=tuple(seen),
        masks=np.array([*seen.values()]).reshape(-1, *size),
        ignore=ignore,
    )


def _drawn(segmentation: list | dict, size: tuple[int, int]) -> np.ndarray:
    """COCO's polygons (x, y, x, y …), or for crowds runs of pixels down the columns, as a mask (H,
    W) bool.

    OpenCV draws the outline itself as inside, so objects can be a pixel larger than pycocotools
    draws them.
    """
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size[::-1]).T
    mask = np.zeros(size, np.uint8)
    for polygon in segmentation:
        # coordinates are continuous and pixel n spans n…n+1, so the floor is the pixel
        cv2.fillPoly(mask, [np.floor(np.reshape(polygon, (-1, 2))).astype(np.int32)], 1)
    return mask.astype(bool)


def _imagenet_s(root: Path, values: tuple[str, ...]) -> Opened:
    """One folder per synset; a pixel's class is R + 256 G: the place of its synset in order, from
    1; 0 is other, 1000 ignored.
    """
    truths = root / "validation-segmentation"
    synsets = sorted(folder.name for folder in truths.iterdir() if folder.is_dir())
    if len(synsets) not in IMAGENET_S_CLASSES:
        raise ValueError(
            f"{root} has {len(synsets)} folders in validation-segmentation, but ImageNet-S has 50, "
            "300 or 919: a class's number is its place among all of them, so none may be missing"
        )
    numbered = {
        synsets.index(value) + 1: number for number, value in enumerate(values) if value in synsets
    }

    def files_of(name: str) -> tuple[Path, Path]:
        return root / f"validation/{name}.JPEG", truths / f"{name}.png"

    def read(name: str) -> Sample:
        image, annotation = files_of(name)
        red, green, _ = np.moveaxis(np.array(Image.open(annotation).convert("RGB")), -1, 0)
        # as whole numbers: eight bits could not hold the sum
        classes = red.astype(int) + 256 * green.astype(int)
        return _by_value(image, classes, numbered, void=IMAGENET_S_IGNORED)

    ids = sorted(f"{file.parent.name}/{file.stem}" for file in truths.glob("*/*.png"))
    return Opened(ids, read, files_of)


def _imagenet_segmentation(root: Path, values: tuple[str, ...]) -> Opened:
    """One MATLAB 7.3 file, which is HDF5: cells of pictures and of cells of masks, both with their
    axes reversed.
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
        file, at = opened(), int(name)
        image = np.array(file[file["value/img"][at, 0]]).transpose(2, 1, 0)
        mask = np.array(file[file[file["value/gt"][at, 0]][0, 0]]).T
        side = (224, 224)  # the protocol squashes pictures and masks to this
        squashed = cv2.resize(mask, side, interpolation=cv2.INTER_NEAREST_EXACT)
        return Sample(np.ascontiguousarray(image), labels=None, masks=squashed[None] > 0)

    ids = [str(number) for number in range(len(opened()["value/img"]))]
    return Opened(ids, read, files=lambda name: (path,))


LAYOUTS = {
    "voc2012": FolderLayout(
        needs=("JPEGImages", "SegmentationClass", "ImageSets/Segmentation/val.txt"),
        classes="voc2012",
        open=_voc,
    ),
    "pascal-context": FolderLayout(
        needs=("JPEGImages", "SegmentationClassContext", "ImageSets/SegmentationContext/val.txt"),
        classes="pascal-context",
        open=_pascal_context,
    ),
    "coco2017": FolderLayout(
        needs=("annotations/instances_val2017.json",),
        classes="coco",
        open=_coco,
    ),
    "coco-stuff": FolderLayout(
        needs=("images/val2017", "annotations/val2017"),
        classes="coco-stuff",
        open=_coco_stuff,
    ),
    "imagenet-s": FolderLayout(
        needs=("validation", "validation-segmentation"),
        classes="imagenet",
        open=_imagenet_s,
    ),
    "imagenet-segmentation": FolderLayout(
        needs=(GTSEGS,),
        classes="imagenet",
        open=_imagenet_segmentation,
    ),
}
