"""What does somebody mean by an image? A file, bytes, an array, a tensor, a PIL image.

Decoding is Pillow's, which refuses truncated files. Colours are red-green-blue. A picture stays in
the few bytes it came in; floats are made of some of its rows at a time, so that a file of a few
bytes that unpacks to 89 million pixels costs what its pixels cost, not twelve times that.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ..results.writing import remember_input

ORIENTATION = 0x0112  # EXIF tag
# not EPS: Pillow hands it to Ghostscript
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA")
CHANNELS = {1: "grey", 3: "red-green-blue", 4: "red-green-blue-alpha"}
# a deep picture that is darker everywhere holds numbers of fewer bits, whose white nobody knows
DARKEST_WHITE = 4096
OVERSHOOT = 0.3  # beyond 0…1, that of a picture resized bicubically, or with a little noise
ROWS_OF = 1 << 20  # pixels that become floats together


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, as it came.

    Attributes
    ----------
    values : (H, W, C) grey (1), red-green-blue (3) or with alpha (4); truth values, uint8, uint16,
        or float32 in 0…1
    """

    values: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.values.shape[:2]

    def rows(self, first: int = 0, stop: int | None = None) -> np.ndarray:
        """(n, W, 3) float32 in 0…1 of some rows: grey repeated, alpha laid over white."""
        rows = self.values[first:stop]
        if rows.dtype != np.float32:
            largest = 1 if rows.dtype == np.bool_ else np.iinfo(rows.dtype).max
            rows = rows.astype(np.float32) / largest
        if rows.shape[2] == 4:
            rows = rows[..., :3] * rows[..., 3:] + (1 - rows[..., 3:])
        return np.repeat(rows, 3, axis=2) if rows.shape[2] == 1 else rows

    def strips(self) -> Iterable[slice]:
        """All rows, some at a time."""
        height, width = self.size
        step = max(1, ROWS_OF // width)
        return (slice(first, min(first + step, height)) for first in range(0, height, step))

    def uint8(self) -> np.ndarray:
        """(H, W, 3) uint8, rounded; a copy that cannot be written to."""
        if self.values.dtype == np.uint8 and self.values.shape[2] == 3:
            drawn = self.values.copy()
        else:
            drawn = np.empty((*self.size, 3), np.uint8)
            for few in self.strips():
                rows = self.rows(few.start, few.stop)
                drawn[few] = np.clip(rows, 0, 1) * 255 + 0.5  # rounded
        drawn.setflags(write=False)
        return drawn


def read_picture(source: object) -> Picture:
    """Any kind of image, upright.

    Parameters
    ----------
    source : path, encoded bytes, open file, array, PIL image or torch tensor. What a file is its
        content says, not its suffix. Of an animation or a file of several pages the first picture
        is read. 16 bits a channel are kept where the picture is grey, cut to 8 in colour.

    Raises
    ------
    FileNotFoundError : no such file
    ValueError : not one of `FORMATS`, truncated or broken, or more pixels than
        `PIL.Image.MAX_IMAGE_PIXELS` (89 million), Pillow's own guard against small files that
        unpack to something huge; set that to a larger number, or None, for files you trust
    TypeError : nothing that can be an image
    """
    if isinstance(source, Picture):
        return source
    remember_input(source)
    if isinstance(source, (Tensor, np.ndarray)) and source.ndim == 4 and len(source) == 1:
        source = source[0]  # a batch of one is one image
    if isinstance(source, (str, Path)):
        return _decode(image_file(source), str(Path(source)))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(BytesIO(source), f"{len(source)} bytes")
    if isinstance(source, Tensor):
        return _from_tensor(source)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    # not isinstance: that would load Pillow for those who pass arrays
    if hasattr(source, "getexif") and hasattr(source, "convert"):
        return _from_pil(source)
    if hasattr(source, "read"):
        content = _whole_file(source)
        if isinstance(content, bytes):
            return _decode(BytesIO(content), f"{getattr(source, 'name', 'an open file')}")
    own = "its .image, or " if hasattr(source, "image") else ""  # a Scene, an Explanation
    raise TypeError(
        f"cannot read a {type(source).__name__} as an image: pass {own}a path, bytes, a file "
        "opened in binary mode, array, PIL image or torch tensor"
    )


def _whole_file(source: Any) -> object:
    """What an open file holds, wherever whoever wrote or read it before left it."""
    if getattr(source, "seekable", bool)():
        source.seek(0)
    return source.read()


def image_file(source: str | Path) -> Path:
    """A file that is there; what people give instead is told apart."""
    path = Path(source)
    # of os.path, for which a name that is too long is not there
    if os.path.isdir(path):
        raise FileNotFoundError(
            f"{path} is a folder, not an image file: `clipxai explain` and clipxai.explain_each "
            "take folders"
        )
    if "://" in str(source):
        raise FileNotFoundError(f"{source} is an address: download the image and pass the file")
    if not os.path.isfile(path):
        name = str(path)
        name = name if name.isprintable() else repr(name)
        raise FileNotFoundError(f"no such image file: {name}")
    return path


def each_image(images: object) -> list[object]:
    """One image, a list of them or a batch (B, …) as images one by one."""
    if isinstance(images, (list, tuple)):
        return list(images)
    is_batch = isinstance(images, (Tensor, np.ndarray)) and images.ndim == 4
    if is_batch:
        _expect_batch(images)
    return list(images) if is_batch else [images]


def _expect_batch(images: Tensor | np.ndarray) -> None:
    """A ValueError of a batch whose channels are where those of the other kind are."""
    shape, last = tuple(images.shape), isinstance(images, np.ndarray)
    here, there = (shape[3], shape[1]) if last else (shape[1], shape[3])
    if here not in CHANNELS and there in CHANNELS:
        kind, form = (
            ("arrays", "last, (B, H, W, 3)") if last else ("tensors", "first, (B, 3, H, W)")
        )
        way_out = "array.transpose(0, 2, 3, 1)" if last else "tensor.permute(0, 3, 1, 2)"
        raise ValueError(
            f"a batch of {kind} has its channels {form}, but has shape {shape}: pass {way_out}"
        )


def _decode(file: Path | BytesIO, name: str) -> Picture:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file, formats=FORMATS) as image:
            most = Image.MAX_IMAGE_PIXELS
            if most is not None and image.width * image.height > most:
                raise Image.DecompressionBombError  # Pillow itself only warns up to twice the limit
            return _from_pil(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ValueError(
            f"{name} has more than {Image.MAX_IMAGE_PIXELS:,} pixels, which may be a decompression "
            "bomb: if you trust it, raise PIL.Image.MAX_IMAGE_PIXELS (on the command line "
            "--max-pixels)"
        ) from None
    except UnidentifiedImageError:
        raise ValueError(
            f"not an image that can be read (or a truncated one): {name}; known formats: "
            f"{', '.join(FORMATS)}"
        ) from None
    except Exception as error:  # a broken file may raise anything in the decoders behind Pillow
        raise ValueError(
            f"not an image that can be read (or a truncated one): {name} ({error})"
        ) from error


def _from_pil(image: Any) -> Picture:
    upright = _upright(image)
    if upright.mode == "F":  # float
        return _from_array(np.asarray(upright))
    if upright.mode.startswith("I"):  # whole numbers of 16 or 32 bits
        deep = np.asarray(upright)
        if deep.min() < 0 or deep.max() > np.iinfo(np.uint16).max:
            raise ValueError(
                f"whole numbers of 32 bits must lie in 0…65535, but span {deep.min()}…{deep.max()}"
            )
        return _from_array(deep.astype(np.uint16))
    mode = "RGBA" if upright.has_transparency_data else "RGB"  # also palettes and PNG's tRNS
    return _from_array(np.asarray(upright.convert(mode)))


def _upright(image: Any) -> Any:
    """Turned and mirrored as its EXIF orientation says, where there is any that can be read."""
    from PIL import ImageOps

    # not within the `try`, where the error of a broken picture would pass for one of its EXIF
    image.load()
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a broken EXIF block speaks of nothing; the picture may still be whole
        return image
    return ImageOps.exif_transpose(image) if orientation != 1 else image


def _from_tensor(tensor: Tensor) -> Picture:
    shape = tuple(tensor.shape)
    if tensor.ndim == 3 and shape[0] not in CHANNELS:
        last = shape[2] in CHANNELS
        raise ValueError(
            f"a tensor is an image with its channels first, (3, H, W), but has shape {shape}"
            + (": pass tensor.permute(2, 0, 1)" if last else "")
        )
    # numpy knows no bfloat16
    values = (tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().numpy()
    return _from_array(values.transpose(1, 2, 0) if values.ndim == 3 else values)


def _from_array(image: np.ndarray) -> Picture:
    shape, kind = image.shape, image.dtype
    values = image[..., None] if image.ndim == 2 else image
    if values.ndim != 3 or values.shape[2] not in CHANNELS or 0 in shape:
        first = image.ndim == 3 and shape[0] in CHANNELS
        raise ValueError(
            f"an image must be (H, W), (H, W, 3) or (H, W, 4) and not empty, but has shape {shape}"
            + (": pass array.transpose(1, 2, 0)" if first and 0 not in shape else "")
        )
    if np.issubdtype(kind, np.floating):
        values = values.astype(np.float32)
        _expect_unit_range(values)
    elif kind == np.uint16:
        _expect_full_range(values)
    elif kind not in (np.uint8, np.bool_):
        raise ValueError(f"an image must be uint8, uint16 or float in 0…1, not {kind}")
    return Picture(values)


def _expect_unit_range(values: np.ndarray) -> None:
    low, high = values.min(), values.max()
    # rounding beyond is let through; "not within" instead of "outside", so that NaN is not
    if not (low >= -1e-4 and high <= 1 + 1e-4):
        way_out = "divide it by 255, or pass uint8"
        if low >= -OVERSHOOT and high <= 1 + OVERSHOOT:
            way_out = "if resizing or noise made it overshoot, pass it as clamp(0, 1)"
        elif low < 0:
            way_out = "bring it to 0…1; clipxai.record takes normalised pixels, normalized=True"
        elif np.isnan(low):
            way_out = "it holds values that are no numbers"
        raise ValueError(f"a float image must lie in 0…1, but spans {low:g}…{high:g}: {way_out}")


def _expect_full_range(values: np.ndarray) -> None:
    high = int(values.max())
    if 0 < high < DARKEST_WHITE:
        raise ValueError(
            f"an image of 16 bits a channel is white at 65535, but this one reaches {high} only "
            "and would be black: pass it as uint8, or as float in 0…1 (divided by what white is "
            "in it)"
        )
