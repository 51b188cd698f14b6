"""Which pixels, patches or channels would move the score if they changed a little?

Formula    Grad-CAM               sum_c alpha_c x[i, c], alpha_c = mean over patches of d s / d x[.,
           c]; x enters the last block (ViT) or
                                  the attention pool (ResNet).
           Grad-ECLIP             lambda_i sum_c g_c v[i, c], g = d s / d (attention output of the
                                  class token), lambda_i = min-max over patches of cos(W_o q_CLS,
                                  W_o k_i); the last block's attention is recomputed with ONE head.
           gradient x input       sum over the pixels of a patch of pixel * d s / d pixel.
           integrated gradients   the same with the gradient averaged on the straight line from the
                                  mean colour to the image.
           s is the cosine of the whole image with a text. Grad-CAM and Grad-ECLIP end in a ReLU as
           published: here a switch, off, so that evidence against a text stays visible as a
           negative number.
Reads      streams, q, k, v and pixels; the last block or the whole tower runs again (`replay`).
Returns    `Scores` (B, P, T), signed; above 0 speaks for the text. Integrated gradients add up to
           s(image) - s(mean colour).
Reference  Selvaraju et al. 2017 (arXiv 1610.02391); Zhao et al. 2024/2025 (arXiv 2502.18816), also
           for words; Shrikumar et al. 2016 (arXiv 1605.01713); Sundararajan et al. 2017 (arXiv
           1703.01365). On a ViT, Grad-CAM has no one definition: pytorch-grad-cam reads behind the
           last block's first norm, Grad-ECLIP's code at the block's input with the class token in
           the mean; here the input, patches only.
Misleads   A slope is about small changes; pixels far from them may matter more. Grad-ECLIP's score
           is that of a model with one head in its last block, not of the model itself.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect_some
from ..trace.replay import (
    attend,
    cosine,
    from_features,
    from_pixels,
    from_stream,
    from_words,
    gradients,
    per_text,
)
from ..trace.trace import Trace
from .scores import Scores, texts_at_a_time

COSINE = "share of the cosine, to first order"


@texts_at_a_time(16)
def grad_cam(trace: Trace, relu: bool = False) -> Scores:
    """Channels weighted by their mean gradient, summed."""
    tower = trace.model.visual
    with gradients():
        if tower.kind == "resnet":
            x = tower.features(trace.pixels.to(trace.model.dtype).clone()).detach().requires_grad_()
            patches, scores = x.flatten(2).transpose(1, 2), from_features(trace, x)
        else:
            x = trace.residual(len(trace.layers) - 1).clone().requires_grad_()
            patches, scores = x[:, 1:], from_stream(trace, len(trace.layers) - 1, x)[1]
        (slope,) = per_text(scores, [x])
    # T B P D
    slope = slope.flatten(3).transpose(2, 3) if tower.kind == "resnet" else slope[:, :, 1:]
    return _scores(
        torch.einsum("bpd,tbd->bpt", patches.detach(), slope.mean(2)),
        "channels weighted by their mean gradient",
        relu,
    )


@texts_at_a_time(64)
def grad_eclip(trace: Trace, relu: bool = False) -> Scores:
    """Values of the last layer weighted by the gradient of the class token's attention output and
    by how alike query and key are.
    """
    tower, tape = trace.model.visual, trace.layers[-1]
    block = tower.blocks[-1]
    # B N D: one head
    q, k, v = (heads.transpose(1, 2).flatten(2).clone() for heads in (tape.q, tape.k, tape.v))
    with gradients():
        mixed = (attend_once(q[:, :1], k) @ v).detach().requires_grad_()  # B 1 D
        x = tape.residual[:, :1].clone() + block.attn.out(mixed)
        # T B 1 D
        (slope,) = per_text(
            cosine(tower.read_out(x + block.ffn(x))[:, 0], trace.text_features), [mixed]
        )
    # B P
    alike = F.cosine_similarity(block.attn.out(q[:, :1]), block.attn.out(k[:, 1:]), dim=-1).detach()
    values = torch.einsum("bpd,tbd->bpt", v[:, 1:], slope[:, :, 0]) * _minmax(alike)[..., None]
    return _scores(
        values, COSINE, relu, ("The last attention was recomputed with one head, as published.",)
    )


def grad_eclip_words(trace: Trace, image: int, relu: bool = False) -> tuple[Tensor, str]:
    """The same at [end] in the last block of the text tower: (S,), for the cosine of a trace's only
    text with one image.

    The released code takes the min-max over the padding too; padding is not computed here.
    """
    tape, block = trace.text_layers[-1], trace.model.text.blocks[-1]
    # 1 S D
    q, k, v = (heads.transpose(1, 2).flatten(2).clone() for heads in (tape.q, tape.k, tape.v))
    with gradients():
        mixed = (attend_once(q[:, -1:], k) @ v).detach().requires_grad_()  # 1 1 D
        x = tape.residual[:, -1:].clone() + block.attn.out(mixed)
        (slope,) = torch.autograd.grad(from_words(trace, x + block.ffn(x), image).sum(), mixed)
    alike = F.cosine_similarity(block.attn.out(q[:, -1:]), block.attn.out(k), dim=-1).detach()
    scores = ((v * slope).sum(-1) * _minmax(alike))[0]
    return scores.clamp(min=0) if relu else scores, COSINE


@texts_at_a_time(16)
def gradient_x_input(trace: Trace) -> Scores:
    """Pixel times gradient, summed over each patch; a pixel of the mean colour counts as 0."""
    pixels = trace.pixels.to(trace.model.dtype).clone()
    return Scores(_by_patch(trace, _pixel_slope(trace, pixels) * pixels), COSINE)


@texts_at_a_time(16)
def integrated_gradients(trace: Trace, steps: int = 32) -> Scores:
    """Pixel times gradient, averaged over `steps` images between the mean colour and the image."""
    expect_some(steps=steps)
    pixels = trace.pixels.to(trace.model.dtype).clone()
    slope = (
        sum(_pixel_slope(trace, pixels * ((step + 0.5) / steps)) for step in range(steps)) / steps
    )
    return Scores(
        _by_patch(trace, slope * pixels), "share of the cosine above that of the mean colour"
    )


def gradient_x_input_words(trace: Trace, image: int) -> tuple[Tensor, str]:
    """Token embedding times gradient, (S,), for the cosine of a trace's only text with one image;
    the position's embedding is left out.
    """
    tower = trace.model.text
    embedded = tower.token_embedding(trace.token_ids).detach()
    with gradients():
        x = trace.text_layers[0].residual.clone().requires_grad_()
        stream = x
        for block in tower.blocks:
            stream = block(stream, causal=True)
        (slope,) = torch.autograd.grad(from_words(trace, stream, image).sum(), x)
    return (slope * embedded).sum(-1)[0], COSINE


def attend_once(q: Tensor, k: Tensor) -> Tensor:
    """Attention of a single head as wide as the stream: q (B, 1, D), k (B, N, D) -> (B, 1, N)."""
    return attend(q[:, None], k[:, None])[:, 0]


def _pixel_slope(trace: Trace, pixels: Tensor) -> Tensor:
    """d s / d pixels for every text: (T, B, 3, h, w)."""
    with gradients():
        x = pixels.clone().requires_grad_()
        return per_text(from_pixels(trace, x), [x])[0]


def _by_patch(trace: Trace, pixels: Tensor) -> Tensor:
    """Sums over each patch and its channels: (T, B, 3, h, w) -> (B, P, T)."""
    patch = trace.model.visual.patch
    return (
        pixels.sum(2)
        .unflatten(-1, (-1, patch))
        .unflatten(-3, (-1, patch))
        .sum((-1, -3))
        .flatten(2)
        .permute(1, 2, 0)
    )


def _minmax(x: Tensor) -> Tensor:
    """To 0…1 along the last axis."""
    low, high = x.amin(-1, True), x.amax(-1, True)
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


def _scores(values: Tensor, unit: str, relu: bool, notes: tuple[str, ...] = ()) -> Scores:
    return Scores(values.clamp(min=0) if relu else values, unit, notes)
