"""What is SigLIP? CLIP without a class token, trained to answer yes or no to every pair of an image
and a text.

Three things differ from CLIP. The image is pooled by one attention whose query is learned, the "MAP
head"; nothing else in the tower speaks for the whole image. The text tower sees all words at once
and is read at its last place, which is why texts are always padded to the same length. And a pair's
score is a sigmoid of scale * cosine + bias, by itself, not a softmax over texts.

What does a single patch say? What the head answers when it sees that patch alone: attention over
one key is 1, so what remains is the patch's value through the output projection and the head's
residual MLP. (MaskCLIP, arXiv 2112.01071, drops the queries and keys of CLIP's last attention in
the same way. To read SigLIP's head so is our choice; no publication was found that fixes one.)

References: Zhai et al. 2023 (arXiv 2303.15343); SigLIP 2: Tschannen et al. 2025 (arXiv 2502.14786).
Axes: B images, P = gh * gw patches, T texts, S text tokens, D width, E joint width (the image
tower's D).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Heads, attend
from .block import Block, BlockTape, LayerEdit, Mix, through
from .linear_pool import LinearPool, of_norm
from .parts import FFN, deviation, random_parameter
from .positions import Positions
from .tower import Capability, ImageTower


class PoolingHead(nn.Module):
    """Multi-head attention pooling ("MAP"): a learned probe asks, the patches answer; then x +
    MLP(LN(x)).
    """

    def __init__(self, width: int, heads: int, ffn_width: int, activation: str, eps: float) -> None:
        super().__init__()
        self.probe = random_parameter(width, std=width**-0.5)
        self.attn = Attention(width, heads)
        self.ln = nn.LayerNorm(width, eps=eps)
        self.mlp = FFN(width, ffn_width, activation)

    def forward(self, x: Tensor, mix: Mix | None = None, *, patches: bool = True) -> Tensor:
        """(B, P, D) -> (B, 1 + P, D): the head's answer to all patches, then to each alone; without
        `patches` only the first, (B, 1, D).
        """
        q, k, v = self.project(x)
        of_all = (mix or F.scaled_dot_product_attention)(q, k, v)
        y = self.attn.merge(torch.cat([of_all, v], dim=2) if patches else of_all)
        return y + self.mlp(self.ln(y))

    def reads(self, x: Tensor) -> Tensor:
        """(B, H, P) where the probe looks among tokens (B, P, D)."""
        q, k, _ = self.project(x)
        return attend(q, k)[:, :, 0]

    def project(self, x: Tensor) -> Heads:
        """The probe's query (B, H, 1, d), and keys and values of tokens (B, P, D)."""
        q, k, v = self.attn.project(torch.cat([self.probe.expand(len(x), 1, -1), x], dim=1))
        return q[:, :, :1], k[:, :, 1:], v[:, :, 1:]

    def linear(self, stream: Tensor, norm: nn.LayerNorm, before: int = 0) -> LinearPool:
        """What the head reads of a stream (B, N, D) through a norm, as a sum over tokens; `before`
        of them are no patches, which are not asked alone. It ends in the head's own width.
        """
        q, k, v = self.project(norm(stream))
        looked, divisor = attend(q, k).float()[:, :, 0], deviation(norm, stream)[..., 0]
        y = self.attn.merge(torch.cat([attend(q, k) @ v, v[:, :, before:]], dim=2))
        weight, bias = self.attn.qkv.weight.chunk(3)[2], self.attn.qkv.bias.chunk(3)[2]
        values, brought = of_norm(norm, weight.T, bias.float())
        merge = self.attn.linear_merge(v)
        return LinearPool(
            looked / divisor[:, None],
            1 / divisor[:, before:],
            values.unflatten(-1, (self.attn.heads, -1)).transpose(0, 1),
            merge.matrices,
            (brought @ merge.matrices.flatten(0, 1) + merge.bias).expand_as(y),
            self.mlp(self.ln(y)).float(),
        )


class SiglipVisionTransformer(ImageTower):
    """SigLIP's image tower.

    Parameters
    ----------
    image_size : (height, width) in pixels it was trained at
    patch : side of a patch in pixels
    width, layers, heads, ffn_width : D, number of blocks, heads of a block and of the head, hidden
        width of the FFNs
    activation : of the FFNs
    antialias : resize positions with antialiasing (SigLIP 2 in its native-aspect form)
    """

    has: frozenset[Capability] = frozenset({"blocks", "attention", "learned_query"})
    description = "vision transformer with a pooling head and no class token"

    def __init__(
        self,
        *,
        image_size: tuple[int, int],
        patch: int,
        width: int,
        layers: int,
        heads: int,
        ffn_width: int,
        activation: str = "gelu_pytorch_tanh",
        eps: float = 1e-6,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        self.image_size, self.patch = image_size, patch
        self.patch_embedding = nn.Conv2d(3, width, patch, stride=patch)
        self.positions = Positions(
            (image_size[0] // patch, image_size[1] // patch), width, leading=0, antialias=antialias
        )
        self.blocks = nn.ModuleList(
            Block(width, heads, ffn_width, activation, eps) for _ in range(layers)
        )
        self.ln_post = nn.LayerNorm(width, eps=eps)
        self.head = PoolingHead(width, heads, ffn_width, activation, eps)

    def forward(
        self,
        pixels: Tensor,
        tape: list[BlockTape] | None = None,
        *,
        patches: bool = True,
        mix: Mix | None = None,
        edit: LayerEdit | None = None,
    ) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the stream after the last block (B, P, D).

        `patches` is there as in the other towers; none can be left out, because the head reads them
        all.
        """
        grid = self.grid(*pixels.shape[-2:])
        x = self.patch_embedding(pixels).flatten(2).transpose(1, 2) + self.positions(grid)
        return through(self.blocks, x, edit=edit, grid=grid, mix=mix, tape=tape)

    def tokens(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """That stream to the joint space, (B, 1 + P, E).

        The whole image first, then what the head says of every patch alone.
        """
        return self.head(self.ln_post(stream), mix)

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self.tokens(self(pixels, mix=mix), mix)[:, 0]

    def whole(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """What that stream says of the whole image: (B, P, D) -> (B, E)."""
        return self.head(self.ln_post(stream), mix, patches=False)[:, 0]

    def reads(self, stream: Tensor) -> Tensor:
        """(B, H, P) where the head's probe looks."""
        return self.head.reads(self.ln_post(stream))

    def linear_pool(self, stream: Tensor) -> LinearPool:
        """The pool of a stream (B, P, D) as a sum over its tokens."""
        return self.head.linear(stream, self.ln_post)
