"""Which pixels, patches or channels would move the score if they changed a little?

Formula    Grad-CAM               sum_c alpha_c x[i, c], alpha_c = mean over patches of
                                  d s / d x[., c]; x enters the last block (ViT) or the attention
                                  pool (ResNet).
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
           last block's first norm (here grad_cam_released), Grad-ECLIP's code at the block's input
           with the class token in the mean; here the input, patches only.
Misleads   A slope is about small changes; pixels far from them may matter more. Grad-ECLIP's score
           is that of a model with one head in its last block, not of the model itself.
"""

from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import Steps, layer_of
from ..model.towers.block import Block, BlockTape, Edit, attend, through
from ..trace.replay import (
    WrittenOut,
    cosine,
    from_end,
    from_features,
    from_pixels,
    from_stream,
    from_word_stream,
    gradients,
    of_one_token,
    per_text,
)
from ..trace.trace import Trace
from .scores import Scores, texts_at_a_time

COSINE = "share of the cosine, to first order"
Rule = Literal["gauss-legendre", "middle"]


@texts_at_a_time(16)
def grad_cam(
    trace: Trace, relu: bool = False, layer: int | None = None, norm: bool = False
) -> Scores:
    """Channels weighted by their mean gradient, summed.

    Of a ViT `layer` is the block whose input is read, negative from the last; `norm` reads it
    behind that block's first norm.
    """
    tower = trace.model.visual
    if "feature_map" in tower.has:
        if layer is not None or norm:
            raise ValueError(
                "layer= and norm= choose among the blocks of a ViT; a ResNet is read where its "
                "attention pool begins"
            )
        with gradients():
            x = tower.features(trace.pixels.to(trace.model.dtype).clone()).detach().requires_grad_()
            (slope,) = per_text(from_features(trace, x), [x])
        patches, slope = x.flatten(2).transpose(1, 2), slope.flatten(3).transpose(2, 3)
    else:
        x, slope = _at_block(
            trace, layer_of(len(trace.layers), -1 if layer is None else layer), norm
        )
        patches, slope = x[:, tower.before :], slope[:, :, tower.before :]  # B P D, T B P D
    values = torch.einsum("bpd,tbd->bpt", patches.detach(), slope.mean(2))
    return _scores(values, "channels weighted by their mean gradient", relu)


def _at_block(trace: Trace, layer: int, norm: bool) -> tuple[Tensor, Tensor]:
    """A block's input (B, N, D), or what its attention reads of that, and each text's gradient."""
    tower, block = trace.model.visual, trace.model.visual.blocks[layer]
    with gradients():
        x = trace.residual(layer).clone()
        if not norm:
            x = x.requires_grad_()
            return x, per_text(from_stream(trace, layer, x)[1], [x])[0]
        read = block.norm(x).detach().requires_grad_()
        told = dict(grid=trace.grid, mix=WrittenOut(False, trace.edits, layer))
        edit = trace.edits.on(layer)
        own = partial(edit, layer) if edit else None
        behind = block(x, heads=block.heads_of(read, trace.grid), edit=own, **told)
        stream = through(tower.blocks, behind, start=layer + 1, edit=edit, **told)
        scores = cosine(tower.read_out(stream[:, 0]), trace.text_features)
        return read, per_text(scores, [read])[0]


@texts_at_a_time(64)
def grad_eclip(trace: Trace, relu: bool = False) -> Scores:
    """Values of the last layer by the gradient of what the class token read, and by key similarity.

    How alike the class token's query and a patch's key are is brought to 0…1 over the patches.
    """
    block = trace.model.visual.blocks[-1]
    told = of_one_token(trace.edits, len(trace.layers) - 1, "grad_eclip")
    last = _LastAttention.of(trace.layers[-1], block, asks=0, edit=told)
    with gradients():
        scores = cosine(trace.model.visual.read_out(last.stream), trace.text_features)
        (slope,) = per_text(scores, [last.read])  # T B 1 1 D
    patches = slice(trace.model.visual.before, None)
    values = torch.einsum("bpd,tbd->bpt", last.values[:, patches], slope[:, :, 0, 0])
    note = "The last attention was recomputed with one head, as published."
    return _scores(values * _minmax(last.alike[:, patches])[..., None], COSINE, relu, (note,))


def grad_eclip_words(trace: Trace, image: int, relu: bool = False) -> tuple[Tensor, str]:
    """The same at [end] in the last block of the text tower: (S,) of a trace's only text.

    The released code takes the min-max over the padding too; padding is not computed here.
    """
    told = of_one_token(trace.text_edits, len(trace.text_layers) - 1, "grad_eclip")
    block = trace.model.text.blocks[-1]
    last = _LastAttention.of(trace.text_layers[-1], block, asks=-1, edit=told)
    with gradients():
        (slope,) = torch.autograd.grad(from_end(trace, last.stream, image).sum(), last.read)
    scores = ((last.values * slope[:, 0]).sum(-1) * _minmax(last.alike))[0]
    return scores.clamp(min=0) if relu else scores, COSINE


