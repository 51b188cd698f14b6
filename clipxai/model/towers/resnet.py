"""How does CLIP's ResNet turn pixels into tokens?

OpenAI's modified ResNet: a three-convolution stem, average pooling before every strided
convolution, and, instead of a global mean, one attention layer whose query is the mean of the
feature map ("attention pooling"; Radford et al. 2021, section 2.4).

Axes: B images, N = 1 + P tokens (the mean first, it plays the class token), P = gh * gw cells, D
channels, E joint width.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .block import BlockTape, Heads, Mix
from .positions import Positions
from .tower import Capability, ImageTower

STRIDE = 32  # image pixels per cell of the last feature map
EXPANSION = 4


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions beside a shortcut; a stride is an average pool, so nothing is
    skipped over.
    """

    def __init__(self, inputs: int, planes: int, stride: int) -> None:
        super().__init__()
        outputs = planes * EXPANSION
        self.conv1, self.bn1 = nn.Conv2d(inputs, planes, 1, bias=False), nn.BatchNorm2d(planes)
        self.conv2, self.bn2 = (
            nn.Conv2d(planes, planes, 3, padding=1, bias=False),
            nn.BatchNorm2d(planes),
        )
        self.conv3, self.bn3 = nn.Conv2d(planes, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.shortcut = None
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, 4 * planes, h / stride, w / stride)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.pool(y)))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(self.pool(x))))


class AttentionPool(nn.Module):
    """Attention whose queries may be all tokens (for explaining) or the mean token only (for the
    image feature).
    """

    def __init__(self, grid: tuple[int, int], width: int, heads: int, joint: int) -> None:
        super().__init__()
        self.heads = heads
        self.positions = Positions(grid, width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, joint)

    def tokens(self, features: Tensor) -> Tensor:
        """Feature map (B, D, gh, gw) to tokens (B, N, D): the mean, then every cell, with positions
        added.
        """
        cells = features.flatten(2).transpose(1, 2)
        return torch.cat([cells.mean(1, keepdim=True), cells], dim=1) + self.positions(
            tuple(features.shape[-2:])
        )

    def qkv(self, x: Tensor) -> Heads:
        """Queries, keys and values of tokens (B, N, D), each (B, H, N, d)."""

        def heads(linear: nn.Linear, t: Tensor) -> Tensor:
            return linear(t).unflatten(-1, (self.heads, -1)).transpose(1, 2)

        return heads(self.query, x), heads(self.key, x), heads(self.value, x)

    def merge(self, mixed: Tensor) -> Tensor:
        """Heads (B, H, N, d) side by side, through the output projection: (B, N, E)."""
        return self.out(mixed.transpose(1, 2).flatten(2))

    def forward(
        self,
        x: Tensor,
        *,
        first: int | None = None,
        mix: Mix | None = None,
        tape: list[BlockTape] | None = None,
    ) -> Tensor:
        """Tokens (B, N, D) to the joint space (B, N, E), or only the `first`; see `Block`."""
        q, k, v = self.qkv(x)
        if mix is None:
            read = F.scaled_dot_product_attention(q[:, :, :first], k, v)
        else:
            read = mix(q, k, v)[:, :, :first]
        attention = self.merge(read)
        if tape is not None:
            tape.append(BlockTape(None, q, k, v, attention, None))
        return attention


class ModifiedResNet(ImageTower):
    """CLIP's ResNet image tower.

    Parameters
    ----------
    image_size : (height, width) in pixels it was trained at
    layers : bottlenecks in each of the four stages, (3, 4, 6, 3) for RN50
    width : channels after the stem, 64 for RN50
    heads : heads of the attention pool
    joint : E, width of the space shared with text
    """

    has: frozenset[Capability] = frozenset(
        {"class_token", "attention", "attention_pool", "feature_map", "channels"}
    )
    description = "ResNet with an attention pool"
    patch = STRIDE
    before = 1  # the mean of the feature map

    def __init__(
        self,
        *,
        image_size: tuple[int, int],
        layers: Sequence[int],
        width: int,
        heads: int,
        joint: int,
    ) -> None:
        super().__init__()
        self.image_size = image_size
        half = width // 2
        self.conv1, self.bn1 = (
            nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(half),
        )
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = (
            nn.Conv2d(half, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.pool_stem = nn.AvgPool2d(2)
        stages, inputs = [], width
        for n, depth in enumerate(layers):
            planes = width * 2**n
            blocks = [
                Bottleneck(
                    inputs if m == 0 else planes * EXPANSION, planes, 2 if n and not m else 1
                )
                for m in range(depth)
            ]
            stages.append(nn.Sequential(*blocks))
            inputs = planes * EXPANSION
        self.stages = nn.ModuleList(stages)
        self.attention_pool = AttentionPool(
            (image_size[0] // STRIDE, image_size[1] // STRIDE), inputs, heads, joint
        )

    @property
    def positions(self) -> Positions:  # type: ignore[override]  # they stand in the pool
        """Positional embeddings of the attention pool."""
        return self.attention_pool.positions

    def features(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the last feature map (B, D, gh, gw)."""
        self.grid(*pixels.shape[-2:])
        x = F.relu(self.bn1(self.conv1(pixels)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.pool_stem(F.relu(self.bn3(self.conv3(x))))
        for stage in self.stages:
            x = stage(x)
        return x

    def forward(
        self, pixels: Tensor, tape: list[BlockTape] | None = None, *, patches: bool = True
    ) -> Tensor:
        """Pixels (B, 3, h, w) to every token in the joint space (B, N, E).

        All tokens ask, where CLIP itself only asks for the mean; without `patches` only that one,
        (B, 1, E).
        """
        pool = self.attention_pool
        tokens = pool.tokens(self.features(pixels))
        return pool(tokens, first=None if patches else 1, tape=tape)

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self.pool_features(self.features(pixels), mix=mix)

    def pool_features(self, features: Tensor, *, mix: Mix | None = None) -> Tensor:
        """The last feature map (B, D, gh, gw) to the image feature (B, E), not normalised."""
        pool = self.attention_pool
        return pool(pool.tokens(features), first=1, mix=mix)[:, 0]

    def tokens(self, stream: Tensor) -> Tensor:
        """The whole image first, then every cell, (B, N, E): where the attention pool ends."""
        return stream

    def read_out(self, stream: Tensor) -> Tensor:
        """The attention pool already ends in the joint space: (..., E) as it came."""
        return stream
