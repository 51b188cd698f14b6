"""Who attends to whom? Ways to average a layer's values; they differ in what is compared with what.

Each takes q, k, v and returns A V, all (B, H, N, d); with its options bound by `partial` it is a
`Mix` for `Block`. (`Trace.attention` shows such weights; here they are applied and not stored.)

Axes: B images, H heads, N tokens (class token first), d width of a head.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# (queries, keys) of each softmax
PAIRS = {"qk": ("qk",), "vv": ("vv",), "qq": ("qq",), "kk": ("kk",), "qq+kk": ("qq", "kk")}
ATTENTION_KINDS = (*PAIRS, "gem", "identity")


def mix(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attention: str,
    *,
    normalize: bool = False,
    sharpen: float = 1.0,
    bias: Tensor | None = None,
) -> Tensor:
    """sum over pairs of softmax(sharpen * a b^T / sqrt(d) + bias) V; "identity" leaves V as it is.

    `normalize` brings queries and keys to unit length first; `bias` (N, N) favours some pairs of
    tokens.
    """
    if attention == "identity":
        return v
    tokens = {letter: _unit(x) if normalize else x for letter, x in zip("qkv", (q, k, v))}
    scale = sharpen * q.shape[-1] ** -0.5
    mixed = [
        F.scaled_dot_product_attention(tokens[a], tokens[b], v, attn_mask=bias, scale=scale)
        for a, b in PAIRS[attention]
    ]
    return sum(mixed[1:], mixed[0])


def mix_gem(q: Tensor, k: Tensor, v: Tensor, length: Tensor, iterations: int) -> Tensor:
    """Mean over q-q, k-k and v-v attention of unit tokens, each refined by itself first: GEM.

        x <- softmax(c u u^T) u, `iterations` times, u = x of unit length, c = length / sqrt(d)
        sum over x = q, k, v of softmax(c u u^T) V / 3

    Bousselham et al., arXiv 2312.00878.

    `length` (B,) is the mean norm of the block's normalised input tokens; divided by sqrt(d) it is
    the inverse temperature (as in GEM's released code, like one iteration and the last six blocks).
    """
    sharpness = (length * q.shape[-1] ** -0.5).view(-1, 1, 1, 1)
    mixed = []
    for x in (q, k, v):
        for _ in range(iterations):
            unit = F.normalize(x, dim=-1)
            x = F.scaled_dot_product_attention(unit * sharpness, unit, unit, scale=1.0)
        unit = F.normalize(x, dim=-1)
        mixed.append(F.scaled_dot_product_attention(unit * sharpness, unit, v, scale=1.0))
    return sum(mixed) / 3


def neighbourhood_bias(
    grid: tuple[int, int], std: float, device: torch.device | str = "cpu", before: int = 1
) -> Tensor:
    """(N, N) on a `device`, to add to attention logits: exp(-distance^2 / 2 std^2) between patches.

    0 in the rows and columns of the `before` tokens before the patches. Peak 1, not scaled by
    1/sqrt(d), as in NACLIP's released code (arXiv 2404.08181), whose standard deviation is 5.
    """
    down, across = (torch.arange(side, device=device) for side in grid)
    y, x = torch.meshgrid(down, across, indexing="ij")
    places = torch.stack([y.flatten(), x.flatten()], dim=1).float()
    bias = torch.zeros(before + len(places), before + len(places), device=device)
    bias[before:, before:] = torch.exp(-torch.cdist(places, places).square() / (2 * std**2))
    return bias


def _unit(x: Tensor) -> Tensor:
    # not F.normalize: the released ResNet code of CLIP Surgery adds this much
    return x / (x.norm(dim=-1, keepdim=True) + 1e-6)
