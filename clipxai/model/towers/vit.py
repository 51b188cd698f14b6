"""How does CLIP's vision transformer turn pixels into tokens?

Patches and one class token, a fixed number of pre-norm blocks, a final norm, and a projection into
the space shared with text (Radford et al. 2021, arXiv 2103.00020; Dosovitskiy et al. 2021,
arXiv 2010.11929).

Axes: B images, N = 1 + P tokens (class token first, then registers where there are any; P where
there is neither), P = gh * gw patches, D width, E joint width.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn

from .block import Block, BlockTape, LayerEdit, Mix, through
from .linear_pool import LinearPool, of_mean
from .parts import deviation, random_parameter
from .positions import Positions
from .post_norm import PostNormBlock
from .tower import Capability, ImageTower

Pooling = Literal["class token", "mean", "mean of read-outs", "query"]


class VisionTransformer(ImageTower):
    """CLIP's ViT image tower.

    Parameters
    ----------
    image_size : (height, width) in pixels it was trained at
    patch : side of a patch in pixels
    width, layers, heads, ffn_width : D, number of blocks, heads of a block, hidden width of its FFN
    joint : E, width of the space shared with text
    activation, eps : of the FFNs ("quick_gelu" in OpenAI's weights), of the norms
    norm_before : normalise the stream before the first block, as all but CLIPA do
    registers : tokens behind the class token that stand for nothing and hold what the blocks keep
        (Darcet et al. 2024, arXiv 2309.16588)
    placed : how many of the tokens before the patches have a positional embedding; the class token
        unless told
    learned_positions : whether anything has; else `rotary` says to queries and keys where they are
    pooling : what speaks for the whole image: the class token, read out as every token is; or the
        mean of the patches (CLIPA), taken before the final norm ("mean") or of the patches as they
        are read out ("mean of read-outs"); "query" is CoCa's, see `coca`
    """

    has: frozenset[Capability] = frozenset({"blocks", "class_token", "attention", "channels"})
    description = "vision transformer with a class token"

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
        norm_before: bool = True,
        pooling: Pooling = "class token",
        class_token: bool = True,
        registers: int = 0,
        placed: int | None = None,
        learned_positions: bool = True,
        patch_bias: bool = False,
        projection_bias: bool = False,
        post_norm: bool = False,
        **parts: Any,
    ) -> None:
        super().__init__()
        self.pooling, self.before = pooling, int(class_token) + registers
        if pooling != "class token":
            self.has = frozenset({"blocks", "attention"})
            self.description = "vision transformer with a mean over its patches"
        self.image_size, self.patch = image_size, patch
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch, bias=patch_bias)
        if class_token:
            self.class_embedding = random_parameter(width, std=width**-0.5)
        if registers:
            self.registers = random_parameter(registers, width, std=width**-0.5)
        grid = (image_size[0] // patch, image_size[1] // patch)
        placed = int(class_token) if placed is None else placed
        self.positions = Positions(grid, width, leading=placed) if learned_positions else None
        self.ln_pre = nn.LayerNorm(width, eps=eps) if norm_before else nn.Identity()
        kind = PostNormBlock if post_norm else Block
        self.blocks = nn.ModuleList(
            kind(width, heads, ffn_width, activation, eps, **parts) for _ in range(layers)
        )
        self.ln_post = nn.LayerNorm(width, eps=eps)
        self.projection = random_parameter(width, joint, std=width**-0.5)
        self.projection_bias = nn.Parameter(torch.zeros(joint)) if projection_bias else None

    def embed(self, pixels: Tensor, keep: Tensor | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the stream entering block 0, (B, N, D).

        `keep` (B, K) leaves only those patches in (indices into P): the cheap half of masked
        training. ValueError: of patches that positions in the blocks need all of.
        """
        grid = self.grid(*pixels.shape[-2:])
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)  # B P D
        placed = 0
        if self.positions is not None:
            positions, placed = self.positions(grid), self.positions.leading
            patches = patches + positions[placed:]
        if keep is not None:
            if self.blocks[0].rotary is not None:
                raise ValueError("keep needs positions that stand in the stream, not rotary ones")
            patches = patches.gather(1, keep[..., None].expand(-1, -1, patches.shape[-1]))
        if not self.before:
            return self.ln_pre(patches)
        kept = (getattr(self, n) for n in ("class_embedding", "registers") if hasattr(self, n))
        front = torch.cat([torch.atleast_2d(part) for part in kept])
        if placed:
            front = torch.cat([front[:placed] + positions[:placed], front[placed:]])
        return self.ln_pre(torch.cat([front.expand(len(patches), -1, -1), patches], dim=1))

    def forward(
        self,
        pixels: Tensor,
        tape: list[BlockTape] | None = None,
        keep: Tensor | None = None,
        *,
        patches: bool = True,
        mix: Mix | None = None,
        edit: LayerEdit | None = None,
    ) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the stream after the last block (B, N, D).

        Without `patches` only the class token, (B, 1, D), if that speaks for the image: what nobody
        reads of the last block is a sixteenth of ViT-B's work. `keep` is that of `embed`, the rest
        that of `Block.forward`.
        """
        grid = self.grid(*pixels.shape[-2:])
        first = 1 if not patches and self.pooling == "class token" else None
        x = self.embed(pixels, keep)
        return through(self.blocks, x, first=first, edit=edit, grid=grid, mix=mix, tape=tape)

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self.whole(self(pixels, mix=mix))

    def whole(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """What that stream says of the whole image: (B, N, D) -> (B, E)."""
        if self.pooling == "class token":
            return self.read_out(stream[:, 0])
        if self.pooling == "mean":
            return self.read_out(stream[:, self.before :].mean(1))
        return self.read_out(stream[:, self.before :]).mean(1)

    def tokens(self, stream: Tensor) -> Tensor:
        """That stream to the joint space, (B, N, E): the whole image first, then every patch."""
        whole = self.whole(stream)  # by itself, as in `pool`: equal to the last bit
        return torch.cat([whole[:, None], self.read_out(stream[:, self.before :])], dim=1)

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) through the final norm and the projection: (..., E), not normalised."""
        features = self.ln_post(stream) @ self.projection
        return features if self.projection_bias is None else features + self.projection_bias

    def deviation(self, stream: Tensor) -> Tensor:
        """(..., 1) what the final norm divides a token of the stream (..., D) by, float32."""
        return deviation(self.ln_post, stream)

    def reads(self, stream: Tensor) -> Tensor:
        """(B, 1, N) the even share of every patch, 0 for what stands before them."""
        share = stream.new_full(stream.shape[:2], 1 / (stream.shape[1] - self.before))
        share[:, : self.before] = 0
        return share[:, None]

    def linear_pool(self, stream: Tensor) -> LinearPool:
        """The mean over the patches of a stream (B, N, D) as a sum over its tokens."""
        first = self.pooling == "mean"
        return of_mean(stream, self.ln_post, self.linear_read_out(), self.before, first)

    def linear_read_out(self, centred: bool = True) -> tuple[Tensor, Tensor]:
        """M (D, E) and b (E,) with read_out(x) = x M / deviation(x) + b, float32.

        The norm's centring is in M; if not `centred`, x has to be centred before. With the
        deviation held fixed the read-out is linear, so the parts of a stream can be read out one by
        one and add up.
        """
        projection = self.projection.float()
        gained = self.ln_post.weight.float()[:, None] * projection
        bias = self.ln_post.bias.float() @ projection
        if self.projection_bias is not None:
            bias = bias + self.projection_bias.float()
        return gained - gained.mean(0) if centred else gained, bias
