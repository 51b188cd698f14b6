"""Pictures with true masks: Emoji World, and the public data sets in the folders people have them
in.

dataset("emoji-world")                  # held-out scenes of a fixed seed, exact masks
dataset("/data/VOCdevkit/VOC2012")      # recognised by its folders; see LAYOUTS

Which classes are asked for, and in which words, stands in a text file (`value: words` a line; "#"
begins a comment); the packaged ones in `clipxai/data/` can be copied, changed and passed as
`classes`. Class names are part of every score, so results keep them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..scenes import class_names, noun, sample
from .emoji_world import PROMPT

VOID = 255  # pixels without a truth in the indexed PNGs of VOC and COCO-Stuff
EMOJI_WORLD_SCENES = 1000
PHOTO_PROMPT = "a photo of a {}."
IMAGENET_S_CLASSES = (50, 300, 919)


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture and what is where in it.

    Attributes
    ----------
    image : path, or (H, W, 3) uint8
    labels : numbers of the classes that are present; None where the picture has a foreground
        without a name (ImageNet-Segmentation)
    masks : (len(labels), H, W) bool, or (1, H, W) without a name
    ignore : (H, W) bool, pixels without a truth, or None
    """

    image: Path | np.ndarray
    labels: tuple[int, ...] | None
    masks: np.ndarray
    ignore: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures by id, read when they are asked for.

    Attributes
    ----------
    name : such as "voc2012"
    classes : words of every class, as they go into the prompt
    prompt : with {} where the words go
    ids : in a fixed order
    read : id -> Sample
    root : where it lies on disk; None if it is made in memory
    files : id -> files that `read` reads, and the class list if it is not the packaged one
    """

    name: str
    classes: tuple[str, ...]
    prompt: str
    ids: tuple[str, ...]
    read: Callable[[str], Sample]
    root: Path | None = None
    files: Callable[[str], Sequence[Path]] = lambda name: ()

    @property
    def prompts(self) -> list[str]:
        """One text per class."""
        return [self.prompt.format(words) for words in self.classes]


def dataset(
    data: str | Path, layout: str | None = None, classes: str | Path | None = None
) -> Dataset:
    """Open a data set.

    Parameters
    ----------
    data : "emoji-world", or where a data set lies
    layout : a name in `LAYOUTS`, where a folder holds several
    classes : text file of classes instead of the packaged one

    Raises
    ------
    FileNotFoundError, ValueError : nothing there; not the folders of any data set, or of several; a
        class file that cannot be read
    """
    if str(data) == "emoji-world":
        if classes is not None:
            raise ValueError("Emoji World knows its own classes: leave out --classes")
        return Dataset(
            "emoji-world",
            tuple(map(noun, class_names())),
            PROMPT,
            tuple(map(str, range(EMOJI_WORLD_SCENES))),
            _scene,
        )
    root = Path(data)
    if not root.exists():
        raise FileNotFoundError(
            f"no such data: {data} (give 'emoji-world' or the folder of {', '.join(LAYOUTS)})"
        )
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; choose one of {', '.join(LAYOUTS)}")
    fitting = [name for name in ([layout] if layout else LAYOUTS) if LAYOUTS[name].fits(root)]
    if len(fitting) > 1:
        raise ValueError(f"{root} holds {' and '.join(fitting)}: say which with --layout")
    if not fitting:
        expected = "; ".join(
            f"{name}: {' + '.join(LAYOUTS[name].needs)}"
            for name in ([layout] if layout else LAYOUTS)
        )
        raise ValueError(
            f"{root} does not have the files of any known data set; expected {expected}"
        )
    chosen = LAYOUTS[fitting[0]]
    named = read_classes(classes or files("clipxai.data") / f"{chosen.classes}.txt")
    ids, read, files_of = chosen.open(root, tuple(named))
    if not ids:
        raise ValueError(
            f"{root} has the folders of {fitting[0]}, but no picture with an annotation in them"
        )
    told = (Path(classes),) if classes else ()
    return Dataset(
        fitting[0],
        tuple(named.values()),
        PHOTO_PROMPT,
        tuple(ids),
        read,
        root.resolve(),
        lambda name: (*files_of(name), *told),
    )


def read_classes(file: object) -> dict[str, str]:
    """{value in the annotation: words} of a text file with one `value: words` a line."""
    file = Path(file) if isinstance(file, str) else file
    if not file.is_file():
        raise FileNotFoundError(f"no such class list: {file}")
    named = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#")[0].strip()
        value, colon, words = line.partition(":")
        if line and not (colon and words.strip()):
            raise ValueError(
                f"{file}, line {number}: expected `value: words`, such as `12: dog`, not {line!r}"
            )
        if line:
            named[value.strip()] = words.strip()
    if not named:
        raise ValueError(f"{file} names no class; expected lines such as `12: dog`")
    return named


Opened = tuple[list[str], Callable[[str], Sample], Callable[[str], Sequence[Path]]]


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk.

    Attributes
    ----------
    needs : paths it is recognised by
    classes : packaged class list
    open : (root, values of the classes) -> ids, their reader, and the files it reads
    """

    needs: tuple[str, ...]
    classes: str
    open: Callable[[Path, tuple[str, ...]], Opened]

    def fits(self, root: Path) -> bool:
        """Whether everything needed is there."""
        return all((root / path).exists() for path in self.needs) or (
            root.is_file() and root.name in self.needs
        )


def _scene(seed: str) -> Sample:
    scene = sample(int(seed))
    # others are wholly hidden behind an object
    seen = [n for n, mask in enumerate(scene.masks) if mask.any()]
    return Sample(
        scene.image, tuple(class_names().index(scene.objects[n]) for n in seen), scene.masks[seen]
    )


