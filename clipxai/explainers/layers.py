"""Which tokens did every layer look at, and what did every module add to the image-text score?

Formula    Attention maps   A = softmax(Q K^T / sqrt(d)), or V V^T, Q Q^T, K K^T in its place. Where
                            no class token stands for the image, a pool reads it, so much of token
                            i: p[i], mean over its heads; its row in a layer is p A, the mean of all
                            rows so weighted.
           Rollout          product of (mean_h A + I) / 2, row of the class token, or p times it.
           Contribution     of a module whose output is x: ((x - mean(x)) / sigma * g) W . T / |F|,
                            where sigma is the standard deviation of the *final* stream, held fixed,
                            g the final norm's gain and W the projection (`trace.readout`). With
                            embedding and bias all parts add up to the cosine. Where a pool
                            reads the image: `trace.pooled`.
Reads      the trace's q, k, v, stream, attention and FFN outputs; the final norm and projection.
Returns    `AttentionMaps` (weights, 0…1) and `Contributions` (signed shares of a cosine).
Reference  rollout: Abnar & Zuidema 2020 (arXiv 2005.00928), p is this project's; decomposition:
           Gandelsman et al. 2024 (arXiv 2310.05916).
Misleads   Attention says where values were read from, not what they did to the score. A
           contribution is exact for the raw path with the final norm held fixed; it is no
           prediction of what happens if the module is removed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import of_its_kinds
from ..model.clip import cosines
from ..results.findings import AttentionMaps, Contributions, Picture
from ..results.findings.attention import MEAN, POOL, SINK
from ..trace.pooled import FixedPool
from ..trace.precision import unrounded
from ..trace.readout import FixedReadout, arrives, counted, embedding, read
from ..trace.sides import expect_texts
from ..trace.trace import Kind, Trace


@of_its_kinds
@torch.no_grad()
@unrounded
def attention_maps(
    trace: Trace, kinds: Sequence[Kind] = ("qk", "vv"), image: int = 0
) -> AttentionMaps:
    """Attention of every layer, with statistics of every head.

    Parameters
    ----------
    trace : from `record`
    kinds : which similarities, "qk" (the model's own), "vv", "qq", "kk"
    image : number of the image in the batch

    Returns
    -------
    `AttentionMaps` of L layers and H heads: weights 0…1; rollout after Abnar & Zuidema (arXiv
    2005.00928). Token 0 is what stands for the whole image: the class token, or a pool (SigLIP),
    whose row is the mean of all rows of a layer, each token's weighted by how much the pool reads
    of it at the end

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without attention (ConvNeXt); an unknown kind
    IndexError : no such image

    Examples
    --------
    >>> maps = attention_maps(trace)
    >>> maps.mean["qk"].shape  # layers, tokens that look, tokens looked at
    (8, 197, 197)
    """
    trace.model.expect("attention maps", "attention")
    picture, one = Picture.of(trace, image), trace.of(image)
    tower = one.model.visual
    pool = None if "class_token" in tower.has else tower.reads(one.stream)[0].float()
    read = None if pool is None else pool.mean(0)
    layers = range(len(one.layers))
    mean: dict[str, np.ndarray] = {}
    class_rows: dict[str, np.ndarray] = {}
    before = tower.before
    for kind in kinds:
        weights = [_counted(one.attention(layer, kind)[0], before, read) for layer in layers]
        mean[kind] = _numpy(torch.stack([w.mean(0) for w in weights]))
        class_rows[kind] = _numpy(torch.stack([w[:, 0] for w in weights]))
    apart = _distances(one.grid, one.stream.device)
    looking = slice(None) if read is None else slice(1, None)  # a pool's row is no gaze of its own
    even = one.grids[0].patches + (before > 0)
    weights = (_counted(one.attention(layer)[0].float(), before, read) for layer in layers)
    found = [_statistics(each, apart, looking, even) for each in weights]
    entropy, distance, on_class, received = (torch.stack(column) for column in zip(*found))
    late = received[len(received) // 2 :].mean(0)
    return AttentionMaps(
        picture,
        mean,
        class_rows,
        _numpy(entropy),
        _numpy(distance),
        _numpy(on_class),
        _numpy(_rollout(one, read)),
        sinks=tuple((late > SINK).nonzero().flatten().tolist()),
        **({} if pool is None else _told_of_pool(one, pool)),
    )


def _told_of_pool(trace: Trace, pool: Tensor) -> dict[str, Any]:
    """What `AttentionMaps` says where a pool stands for the image."""
    tower = trace.model.visual
    beside = "[class]" if hasattr(tower, "class_embedding") else "[registers]"
    return {
        "whole": POOL if "learned_query" in tower.has else MEAN,
        "beside": beside if tower.before else "",
        "pool": _numpy(pool),
    }


def _counted(weights: Tensor, before: int, of_pool: Tensor | None) -> Tensor:
    """(H, 1 + P, 1 + P) of (H, N, N): no rows of registers, and what is given to them is counted
    with the class token, so that rows still sum to 1. If a pool reads so much `of_pool` (N,) of
    each token, the first row is the mean so weighted, and there is a first column in any case.
    """
    if of_pool is None:
        return read(counted(weights, before), before, 1)
    columns = _first(weights, before)
    return torch.cat([of_pool.to(columns) @ columns[:, None], columns[:, before:]], dim=1)


def _first(x: Tensor, before: int) -> Tensor:
    """(..., 1 + P) of (..., N): first what came from all tokens `before` the patches, or 0."""
    return counted(x, before) if before else F.pad(x, (1, 0))


def _statistics(
    weights: Tensor, apart: Tensor, looking: slice, even: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of one layer's weights (H, N, N): entropy of the rows of what is `looking`, distance and
    weight on the class token, each (H,), and how often its `even` share every patch received, (P,).
    """
    to_patches, rows = weights[:, 1:, 1:], weights[:, looking]
    entropy = -(rows * rows.clamp_min(1e-12).log2()).sum(-1).mean(-1)
    distance = (to_patches * apart.to(weights)).sum((-1, -2)) / to_patches.sum((-1, -2))
    received = rows.mean(0)[:, 1:].mean(0) * even
    return entropy, distance, weights[:, 1:, 0].mean(-1), received


def _rollout(trace: Trace, of_pool: Tensor | None) -> Tensor:
    """(L, N) rollout of the class token, or of what a pool reads, up to each layer and with it."""
    rolled = torch.eye(trace.layers[0].q.shape[-2], device=trace.stream.device)
    even, rows, before = rolled, [], trace.model.visual.before
    for layer in range(len(trace.layers)):
        rolled = (trace.attention(layer)[0].float().mean(0) + even) / 2 @ rolled
        row = rolled[0] if of_pool is None else of_pool @ rolled
        rows.append(_first(row, before))
    return torch.stack(rows)


@of_its_kinds
@torch.no_grad()
@unrounded
def contributions(trace: Trace, image: int = 0) -> Contributions:
    """Share of every attention and every FFN in the cosine of every token with every text.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch

    Returns
    -------
    `Contributions`: signed shares of a cosine, (L, T, N) of attention and of FFN, which with
    embedding and bias add up to it (Gandelsman et al., arXiv 2310.05916)

    Raises
    ------
    TypeError : no Trace
    ValueError : a ResNet: nothing gathers its image layer by layer
    IndexError : no such image

    Examples
    --------
    >>> found = contributions(trace)
    >>> found.attention.shape  # layers, texts, tokens
    (8, 4, 197)
    """
    trace.model.expect("contributions", "blocks")
    expect_texts(trace.model, trace.texts, "contributions")
    picture, one, texts = Picture.of(trace, image), trace.of(image), trace.text_features
    tower, layers = one.model.visual, range(len(one.layers))
    pooled = None if "class_token" in tower.has else FixedPool.of(one)
    readout = FixedReadout.of(one) if pooled is None else pooled
    arrived = [arrives(one, n, one.stream.shape[1]) for n in layers]
    attention = [one.attention_output(n) * arrived[n] for n in layers]
    ffn = [one.ffn_output(n) * arrived[n] for n in layers]

    def share(part: Tensor) -> np.ndarray:
        """(1, N, D) added to the stream -> (T, N) share of the cosine."""
        part = part if pooled else read(part, tower.before)
        return _numpy(readout.share(part, texts)[0].T)

    def of_image(part: Tensor) -> Tensor:
        """What stands for the image of a part (1, N, D)."""
        return pooled.pool.of_tokens(part)[0].sum(0) if pooled else part[0, 0]

    final = of_image(one.stream)
    return Contributions(
        picture,
        one.texts,
        attention=np.stack([share(part) for part in attention]),
        ffn=np.stack([share(part) for part in ffn]),
        embedding=share(embedding(one)),
        bias=_numpy(readout.share_of_bias(texts)[0].T),
        similarity=_numpy(one.similarity()[0].T),
        attention_alignment=_alignment(map(of_image, attention), final),
        ffn_alignment=_alignment(map(of_image, ffn), final),
        lens=np.stack([_lens(one, n) for n in range(len(layers) + 1)]),
        pool=_numpy(pooled.share_of_ffn(texts)[0].T) if pooled else None,
    )


def _alignment(parts: Iterable[Tensor], final: Tensor) -> np.ndarray:
    """(L,) cosine of what each part (D,) adds to the image with all that was added, (D,)."""
    added = torch.stack([*parts]).float()
    return _numpy(F.cosine_similarity(added, final.float()[None], dim=-1))


def _lens(trace: Trace, layer: int) -> np.ndarray:
    """(T, P) the map if the network stopped before a layer ("logit lens")."""
    tower, stream = trace.model.visual, trace.residual(layer)
    if "class_token" in tower.has:
        patches = tower.read_out(stream[:, tower.before :])
    else:
        patches = tower.tokens(stream)[:, 1:]
    return _numpy(cosines(F.normalize(patches.float(), dim=-1), trace.text_features)[0].T)


def _distances(grid: tuple[int, int], device: torch.device) -> Tensor:
    """(P, P) distances between patch centres, in patches."""
    down, across = (torch.arange(side, device=device) for side in grid)
    y, x = torch.meshgrid(down, across, indexing="ij")
    places = torch.stack([y.flatten(), x.flatten()], dim=1).float()
    return torch.cdist(places, places)


def _numpy(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
