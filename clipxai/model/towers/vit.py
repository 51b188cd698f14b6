"""How does CLIP's vision transformer turn pixels into tokens?

Patches and one class token, a fixed number of pre-norm blocks, `ln_post`, and a projection into the
space shared with text (Radford et al. 2021, arXiv 2103.00020; Dosovitskiy et al. 2021, arXiv
2010.11929).

Axes: B images, N = 1 + P tokens (class token first), P = gh * gw patches, D width, E joint width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .block import Block, BlockTape, random_parameter

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


class VisionTransformer(nn.Module):
    """CLIP's ViT image tower.

    Parameters
    ----------
    image_size : (height, width) in pixels it was trained at
    patch : side of a patch in pixels
    width, layers, heads, ffn_width : D, number of blocks, heads of a block, hidden width of its FFN
    joint : E, width of the space shared with text
    activation : "quick_gelu" (OpenAI's weights) or "gelu"
    """

    kind = "vit"

    def __init__(
        self,
        *,
        image_size: tuple[int, int],
        patch: int,
        width: int,
        layers: int,
        heads: int,
        ffn_width: int,
        joint: int,
        activation: str = "quick_gelu",
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.image_size, self.patch = image_size, patch
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = random_parameter(width, std=width**-0.5)
        self.positions = Positions((image_size[0] // patch, image_size[1] // patch), width)
        self.ln_pre = nn.LayerNorm(width, eps=eps)
        self.blocks = nn.ModuleList(
            Block(width, heads, ffn_width, activation, eps) for _ in range(layers)
        )
        self.ln_post = nn.LayerNorm(width, eps=eps)
        self.projection = random_parameter(width, joint, std=width**-0.5)

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patch grid (gh, gw) of an image of that many pixels."""
        return grid_of(height, width, self.patch)

    def embed(self, pixels: Tensor, keep: Tensor | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the stream entering block 0, (B, N, D).

        `keep` (B, K) leaves only those patches in (indices into P): the cheap half of masked
        training.
        """
        grid = self.grid(*pixels.shape[-2:])
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)  # B P D
        positions = self.positions(grid)
        patches = patches + positions[1:]
        if keep is not None:
            patches = patches.gather(1, keep[..., None].expand(-1, -1, patches.shape[-1]))
        cls = (self.class_embedding + positions[0]).expand(len(patches), 1, -1)
        return self.ln_pre(torch.cat([cls, patches], dim=1))

    def forward(
        self,
        pixels: Tensor,
        tape: list[BlockTape] | None = None,
        keep: Tensor | None = None,
        *,
        patches: bool = True,
    ) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the stream after the last block (B, N, D).

        Without `patches` only the class token, (B, 1, D): what nobody reads of the last block is a
        sixteenth of ViT-B's work.
        """
        x = self.embed(pixels, keep)
        for block in self.blocks[:-1]:
            x = block(x, tape=tape)
        return self.blocks[-1](x, tape=tape, first=None if patches else 1)

    def pool(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E): the class token's read-out, not
        normalised.
        """
        return self.read_out(self(pixels)[:, 0])

    def tokens(self, stream: Tensor) -> Tensor:
        """Stream (B, N, D) after the last block to the joint space, (B, N, E): the whole image
        first, then every patch.
        """
        cls = self.read_out(stream[:, 0])  # by itself, as in `pool`: equal to the last bit
        return torch.cat([cls[:, None], self.read_out(stream[:, 1:])], dim=1)

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) through `ln_post` and the projection: (..., E), not normalised."""
        return self.ln_post(stream) @ self.projection
