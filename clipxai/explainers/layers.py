"""Which tokens did every layer look at, and what did every module add to the image-text score?

Formula    Attention maps: softmax(Q K^T / sqrt(d)), or V V^T, Q Q^T, K K^T in its place. Rollout:
           product of (mean_h A + I) / 2. Contribution of a module whose output is x: ((x - mean(x))
           / sigma * g) W . T / |F|, where sigma is the standard deviation of the *final* stream,
           held fixed, g the final norm's gain and W the projection. With embedding and bias all
           parts add up to the cosine.
Reads      the trace's q, k, v, stream, attention and FFN outputs; the final norm and projection.
Returns    `AttentionMaps` (weights, 0…1) and `Contributions` (signed shares of a cosine).
Reference  rollout: Abnar & Zuidema 2020 (arXiv 2005.00928); decomposition: Gandelsman et al. 2024
           (arXiv 2310.05916).
Misleads   Attention says where values were read from, not what they did to the score. A
           contribution is exact for the raw path with the final norm held fixed; it is no
           prediction of what happens if the module is removed.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect
from ..results.findings import AttentionMaps, Contributions, Picture
from ..trace.replay import gathering, unrounded
from ..trace.trace import Kind, Trace, cosines

# a patch that gets this many times its even share of attention in the second half of the layers is
# called a sink
SINK = 5.0


@torch.no_grad()
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
    ValueError : a SigLIP, which has no class token; an unknown kind
    IndexError : no such image
    """
    expect(Trace, trace, "record")
    picture = Picture.of(trace, image)
    if trace.model.visual.kind == "siglip":
        raise ValueError(f"{trace.model.name} has no class token: attention maps need a CLIP")
    layers = range(len(trace.layers))
    mean: dict[str, np.ndarray] = {}
    class_rows: dict[str, np.ndarray] = {}
    for kind in kinds:
        weights = [trace.attention(layer, kind)[image] for layer in layers]  # each H N N
        mean[kind] = _numpy(torch.stack([w.mean(0) for w in weights]))
        class_rows[kind] = _numpy(torch.stack([w[:, 0] for w in weights]))
    apart = _distances(trace.grid)
    statistics, rolled = [], torch.eye(1 + apart.shape[0], device=trace.stream.device)
    rollout, received = [], []
    for layer in layers:
        w = trace.attention(layer)[image].float()
        to_patches = w[:, 1:, 1:]
        statistics.append(
            (
                -(w * w.clamp_min(1e-12).log2()).sum(-1).mean(-1),
                (to_patches * apart.to(w)).sum((-1, -2)) / to_patches.sum((-1, -2)),
                w[:, 1:, 0].mean(-1),
            )
        )
        rolled = (w.mean(0) + torch.eye(len(rolled), device=w.device)) / 2 @ rolled
        rollout.append(rolled[0])
        received.append(w.mean(0)[:, 1:].mean(0) * w.shape[-1])
    late = torch.stack(received[len(received) // 2 :]).mean(0)
    entropy, distance, on_class = (_numpy(torch.stack(values)) for values in zip(*statistics))
    sinks = tuple((late > SINK).nonzero().flatten().tolist())
    return AttentionMaps(
        picture, mean, class_rows, entropy, distance, on_class, _numpy(torch.stack(rollout)), sinks
    )


@torch.no_grad()
@unrounded
def contributions(trace: Trace, image: int = 0) -> Contributions:
    """Share of every attention and every FFN in the cosine of every token of one image with every
    text; all parts add up to it.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch

    Returns
    -------
    `Contributions`: signed shares of a cosine, (L, T, N) of attention and of FFN (Gandelsman et
    al., arXiv 2310.05916)

    Raises
    ------
    TypeError : no Trace
    ValueError : a ResNet or SigLIP: no class token gathers their image layer by layer
    IndexError : no such image
    """
    tower, picture, final = gathering(trace), Picture.of(trace, image), trace.stream[image].float()
    tokens = trace.image_tokens(normalize=False)[image].float()
    sigma = (final.var(-1, unbiased=False, keepdim=True) + tower.ln_post.eps).sqrt()
    to_text = tower.projection.float() @ trace.text_features.float().T  # D T

    def share(part: Tensor) -> np.ndarray:
        """(N, D) added to the stream -> (T, N) share of the cosine."""
        centred = (
            (part.float() - part.float().mean(-1, keepdim=True))
            / sigma
            * tower.ln_post.weight.float()
        )
        return _numpy((centred @ to_text / tokens.norm(dim=-1, keepdim=True)).T)

    layers = range(len(trace.layers))
    bias = (tower.ln_post.bias.float() @ to_text)[None] / tokens.norm(dim=-1, keepdim=True)
    lens = [
        cosines(
            F.normalize(tower.read_out(trace.residual(n)[image, 1:]), dim=-1), trace.text_features
        )
        for n in range(len(layers) + 1)
    ]
    return Contributions(
        picture,
        trace.texts,
        attention=np.stack([share(trace.attention_output(n)[image]) for n in layers]),
        ffn=np.stack([share(trace.ffn_output(n)[image]) for n in layers]),
        embedding=share(trace.residual(0)[image]),
        bias=_numpy(bias.T),
        similarity=_numpy(trace.similarity()[image].T),
        attention_alignment=np.array(
            [_cosine(trace.attention_output(n)[image, 0], final[0]) for n in layers], np.float32
        ),
        ffn_alignment=np.array(
            [_cosine(trace.ffn_output(n)[image, 0], final[0]) for n in layers], np.float32
        ),
        lens=_numpy(torch.stack(lens).transpose(1, 2)),
    )


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(F.cosine_similarity(a.float(), b.float(), dim=0))


def _distances(grid: tuple[int, int]) -> Tensor:
    """(P, P) distances between patch centres, in patches."""
    y, x = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    places = torch.stack([y.flatten(), x.flatten()], dim=1).float()
    return torch.cdist(places, places)


def _numpy(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
