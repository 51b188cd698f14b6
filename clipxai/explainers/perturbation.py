"""What does the score do when parts of the picture are covered? Slow, and honest.

Nothing but the model's answers is read.

Formula    occlusion   s(x) - s(x with a square around patch i in the mean colour).
           RISE        sum_n (s(x * m_n) - mean s) m_n[i] / (N p) over random smooth masks m_n, each
                       cell of a coarse grid open with probability p. Subtracting the mean score
                       shifts the expected map by a constant and removes the noise that uneven
                       coverage would add.
           gScoreCAM   sum_c w_c A_c with w = softmax over ALL channels c of: the logit of x *
                       minmax(upsample(A_c)) for the k channels of largest gradient, 0 for the
                       others.
Reads      pixels; gScoreCAM also the last feature map (ResNet) or stream (ViT: the class token's
           gradient ranks channels, as released).
Returns    `Scores` (B, P, T), signed; above 0 speaks for the text. gScoreCAM ends in a ReLU as
           published: a switch, off.
Reference  occlusion: Zeiler & Fergus 2014 (arXiv 1311.2901). RISE: Petsiuk et al. 2018 (arXiv
           1806.07421), 7 x 7 cells, p = 1/2; the paper takes 4,000 masks or more (unverified), the
           default here is 1,000. gScoreCAM: Chen et al., ACCV 2022, k = 300 (its code takes a tenth
           of the channels of RN50x4 and RN50x16).
Misleads   A covered picture is not a picture the model was trained on; a mean-coloured square is
           itself something to look at. gScoreCAM's softmax over logits of scale 100 lets a few
           channels decide.
"""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import Seed, Within
from ..model.clip import cosines
from ..results.maps import rank_correlation
from ..trace.replay import cosine, from_features, gradients, per_text
from ..trace.trace import Trace
from .scores import Scores

BATCH = 64  # covered pictures that go through the model together


