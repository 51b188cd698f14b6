"""What can be asked of a tower? Every tower says what it has; nobody asks for its kind.

Of an image tower:

    blocks           transformer blocks around a stream that every one of them adds to
    class_token      a token of the stream, the first, that stands for the whole image; in a ResNet
                     the mean of the feature map, which asks for it
    attention        layers in which tokens look at tokens
    attention_pool   one attention at the end that every token can ask
    learned_query    a query of its own that reads the tokens at the end, and stands for the image
    feature_map      a last map of cells that a head pools, which can be asked of any such map
    channels         activations that the image's feature can be traced back to, channel by channel

Axes: B images, N tokens, P = gh * gw patches, T texts, S text tokens, D width, E joint width.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor, nn

from .block import BlockTape, LayerEdit, Mix
from .linear_pool import LinearPool
from .positions import Positions, grid_of

Capability = Literal[
    "blocks",
    "class_token",
    "attention",
    "attention_pool",
    "learned_query",
    "feature_map",
    "channels",
]
IN_WORDS: dict[Capability, str] = {
    "blocks": "transformer blocks",
    "class_token": "a class token",
    "attention": "attention between tokens",
    "attention_pool": "an attention pool",
    "learned_query": "a learned query that reads the tokens",
    "feature_map": "a feature map",
    "channels": "channels that lead to the score",
}
FOUND_IN: dict[Capability, tuple[str, ...]] = {
    "blocks": ("ViTs", "SigLIPs"),
    "class_token": ("ViTs", "ResNets"),
    "attention": ("ViTs", "SigLIPs", "ResNets"),
    "attention_pool": ("ResNets",),
    "learned_query": ("SigLIPs",),
    "feature_map": ("ResNets",),
    "channels": ("ViTs", "ResNets"),
}


class ImageTower(nn.Module):
    """What the towers have in common, and what those that differ have to bring.

    Attributes
    ----------
    has : what can be asked of the tower, see above
    description : what it is, for people
    image_size : (height, width) in pixels it was trained at
    patch : side of a patch in pixels
    positions : its positional embeddings; None where only queries and keys know places (`Rotary`)
    blocks : its transformer blocks, if it has them
    before : tokens of the stream that stand before the patches: a class token, registers
    one_size : whether it takes images of `image_size` only
    """

    has: frozenset[Capability]
    description: str
    image_size: tuple[int, int]
    patch: int
    positions: Positions | None
    blocks: nn.ModuleList
    before: int = 0
    one_size: bool = False

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Patches (gh, gw) down and across an image of that many pixels; ValueError: no fit."""
        return grid_of(height, width, self.patch)

    def forward(
        self, pixels: Tensor, tape: list[BlockTape] | None = None, *, patches: bool = True
    ) -> Tensor:
        """Pixels (B, 3, h, w), normalised, to the stream after the last block (B, N, D)."""
        raise NotImplementedError

    def tokens(self, stream: Tensor) -> Tensor:
        """That stream to the joint space, (B, 1 + P, E): the whole image first."""
        raise NotImplementedError

    def pool(self, pixels: Tensor, *, mix: Mix | None = None) -> Tensor:
        """Pixels (B, 3, h, w) to the image feature (B, E), not normalised.

        `mix` is how tokens read one another in every attention, the model's own unless given.
        """
        raise NotImplementedError

    def whole(self, stream: Tensor, mix: Mix | None = None) -> Tensor:
        """What a stream (B, N, D) says of the whole image, (B, E): of a tower with blocks."""
        raise NotImplementedError

    def reads(self, stream: Tensor) -> Tensor:
        """How much of each token of a stream (B, N, D) is read for the whole image: by every head
        of a learned query, or by the one mean, (B, heads, N), each sums to 1. Of a tower with
        blocks and without a class token.
        """
        raise NotImplementedError

    def linear_pool(self, stream: Tensor) -> LinearPool:
        """What a stream (B, N, D) says of the whole image, as a sum over its tokens: of a tower
        with blocks and without a class token.
        """
        raise NotImplementedError


class TextTower(nn.Module):
    """What text towers have in common.

    Attributes
    ----------
    reads : whether there are texts at all
    causal : whether a token knows those before it and never those after
    full : whether every text has to be filled up to `context`, as what fills it is read too
    read_at_end : whether a text is read at its token [end]
    context : most tokens a text may have
    vocabulary : number of token ids
    pad_id : what texts are filled up with
    blocks : its transformer blocks
    token_embedding : what every token id begins as
    """

    reads: bool = True
    causal: bool
    full: bool
    read_at_end: bool
    context: int
    vocabulary: int
    pad_id: int
    blocks: nn.ModuleList
    token_embedding: nn.Embedding

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to the stream entering block 0, (T, S, D)."""
        raise NotImplementedError

    def forward(
        self,
        ids: Tensor,
        tape: list[BlockTape] | None = None,
        *,
        edit: LayerEdit | None = None,
    ) -> Tensor:
        """Token ids (T, S) to every token's place in the joint space (T, S, E), not normalised.

        `tape` and `edit` are those of the blocks, see `through`.
        """
        raise NotImplementedError

    def at_ends(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to where each text is read, (T, E), not normalised."""
        return self.of_ends(self(ids), ids)

    def of_ends(self, tokens: Tensor, ids: Tensor) -> Tensor:
        """Of tokens (T, S, E) in the joint space those at which texts are read, (T, E)."""
        return tokens[torch.arange(len(ids), device=ids.device), self.end(ids)]

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) after the last block to the joint space, (..., E), not normalised."""
        raise NotImplementedError

    def end(self, ids: Tensor) -> Tensor:
        """Where each text is read, (T,)."""
        raise NotImplementedError

    def empty(self, ids: Tensor) -> Tensor:
        """Ids (1, S) of the empty text, as far as other texts (T, S) give it away."""
        raise NotImplementedError


def in_words(needed: Iterable[Capability]) -> str:
    """Capabilities as people say them: "transformer blocks and a class token"."""
    return " and ".join(words for name, words in IN_WORDS.items() if name in set(needed))


def found_in(required: Iterable[Capability]) -> str:
    """Models that have all of it, as people call them: "CLIP's ViTs and SigLIPs"."""
    first, *others = (FOUND_IN[name] for name in required)
    *kinds, last = [kind for kind in first if all(kind in one for one in others)]
    return "CLIP's " + " and ".join([*([", ".join(kinds)] if kinds else []), last])
