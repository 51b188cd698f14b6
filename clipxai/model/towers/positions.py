"""Where does a patch lie? Learned positional embeddings for one grid, read at any grid.

Axes: gh gw patch grid, D width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .parts import random_parameter

POSITION_SIZES_KEPT = 8  # resized positional embeddings remembered per model


def resize_positions(
    table: Tensor,
    old: tuple[int, int],
    new: tuple[int, int],
    mode: str,
    leading: int = 1,
    antialias: bool = False,
) -> Tensor:
    """Positional embeddings (leading + gh*gw, D) of one grid, interpolated to another; the
    `leading` ones stay as they are.
    """
    patches = table[leading:].T.reshape(1, -1, *old)
    resized = F.interpolate(
        patches.float(), new, mode=mode, align_corners=False, antialias=antialias
    ).to(table.dtype)
    return torch.cat([table[:leading], resized.flatten(2)[0].T])


def grid_of(height: int, width: int, patch: int) -> tuple[int, int]:
    """Patches down and across an image of that many pixels; a size that is not a multiple of the
    patch is an error.
    """
    if height % patch or width % patch or min(height, width) < patch:
        raise ValueError(
            f"image of {height}x{width} pixels does not fit patches of {patch}: use multiples of "
            f"{patch}, "
            f"such as {max(1, height // patch) * patch}x{max(1, width // patch) * patch}"
        )
    return height // patch, width // patch


class Positions(nn.Module):
    """Learned positional embeddings for one grid, read at any grid.

    Another size than the trained one is interpolated on the fly and remembered; the parameter
    itself never changes, so sizes can be asked for in any order (the released CLIP Surgery code
    overwrites it, which accumulates error).

    Parameters
    ----------
    grid : trained (gh, gw)
    width : D
    mode : "bilinear" (CLIP Surgery) or "bicubic" (most dense-CLIP work)
    leading : rows that belong to no patch: 1 for a class token, 0 for a tower without one
    antialias : average instead of skipping rows when the grid shrinks (SigLIP 2)
    """

    def __init__(
        self,
        grid: tuple[int, int],
        width: int,
        mode: str = "bilinear",
        *,
        leading: int = 1,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        self.grid, self.mode, self.leading, self.antialias = grid, mode, leading, antialias
        self.table = random_parameter(leading + grid[0] * grid[1], width, std=width**-0.5)
        self._resized: dict[tuple, Tensor] = {}

    def forward(self, grid: tuple[int, int]) -> Tensor:
        """(leading + gh*gw, D) for the asked grid."""
        table = self.table
        if grid == self.grid:
            return table
        # training at another size: the interpolation must carry gradients
        if table.requires_grad and torch.is_grad_enabled():
            return resize_positions(table, self.grid, grid, self.mode, self.leading, self.antialias)
        key = (grid, self.mode, table._version, table.data_ptr(), table.dtype, table.device)
        if key not in self._resized:
            while len(self._resized) >= POSITION_SIZES_KEPT:
                del self._resized[next(iter(self._resized))]
            self._resized[key] = resize_positions(
                table.detach(), self.grid, grid, self.mode, self.leading, self.antialias
            )
        return self._resized[key]
