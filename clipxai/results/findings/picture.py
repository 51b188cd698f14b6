"""Which image were these numbers found in, and which of its patches lie on a thing?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...checks import number_of
from ..explanation import Grid
from ..owned import Owning


@runtime_checkable
class Recorded(Protocol):
    """What knows its images and the attention of every head: a `Trace`.

    Said as a protocol, because `results` may not import the room that makes traces, nor torch.
    """

    @property
    def images(self) -> Sequence[np.ndarray]:
        """The originals, each (H, W, 3) uint8."""

    @property
    def grids(self) -> Sequence[Grid]:
        """Where the patches lie on each."""

    @property
    def provenance(self) -> dict[str, str]:
        """Model and weights, and what was changed on the way."""

    def attention(self, layer: int, kind: Any) -> Any:
        """(B, H, N, N) weights, a tensor."""


@dataclass(frozen=True, eq=False)
class Picture(Owning):
    """The image that was looked at; its pixels are its own, and read-only.

    Attributes
    ----------
    image : (H, W, 3) uint8, the original
    grid : where the patches lie on it
    provenance : model and weights
    number : which one it was of those recorded together
    """

    image: np.ndarray
    grid: Grid
    provenance: dict[str, str] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def of(cls, trace: Recorded, image: int) -> "Picture":
        """An image of a trace by its number; an IndexError if there is none."""
        n = number_of(trace.images, image, "image", "this trace")
        return cls(trace.images[n], trace.grids[n], dict(trace.provenance), n)

    def in_trace(self, trace: Recorded) -> int:
        """The number of this image in a trace; a ValueError if another image stands there, or none.

        Pixels are compared, not only sizes: heads of another photograph would be drawn without a
        sign that anything is wrong.
        """
        n = self.number
        same = (
            n < len(trace.images)
            and self.grid == trace.grids[n]
            and np.array_equal(self.image, trace.images[n])
        )
        if not same:
            raise ValueError(
                f"image {n} of this trace is not the one that was looked at: "
                "pass the trace that it was made from"
            )
        return n


def on_patches(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Patches (P,) bool of which a true mask (H, W) covers more than half.

    Parameters
    ----------
    mask : (H, W) bool, or numbers of which any but 0 is inside (a mask read from a file may be 0
        and 255)
    grid : where the patches lie; what a crop left out belongs to no patch

    Returns
    -------
    (P,) bool, in reading order

    Raises
    ------
    ValueError : a mask that is not of the image's size

    Examples
    --------
    >>> grid = Grid(2, 2, image_size=(4, 4), box=(0, 0, 4, 4))
    >>> on_patches(np.tri(4, dtype=bool), grid).tolist()
    [True, False, True, True]
    """
    # this file is read by everybody who draws a saved finding, and needs OpenCV only here
    import cv2

    if mask.shape != grid.image_size:
        raise ValueError(
            f"the mask has shape {mask.shape}, but the image is {grid.image_size} (height, width)"
        )
    top, left, bottom, right = map(round, grid.box)
    seen = mask[top:bottom, left:right].astype(bool).astype(np.float32)
    # INTER_AREA averages what a patch covers: its share of the mask
    share = cv2.resize(seen, (grid.width, grid.height), interpolation=cv2.INTER_AREA)
    return share.ravel() > 0.5
