"""How do the public data sets lie on disk, and what do their annotations say? One row of `LAYOUTS`
each.

A reader turns a picture's annotation into a `Sample`: which classes of a list are there, and where.
Annotations are read with Pillow: OpenCV would turn the indices of a PNG into colours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .annotations import expect_masks, inside, read_classes_png, read_png, reading
from .coco import LISTED, open_coco
from .imagenet_segmentation import GTSEGS, open_imagenet_segmentation
from .samples import Opened, Sample

VOID = 255  # pixels without a truth in the indexed PNGs of VOC and COCO-Stuff
IMAGENET_S_CLASSES = (50, 300, 919)
IMAGENET_S_IGNORED = 1000


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
    expect_masks(len(present), annotation.shape)
    masks = np.array([annotation == value for value in present], dtype=bool)
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
    for name in ids:  # all of them now, not in the middle of a run
        inside(images, f"{name}.jpg")

    def files_of(name: str) -> tuple[Path, Path]:
        return inside(images, f"{name}.jpg"), inside(annotations, f"{name}.png")

    def read(name: str) -> Sample:
        image, annotation = files_of(name)
        values = read_classes_png(annotation)
        with reading(annotation):
            return _by_value(image, values, numbered, VOID)

    return Opened(ids, read, files_of)


def _ids(file: Path) -> list[str]:
    with reading(file):
        return file.read_text(encoding="utf-8").split()


def _voc(root: Path, values: tuple[str, ...]) -> Opened:
    ids = _ids(root / "ImageSets/Segmentation/val.txt")
    return _pngs(root / "JPEGImages", root / "SegmentationClass", ids, values)


def _pascal_context(root: Path, values: tuple[str, ...]) -> Opened:
    ids = _ids(root / "ImageSets/SegmentationContext/val.txt")
    return _pngs(root / "JPEGImages", root / "SegmentationClassContext", ids, values)


def _coco_stuff(root: Path, values: tuple[str, ...]) -> Opened:
    annotations = root / "annotations/val2017"
    # others are mmsegmentation's renumbered copies
    ids = sorted(file.stem for file in annotations.glob("*.png") if file.stem.isdigit())
    return _pngs(root / "images/val2017", annotations, ids, values)


def _coco(root: Path, values: tuple[str, ...]) -> Opened:
    return open_coco(root, _numbered(values))


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
        red, green, _ = np.moveaxis(np.array(read_png(annotation).convert("RGB")), -1, 0)
        # as whole numbers: eight bits could not hold the sum
        classes = red.astype(np.int32) + 256 * green.astype(np.int32)
        with reading(annotation):
            return _by_value(image, classes, numbered, void=IMAGENET_S_IGNORED)

    ids = sorted(f"{file.parent.name}/{file.stem}" for file in truths.glob("*/*.png"))
    return Opened(ids, read, files_of)


def _imagenet_segmentation(root: Path, values: tuple[str, ...]) -> Opened:
    return open_imagenet_segmentation(root)


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
        needs=(LISTED,),
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