@torch.no_grad()
def occlusion(trace: Trace, window: Annotated[int, Within(1)] = 3) -> Scores:
    """Drop of the cosine when the `window` x `window` patches around a patch are covered."""
    if window % 2 == 0:
        raise ValueError(
            f"window={window}, but a square around a patch is an odd number of patches wide: pass "
            "1, 3, 5, ..."
        )
    P = trace.grids[0].patches
    patches = torch.eye(P, device=trace.pixels.device).unflatten(1, trace.grid)  # P gh gw
    covered = F.max_pool2d(patches[:, None], window, stride=1, padding=window // 2)
    visible = F.interpolate(1 - covered, trace.pixels.shape[-2:])[:, 0]  # P h w
    parts = visible.split(BATCH)
    left = torch.stack(  # B P T
        [
            torch.cat([_masked(trace, image, few) for few in parts])
            for image in range(len(trace.pixels))
        ]
    )
    whole = cosines(trace.image_features, trace.text_features)
    return Scores(whole[:, None] - left, "drop of the cosine when covered")


@torch.no_grad()
def rise(
    trace: Trace,
    masks: Annotated[int, Within(1, 100_000)] = 1000,
    cells: Annotated[int, Within(1, 256)] = 7,
    share: Annotated[float, Within(0, 1, above=True)] = 0.5,
    seed: Seed = 0,
) -> Scores:
    """Mean of `masks` random smooth masks, weighted by the cosine of the picture seen through
    each.
    """
    B, P, T = len(trace.pixels), trace.grids[0].patches, len(trace.texts)
    device = trace.pixels.device
    # every second mask apart, so that the two halves can be compared
    together, score = torch.zeros(2, B, P, T, device=device), torch.zeros(2, B, T, device=device)
    seen, counts = torch.zeros(2, P, device=device), (masks - masks // 2, masks // 2)
    for few in _random_masks(masks, cells, share, trace, seed):
        by_patch = F.avg_pool2d(few[:, None], trace.model.visual.patch)[:, 0].flatten(1)  # M P
        scores = torch.stack([_masked(trace, image, few) for image in range(B)]).float()  # B M T
        for half in (0, 1):
            own = by_patch[half::2], scores[:, half::2]
            together[half] += own[0].T @ own[1]
            seen[half] += own[0].sum(0)
            score[half] += own[1].sum(1)

    def averaged(together: Tensor, seen: Tensor, score: Tensor, count: int) -> Tensor:
        return (together - seen[:, None] * score[:, None] / count) / (count * share)

    values = averaged(together.sum(0), seen.sum(0), score.sum(0), masks)
    unit = "covariance of the cosine with being visible, by the share visible"
    if masks < 4:  # one mask says nothing of where
        return Scores(values, unit)
    one, other = (averaged(*half) for half in zip(together, seen, score, counts))
    maps = torch.stack([one, other], dim=1).transpose(2, 3).cpu().numpy()  # B 2 T P
    return Scores(values, unit, of_images=tuple(map(_agreement, maps)))


def _agreement(halves: np.ndarray) -> str:
    """How alike maps (2, T, P) of two halves of the masks are, in words."""
    alike = [rank for a, b in zip(*halves) if not np.isnan(rank := rank_correlation(a, b))]
    if not alike:
        return "The maps of two halves of the masks are flat, so nothing says how far they agree."
    return (
        f"The maps of two halves of the masks agree to {round(np.mean(alike), 2) + 0:.2f} (rank "
        "correlation, mean over maps); with more masks to more."
    )


def _random_masks(
    count: int, cells: int, share: float, trace: Trace, seed: int
) -> Iterator[Tensor]:
    """Smooth masks (M, h, w) with values 0…1 in batches: coarse random grids, enlarged and shifted
    by less than a cell.
    """
    random = torch.Generator().manual_seed(seed)
    h, w = trace.pixels.shape[-2:]
    step = (-(-h // cells), -(-w // cells))
    for first in range(0, count, BATCH):
        number = min(BATCH, count - first)
        grid = (torch.rand(number, 1, cells, cells, generator=random) < share).float()
        grid = grid.to(trace.pixels.device)  # small; enlarged where the model is
        large = F.interpolate(
            grid,
            ((cells + 1) * step[0], (cells + 1) * step[1]),
            mode="bilinear",
            align_corners=False,
        )[:, 0]
        tops, lefts = (torch.randint(size, (number,), generator=random).tolist() for size in step)
        yield torch.stack([mask[y : y + h, x : x + w] for mask, y, x in zip(large, tops, lefts)])


def gscorecam(
    trace: Trace, channels: Annotated[int, Within(1)] = 300, relu: bool = False
) -> Scores:
    """Activation maps weighted by the logit of the picture seen through them, for the `channels` of
    largest gradient.
    """
    activations, slope = _channels(trace)  # B D gh gw, B T D
    k = min(channels, activations.shape[1])
    chosen = torch.zeros_like(slope).scatter(-1, slope.topk(k).indices, 1).bool()
    logits = torch.zeros(slope.shape, device=slope.device)
    with torch.no_grad():
        for image, maps in enumerate(activations):
            # texts share channels: each goes through the model once
            needed = chosen[image].any(0).nonzero()[:, 0]
            for few in needed.split(BATCH):
                large = F.interpolate(
                    maps[None, few].float(),
                    trace.pixels.shape[-2:],
                    mode="bilinear",
                    align_corners=True,
                )[0]
                low, high = large.amin((1, 2), True), large.amax((1, 2), True)
                logits[image][:, few] = (
                    _masked(trace, image, (large - low) / (high - low + 1e-6))
                    * trace.model.logit_scale.exp()
                ).T
        weights = torch.where(chosen, logits, 0).softmax(-1)
        values = torch.einsum("btd,bdp->bpt", weights, activations.flatten(2).float())
    unit = "activation, averaged over channels by their score"
    return Scores(values.clamp(min=0) if relu else values, unit)


def _channels(trace: Trace) -> tuple[Tensor, Tensor]:
    """Activation maps (B, D, gh, gw), and each text's gradient by channel (B, T, D)."""
    tower = trace.model.visual
    with gradients():
        if "feature_map" in tower.has:
            x = tower.features(trace.pixels.to(trace.model.dtype).clone()).detach().requires_grad_()
            (slope,) = per_text(from_features(trace, x), [x])
            return x.detach(), slope.mean((-1, -2)).transpose(0, 1)
        cls = trace.stream[:, 0].clone().requires_grad_()
        (slope,) = per_text(cosine(tower.read_out(cls), trace.text_features), [cls])
    patches = trace.residual(len(trace.layers))[:, trace.model.visual.before :]
    return patches.transpose(1, 2).unflatten(2, trace.grid), slope.transpose(0, 1)


def _masked(trace: Trace, image: int, masks: Tensor) -> Tensor:
    """Cosines (M, T) of one picture seen through masks (M, h, w): 0 is the mean colour."""
    tower, pixels = trace.model.visual, (trace.pixels[image] * masks[:, None]).to(trace.model.dtype)
    if trace.edits:
        features = trace.edits.of(slice(image, image + 1)).pixels(tower, pixels).float()
    else:
        features = tower.tokens(tower(pixels, patches=False))[:, 0].float()
    return cosines(F.normalize(features, dim=-1), trace.text_features)


@torch.no_grad()
def leave_out_words(trace: Trace, image: int) -> tuple[Tensor, str]:
    """Drop of the cosine when a token is left out of a trace's only text, (S,).

    [start] and [end] stay and score 0.
    """
    ids, feature = trace.token_ids[0], trace.image_features[image : image + 1]
    drops = torch.zeros(len(ids), device=ids.device)
    inner = range(1, len(ids) - 1)
    if inner:  # the empty text has nothing to leave out
        shorter = torch.stack([torch.cat([ids[:n], ids[n + 1 :]]) for n in inner])
        whole = cosines(trace.text_features, feature)
        drops[1:-1] = (whole - cosines(trace.with_texts(shorter).text_features, feature))[:, 0]
    return drops, "drop of the cosine when left out"
