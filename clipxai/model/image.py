"""How does a picture become the pixels CLIP reads, and which part of it does each patch cover?

Decoding is Pillow's, which refuses truncated files; resizing is antialiased bicubic as in Pillow.
Colours are red-green-blue.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..results.explanation import Grid

Mode = Literal["squash", "crop", "aspect"]
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of pixels in 0…1; OpenAI's training data
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
ORIENTATION = 0x0112  # EXIF tag
# not EPS: Pillow hands it to Ghostscript
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "TGA")


@dataclass(frozen=True, eq=False)
class Prepared:
    """Images on their way into the model.

    Attributes
    ----------
    pixels : (B, 3, h, w) float32, normalised
    images : the originals, each (H, W, 3) uint8
    grids : where the patch grid lies on each original
    """

    pixels: Tensor
    images: list[np.ndarray]
    grids: list[Grid]


@dataclass(frozen=True)
class Preprocessor:
    """Images to normalised pixels.

    Parameters
    ----------
    image_size : (height, width) the model was trained at, used unless another size is asked for
    patch : pixels per side of a patch; every size must be a multiple
    mean, std : of each colour channel, for pixels in 0…1
    """

    image_size: tuple[int, int]
    patch: int
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD

    def __call__(
        self, images: object, mode: Mode = "squash", size: int | tuple[int, int] | None = None
    ) -> Prepared:
        """Images to pixels of one size, and where the patches lie on each.

        Parameters
        ----------
        images : one image or a list of them, each a path, encoded bytes, array, PIL image or torch
            tensor. Arrays are (H, W), (H, W, 3) or (H, W, 4), red-green-blue, uint8, uint16 or
            float in 0…1; tensors (H, W), (3, H, W) or (B, 3, H, W), uint8 or float in 0…1
        mode : "squash" to the model's size whatever the ratio (CLIP Surgery's choice: the whole
            image is explained), "crop" the centre square (OpenAI's), or "aspect": keep the ratio,
            short side at the model's size, to the nearest whole patch
        size : pixels (side, or (height, width)) instead of the model's own

        Returns
        -------
        `Prepared`: pixels (B, 3, h, w), the originals, their grids

        Raises
        ------
        FileNotFoundError, ValueError : no such file; not an image; a size that is not a multiple of
            the patch; mixed shapes in a batch
        TypeError : nothing that can be an image

        Examples
        --------
        >>> prepared = model.preprocessor(np.zeros((200, 300, 3), np.uint8), mode="aspect")
        >>> prepared.pixels.shape, prepared.grids[0].width
        (torch.Size([1, 3, 112, 168]), 21)
        """
        if mode not in get_args(Mode):
            raise ValueError(f"unknown mode {mode!r}; choose one of {', '.join(get_args(Mode))}")
        originals = [read_image(image) for image in each_image(images)]
        if not originals:
            raise ValueError("no image given: pass at least one")
        fitted = [self._fit(original, mode, self._size(size)) for original in originals]
        planes, grids = [plane for plane, _ in fitted], [grid for _, grid in fitted]
        shapes = {tuple(plane.shape) for plane in planes}
        if len(shapes) > 1:
            sides = sorted(shape[1:] for shape in shapes)
            raise ValueError(
                f"mode 'aspect' gives these images different shapes {sides}: pass them one by one"
            )
        mean, std = self._colours()
        return Prepared(
            pixels=(torch.stack(planes) - mean) / std,
            images=[_to_uint8(image) for image in originals],
            grids=grids,
        )

    def restore(self, pixels: Tensor) -> list[np.ndarray]:
        """Normalised pixels (B, 3, h, w) back to pictures, each (h, w, 3) uint8."""
        mean, std = self._colours()
        return [
            _to_uint8(image.permute(1, 2, 0).numpy())
            for image in pixels.detach().float().cpu() * std + mean
        ]

    def _colours(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation, (3, 1, 1) each."""
        return torch.tensor(self.mean).view(3, 1, 1), torch.tensor(self.std).view(3, 1, 1)

    def _size(self, size: int | tuple[int, int] | None) -> tuple[int, int]:
        if size is None:
            size = self.image_size
        height, width = (size, size) if isinstance(size, int) else size
        if min(height, width) < self.patch or height % self.patch or width % self.patch:
            near_height, near_width = self._whole_patches(height), self._whole_patches(width)
            raise ValueError(
                f"size {height}x{width} is not a multiple of the patch, {self.patch} pixels; "
                f"nearest: {near_height}x{near_width}"
            )
        return height, width

    def _whole_patches(self, side: float) -> int:
        """The nearest multiple of the patch, at least one."""
        return max(1, round(side / self.patch)) * self.patch

    def _fit(self, image: np.ndarray, mode: Mode, size: tuple[int, int]) -> tuple[Tensor, Grid]:
        """One picture (H, W, 3) in 0…1 to (3, h, w) in 0…1 and its grid."""
        H, W = image.shape[:2]
        if mode == "crop":
            pixels, box = _cropped(image, size)
        else:
            if mode == "aspect":
                scale = min(size) / min(H, W)
                size = self._whole_patches(H * scale), self._whole_patches(W * scale)
            pixels, box = _resize(image, size), (0.0, 0.0, float(H), float(W))
        h, w = size
        return pixels, Grid(h // self.patch, w // self.patch, image_size=(H, W), box=box)


def _cropped(
    image: np.ndarray, size: tuple[int, int]
) -> tuple[Tensor, tuple[float, float, float, float]]:
    """The centre of a picture (H, W, 3) as (3, h, w), and where that lies on it, in its pixels."""
    (H, W), (h, w) = image.shape[:2], size
    scale = max(h / H, w / W)
    # truncated, as torchvision's Resize does
    high, wide = max(h, int(H * scale)), max(w, int(W * scale))
    y, x = round((high - h) / 2), round((wide - w) / 2)
    pixels = _resize(image, (high, wide))[:, y : y + h, x : x + w]
    return pixels, (y * H / high, x * W / wide, (y + h) * H / high, (x + w) * W / wide)


def _resize(image: np.ndarray, size: tuple[int, int]) -> Tensor:
    """Antialiased bicubic, (H, W, 3) in 0…1 to (3, h, w) in 0…1."""
    planes = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    if planes.shape[-2:] != size:
        planes = F.interpolate(planes, size, mode="bicubic", antialias=True, align_corners=False)
    return planes[0].clamp(0, 1)


def read_image(source: object) -> np.ndarray:
    """Any kind of image to (H, W, 3) float32 red-green-blue in 0…1: upright, alpha laid over white,
    grey repeated.

    Parameters
    ----------
    source : path, encoded bytes, array, PIL image or torch tensor. What a file is its content says,
        not its suffix. Of an animation or a file of several pages the first picture is read. 16
        bits a channel are kept where the picture is grey, cut to 8 in colour.

    Raises
    ------
    FileNotFoundError : no such file
    ValueError : not one of `FORMATS`, truncated or broken, or more pixels than
        `PIL.Image.MAX_IMAGE_PIXELS` (89 million), Pillow's own guard against small files that
        unpack to something huge; set that to a larger number, or None, for files you trust
    TypeError : nothing that can be an image
    """
    if isinstance(source, (str, Path)):
        return _decode(_image_file(source), str(Path(source)))
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(BytesIO(source), f"{len(source)} bytes")
    if isinstance(source, Tensor):
        # numpy knows no bfloat16
        array = (source.float() if source.is_floating_point() else source).detach().cpu().numpy()
        return _from_array(array.transpose(1, 2, 0) if array.ndim == 3 else array)
    if isinstance(source, np.ndarray):
        return _from_array(source)
    # not isinstance: that would load Pillow for those who pass arrays
    if hasattr(source, "getexif") and hasattr(source, "convert"):
        return _from_pil(source)
    raise TypeError(
        f"cannot read a {type(source).__name__} as an image: pass a path, bytes, array, PIL image "
        "or torch tensor"
    )


def _image_file(source: str | Path) -> Path:
    """A file that is there; what people give instead is told apart."""
    path = Path(source)
    if path.is_dir():
        raise FileNotFoundError(
            f"{path} is a folder, not an image file: `clipxai explain` and clipxai.explain_each "
            "take folders"
        )
    if "://" in str(source):
        raise FileNotFoundError(f"{source} is an address: download the image and pass the file")
    if not path.is_file():
        raise FileNotFoundError(f"no such image file: {path}")
    return path


def each_image(images: object) -> Iterable[object]:
    """One image, a list of them or a batch (B, …) as images one by one."""
    if isinstance(images, (list, tuple)):
        return images
    is_batch = isinstance(images, (Tensor, np.ndarray)) and images.ndim == 4
    return list(images) if is_batch else [images]


def _decode(file: Path | BytesIO, name: str) -> np.ndarray:
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


def _from_pil(image: Any) -> np.ndarray:
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


def _from_array(image: np.ndarray) -> np.ndarray:
    shape, kind = image.shape, image.dtype
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in shape:
        raise ValueError(
            f"an image must be (H, W), (H, W, 3) or (H, W, 4) and not empty, but has shape {shape}"
        )
    if kind in (np.uint8, np.uint16, np.bool_):
        largest = 1 if kind == np.bool_ else np.iinfo(kind).max
        image = image.astype(np.float32) / largest
    elif np.issubdtype(kind, np.floating):
        image = image.astype(np.float32)
        low, high = image.min(), image.max()
        # rounding beyond is let through; "not within" instead of "outside", so that NaN is not
        if not (low >= -1e-4 and high <= 1 + 1e-4):
            raise ValueError(
                f"a float image must lie in 0…1, but spans {low:g}…{high:g}: divide it by 255, or "
                "pass uint8"
            )
    else:
        raise ValueError(f"an image must be uint8, uint16 or float in 0…1, not {kind}")
    if image.shape[2] == 4:  # over white
        image = image[..., :3] * image[..., 3:] + (1 - image[..., 3:])
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _to_uint8(image: np.ndarray) -> np.ndarray:
    """0…1 to 0…255, rounded."""
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
