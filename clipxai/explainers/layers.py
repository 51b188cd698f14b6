"""Which tokens did every layer look at, and what did every module add to the image-text score?

Formula    Attention maps   softmax(Q K^T / sqrt(d)), or V V^T, Q Q^T, K K^T in its place.
           Rollout          product of (mean_h A + I) / 2.
           Contribution     of a module whose output is x: ((x - mean(x)) / sigma * g) W . T / |F|,
                            where sigma is the standard deviation of the *final* stream, held fixed,
                            g the final norm's gain and W the projection (`trace.readout`). With
                            embedding and bias all parts add up to the cosine. Where a pool
                            reads the image: `trace.pooled`.
Reads      the trace's q, k, v, stream, attention and FFN outputs; the final norm and projection.
Returns    `AttentionMaps` (weights, 0…1) and `Contributions` (signed shares of a cosine).
Reference  rollout: Abnar & Zuidema 2020 (arXiv 2005.00928); decomposition: Gandelsman et al. 2024
           (arXiv 2310.05916).
Misleads   Attention says where values were read from, not what they did to the score. A
           contribution is exact for the raw path with the final norm held fixed; it is no
           prediction of what happens if the module is removed.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import of_its_kinds
from ..model.clip import cosines
from ..results.findings import AttentionMaps, Contributions, Picture
from ..trace.pooled import FixedPool
from ..trace.precision import unrounded
from ..trace.readout import FixedReadout, arrives, counted, embedding, read
from ..trace.sides import expect_texts
from ..trace.trace import Kind, Trace

# times its even share of attention, in the second half of the layers, that makes a patch a sink
SINK = 5.0


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
    2005.00928)

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without class token (SigLIP); an unknown kind
    IndexError : no such image

    Examples
    --------
    >>> maps = attention_maps(trace)
    >>> maps.mean["qk"].shape  # layers, tokens that look, tokens looked at
    (8, 197, 197)
    """
    trace.model.expect("attention maps", "class_token")
    picture, one = Picture.of(trace, image), trace.of(image)
    layers = range(len(one.layers))
    mean: dict[str, np.ndarray] = {}
    class_rows: dict[str, np.ndarray] = {}
    before = one.model.visual.before
    for kind in kinds:
        weights = [_counted(one.attention(layer, kind)[0], before) for layer in layers]
        mean[kind] = _numpy(torch.stack([w.mean(0) for w in weights]))
        class_rows[kind] = _numpy(torch.stack([w[:, 0] for w in weights]))
    apart = _distances(one.grid, one.stream.device)
    weights = (_counted(one.attention(layer)[0].float(), before) for layer in layers)
    found = [_statistics(each, apart) for each in weights]
    entropy, distance, on_class, received = (torch.stack(column) for column in zip(*found))
    late = received[len(received) // 2 :].mean(0)
    return AttentionMaps(
        picture,
        mean,
        class_rows,
        _numpy(entropy),
        _numpy(distance),
        _numpy(on_class),
        _numpy(_rollout(one)),
        sinks=tuple((late > SINK).nonzero().flatten().tolist()),
    )


def _counted(weights: Tensor, before: int) -> Tensor:
    """(H, 1 + P, 1 + P) of (H, N, N): no rows of registers, and what is given to them is counted
    with the class token, so that rows still sum to 1.
    """
    return read(counted(weights, before), before, 1)


def _statistics(weights: Tensor, apart: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of one layer's weights (H, N, N): entropy, distance and weight on the class token, each (H,),
    and how often its even share every patch received, (P,).
    """
    to_patches = weights[:, 1:, 1:]
    entropy = -(weights * weights.clamp_min(1e-12).log2()).sum(-1).mean(-1)
    distance = (to_patches * apart.to(weights)).sum((-1, -2)) / to_patches.sum((-1, -2))
    received = weights.mean(0)[:, 1:].mean(0) * weights.shape[-1]
    return entropy, distance, weights[:, 1:, 0].mean(-1), received


def _rollout(trace: Trace) -> Tensor:
    """(L, N) rollout of the class token up to and including each layer."""
    rolled = torch.eye(trace.layers[0].q.shape[-2], device=trace.stream.device)
    even, rows = rolled, []
    for layer in range(len(trace.layers)):
        rolled = (trace.attention(layer)[0].float().mean(0) + even) / 2 @ rolled
        rows.append(counted(rolled[0], trace.model.visual.before))
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
