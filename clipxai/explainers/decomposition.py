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

from ..results.findings import HeadContributions, Picture
from ..trace.replay import attend, gathering, unrounded
from ..trace.trace import Trace
from .scores import Scores


@torch.no_grad()
@unrounded
def decomposition(trace: Trace, minus_mean: bool = False) -> Scores:
    """Share of the cosine that the heads of all layers brought directly from each patch."""
    if minus_mean and len(trace.texts) == 1:
        raise ValueError(
            "minus_mean=True with one text leaves 0 everywhere: record several texts, such as all "
            "labels of a data set"
        )
    to_text = _to_text(trace)
    values = sum(_of_heads(trace, layer, to_text).sum(1) for layer in range(len(trace.layers)))[
        :, 1:
    ]
    if minus_mean:
        return Scores(
            values - values.mean(-1, keepdim=True),
            f"share of the cosine, minus the mean over {len(trace.texts)} texts",
        )
    return Scores(values, "share of the cosine")


@torch.no_grad()
@unrounded
def head_contributions(trace: Trace, image: int = 0) -> HeadContributions:
    """The share of every head, layer and token in the cosine of one image with every text; the
    parts add up.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch

    Returns
    -------
    `HeadContributions`: signed shares of a cosine, (L, H, T, N) (Gandelsman et al., arXiv
    2310.05916)

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without a class token that gathers the image layer by layer (ResNet,
        SigLIP)
    IndexError : no such image
    """
    tower, picture = gathering(trace), Picture.of(trace, image)
    to_text = _to_text(trace)

    def share(part: Tensor) -> Tensor:
        """(B, D) in the class token -> (T,) share of the cosine of this image."""
        return (part[image].float() @ to_text[image]).cpu()

    layers = range(len(trace.layers))
    text = trace.text_features.T / trace.image_tokens(normalize=False)[image, 0].norm()
    return HeadContributions(
        picture,
        trace.texts,
        heads=torch.stack([_of_heads(trace, layer, to_text)[image] for layer in layers])
        .permute(0, 1, 3, 2)
        .cpu()
        .numpy(),
        attention_bias=torch.stack(
            [
                share(tower.blocks[n].attn.out.bias[None].expand(len(trace.pixels), -1))
                for n in layers
            ]
        ).numpy(),
        ffn=torch.stack([share(trace.ffn_output(n)[:, 0]) for n in layers]).numpy(),
        embedding=share(trace.residual(0)[:, 0]).numpy(),
        norm_bias=(tower.ln_post.bias.float() @ tower.projection.float() @ text).cpu().numpy(),
        similarity=(trace.image_features[image] @ trace.text_features.T).cpu().numpy(),
    )


def _to_text(trace: Trace) -> Tensor:
    """(B, D, T): what one unit of each channel of the class token is worth to the cosine, the final
    norm's statistics held fixed.
    """
    tower, final = trace.model.visual, trace.stream[:, 0].float()
    sigma = (final.var(-1, unbiased=False, keepdim=True) + tower.ln_post.eps).sqrt()
    length = trace.image_tokens(normalize=False)[:, 0].norm(dim=-1, keepdim=True)
    # D T
    worth = tower.ln_post.weight.float()[:, None] * (
        tower.projection.float() @ trace.text_features.T
    )
    return (worth - worth.mean(0)) / (sigma * length)[..., None]


def _of_heads(trace: Trace, layer: int, to_text: Tensor) -> Tensor:
    """(B, H, N, T) share of every head of a layer, by the token it was brought from."""
    tape, out = trace.layers[layer], trace.model.visual.blocks[layer].attn.out
    by_head = out.weight.T.float().unflatten(0, (tape.v.shape[1], -1))  # H d D
    worth = torch.einsum("hcd,bdt->bhct", by_head, to_text)
    return attend(tape.q[:, :, :1], tape.k).float().transpose(-1, -2) * (tape.v.float() @ worth)
