"""How does CLIP read a text? A causal transformer whose last token, [end], speaks for the whole
sentence.

Axes: T texts, S tokens of a text (padded behind [end]), D width, E joint width.
"""

import torch
from torch import Tensor, nn

from .block import Block, BlockTape, through
from .parts import random_parameter
from .tower import TextTower


def known_ids(ids: Tensor, context: int, vocabulary: int) -> Tensor:
    """Token ids (T, S) as they came; more tokens or other ids than the model knows are an error."""
    if ids.shape[1] > context:
        raise ValueError(
            f"texts of {ids.shape[1]} tokens, but this model reads at most {context}: shorten them"
        )
    if not 0 <= int(ids.min()) <= int(ids.max()) < vocabulary:
        raise ValueError(
            f"token ids from {int(ids.min())} to {int(ids.max())}, but this model knows 0 to "
            f"{vocabulary - 1}: "
            "they come from another vocabulary"
        )
    return ids


class TextTransformer(TextTower):
    """CLIP's text tower.

    Parameters
    ----------
    vocabulary : number of token ids; [end] is the largest id of any text
    context : most tokens a text may have, [start] and [end] included
    """

    causal = True  # a token knows those before it and never those after
    sentencepiece = False  # words are cut into CLIP's byte pairs

    def __init__(
        self,
        *,
        vocabulary: int,
        context: int,
        width: int,
        layers: int,
        heads: int,
        ffn_width: int,
        joint: int,
        activation: str = "quick_gelu",
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.context = context
        self.token_embedding = nn.Embedding.from_pretrained(
            random_parameter(vocabulary, width, std=0.02), freeze=False
        )
        self.positions = random_parameter(context, width, std=0.01)
        self.blocks = nn.ModuleList(
            Block(width, heads, ffn_width, activation, eps) for _ in range(layers)
        )
        self.ln_final = nn.LayerNorm(width, eps=eps)
        self.projection = random_parameter(width, joint, std=width**-0.5)

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to the stream entering block 0, (T, S', D).

        S' is the length of the longest text: what stands behind [end] cannot change anything before
        it, so it is not computed. ValueError: ids this model does not know, or too many of them.
        """
        ids = known_ids(ids, self.context, self.token_embedding.num_embeddings)
        ids = ids[:, : int(self.end(ids).max()) + 1]
        return self.token_embedding(ids) + self.positions[: ids.shape[1]]

    def forward(self, ids: Tensor, tape: list[BlockTape] | None = None) -> Tensor:
        """Token ids (T, S) to every token's place in the joint space (T, S', E), not normalised."""
        return self.read_out(through(self.blocks, self.embed(ids), causal=True, tape=tape))

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) through the final norm and the projection: (..., E), not normalised."""
        return self.ln_final(stream) @ self.projection

    def empty(self, ids: Tensor) -> Tensor:
        """Ids (1, 2) of the empty text, [start] [end], which any other text (T, S) gives away."""
        return torch.stack([ids[0, 0], ids.max()])[None]

    def end(self, ids: Tensor) -> Tensor:
        """Position of [end] in each text, (T,)."""
        return ids.argmax(dim=-1)
