"""What do COCO's instances say? Polygons, and runs of pixels for crowds, of the pictures that one
JSON file lists.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from .annotations import LIST_BYTES, expect_masks, inside, reading
from .samples import Opened, Sample

LISTED = "annotations/instances_val2017.json"


def open_coco(root: Path, numbered: Mapping[int, int]) -> Opened:
    """The pictures of `root` with an outline; `numbered` {category: number of the class}.

    Raises
    ------
    ValueError : no photos, or a list that is damaged or names what it must not; it is named
    """
    folders = [root / name for name in ("val2017", "images/val2017")]
    photos = next((folder for folder in folders if folder.is_dir()), None)
    if photos is None:
        raise ValueError(f"{root} has {LISTED}, but no photos in val2017 or images/val2017")
    annotations = root / LISTED
    with reading(annotations):
        pictures, outlines = _listed(annotations, photos)

    def read(name: str) -> Sample:
        photo, size = pictures[name]
        with reading(annotations):
            return _instances(photo, outlines[name], numbered, size)

    return Opened(
        ids=sorted(outlines, key=int),  # pictures without an outline have no truth to measure by
        read=read,
        files=lambda name: (pictures[name][0], annotations),
    )


def _listed(
    annotations: Path, photos: Path
) -> tuple[dict[str, tuple[Path, tuple[int, int]]], dict[str, list[dict]]]:
    """By the number of a picture: its photo and size, and its outlines."""
    if annotations.stat().st_size > LIST_BYTES:
        raise ValueError(f"it has more than {LIST_BYTES:,} bytes")
    told = _kind(json.loads(annotations.read_bytes()), dict, "the list")
    pictures = {}
    for picture in _kind(told["images"], list, "images"):
        _kind(picture, dict, "a picture")
        size = _whole(picture["height"], "height", 1), _whole(picture["width"], "width", 1)
        if size[0] * size[1] > (Image.MAX_IMAGE_PIXELS or math.inf):
            raise ValueError(f"a picture of {size[0]}x{size[1]} pixels is beyond Pillow's guard")
        photo = inside(photos, picture["file_name"])
        pictures[str(_whole(picture["id"], "id"))] = photo, size
    outlines: dict[str, list[dict]] = {}
    for outline in _kind(told["annotations"], list, "annotations"):
        _kind(outline, dict, "an annotation")
        _kind(outline["segmentation"], (list, dict), "segmentation")
        _whole(outline["category_id"], "category_id")
        _whole(outline["iscrowd"], "iscrowd")
        of = str(_whole(outline["image_id"], "image_id"))
        if of not in pictures:
            raise ValueError(f"an annotation is of picture {of}, which is not listed")
        outlines.setdefault(of, []).append(outline)
    return pictures, outlines


def _kind(given: object, kind: type | tuple[type, ...], name: str) -> object:
    if not isinstance(given, kind):
        raise ValueError(f"{name} is {str(given)[:60]!r}, a {type(given).__name__}")
    return given


def _whole(given: object, name: str, least: int = 0) -> int:
    # type(), since Python counts True as a whole number
    if type(given) is not int or given < least:
        raise ValueError(f"{name}={str(given)[:60]!r}, but a whole number from {least} is expected")
    return given


def _instances(
    photo: Path, outlines: list[dict], numbered: Mapping[int, int], size: tuple[int, int]
) -> Sample:
    """Outlines drawn class by class; crowds, which are outlined roughly, are ignored."""
    drawn: dict[int, np.ndarray] = {}
    expect_masks(len({outline["category_id"] for outline in outlines}), size)
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
        masks=np.array([*seen.values()], dtype=bool).reshape(-1, *size),
        ignore=ignore,
    )


def _drawn(segmentation: list | dict, size: tuple[int, int]) -> np.ndarray:
    """COCO's polygons (x, y, x, y …), or for crowds runs of pixels down the columns, as a mask (H,
    W) bool.

    OpenCV draws the outline itself as inside, so objects can be a pixel larger than pycocotools
    draws them.
    """
    if isinstance(segmentation, dict):
        return _runs(segmentation["counts"], size)
    mask = np.zeros(size, np.uint8)
    for polygon in segmentation:
        # coordinates are continuous and pixel n spans n…n+1, so the floor is the pixel
        cv2.fillPoly(mask, [np.floor(_points(polygon, size)).astype(np.int32)], 1)
    return mask.astype(bool)


def _runs(counts: object, size: tuple[int, int]) -> np.ndarray:
    """Runs outside and inside in turn; that they fill the picture is seen before they are drawn."""
    _kind(counts, list, "counts")  # the compressed form is a text
    total = sum(_whole(count, "a run") for count in counts)
    if total != size[0] * size[1]:
        raise ValueError(f"runs of {total:,} pixels, but the picture is {size[0]}x{size[1]}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(size[::-1]).T


def _points(polygon: object, size: tuple[int, int]) -> np.ndarray:
    """(n, 2) x and y. Far outside of the picture nobody draws, and OpenCV takes minutes for it."""
    numbers = isinstance(polygon, list) and all(type(c) in (int, float) for c in polygon)
    if not numbers or len(polygon) % 2 or not polygon:
        raise ValueError(f"a polygon is {str(polygon)[:60]!r}, but x, y, x, y … are expected")
    points, side = np.array(polygon, float).reshape(-1, 2), max(size)
    # "not within" instead of "outside", so that NaN is refused as well
    if not ((points >= -side) & (points <= 2 * side)).all():
        raise ValueError(
            f"a polygon reaches {points.min():g}…{points.max():g}, but the picture is "
            f"{size[0]}x{size[1]}"
        )
    return points
