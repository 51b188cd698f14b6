"""Two more ways to a similarity map: attention of earlier layers, and pooling by the best patch.

Formula    ResCLIP   A = tau ((1 - lam) softmax(K K^T / sqrt(d) + bonus for near patches)
                         + lam mean_l A_l), l over middle layers, their q-k attention;
                     F = A V through the output projection, without residual and FFN;
                     s[i, t] = cos(F_i, T_t).
           ECLIP     s[i, t] = cos(F_i, T_t) of the raw path on patches that the last layer's class
                     token attends to more than on average, the lowest raw score elsewhere; the
                     score of the image is the maximum ("masked max pooling").
Reads      the trace's q, k, v of the last and of middle layers, and its image tokens.
Returns    `Scores` (B, P, T): cosines.
Reference  ResCLIP: Yang et al. 2025 (arXiv 2411.15851), its RCS half with tau = 2, lam = 0.6 and
           layers 6 to 9, as in the released code for VOC20, which takes these of any model; one of
           fewer than 12 layers takes the same fractions (of any: middle="fraction"). Its second
           half, SFR, needs a finished segmentation and is left out. ECLIP: Li et al. 2022 (arXiv
           2209.07046).
Misleads   ECLIP is a training method: its projections are trained with this pooling and its mask
           comes from a self-supervised ViT; no weights and no code are public, and its exact mask
           could not be verified. What stands here is the pooling with an untrained mask on
           untrained projections: never a measurement of ECLIP.
"""

from typing import Literal

import torch
import torch.nn.functional as F

from ..checks import Factor, Reach, Share
from ..model.clip import cosines
from ..trace.trace import Trace
from .mixing import neighbourhood_bias
from .scores import Scores

RELEASED_FOR = 12  # layers: its code names layers 6 to 9 of a ViT-B


@torch.no_grad()
def resclip(
    trace: Trace,
    share: Share = 0.6,
    strength: Factor = 2.0,
    neighbourhood: Reach = 5.0,
    middle: Literal["released", "fraction"] = "released",
) -> Scores:
    """Cosine of patches whose last attention is k-k, mixed with the q-k one of middle layers.

    `middle` "released" reads layers 6 to 9 of any model that has 12, "fraction" the same share of
    all layers; a model of fewer layers has no other.
    """
    tower, tape, L = trace.model.visual, trace.layers[-1], len(trace.layers)
    deep = middle == "released" and L >= RELEASED_FOR
    scale = 1 if deep else L / RELEASED_FOR
    first = int(5 * scale)
    layers = range(first, max(int(9 * scale), first + 1))
    seen = [trace.attention(layer) for layer in layers]
    told = trace.grid, neighbourhood, tape.k.device, tower.before
    bonus, k = neighbourhood_bias(*told).to(tape.k), tape.k.contiguous()
    mixed = (k @ k.transpose(-1, -2)).mul_(k.shape[-1] ** -0.5).add_(bonus).softmax(-1)
    # strength ((1 - share) own + share mean of the seen), in place: (B, H, N, N) are large
    mixed.mul_(1 - share).add_(sum(seen).mul_(share).div_(len(seen))).mul_(strength)
    patches = tower.read_out(tower.blocks[-1].merge(mixed @ tape.v)).float()
    tokens = F.normalize(patches, dim=-1)
    note = f"The middle layers were {layers[0] + 1} to {layers[-1] + 1} of {L}."
    values = cosines(tokens, trace.text_features)[:, tower.before :]
    return Scores(values, "cosine similarity", (note,))


@torch.no_grad()
def masked_max_pooling(trace: Trace) -> Scores:
    """Raw cosine where the class token looks more than on average, the lowest elsewhere."""
    looked = trace.layers[-1].weights(1).mean(1)[:, 0, trace.model.visual.before :]  # B P
    raw = trace.similarity()[:, 1:]
    much = (looked > looked.mean(1, keepdim=True))[..., None]
    values = torch.where(much, raw, raw.amin(1, keepdim=True))
    note = "ECLIP's pooling only: its projections and its mask need training."
    return Scores(values, "cosine similarity, background masked", (note,))
