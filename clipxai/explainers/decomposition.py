"""What did each head of each layer fetch from each patch, and what was it worth to the score?

Exact, with nothing left over.

Formula    The class token is a sum: its embedding, and what every head h of every layer l brought
           it from every token j, and the FFNs.
               c[l, h, j] = A_l[h, CLS, j] W_o[h] v_l[h, j]
           Through the final norm with its mean and deviation held at their values, the projection
           and the text:
               share(c) = ((c - mean c) / sigma * g) W . T / |F|
           and all shares add up to the cosine. The map of a text is sum_{l, h} share(c[l, h, j]).
Reads      the trace's q, k, v, FFN outputs and streams; output projections, final norm and
           projection.
Returns    `Scores` (B, P, T) and `HeadContributions`: signed shares of a cosine; 0 brought nothing.
Reference  Gandelsman et al. 2024, "Interpreting CLIP's Image Representation via Text-Based
           Decomposition" (arXiv 2310.05916), sections 3-4. Their segmentation subtracts the mean
           over 1,000 class names: here `minus_mean`, over the recorded texts. TextSpan's naming of
           heads by texts is not part of this.
Misleads   Direct effects only: what a head writes into other tokens for later layers to fetch
           counts for those layers. A share is no prediction of what happens if the head is removed.
"""

import torch
from torch import Tensor

from ..checks import of_its_kinds
from ..results.findings import HeadContributions, Picture
from ..trace.precision import unrounded
from ..trace.readout import FixedReadout, arrives, embedding, expect_heads
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .scores import Scores

CLASS = slice(1)  # the class token, alone


@torch.no_grad()
@unrounded
def decomposition(trace: Trace, minus_mean: bool = False) -> Scores:
    """Share of the cosine that the heads of all layers brought directly from each patch."""
    if minus_mean and len(trace.texts) == 1:
        raise ValueError(
            "minus_mean=True with one text leaves 0 everywhere: record several texts, such as all "
            "labels of a data set"
        )
    expect_heads(trace, "decomposition")
    worth = _worth(trace)
    layers = range(len(trace.layers))
    values = sum(_of_heads(trace, layer, worth).sum(1) for layer in layers)[:, 1:]  # B P T
    if not minus_mean:
        return Scores(values, "share of the cosine")
    unit = f"share of the cosine, minus the mean over {len(trace.texts)} texts"
    return Scores(values - values.mean(-1, keepdim=True), unit)


@of_its_kinds
@torch.no_grad()
@unrounded
def head_contributions(trace: Trace, image: int = 0) -> HeadContributions:
    """The share of every head, layer and token in the cosine of one image with every text.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch

    Returns
    -------
    `HeadContributions`: signed shares of a cosine, (L, H, T, N), which add up to it (Gandelsman et
    al., arXiv 2310.05916)

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without a class token that gathers the image layer by layer (ResNet,
        SigLIP)
    IndexError : no such image

    Examples
    --------
    >>> found = head_contributions(trace)
    >>> found.heads.shape  # layers, heads, texts, tokens
    (8, 4, 4, 197)
    """
    trace.model.expect("the contributions of heads", "blocks", "class_token")
    expect_heads(trace, "the contributions of heads")
    expect_texts(trace.model, trace.texts, "head_contributions")
    picture, one = Picture.of(trace, image), trace.of(image)
    readout, texts, worth = FixedReadout.of(one, CLASS), one.text_features, _worth(one)
    blocks, layers = one.model.visual.blocks, range(len(one.layers))

    def share(part: Tensor, layer: int | None = None) -> Tensor:
        """What a layer added to the class token, (1, D) or (D,) -> (T,) share of the cosine."""
        arrived = part if layer is None else part * arrives(one, layer, 1)
        return readout.share(arrived, texts)[0, 0].cpu()

    def bias(layer: int) -> Tensor:
        """What a layer's attention adds whatever its heads read; nothing of a block taken out."""
        tape = one.layers[layer]
        merge = blocks[layer].linear_merge(tape.weights(1) @ tape.v)
        return merge.bias * (not one.edits.at(layer, "attention"))

    heads = torch.stack([_of_heads(one, n, worth)[0] for n in layers])  # L H N T
    return HeadContributions(
        picture,
        one.texts,
        heads=heads.transpose(2, 3).cpu().numpy(),
        attention_bias=torch.stack([share(bias(n), n) for n in layers]).numpy(),
        ffn=torch.stack([share(one.ffn_output(n)[:, 0], n) for n in layers]).numpy(),
        embedding=share(embedding(one)[:, 0]).numpy(),
        norm_bias=readout.share_of_bias(texts)[0, 0].cpu().numpy(),
        similarity=(one.image_features[0] @ texts.T).cpu().numpy(),
    )


def _worth(trace: Trace) -> Tensor:
    """(B, D, T) what a unit of each channel of the class token is worth to the cosine."""
    readout = FixedReadout.of(trace, CLASS)
    return readout.worth(trace.text_features) / (readout.deviation * readout.length)


def _of_heads(trace: Trace, layer: int, worth: Tensor) -> Tensor:
    """(B, H, N, T) share of every head of a layer, by the token it was brought from."""
    tape = trace.layers[layer]
    looked = tape.weights(1)  # B H 1 N
    merge = trace.model.visual.blocks[layer].linear_merge(looked @ tape.v)
    by_head = torch.einsum("hcd,bdt->bhct", merge.matrices, worth / merge.deviation)
    came = looked.float().transpose(-1, -2) * arrives(trace, layer, 1)  # B H N 1
    return came * (tape.v.float() @ by_head)