def _by_value(image: Path, annotation: np.ndarray, values: Mapping[int, int], void: int) -> Sample:
    """A picture whose annotation (H, W) holds a class value in every pixel; `values` {value: number
    of the class}.
    """
    present = [value for value in np.unique(annotation).tolist() if value in values]
    masks = np.array([annotation == value for value in present]).reshape(-1, *annotation.shape)
    return Sample(image, tuple(values[value] for value in present), masks, annotation == void)


def _numbered(values: tuple[str, ...]) -> dict[int, int]:
    if not all(value.isdigit() for value in values):
        raise ValueError(
            "the classes of this data set are numbers, not "
            f"{next(v for v in values if not v.isdigit())!r}"
        )
    return {int(value): number for number, value in enumerate(values)}


def _pngs(images: Path, annotations: Path, ids: list[str], values: tuple[str, ...]) -> Opened:
    """Photos as .jpg and annotations as indexed .png of the same name (read with Pillow: cv2 would
    turn indices into colours).
    """
    numbered = _numbered(values)

    def files_of(name: str) -> tuple[Path, Path]:
        return images / f"{name}.jpg", annotations / f"{name}.png"

    def read(name: str) -> Sample:
        image, annotation = files_of(name)
        return _by_value(image, np.array(Image.open(annotation)), numbered, VOID)

    return ids, read, files_of


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
    """Polygons of instances, drawn class by class; crowds, which are outlined roughly, are ignored.

    cv2 draws the outline itself as inside, so objects can be a pixel larger than pycocotools draws
    them.
    """
    numbered = _numbered(values)
    photos = next(
        (root / name for name in ("val2017", "images/val2017") if (root / name).is_dir()), None
    )
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
        drawn: dict[int, np.ndarray] = {}
        ignore = np.zeros(size, bool)
        for outline in outlines[name]:
            mask = _drawn(outline["segmentation"], size)
            if outline["iscrowd"]:
                ignore |= mask
            elif outline["category_id"] in numbered:
                number = numbered[outline["category_id"]]
                drawn[number] = drawn.get(number, False) | mask
        seen = {
            number: mask & ~ignore
            for number, mask in sorted(drawn.items())
            if (mask & ~ignore).any()
        }
        return Sample(
            photos / picture["file_name"],
            tuple(seen),
            np.array([*seen.values()]).reshape(-1, *size),
            ignore,
        )

    return (
        sorted(outlines, key=int),
        read,
        lambda name: (photos / pictures[name]["file_name"], annotations),
    )


def _drawn(segmentation: list | dict, size: tuple[int, int]) -> np.ndarray:
    """COCO's polygons (x, y, x, y …), or for crowds runs of pixels down the columns, as a mask (H,
    W) bool.
    """
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size[::-1]).T
    mask = np.zeros(size, np.uint8)
    for polygon in segmentation:
        cv2.fillPoly(mask, [np.floor(np.reshape(polygon, (-1, 2))).astype(np.int32)], 1)
    return mask.astype(bool)


def _imagenet_s(root: Path, values: tuple[str, ...]) -> Opened:
    """One folder per synset; a pixel's class is R + 256 G: the place of its synset in order, from
    1; 0 is other, 1000 ignored.
    """
    synsets = sorted(
        folder.name for folder in (root / "validation-segmentation").iterdir() if folder.is_dir()
    )
    if len(synsets) not in IMAGENET_S_CLASSES:
        raise ValueError(
            f"{root} has {len(synsets)} folders in validation-segmentation, but ImageNet-S has 50, "
            "300 or 919: a class's number is its "
            "place among all of them, so none may be missing"
        )
    numbered = {
        synsets.index(value) + 1: number for number, value in enumerate(values) if value in synsets
    }
    ids = sorted(
        f"{file.parent.name}/{file.stem}"
        for file in (root / "validation-segmentation").glob("*/*.png")
    )

    def files_of(name: str) -> tuple[Path, Path]:
        return root / f"validation/{name}.JPEG", root / f"validation-segmentation/{name}.png"

    def read(name: str) -> Sample:
        image, annotation = files_of(name)
        red, green, _ = np.moveaxis(
            np.array(Image.open(annotation).convert("RGB")).astype(int), -1, 0
        )
        return _by_value(image, red + 256 * green, numbered, void=1000)

    return ids, read, files_of


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

    @cache
    def opened() -> h5py.File:
        return h5py.File(path, "r")

    def read(name: str) -> Sample:
        file, at = opened(), int(name)
        image = np.array(file[file["value/img"][at, 0]]).transpose(2, 1, 0)
        mask = np.array(file[file[file["value/gt"][at, 0]][0, 0]]).T
        side = (224, 224)  # the protocol squashes pictures and masks to this
        return Sample(
            np.ascontiguousarray(image),
            None,
            cv2.resize(mask, side, interpolation=cv2.INTER_NEAREST_EXACT)[None] > 0,
        )

    return [str(number) for number in range(len(opened()["value/img"]))], read, lambda name: (path,)


GTSEGS = "gtsegs_ijcv.mat"
LAYOUTS = {
    "voc2012": Layout(
        ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation/val.txt"), "voc2012", _voc
    ),
    "pascal-context": Layout(
        ("JPEGImages", "SegmentationClassContext", "ImageSets/SegmentationContext/val.txt"),
        "pascal-context",
        _pascal_context,
    ),
    "coco2017": Layout(("annotations/instances_val2017.json",), "coco", _coco),
    "coco-stuff": Layout(("images/val2017", "annotations/val2017"), "coco-stuff", _coco_stuff),
    "imagenet-s": Layout(("validation", "validation-segmentation"), "imagenet", _imagenet_s),
    "imagenet-segmentation": Layout((GTSEGS,), "imagenet", _imagenet_segmentation),
}
