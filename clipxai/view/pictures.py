"""How does an image travel into a page, with the grid of its patches?"""

import base64
from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np

from ..results.explanation import Grid
from .palette import DIM, OPACITY
from .payload import Arrays, Header, Step

# longer side in pixels; larger than this as PNG is sent as JPEG
PHOTO_SIDE, PHOTO_BYTES = 640, 90_000
SMALL_PHOTO_SIDE = 256
MASK_SIDE = 224  # pixels of the longer side of a mask


def picture_header(
    image: np.ndarray, *grids: Grid, alpha: float = OPACITY, most_bytes: int = PHOTO_BYTES
) -> Header:
    """The photo as a data URL, its patch grids, and how maps lie over it (opacity `alpha`)."""
    return {
        "photo": encode_photo(image, most_bytes=most_bytes),
        "grids": [grid_header(grid, image) for grid in grids],
        "alpha": alpha,
        "dim": DIM,
    }


def grid_header(grid: Grid, image: np.ndarray) -> Header:
    """A patch grid on an image, by the names that the browser's panels know."""
    return {
        "height": grid.height,
        "width": grid.width,
        "box": list(map(float, grid.box)),
        "image_size": list(image.shape[:2]),
    }


def smaller_photo(image: np.ndarray) -> Step:
    """What a figure may give up to keep its budget: a fine photo."""
    return (
        f"To keep the figure small, the photo has at most {SMALL_PHOTO_SIDE} pixels a side.",
        partial(_shrink, image),
    )


def at_most(masks: Sequence[np.ndarray], side: int = MASK_SIDE) -> np.ndarray:
    """Masks (H, W) bool as (M, h, w) uint8, the longer side at most `side` pixels: the middle of
    each.
    """
    longest = max(masks[0].shape)
    rows, columns = (_middles(length, max(1.0, longest / side)) for length in masks[0].shape)
    return np.stack([mask[np.ix_(rows, columns)] for mask in masks]).astype(np.uint8)


def _middles(length: int, zoom: float) -> np.ndarray:
    return ((np.arange(max(1, round(length / zoom))) + 0.5) * zoom).astype(int).clip(max=length - 1)


def encode_photo(image: np.ndarray, side: int = PHOTO_SIDE, most_bytes: int = PHOTO_BYTES) -> str:
    """An image (H, W, 3) uint8 RGB as a data URL, its longer side at most `side` pixels.

    PNG if that has at most `most_bytes`, else JPEG; a JPEG of more bytes has fewer pixels, down to
    a `SMALL_PHOTO_SIDE`.
    """
    return _encode(image.tobytes(), image.shape, side, most_bytes)


# in a live figure the data change with every key that is typed, and the image does not
@lru_cache(maxsize=1)
def _encode(content: bytes, shape: tuple[int, int, int], side: int, most_bytes: int) -> str:
    import cv2

    image = np.frombuffer(content, np.uint8).reshape(shape)[..., ::-1]
    side = min(side, max(shape[:2]))
    photo = cv2.imencode(".png", _scaled(image, side))[1]
    if photo.nbytes <= most_bytes:
        return _data_url("png", photo)
    # it is seen enlarged
    fine = [
        cv2.IMWRITE_JPEG_QUALITY,
        90,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    photo = cv2.imencode(".jpg", _scaled(image, side), fine)[1]
    while photo.nbytes > most_bytes and side > SMALL_PHOTO_SIDE:
        side = max(SMALL_PHOTO_SIDE, int(0.7 * side))
        photo = cv2.imencode(".jpg", _scaled(image, side), fine)[1]
    return _data_url("jpeg", photo)


def _data_url(kind: str, photo: np.ndarray) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(photo.tobytes()).decode('ascii')}"


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    """An image (H, W, 3) whose longer side has `side` pixels."""
    import cv2

    zoom = side / max(image.shape[:2])
    height, width = (max(1, round(pixels * zoom)) for pixels in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def _shrink(image: np.ndarray, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    return {**header, "photo": encode_photo(image, SMALL_PHOTO_SIDE, most_bytes=0)}, arrays