class _LastAttention(NamedTuple):
    """A last block run again for one token, with one head as wide as the stream.

    `read` (B, 1, 1, D) is what the token read, a leaf for gradients; `stream` (B, D) the token
    behind the block; `values` (B, N, D); `alike` (B, N) cosines of its query with all keys, both
    through the output projection.
    """

    read: Tensor
    stream: Tensor
    values: Tensor
    alike: Tensor

    @classmethod
    def of(cls, tape: BlockTape, block: Block, asks: int, edit: Edit) -> "_LastAttention":
        q, k, v = (
            heads.transpose(1, 2).flatten(2)[:, None].clone() for heads in (tape.q, tape.k, tape.v)
        )
        asker = q[:, :, asks][:, :, None]  # B 1 1 D
        with gradients():
            read = (attend(asker, k) @ v).detach().requires_grad_()
            entering = tape.residual[:, asks][:, None].clone()
            told = dict(heads=(asker, k, v), mix=lambda q, k, v: read, edit=edit)
            stream = block(entering, **told)[:, 0]
        alike = F.cosine_similarity(block.merge(asker), block.merge(k), dim=-1).detach()
        return cls(read, stream, v[:, 0], alike)


@texts_at_a_time(16)
def gradient_x_input(trace: Trace) -> Scores:
    """Pixel times gradient, summed over each patch; a pixel of the mean colour counts as 0."""
    pixels = trace.pixels.to(trace.model.dtype).clone()
    return Scores(_by_patch(trace, _pixel_slope(trace, pixels) * pixels), COSINE)


def integrated_gradients(trace: Trace, steps: Steps = 32, rule: Rule = "gauss-legendre") -> Scores:
    """Pixel times gradient, averaged over `steps` images between the mean colour and the image.

    `rule` says which: those of Gauss and Legendre, which come closest to the integral, or the
    middle of each step. The note says how far the map is from adding up.
    """
    found = _integrated(trace, steps=steps, rule=rule)
    with torch.no_grad():
        grey = trace.model.encode_image(torch.zeros_like(trace.pixels).to(trace.model.dtype))
    gained = cosine(trace.image_features, trace.text_features)
    gained = gained - cosine(grey, trace.text_features)
    gaps = (found.values.sum(1) - gained).abs().amax(1).tolist()  # of each image
    told = (
        f"Completeness: the map adds up to the gain over the mean colour to within {gap:.2g} "
        f"({steps} steps)."
        for gap in gaps
    )
    return found._replace(of_images=tuple(told))


@texts_at_a_time(16)
def _integrated(trace: Trace, steps: int, rule: Rule) -> Scores:
    pixels = trace.pixels.to(trace.model.dtype).clone()
    if rule == "middle":
        places, weights = (np.arange(steps) + 0.5) / steps, np.full(steps, 1 / steps)
    else:
        places, weights = np.polynomial.legendre.leggauss(steps)
        places, weights = (places + 1) / 2, weights / 2
    parts = zip(places.tolist(), weights.tolist())
    slope = sum(_pixel_slope(trace, pixels * share) * weight for share, weight in parts)
    unit = "share of the cosine above that of the mean colour"
    return Scores(_by_patch(trace, slope * pixels), unit)


def gradient_x_input_words(trace: Trace, image: int) -> tuple[Tensor, str]:
    """Token embedding times gradient, (S,) of a trace's only text.

    The position's embedding is left out.
    """
    tower = trace.model.text
    embedded = tower.token_embedding(trace.token_ids).detach()
    with gradients():
        x = trace.text_layers[0].residual.clone().requires_grad_()
        _, scores = from_word_stream(trace, 0, x, image)
        (slope,) = torch.autograd.grad(scores.sum(), x)
    return (slope * embedded).sum(-1)[0], COSINE


def _pixel_slope(trace: Trace, pixels: Tensor) -> Tensor:
    """d s / d pixels for every text: (T, B, 3, h, w)."""
    with gradients():
        x = pixels.clone().requires_grad_()
        return per_text(from_pixels(trace, x), [x])[0]


def _by_patch(trace: Trace, pixels: Tensor) -> Tensor:
    """Sums over each patch and its channels: (T, B, 3, h, w) -> (B, P, T)."""
    patch = trace.model.visual.patch
    squares = pixels.sum(2).unflatten(-1, (-1, patch)).unflatten(-3, (-1, patch))
    return squares.sum((-1, -3)).flatten(2).permute(1, 2, 0)


def _minmax(x: Tensor) -> Tensor:
    """To 0…1 along the last axis."""
    low, high = x.amin(-1, True), x.amax(-1, True)
    return (x - low) / (high - low).clamp_min(torch.finfo(x.dtype).tiny)


def _scores(values: Tensor, unit: str, relu: bool, notes: tuple[str, ...] = ()) -> Scores:
    return Scores(values.clamp(min=0) if relu else values, unit, notes)
