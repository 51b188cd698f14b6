"""How does an image travel into a page, with the grid of its patches, and what else do viewers of
patches share?
"""

import base64
from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np

from ..checks import number_of
from ..results.explanation import Explanation, Grid
from ..results.findings import Picture
from .panels import Panel
from .payload import Arrays, Header, Step
from .scales import number

# longer side in pixels; larger than this as PNG is sent as JPEG
PHOTO_SIDE, PHOTO_BYTES = 640, 90_000
SMALL_PHOTO_SIDE = 256


def picture_header(picture: Picture, most_bytes: int = PHOTO_BYTES) -> Header:
    """The photo as a data URL, and its one patch grid."""
    return {
        "photo": encode_photo(picture.image, most_bytes=most_bytes),
        "grids": [grid_header(picture.grid, picture.image)],
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


def encode_photo(image: np.ndarray, side: int = PHOTO_SIDE, most_bytes: int = PHOTO_BYTES) -> str:
    """An image (H, W, 3) uint8 RGB as a data URL, scaled down to `side` pixels: PNG if that has at
    most `most_bytes`, else JPEG.

    A JPEG of more bytes has fewer pixels, down to a `SMALL_PHOTO_SIDE`.
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
        return f"data:image/png;base64,{base64.b64encode(photo.tobytes()).decode('ascii')}"
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
    return f"data:image/jpeg;base64,{base64.b64encode(photo.tobytes()).decode('ascii')}"


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    """An image (H, W, 3) whose longer side has `side` pixels."""
    import cv2

    zoom = side / max(image.shape[:2])
    return cv2.resize(
        image,
        (max(1, round(image.shape[1] * zoom)), max(1, round(image.shape[0] * zoom))),
        interpolation=cv2.INTER_AREA,
    )


def as_panel(picture: Picture, values: np.ndarray, name: str, unit: str) -> Panel:
    """Patch values (P,) as a panel, which knows what NaN and "no variation" are."""
    scores = values.reshape(1, picture.grid.height, picture.grid.width).astype(np.float32)
    return Panel(
        Explanation(
            scores, (name,), "", picture.grid, unit, picture.image, np.zeros(1, np.float32)
        ),
        0,
        0,
    )


def rows_of_texts(known: Sequence[str], texts: Sequence[int | str] | None) -> list[int]:
    """Numbers of the texts that were chosen, by number or as written; all for None.

    Raises
    ------
    ValueError : unknown text, or none
    IndexError : no text of that number
    """
    rows = [
        number_of(known, text, "text", "this figure")
        for text in (range(len(known)) if texts is None else texts)
    ]
    if not rows:
        raise ValueError("there is nothing to draw: no text was chosen")
    return rows


def closure_of(total: float, cosine: float) -> str:
    """The proof that no part is missing, in words."""
    return (
        f"parts add up to {number(total)}; difference {number(float(f'{abs(total - cosine):.0e}'))}"
    )


def finite(values: np.ndarray) -> np.ndarray:
    """Values with NaN in place of infinities, as the coding for browsers has it."""
    return np.where(np.isfinite(values), values, np.nan)


def reach_of(values: np.ndarray) -> float:
    """The largest absolute value, for a scale with zero in the middle; 0 if nothing is finite."""
    known = values[np.isfinite(values)]
    return float(abs(known).max()) if known.size else 0.0


def _shrink(image: np.ndarray, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    return {**header, "photo": encode_photo(image, SMALL_PHOTO_SIDE, most_bytes=0)}, arrays
