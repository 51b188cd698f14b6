"""Are these floats a picture in 0…1, or pixels that were normalised for the model already?

A picture may overshoot: bicubic resizing leaves a little below 0 and above 1.

Both come as tensors (3, h, w) or (B, 3, h, w), and taking one for the other gives maps that look
like maps. So their range is looked at. Normalised is (x - mean) / std of every colour channel,
which reaches below 0 wherever the picture is darker than the mean, and far below where it is dark.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .picture import OVERSHOOT

# of one colour, beyond what a picture can reach: rounding of half precision
SLACK = 0.02


def normalised_pixels(
    images: object, mean: Sequence[float], std: Sequence[float], said: bool | None
) -> Tensor | None:
    """A copy (B, 3, h, w), float32 or better, of what is normalised pixels; None if it is pictures.

    `said` is what the caller says they are, None if nothing; `mean` and `std` of each channel.

    Raises
    ------
    ValueError : the range of the floats fits neither, or fits both; said to be normalised, but of
        another shape or kind
    """
    pixels = _stacked(images)
    if said is not None and not said:
        return None
    if pixels is None:
        if said:
            raise ValueError(
                "normalized=True, but normalised pixels are floats of shape (3, h, w) or "
                f"(B, 3, h, w), all of one size, not {_described(images)}"
            )
        return None
    if not pixels.isfinite().all():
        raise ValueError("the pixels hold values that are not finite numbers")
    if said or _is_normalised(pixels, mean, std):
        return pixels
    return None


def taken_for(pixels: Tensor) -> str:
    """What a reader has to know of floats whose range alone told what they are."""
    return (
        f"The image came as floats from {pixels.min():.2f} to {pixels.max():.2f} and was taken for "
        "normalised pixels."
    )


def _stacked(images: object) -> Tensor | None:
    """(B, 3, h, w) float32, copied, of what has the shape and kind of normalised pixels."""
    if isinstance(images, (list, tuple)):
        each = [_stacked(image) for image in images]
        stacked = [image for image in each if image is not None and len(image) == 1]
        same = len({image.shape for image in stacked}) == 1
        return torch.cat(stacked) if same and len(stacked) == len(images) else None
    if isinstance(images, np.ndarray) and images.dtype.kind == "f":
        if images.shape[-1] in (1, 3, 4):  # channels last: a picture, as arrays are
            return None
        images = torch.from_numpy(np.array(images, dtype=np.float32))
    if not isinstance(images, Tensor) or not images.is_floating_point():
        return None
    batch = images[None] if images.ndim == 3 else images
    if batch.ndim != 4 or batch.shape[1] != 3 or not batch.numel():
        return None
    exact = torch.promote_types(batch.dtype, torch.float32)  # as precise as it came
    return batch.detach().to("cpu", exact, copy=True)


def _is_normalised(pixels: Tensor, mean: Sequence[float], std: Sequence[float]) -> bool:
    """Whether their range says so; a ValueError if it says nothing."""
    low, high = pixels.amin((0, 2, 3)), pixels.amax((0, 2, 3))
    if low.min() >= -1e-4 and high.max() <= 1 + 1e-4:
        return False
    if low.min() >= -OVERSHOOT and high.max() <= 1 + OVERSHOOT:
        raise ValueError(
            f"floats from {low.min():.2f} to {high.max():.2f} may be a picture in 0…1 that "
            "overshoots, as bicubic resizing or noise leaves it, or a pale picture that was "
            "normalised: pass the first as clamp(0, 1), the second with normalized=True"
        )
    m, s = torch.tensor(mean), torch.tensor(std)
    black, white = -m / s, (1 - m) / s
    spans = f"floats from {low.min():.2f} to {high.max():.2f}"
    own = f"{black.min():.2f} to {white.max():.2f} normalised as this model reads them"
    if not ((low >= black - SLACK).all() and (high <= white + SLACK).all()):
        raise ValueError(
            f"{spans} are no image: a picture spans 0 to 1 (divide bytes by 255), or {own}. If "
            "these are what the model is to read all the same, pass normalized=True"
        )
    # what others normalise by: mean and deviation of one half
    if low.min() >= -1 - SLACK and high.max() <= 1 + SLACK and black.min() < -1 - SLACK:
        raise ValueError(
            f"{spans} may be normalised by mean and deviation 0.5, which this model does not read, "
            f"or be a pale picture normalised by its own ({own}): pass (x + 1) / 2, or say "
            "normalized=True"
        )
    return True


def _described(images: object) -> str:
    if isinstance(images, (Tensor, np.ndarray)):
        return f"{images.dtype} of shape {tuple(images.shape)}"
    if isinstance(images, (list, tuple)):
        return f"a list of {len(images)}: {', '.join(map(_described, images[:3]))}"
    return f"a {type(images).__name__}"
