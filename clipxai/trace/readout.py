"""What is a part of the stream worth in the joint space? The final norm is held fixed for it.

Formula    read_out(x) = x M / sigma(x) + b, where M = (I - 1 1^T / D) diag(g) W holds the norm's
           centring, its gain g and the projection W, and b = beta W the norm's bias. With sigma
           held at the value of the whole stream the read-out is linear: the parts that add up to x
           are read out one by one, and with b they add up to the token's feature.
Reads      a stream after the last block, and the tower's final norm and projection.
Reference  Gandelsman et al. 2024 (arXiv 2310.05916), section 3, whose released code spreads the
           mean over the parts instead; both add up.
Misleads   A part's share is no prediction of what happens without it: sigma would change too.

Axes: B images, H heads, N tokens, D width, T texts, E joint width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..checks import layer_of
from .edits import ChangedTape, said
from .trace import Trace


@dataclass(frozen=True, eq=False)
class FixedReadout:
    """The read-out of some tokens, the statistics of the final norm held at their values.

    Attributes
    ----------
    matrix : (D, E) M above
    bias : (E,) b above, which no part of the stream brought
    deviation : (..., 1) sigma of each token
    length : (..., 1) of each token's feature: what turns a dot product with a text into a cosine
    """

    matrix: Tensor
    bias: Tensor
    deviation: Tensor
    length: Tensor

    @classmethod
    def of(cls, trace: Trace, token: slice = slice(None)) -> "FixedReadout":
        """That of all image tokens, or of some. The tower needs a class token and blocks."""
        tower = trace.model.visual
        matrix, bias = tower.linear_read_out()
        deviation = tower.deviation(read(trace.stream, tower.before)[:, token])
        # no patch is read out for the whole image
        whole = token == slice(1)
        features = trace.whole_image if whole else trace.image_tokens(normalize=False)[:, token]
        return cls(matrix, bias, deviation, features.norm(dim=-1, keepdim=True))

    def joint(self, part: Tensor) -> Tensor:
        """A part (..., D) of the tokens' stream in the joint space, (..., E)."""
        return part.float() @ self.matrix / self.deviation

    def share(self, part: Tensor, text_features: Tensor) -> Tensor:
        """(..., T) what a part (..., D) added to the cosines with texts (T, E), signed."""
        return part.float() @ self.worth(text_features) / (self.deviation * self.length)

    def share_of_bias(self, text_features: Tensor) -> Tensor:
        """(..., T) what the final norm's bias added to the cosines."""
        return self.bias @ text_features.float().T / self.length

    def worth(self, text_features: Tensor) -> Tensor:
        """(D, T) what a unit of each channel is worth, before a token's deviation and length."""
        return self.matrix @ text_features.float().T


def read(x: Tensor, before: int, dim: int = 1) -> Tensor:
    """Of what there is for each of N tokens, that of those which are read out: of `before` tokens
    before the patches only the first, not the registers.
    """
    if before < 2:
        return x
    return torch.cat([x.narrow(dim, 0, 1), x.narrow(dim, before, x.shape[dim] - before)], dim)


def counted(x: Tensor, before: int, dim: int = -1) -> Tensor:
    """Of what came from each of N tokens, with that of registers added to the class token's."""
    if before < 2:
        return x
    first = x.narrow(dim, 0, before).sum(dim, keepdim=True)
    return torch.cat([first, x.narrow(dim, before, x.shape[dim] - before)], dim)


def embedding(trace: Trace) -> Tensor:
    """(B, N, D) the stream entering block 0; of tokens that an edit put in later, as put in."""
    stream, since = trace.residual(0), trace.edits.replaced(trace.stream.shape[1])
    for layer in sorted({*since} - {0}):
        at = torch.tensor([n == layer for n in since]).to(stream.device)[:, None]
        stream = torch.where(at, trace.residual(layer), stream)
    return stream


def arrives(trace: Trace, layer: int, tokens: int) -> Tensor:
    """(tokens, 1) 1 where what a block adds to a token stays, 0 where an edit overwrites it."""
    if not trace.edits:
        return torch.ones(tokens, 1, device=trace.stream.device)
    since = trace.edits.replaced(tokens)
    return torch.tensor([[float(layer >= n)] for n in since]).to(trace.stream.device)


def expect_heads(trace: Trace, asked: str) -> None:
    """A ValueError where what heads read is, by an edit, no longer what they fetched from each
    token.
    """
    if any(isinstance(tape, ChangedTape) and tape.read is not None for tape in trace.layers):
        raise ValueError(
            f"{asked} takes apart what heads fetched from every token, and here it is something "
            f"else ({said('', trace.edits)}): change heads for all tokens, to zero or to their "
            "mean, or patch them whole"
        )


@torch.no_grad()
def head_vectors(trace: Trace, layer: int) -> Tensor:
    """(B, H, E) what each head of a layer brought the class token, in the joint space.

    Parameters
    ----------
    trace : from `record`
    layer : number of the layer, negative from the last

    Raises
    ------
    IndexError : no such layer
    ValueError : a tower without blocks or class token
    """
    trace.model.expect("the vectors of heads", "blocks", "class_token")
    expect_heads(trace, "the vectors of heads")
    layer = layer_of(len(trace.layers), layer)
    tape, block = trace.layers[layer], trace.model.visual.blocks[layer]
    fetched = tape.weights(1) @ tape.v  # B H 1 d
    merge = block.linear_merge(fetched)
    came = fetched[:, :, 0].float() * arrives(trace, layer, 1)
    added = torch.einsum("bhd,hdw->bhw", came, merge.matrices)
    return FixedReadout.of(trace, slice(1)).joint(added / merge.deviation)
