"""How little of the picture (or the text) does the score need? Noise is let in to find out.

Formula    z = lambda x + (1 - lambda) eps, eps ~ N(0, 1), lambda = sigmoid(alpha), one alpha per
           token and channel, alpha_0 = 5. By Adam, learning rate 1, minimise
               beta mean KL(N(lambda x, (1 - lambda)^2) || N(0, 1)) - mean cos(image, text)
           The map is the KL divergence of each token, summed over channels: nats that had to pass.
Reads      the stream entering a late block, of the image or the text tower; the blocks from there
           on run again (`replay`).
Returns    `Scores` (B, P, T): nats, >= 0; 0 means the token could be replaced by noise.
Reference  Wang et al. 2023, "Visual Explanations of Image-Text Representations via Multi-Modal
           Information Bottleneck Attribution" (arXiv 2312.17174); beta 0.1, 10 steps, 10 noise
           samples, behind layer 9 of 12 (counted from 0), that is before the last two blocks, as in
           its released code, which like this one neither scales x nor takes the class token out.
Misleads   Random: another `seed` gives another map. Ten steps do not converge, and x is far from
           unit variance, so much of the map is the size of the tokens. The compressed score is not
           the model's.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import Factor, Seed, Steps, Within
from ..trace.replay import first_of, from_stream, from_word_stream, gradients
from ..trace.trace import Trace
from .scores import Scores, texts_at_a_time

START = 5.0  # alpha_0: at first, nearly everything passes


@texts_at_a_time(2)
def m2ib(
    trace: Trace,
    blocks: int = 2,
    beta: Factor = 0.1,
    steps: Steps = 10,
    samples: Annotated[int, Within(1, 1000)] = 10,
    seed: Seed = 0,
) -> Scores:
    """Information that had to pass before the last `blocks` blocks, for each text by itself."""
    first, texts = first_of(len(trace.layers), blocks), trace.text_features
    x = trace.residual(first)  # B N D

    def score(z: Tensor) -> Tensor:
        """(samples, T, B, N, D) -> (samples, T, B)"""
        if texts.ndim == 2:
            every = from_stream(trace, first, z.flatten(0, 2))[1].unflatten(0, z.shape[:3])
            return every.diagonal(dim1=1, dim2=3).transpose(1, 2)
        # each image its own: every row of z is asked about one text
        own = texts.transpose(0, 1).expand(len(z), -1, -1, -1).flatten(0, 2)[:, None]
        one = replace(trace, text_features=own)
        return from_stream(one, first, z.flatten(0, 2))[1].view(z.shape[:3])

    nats = _information(x.expand(texts.shape[-2], *x.shape), score, beta, steps, samples, seed)
    values = nats[..., trace.model.visual.before :].permute(1, 2, 0)
    return Scores(values, "information that had to pass, in nats")


def m2ib_words(
    trace: Trace,
    image: int,
    blocks: int = 2,
    beta: Factor = 0.1,
    steps: Steps = 10,
    samples: Annotated[int, Within(1, 1000)] = 10,
    seed: Seed = 0,
) -> tuple[Tensor, str]:
    """The same in the text tower: (S,) nats of every token of a trace's only text, for its cosine
    with one image.
    """
    first = first_of(len(trace.text_layers), blocks)

    def score(z: Tensor) -> Tensor:
        """(samples, 1, S, D) -> (samples, 1)"""
        return from_word_stream(trace, first, z[:, 0], image)[1]

    nats = _information(trace.text_layers[first].residual, score, beta, steps, samples, seed)
    return nats[0], "information that had to pass, in nats"


def _information(
    x: Tensor, score: Callable[[Tensor], Tensor], beta: float, steps: int, samples: int, seed: int
) -> Tensor:
    """Nats per token, (..., N) for x (..., N, D), of the last step; `score` maps (samples, ..., N,
    D) to cosines (samples, ...).
    """
    random, dtype = torch.Generator().manual_seed(seed), x.dtype
    with gradients():
        # Adam divides by what half precision takes for 0
        x = x.to(torch.promote_types(dtype, torch.float32), copy=True)
        alpha = torch.full_like(x, START).requires_grad_()
        optimizer = torch.optim.Adam([alpha], lr=1.0)
        for _ in range(steps):
            noise = torch.randn(samples, *x.shape[-2:], generator=random).to(x)
            # the same for every text and image of a batch
            noise = noise.view(samples, *(1,) * (x.ndim - 2), *x.shape[-2:])
            passed, closed = alpha.sigmoid() * x, (-alpha).sigmoid()
            nats = (passed.square() + closed.square() - 1) / 2 - F.logsigmoid(-alpha)
            loss = (
                beta * nats.mean((-1, -2)) - score((passed + closed * noise).to(dtype)).mean(0)
            ).sum()
            (alpha.grad,) = torch.autograd.grad(loss, alpha)
            optimizer.step()
    return nats.detach().sum(-1)
