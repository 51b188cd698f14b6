"""How does a picture become the pixels CLIP reads, and which part of it does each patch cover?

Resizing is antialiased bicubic as in Pillow. What counts as a picture stands in `picture`, what as
pixels that have been prepared already in `normalised`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import whole
from ..results.explanation import Grid
from .normalised import normalised_pixels, taken_for
from .picture import Picture, each_image, read_picture

Mode = Literal["squash", "crop", "aspect"]
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)  # of pixels in 0…1; OpenAI's training data
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
MOST_PIXELS = 1 << 26  # of one image on its way into the model: 0.8 GB
# attention of one layer of ViT-B's 12 heads then takes 13 GB where somebody looks at it
MOST_PATCHES = 1 << 14


@dataclass(frozen=True, eq=False)
class Prepared:
    """Images on their way into the model.

    Attributes
    ----------
    pixels : (B, 3, h, w) float32, normalised
    images : the originals, each (H, W, 3) uint8, not to be written to
    grids : where the patch grid lies on each original
    notes : of each image, what was concluded of what came in
    """

    pixels: Tensor
    images: list[np.ndarray]
    grids: list[Grid]
    notes: list[tuple[str, ...]]

    @classmethod
    def together(cls, each: Sequence["Prepared"]) -> "Prepared":
        """Several of one shape as one."""
        return cls(
            pixels=torch.cat([one.pixels for one in each]),
            images=[image for one in each for image in one.images],
            grids=[grid for one in each for grid in one.grids],
            notes=[note for one in each for note in one.notes],
        )


@dataclass(frozen=True)
class Preprocessor:
    """Images to normalised pixels.

    Parameters
    ----------
    image_size : (height, width) the model was trained at, used unless another size is asked for
    patch : pixels per side of a patch; every size must be a multiple
    mean, std : of each colour channel, for pixels in 0…1
    resized : (height, width) images are brought to before they are cut to `image_size`, for models
        trained at a size that their patches do not fill, who never read the rest; None: the same
    """

    image_size: tuple[int, int]
    patch: int
    mean: tuple[float, float, float] = CLIP_MEAN
    std: tuple[float, float, float] = CLIP_STD
    resized: tuple[int, int] | None = None

    def __call__(
        self,
        images: object,
        mode: Mode = "squash",
        size: int | tuple[int, int] | None = None,
        normalized: bool | None = None,
        patches: int | None = None,
    ) -> Prepared:
        """Images to pixels of one size, and where the patches lie on each.

        Parameters
        ----------
        images : one image or a list of them, each a path, encoded bytes, open file, array, PIL
            image or torch tensor. Arrays are (H, W), (H, W, 3) or (H, W, 4), red-green-blue, uint8,
            uint16 or float in 0…1; tensors (H, W), (3, H, W) or (B, 3, H, W), uint8 or float in
            0…1. Or pixels normalised as this model reads them, float (3, h, w) or (B, 3, h, w)
        mode : "squash" to the model's size whatever the ratio (CLIP Surgery's choice: the whole
            image is explained), "crop" the centre square (OpenAI's), or "aspect": keep the ratio,
            short side at the model's size, to the nearest whole patch
        size : pixels (side, or (height, width)) instead of the model's own
        normalized : whether `images` are normalised pixels; None looks at the range of each entry
            of a list, and of a batch (B, 3, h, w) as a whole, and asks where that does not say
        patches : how many of an image are too many to go on with, if any

        Returns
        -------
        `Prepared`: pixels (B, 3, h, w), the originals, their grids

        Raises
        ------
        FileNotFoundError, ValueError : no such file; not an image; floats that are neither a
            picture nor normalised, or could be either; a size that is not a multiple of the patch,
            or of more than 67 million pixels, also on the way there; mixed shapes in a batch
        TypeError : nothing that can be an image

        Examples
        --------
        >>> prepared = model.preprocessor(np.zeros((200, 300, 3), np.uint8), mode="aspect")
        >>> prepared.pixels.shape, prepared.grids[0].width
        (torch.Size([1, 3, 112, 168]), 21)
        """
        if mode not in get_args(Mode):
            raise ValueError(f"unknown mode {mode!r}; choose one of {', '.join(get_args(Mode))}")
        side = self._size(size)
        if not isinstance(images, (list, tuple)) or normalized is not None:
            return self._prepared(images, mode, size, side, normalized, patches)
        # each by itself, so that its neighbours do not change what it is taken for
        each = [self._prepared([image], mode, size, side, None, patches) for image in images]
        if not each:
            raise ValueError("no image given: pass at least one")
        _expect_one_shape([one.pixels[0] for one in each])
        return Prepared.together(each)

    def _prepared(
        self,
        images: object,
        mode: Mode,
        size: int | tuple[int, int] | None,
        side: tuple[int, int],
        normalized: bool | None,
        patches: int | None,
    ) -> Prepared:
        pixels = normalised_pixels(images, self.mean, self.std, normalized)
        if pixels is not None:
            if mode != "squash" or size is not None:
                raise ValueError(
                    "mode and size say how pictures become pixels, but these are normalised pixels "
                    "already: leave both out"
                )
            return self._already(pixels, asked=normalized is None)
        originals = [read_picture(image) for image in each_image(images)]
        if not originals:
            raise ValueError("no image given: pass at least one")
        drawn = (self.resized if size is None else None) or side
        fitted = [self._fit(original, mode, side, drawn, patches) for original in originals]
        planes, grids = [plane for plane, _ in fitted], [grid for _, grid in fitted]
        _expect_one_shape(planes)
        mean, std = self._colours()
        return Prepared(
            pixels=(torch.stack(planes) - mean) / std,
            images=[original.uint8() for original in originals],
            grids=grids,
            notes=[()] * len(planes),
        )

    def _already(self, pixels: Tensor, asked: bool) -> Prepared:
        """Pixels that need no preparing; `asked` whether their range told so."""
        H, W = pixels.shape[-2:]
        covered = self.covered(pixels)
        h, w = self._size(tuple(covered.shape[-2:]))
        return Prepared(
            covered,
            images=self.restore(pixels),
            grids=[Grid(h // self.patch, w // self.patch, (H, W), (0, 0, h, w))] * len(pixels),
            notes=[(taken_for(pixels),) if asked else ()] * len(pixels),
        )

    def covered(self, pixels: Tensor) -> Tensor:
        """Of pixels (B, 3, h, w) at the size that images are resized to, those that patches cover;
        others as they are.
        """
        h, w = self.image_size
        return pixels[..., :h, :w] if tuple(pixels.shape[-2:]) == self.resized else pixels

    def restore(self, pixels: Tensor) -> list[np.ndarray]:
        """Normalised pixels (B, 3, h, w) back to pictures, each (h, w, 3) uint8."""
        mean, std = self._colours()
        return [
            Picture(image.permute(1, 2, 0).clamp(0, 1).numpy()).uint8()
            for image in pixels.detach().float().cpu() * std + mean
        ]

    def _colours(self) -> tuple[Tensor, Tensor]:
        """Mean and deviation, (3, 1, 1) each."""
        return torch.tensor(self.mean).view(3, 1, 1), torch.tensor(self.std).view(3, 1, 1)

    def _size(self, size: int | tuple[int, int] | None) -> tuple[int, int]:
        if size is None:
            size = self.image_size
        height, width = _two_sides(size)
        if min(height, width) < self.patch or height % self.patch or width % self.patch:
            near_height, near_width = self._whole_patches(height), self._whole_patches(width)
            raise ValueError(
                f"size {height}x{width} is not a multiple of the patch, {self.patch} pixels; "
                f"nearest: {near_height}x{near_width}"
            )
        _expect_few(height, width)
        return height, width

    def _whole_patches(self, side: float) -> int:
        """The nearest multiple of the patch, at least one."""
        return max(1, round(side / self.patch)) * self.patch

    def kept_ratio(self, image: tuple[int, int], short: int) -> tuple[int, int]:
        """Height and width, in whole patches, that mode "aspect" brings an `image` (H, W) to.

        ValueError: too many pixels, or a short side that is not a multiple of the patch
        """
        self._size(short)
        scale = short / min(image)
        height, width = (self._whole_patches(side * scale) for side in image)
        _expect_few(height, width)
        return height, width

    def _fit(
        self,
        image: Picture,
        mode: Mode,
        size: tuple[int, int],
        drawn: tuple[int, int],
        patches: int | None,
    ) -> tuple[Tensor, Grid]:
        """One picture to (3, h, w) in 0…1 and its grid; `drawn` in full at that size."""
        H, W = image.size
        if mode == "aspect":
            size = drawn = self.kept_ratio(image.size, min(size))
        h, w = size
        if patches is not None:
            expect_few_patches(h // self.patch, w // self.patch, patches)
        if mode == "crop":
            pixels, box = _cropped(image, drawn)
        else:
            pixels, box = _resize(image, drawn), (0.0, 0.0, float(H), float(W))
        if drawn != size:  # no patch covers the rest
            top, left, bottom, right = box
            pixels = pixels[:, :h, :w]
            box = (
                top,
                left,
                top + (bottom - top) * h / drawn[0],
                left + (right - left) * w / drawn[1],
            )
        return pixels, Grid(h // self.patch, w // self.patch, image_size=(H, W), box=box)


def _expect_one_shape(planes: Sequence[Tensor]) -> None:
    """A ValueError unless images (3, h, w) can be one batch."""
    sides = sorted({tuple(plane.shape[1:]) for plane in planes})
    if len(sides) > 1:
        raise ValueError(
            f"these images have different shapes {sides}, as mode 'aspect' gives them, or as "
            "normalised pixels came: pass them one by one"
        )


def _expect_few(height: int, width: int) -> None:
    """A ValueError, before there is time and memory behind them, of more than `MOST_PIXELS`."""
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"an image resized to {height}x{width} has {height * width:,} pixels, but at most "
            f"{MOST_PIXELS:,} are prepared: pass a smaller size, or another mode if it is long and "
            "narrow"
        )


def expect_few_patches(height: int, width: int, most: int = MOST_PATCHES) -> None:
    """A ValueError if images have more patches than attention has room for."""
    if height * width > most:
        raise ValueError(
            f"{height}x{width} are {height * width:,} patches, and attention compares each with "
            f"all others: at most {most:,} are seen at once. Pass a smaller size or another mode, "
            "or look at a large image window by window: clipxai.explain_windows"
        )


def _two_sides(size: int | tuple[int, int]) -> tuple[int, int]:
    """Height and width, whole numbers."""
    height, width = size if isinstance(size, (tuple, list)) else (size, size)
    return whole(height, "size"), whole(width, "size")


def _cropped(
    image: Picture, size: tuple[int, int]
) -> tuple[Tensor, tuple[float, float, float, float]]:
    """The centre of a picture as (3, h, w), and where that lies on it, in its pixels."""
    (H, W), (h, w) = image.size, size
    scale = max(h / H, w / W)
    # truncated, as torchvision's Resize does
    high, wide = max(h, int(H * scale)), max(w, int(W * scale))
    _expect_few(high, wide)
    y, x = round((high - h) / 2), round((wide - w) / 2)
    pixels = _resize(image, (high, wide))[:, y : y + h, x : x + w]
    return pixels, (y * H / high, x * W / wide, (y + h) * H / high, (x + w) * W / wide)


def _resize(image: Picture, size: tuple[int, int]) -> Tensor:
    """Antialiased bicubic, to (3, h, w) in 0…1.

    Across first and then down, which is the order of a single call too, so it gives the same
    numbers; but only some rows are floats at full width at a time.
    """
    h, w = size
    _expect_few(image.size[0], w)
    across = torch.empty(3, image.size[0], w)
    for few in image.strips():
        rows = torch.from_numpy(np.ascontiguousarray(image.rows(few.start, few.stop)))
        across[:, few] = _bicubic(rows.permute(2, 0, 1), (few.stop - few.start, w))
    return _bicubic(across, (h, w)).clamp(0, 1)


def _bicubic(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """(3, H, W) to (3, h, w)."""
    if planes.shape[-2:] == size:
        return planes
    return F.interpolate(planes[None], size, mode="bicubic", antialias=True, align_corners=False)[0]
