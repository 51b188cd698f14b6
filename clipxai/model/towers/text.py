"""How does CLIP read a text? A causal transformer whose last token, [end], speaks for the whole
sentence.

Axes: T texts, S tokens of a text (padded behind [end]), D width, E joint width.
"""

import torch
from torch import Tensor, nn

from .block import Block, BlockTape, LayerEdit, through
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
    vocabulary : number of token ids
    context : most tokens a text may have, [start] and [end] included
    end_id : id of [end], where a text is read. None: the largest id of each text, as OpenAI's code
        and open_clip have it; a vocabulary with tokens behind [end] needs to know
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
        end_id: int | None = None,
    ) -> None:
        super().__init__()
        if end_id is not None and not 0 <= end_id < vocabulary:
            raise ValueError(
                f"texts end with token {end_id}, but the vocabulary has 0 to {vocabulary - 1}"
            )
        self.context, self.end_id = context, end_id
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

    def forward(
        self,
        ids: Tensor,
        tape: list[BlockTape] | None = None,
        *,
        edit: LayerEdit | None = None,
    ) -> Tensor:
        """Token ids (T, S) to every token's place in the joint space (T, S', E), not normalised."""
        stream = through(self.blocks, self.embed(ids), causal=True, tape=tape, edit=edit)
        return self.read_out(stream)

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) through the final norm and the projection: (..., E), not normalised."""
        return self.ln_final(stream) @ self.projection

    def empty(self, ids: Tensor) -> Tensor:
        """Ids (1, 2) of the empty text, [start] [end], which any other text (T, S) gives away."""
        return torch.stack([ids[0, 0], ids[0, self.end(ids[:1])[0]]])[None]

    def end(self, ids: Tensor) -> Tensor:
        """Position of the first [end] in each text, (T,). ValueError: a text without."""
        if self.end_id is None:
            return ids.argmax(dim=-1)
        ends = (ids == self.end_id).int()
        if not bool(ends.any(dim=-1).all()):
            number = int(ends.any(dim=-1).int().argmin())
            raise ValueError(
                f"text {number} of these token ids has no [end], which is {self.end_id}"
            )
        return ends.argmax(dim=-1)
