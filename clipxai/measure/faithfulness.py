"""Does the model's answer really hang on what the map shows, and does the map hang on the model?

Deletion and insertion  RISE (Petsiuk et al. 2018, arXiv 1806.07421): the label's probability while
                        the hottest pixels go first, or come first; area under the curve. What
                        deleted pixels become decides the outcome, so it is always named.
Drop and increase       Grad-CAM++ (Chattopadhay et al. 2018, arXiv 1710.11063): probability of the
                        picture seen through its own map.
Randomisation           Adebayo et al. 2018 (arXiv 1810.03292): a map that stays the same when the
                        weights are shuffled explains the picture, not the model.
Sensitivity             Yeh et al. 2019 (arXiv 1901.09392), max-sensitivity: how far noise that
                        nobody sees can move a map.

A score is the softmax probability of the label among all labels of a data set, at the model's own
logit scale: any function of pixels will do. Axes: B pictures, h w pixels as the model reads them, T
texts.
"""

import copy
from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np
import torch
from torch import Tensor

from ..model.clip import CLIP
from ..results.maps import is_flat, minmax, rank_correlation

Fill = Literal["mean", "blur", "black"]
Score = Callable[[Tensor], Tensor]  # pixels (B, 3, h, w) -> (B,)
FIELDS = (
    *(f"{what}, {fill}" for what in ("deletion", "insertion") for fill in get_args(Fill)),
    "drop",
    "increase",
)
STEPS = 16  # of a curve
# standard deviation as a share of the longer side: more than RISE's 11 x 11 pixels, which leave
# objects recognisable
BLUR = 0.05
NOISE = 0.02  # of the brightness range: what nobody sees


def probability(model: CLIP, labels: Tensor, label: int) -> Score:
    """The score of a label: its softmax probability among `labels` (C, E), features of unit
    length.
    """

    def score(pixels: Tensor) -> Tensor:
        features = model.encode_image(pixels.to(model.dtype))
        logits = model.logit_scale.exp() * features @ labels.T
        return logits.softmax(-1)[:, label].float()

    return score


def filled(pixels: Tensor, fill: Fill, model: CLIP) -> Tensor:
    """What a picture (3, h, w) becomes when all of it is deleted: the mean colour of the training
    data, its own blur, or black.
    """
    if fill == "mean":
        return torch.zeros_like(pixels)  # pixels are normalised: 0 is the mean
    if fill == "black":
        mean, std = (
            torch.tensor(values).to(pixels).view(3, 1, 1)
            for values in (model.preprocessor.mean, model.preprocessor.std)
        )
        return (-mean / std).expand_as(pixels)
    if fill == "blur":
        planes = pixels.permute(1, 2, 0).float().cpu().numpy()
        blurred = cv2.GaussianBlur(planes, (0, 0), BLUR * max(planes.shape[:2]))
        return torch.from_numpy(blurred).permute(2, 0, 1).to(pixels)
    raise ValueError(f"unknown fill {fill!r}; choose one of {', '.join(get_args(Fill))}")


@torch.no_grad()
def curve(
    score: Score, before: Tensor, after: Tensor, heat: np.ndarray, steps: int = STEPS
) -> Tensor:
    """Scores (steps + 1,) while the pixels (3, h, w) of one picture turn into another's, hottest
    first, in equal steps.

    Deletion goes from the picture to what fills it, insertion the other way. `heat` (h, w); equal
    values go in reading order.
    """
    hottest_first = torch.from_numpy(np.argsort(-heat, axis=None, kind="stable"))
    rank = torch.empty(heat.size, dtype=torch.long)
    rank[hottest_first] = torch.arange(heat.size)
    turned = rank < (torch.linspace(0, 1, steps + 1) * heat.size).round()[:, None]
    # all steps are one batch: the model runs once
    return score(torch.where(turned.view(-1, 1, *heat.shape).to(before.device), after, before))


