"""How does a CLIP read a text? A transformer of which one token speaks for the whole sentence.

CLIP's is causal and read at [end]. SigLIP's, and others', sees all tokens at once; what fills a
text up to the full length is then read too, and so each text has to be filled up.

Axes: T texts, S tokens of a text (padded behind [end]), D width, E joint width.
"""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .block import Block, BlockTape, LayerEdit, through
from .parts import random_parameter
from .tower import TextTower

PACKED = 512  # tokens computed together in `at_ends`: every one is compared with every other


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
    """CLIP's text tower, and SigLIP's.

    Parameters
    ----------
    vocabulary : number of token ids
    context : most tokens a text may have, [start] and [end] included
    width, layers, heads, ffn_width : D, number of blocks, heads of a block, hidden width of its FFN
    joint : E
    activation, eps : of the FFNs, of the norms
    causal : whether a token knows those before it and never those after, or all of them
    read_at : "end", the token [end]; or "last", the last place of a full text, as SigLIP does
    end_id : id of [end]. None: the largest id of each text, as OpenAI's code and open_clip have it;
        a vocabulary with tokens behind [end] needs to know
    pad_id : what texts are filled up with
    projection : "matrix" into the joint space, "linear" with a bias as well, or "none": E is D
    """

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
        causal: bool = True,
        read_at: Literal["end", "last"] = "end",
        end_id: int | None = None,
        pad_id: int = 0,
        projection: Literal["matrix", "linear", "none"] = "matrix",
    ) -> None:
        super().__init__()
        for name, number in (("end", end_id), ("are filled up", pad_id)):
            if number is not None and not 0 <= number < vocabulary:
                raise ValueError(
                    f"texts {name} with token {number}, but the vocabulary has 0 to "
                    f"{vocabulary - 1}"
                )
        if projection == "none" and width != joint:
            raise ValueError(
                f"a text tower without projection is as wide as the joint space, but is {width} "
                f"and that {joint}"
            )
        self.vocabulary = vocabulary
        self.context, self.causal, self.end_id, self.pad_id = context, causal, end_id, pad_id
        self.read_at_end = read_at == "end"
        self.full = not (causal and self.read_at_end)  # else what stands behind [end] is read
        self.token_embedding = nn.Embedding.from_pretrained(
            random_parameter(vocabulary, width, std=0.02), freeze=False
        )
        self.positions = random_parameter(context, width, std=0.01)
        self.blocks = nn.ModuleList(
            Block(width, heads, ffn_width, activation, eps) for _ in range(layers)
        )
        self.ln_final = nn.LayerNorm(width, eps=eps)
        self.projection: nn.Parameter | nn.Module
        if projection == "matrix":
            self.projection = random_parameter(width, joint, std=width**-0.5)
        else:
            self.projection = nn.Linear(width, joint) if projection == "linear" else nn.Identity()

    def embed(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to the stream entering block 0, (T, S', D).

        S' is the length of the longest text, unless all have to be full: what stands behind [end]
        cannot change anything before it, so it is not computed. ValueError: ids this model does not
        know, or too many of them.
        """
        ids = known_ids(ids, self.context, self.vocabulary)
        if not self.full:
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
        stream = through(self.blocks, self.embed(ids), causal=self.causal, tape=tape, edit=edit)
        return self.read_out(stream)

    def at_ends(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to where each text is read, (T, E), not normalised.

        A token knows only those before it, so what texts share with the first from their beginning
        on is computed once, and so is nothing that fills them up: of a text of 15 words without
        each of them, little more than half is left.
        """
        if self.full:
            return super().at_ends(ids)
        ends = self.end(known_ids(ids, self.context, self.vocabulary))
        alike = (ids == ids[0]).cumprod(1).sum(1).minimum(ends.minimum(ends[0] + 1))
        alike[0] = 0
        packs = (ends - alike + 1)[1:].cumsum(0) // PACKED
        first = torch.zeros(1, dtype=torch.long, device=ids.device)
        found = []
        for pack in range(int(packs[-1]) + 1 if len(packs) else 1):
            chosen = torch.cat([first, 1 + (packs == pack).nonzero()[:, 0]])
            read = self._read_packed(ids[chosen], ends[chosen], alike[chosen])
            found.append(read if pack == 0 else read[1:])
        return torch.cat(found)

    def _read_packed(self, ids: Tensor, ends: Tensor, alike: Tensor) -> Tensor:
        """The same of texts behind one another in one row, of which each but the first begins
        behind the tokens that are `alike`.
        """
        place = torch.arange(ids.shape[1], device=ids.device)
        text, place = ((alike[:, None] <= place) & (place <= ends[:, None])).nonzero().unbind(1)
        own = (text[:, None] == text) & (place[:, None] >= place)
        shared = (text == 0) & (alike[text][:, None] > place)
        mix = partial(F.scaled_dot_product_attention, attn_mask=own | shared)
        entering = self.token_embedding(ids[text, place]) + self.positions[place]
        stream = through(self.blocks, entering[None], mix=mix)
        return self.read_out(stream[0, place == ends[text]])

    def read_out(self, stream: Tensor) -> Tensor:
        """Stream (..., D) through the final norm and the projection: (..., E), not normalised."""
        normed = self.ln_final(stream)
        if isinstance(self.projection, nn.Module):
            return self.projection(normed)
        return normed @ self.projection

    def empty(self, ids: Tensor) -> Tensor:
        """Ids (1, 2) of the empty text, [start] [end], which any other text (T, S) gives away.

        Raises
        ------
        ValueError : of a tower whose texts have to be full, which do not
        """
        if self.full:
            raise ValueError(
                "the empty text of this model needs its tokenizer: put tokenizer.json beside the "
                "weights, or pass redundant='labels'"
            )
        return torch.stack([ids[0, 0], ids[0, self.end(ids[:1])[0]]])[None]

    def end(self, ids: Tensor) -> Tensor:
        """Where each text is read, (T,): at its first [end], or at the last place.

        ValueError: a text without [end]
        """
        if not self.read_at_end:
            return torch.full((len(ids),), ids.shape[1] - 1, device=ids.device)
        if self.end_id is None:
            return ids.argmax(dim=-1)
        ends = (ids == self.end_id).int()
        if not bool(ends.any(dim=-1).all()):
            number = int(ends.any(dim=-1).int().argmin())
            raise ValueError(
                f"text {number} of these token ids has no [end], which is {self.end_id}"
            )
        return ends.argmax(dim=-1)
