"""Who attends to whom? Ways to average a layer's values that differ in what is compared with what.

Each takes q, k, v and returns A V, all (B, H, N, d): a `Mix` for `Block`.

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


def neighbourhood_bias(grid: tuple[int, int], std: float) -> Tensor:
    """(N, N) to add to attention logits: exp(-distance^2 / 2 std^2) between patches.

    0 for the class token. Peak 1, standard deviation 5 and no scaling by 1/sqrt(d): as in NACLIP's
    released code (arXiv 2404.08181).
    """
    if std <= 0:
        raise ValueError(
            f"neighbourhood={std}, but a standard deviation is above 0 (None: near patches get no "
            "bonus)"
        )
    y, x = torch.meshgrid(torch.arange(grid[0]), torch.arange(grid[1]), indexing="ij")
    places = torch.stack([y.flatten(), x.flatten()], dim=1).float()
    bias = torch.zeros(1 + len(places), 1 + len(places))
    bias[1:, 1:] = torch.exp(-torch.cdist(places, places).square() / (2 * std**2))
    return bias


def _unit(x: Tensor) -> Tensor:
    return x / (x.norm(dim=-1, keepdim=True) + 1e-6)
