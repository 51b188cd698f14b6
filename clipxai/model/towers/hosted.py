"""What can be asked of a tower that we did not write? It runs as it is, and says little.

timm's ConvNeXt, Swin, FastViT (MobileCLIP), ViTamin and whatever else open_clip builds on it end in
a map of cells and a head that pools them. So there are the cells, what the head says of them all,
and what it says of each alone; what happened on the way stays inside. A text tower from elsewhere
gives one feature for each text.

Axes: B images, P = gh * gw cells, D channels, T texts, S text tokens, E joint width.
"""

import torch
from torch import Tensor, nn

from .block import BlockTape, LayerEdit, Mix
from .tower import Capability, ImageTower, TextTower


class HostedImageTower(ImageTower):
    """An image tower of open_clip's around a trunk of timm's.

    Parameters
    ----------
    module : open_clip's `TimmModel`: `trunk`, and `head`, a projection
    image_size : (height, width) in pixels; the only one such a trunk is sure to take
    reason : why it is not one of ours, told to whoever asks what is inside

    Raises
    ------
    ValueError : it does not end in cells that lie on the image as squares
    """

    def __init__(self, module: nn.Module, image_size: tuple[int, int], reason: str) -> None:
        super().__init__()
        self.module, self.image_size = module, image_size
        self.blocks = nn.ModuleList()
        encoder = getattr(module.trunk, "encoder", module.trunk)
        origin = getattr(module, "origin", "timm's")
        kind = type(encoder).__name__
        self.description = f"{kind} of {origin}, which runs as it is ({reason})"
        self.one_size = True
        self.prefix = getattr(module.trunk, "num_prefix_tokens", 0)
        # tokens in front of the cells would be lost on the way through a feature map
        whole: set[Capability] = {"feature_map", "channels"}
        self.has = frozenset() if self.prefix else frozenset(whole)
        self._look()

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Cells down and across an image of the trained size; ValueError: of another."""
        if (height, width) != self.image_size:
            raise ValueError(
                f"a {self.description}, takes images of {self.image_size[0]}x{self.image_size[1]} "
                f"pixels only, not of {height}x{width}: leave size out, and mode='aspect'"
            )
        return self._grid

    def _ending(self, pixels: Tensor) -> Tensor:
        """What its trunk ends in, in whatever form it has it."""
        self.grid(*pixels.shape[-2:])
        return self.module.trunk.forward_features(pixels)

    def _head(self, ending: Tensor) -> Tensor:
        return self.module.head(self.module.trunk.forward_head(ending))

    def _cells(self, ending: Tensor) -> Tensor:
        """(B, P, D), row by row."""
        if ending.ndim == 3:
            return ending[:, self.prefix :]
        return ending.flatten(1, 2) if self._last else ending.flatten(2).transpose(1, 2)

    def _again(self, cells: Tensor, grid: tuple[int, int]) -> Tensor:
        """Cells (B, P, D) of a grid in the form that the head takes."""
        if self._form == 3:
            # whatever stands before the cells, the head asks only one of the two
            front = cells[:, :1].expand(-1, self.prefix, -1)
            return torch.cat([front, cells], dim=1)
        spread = cells.unflatten(1, grid)
        return spread if self._last else spread.permute(0, 3, 1, 2)

    def _look(self) -> None:
        """What the trunk ends in: runs it once, as no attribute of timm's tells for all."""
        weight, (h, w) = next(self.module.parameters()), self.image_size
        with torch.no_grad():
            blank = torch.zeros(1, 3, h, w, dtype=weight.dtype, device=weight.device)
            ending = self.module.trunk.forward_features(blank)
        self._form = ending.ndim
        self._last = getattr(self.module.trunk, "output_fmt", "NCHW") == "NHWC"
        cells = self._cells(ending).shape[1]
        high = round((cells * h / w) ** 0.5)
        wide = cells // max(1, high)
        if high * wide != cells or h % high or w % wide or h // high != w // wide:
            raise ValueError(
                f"a {self.description}, ends in {cells} cells, which do not lie on {h}x{w} pixels "
                "as squares"
            )
        self._grid, self.patch = (high, wide), h // high

    def features(self, pixels: Tensor) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the last feature map (B, D, gh, gw)."""
        return self._cells(self._ending(pixels)).transpose(1, 2).unflatten(2, self._grid)

    def pool_features(self, features: Tensor, *, mix: Mix | None = None) -> Tensor:
        """The last feature map (B, D, gh, gw) to the image feature (B, E), not normalised."""
        return self._head(self._again(features.flatten(2).transpose(1, 2), self._grid))

    def forward(
        self, pixels: Tensor, tape: list[BlockTape] | None = None, *, patches: bool = True
    ) -> Tensor:
        """Pixels (B, 3, h, w) to the joint space (B, 1 + P, E): what the head says of all cells,
        then of each alone; without `patches` (B, 1, E).
        """
        ending = self._ending(pixels)
        whole = self._head(ending)[:, None]
        if not patches:
            return whole
        cells = self._cells(ending)
        alone = self._head(self._again(cells.flatten(0, 1)[:, None], (1, 1)))
        return torch.cat([whole, alone.unflatten(0, cells.shape[:2])], dim=1)

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised."""
        return self(pixels, patches=False)[:, 0]

    def tokens(self, stream: Tensor) -> Tensor:
        """The whole image first, then every cell, (B, 1 + P, E): as it comes."""
        return stream


class HostedTextTower(TextTower):
    """A text tower of open_clip's that is none of ours: transformers' encoders, or CoCa's.

    Parameters
    ----------
    module : ids (T, S) -> features (T, E), or a tuple that begins with them
    vocabulary, context : number of token ids; length every text is filled up to
    pad_id : what it is filled up with
    """

    causal = False  # nothing is known of what a token knows
    read_at_end = False
    full = True

    def __init__(self, module: nn.Module, vocabulary: int, context: int, pad_id: int) -> None:
        super().__init__()
        self.module, self.vocabulary = module, vocabulary
        self.context, self.pad_id = context, pad_id
        self.blocks = nn.ModuleList()

    def forward(
        self,
        ids: Tensor,
        tape: list[BlockTape] | None = None,
        *,
        edit: LayerEdit | None = None,
    ) -> Tensor:
        """Token ids (T, S) to the one place in the joint space that a text has, (T, 1, E)."""
        found = self.module(ids)
        return (found[0] if isinstance(found, tuple) else found)[:, None]

    def read_out(self, stream: Tensor) -> Tensor:
        """As it came: the module ends in the joint space."""
        return stream

    def end(self, ids: Tensor) -> Tensor:
        """The only place there is, (T,)."""
        return torch.zeros(len(ids), dtype=torch.long, device=ids.device)

    def empty(self, ids: Tensor) -> Tensor:
        """The empty text cannot be told from the ids of others.

        Raises
        ------
        ValueError : always
        """
        raise ValueError(
            "the empty text of this model needs its tokenizer: put tokenizer.json beside the "
            "weights, or pass redundant='labels'"
        )