def area(scores: Tensor) -> float:
    """Area x100 under a curve of equal steps from 0 to 1."""
    return 100 * float(torch.trapezoid(scores.double()) / (len(scores) - 1))


@torch.no_grad()
def faithfulness(model: CLIP, score: Score, pixels: Tensor, heat: np.ndarray) -> dict[str, float]:
    """What one map is worth to the score of one picture: every one of `FIELDS`, in per cent.

    Parameters
    ----------
    model : the one that `score` asks
    score : from `probability`, or any function of pixels (B, 3, h, w)
    pixels : (3, h, w), normalised
    heat : (h, w), any scale

    Returns
    -------
    Deletion: lower is better; insertion: higher. Drop: how much of the probability is lost when the
    picture is multiplied with its min-max map (what is cold takes the mean colour), 0 if none;
    increase: 100 if the probability rose
    """
    found = {}
    for fill in get_args(Fill):
        emptied = filled(pixels, fill, model)
        found[f"deletion, {fill}"] = area(curve(score, pixels, emptied, heat))
        found[f"insertion, {fill}"] = area(curve(score, emptied, pixels, heat))
    # what is not known is not seen
    through_map = pixels * torch.from_numpy(np.nan_to_num(minmax(heat))).to(pixels)
    full, seen = score(torch.stack([pixels, through_map])).tolist()
    found["drop"] = 100 * max(0.0, full - seen) / full
    found["increase"] = 100.0 * (seen > full)
    return {name: found[name] for name in FIELDS}


def randomised(model: CLIP, seed: int, blocks: int | None = None) -> CLIP:
    """A copy whose image tower knows nothing: the entries of every weight matrix are shuffled; of
    the last `blocks` only, if given.

    Shuffled instead of drawn anew, so that every matrix keeps its distribution of numbers.
    """
    shuffled, random = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    part = shuffled.visual if blocks is None else shuffled.visual.blocks[-blocks:]
    with torch.no_grad():
        for weight in part.parameters():
            if weight.ndim >= 2:
                order = torch.randperm(weight.numel(), generator=random).to(weight.device)
                weight.copy_(weight.flatten()[order].view_as(weight))
    where = "everywhere" if blocks is None else f"in the last {blocks} blocks"
    shuffled.changed(f"{model.name}, shuffled", f"weights shuffled {where}, seed {seed}")
    return shuffled


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman rank correlation of two maps where both are known, -1…1; NaN for a map without
    variation, which has no order.

    Examples
    --------
    >>> round(agreement(np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 4], [9, 8]])), 3)
    0.8
    """
    both = ~np.isnan(one) & ~np.isnan(other)
    one, other = one[both], other[both]
    if is_flat(one) or is_flat(other):
        return float("nan")
    return rank_correlation(one.astype(np.float64), other.astype(np.float64))


def sensitivity(
    maps: Callable[[Tensor], np.ndarray],
    pixels: Tensor,
    std: tuple[float, ...],
    seed: int,
    draws: int = 8,
) -> np.ndarray:
    """Largest relative change of each min-max map over some noises that nobody sees.

    Parameters
    ----------
    maps : makes (B, T, gh, gw) scores of pixels (B, 3, h, w)
    pixels : (3, h, w), normalised
    std : deviations of the colours they were normalised with
    seed : of the noise
    draws : how many noises, each at most 2 % of the brightness range

    Returns
    -------
    (T,); 0 is steady
    """
    noise = torch.rand(draws, *pixels.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    noisy = pixels + (NOISE * noise / torch.tensor(std).view(3, 1, 1)).to(pixels)
    of_pictures = maps(torch.cat([pixels[None], noisy]))
    scaled = np.array([[minmax(one).ravel() for one in of_texts] for of_texts in of_pictures])
    scaled = np.where(np.isnan(scaled).any(axis=0), 0, scaled)  # compared where all are known
    still, moved = scaled[:1], scaled[1:]
    change = np.linalg.norm(moved - still, axis=-1) / np.linalg.norm(still, axis=-1)
    return change.max(0)
