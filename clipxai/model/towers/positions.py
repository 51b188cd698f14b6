"""Where does a patch lie? Learned positional embeddings for one grid, read at any grid; or angles
that queries and keys are turned by.

Axes: B batch, H heads, N tokens, P = gh * gw patches, d width of a head, D width.
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


class Rotary(nn.Module):
    """Turns queries and keys by where their patches lie, so that a product of two depends on how
    the one lies from the other (Su et al. 2021, arXiv 2104.09864, by rows and columns as in EVA-02,
    arXiv 2303.11331, and PE, arXiv 2504.13181).

    Channels 2i and 2i + 1 of a head are turned together, by their patch's row or column times
    temperature^(-4i / d): the first half of a head by the one, the second half by the other. What
    stands before the patches, a class token, is not turned. Nothing of this is learned.

    Parameters
    ----------
    reference : (gh, gw) that every grid is stretched to, so that other sizes mean the same places
    columns_first : the first half of a head is turned by columns (PE); else by rows (EVA02)
    offset : number of the first row and column
    temperature : how slowly the slowest channels turn
    """

    def __init__(
        self,
        reference: tuple[int, int],
        *,
        columns_first: bool = False,
        offset: float = 0.0,
        temperature: float = 10_000.0,
    ) -> None:
        super().__init__()
        self.reference, self.columns_first = reference, columns_first
        self.offset, self.temperature = offset, temperature
        self._known: dict[tuple, tuple[Tensor, Tensor]] = {}

    def forward(self, x: Tensor, grid: tuple[int, int] | None) -> Tensor:
        """Queries or keys (B, H, N, d), turned."""
        if grid is None:
            raise ValueError("positions that turn queries and keys need the grid of the patches")
        cos, sin = self._turn(grid, x)
        before, patches = x.split([x.shape[2] - len(cos), len(cos)], dim=2)
        return torch.cat([before, patches * cos + self.crossed(patches) * sin], dim=2)

    def crossed(self, x: Tensor) -> Tensor:
        """(..., d) with the two channels of every pair exchanged, and the first one negative."""
        return torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)

    @torch.inference_mode(False)  # remembered, and part of what gradients are taken through
    def _turn(self, grid: tuple[int, int], x: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of every patch's angles, (P, d) each."""
        key = (grid, x.shape[-1], x.dtype, x.device)
        if key not in self._known:
            while len(self._known) >= POSITION_SIZES_KEPT:
                del self._known[next(iter(self._known))]
            angles = self.angles(grid, x.shape[-1])
            self._known[key] = angles.cos().to(x), angles.sin().to(x)
        return self._known[key]

    def angles(self, grid: tuple[int, int], d: int) -> Tensor:
        """(P, d) in radians, float32; both channels of a pair have the same."""
        rows, columns = (
            (torch.arange(float(n)) + self.offset) / n * stretched
            for n, stretched in zip(grid, self.reference)
        )
        places = torch.cartesian_prod(rows, columns)  # P 2
        places = places.flip(-1) if self.columns_first else places
        return (places[..., None] * self.speeds(d)).flatten(1).repeat_interleave(2, dim=-1)

    def speeds(self, d: int) -> Tensor:
        """(d / 4,) how far each pair of channels turns from one place to the next."""
        return self.temperature ** -(torch.arange(d // 4) / (d // 4))


class CentredRotary(Rotary):
    """DINOv3's (Siméoni et al. 2025, arXiv 2508.10104): channels i and i + d / 2 of a head are
    turned together, by where their patch's middle lies between -1 and 1, in whole turns; rows
    first, whatever the grid.
    """

    def __init__(self, temperature: float = 100.0) -> None:
        super().__init__((1, 1), offset=0.5, temperature=temperature)

    def crossed(self, x: Tensor) -> Tensor:
        """As in `Rotary`."""
        first, second = x.chunk(2, dim=-1)
        return torch.cat([-second, first], dim=-1)

    def angles(self, grid: tuple[int, int], d: int) -> Tensor:
        """As in `Rotary`."""
        rows, columns = (2 * (torch.arange(float(n)) + self.offset) / n - 1 for n in grid)
        places = 2 * torch.pi * torch.cartesian_prod(rows, columns)  # P 2
        return (places[..., None] * self.speeds(d)).flatten(1).tile(2)
