"""Does the model's answer really hang on what the map shows, and does the map hang on the model?

Deletion and insertion  RISE (Petsiuk et al. 2018, arXiv 1806.07421): the label's probability while
the hottest pixels go first, or come
                        first; area under the curve. What deleted pixels become decides the outcome,
                        so it is always named.
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
from torchmetrics.functional.regression import spearman_corrcoef

from ..model.clip import CLIP
from ..results.maps import is_flat, minmax

Fill = Literal["mean", "blur", "black"]
Score = Callable[[Tensor], Tensor]  # pixels (B, 3, h, w) -> (B,)
FIELDS = (
    *(f"{what}, {fill}" for what in ("deletion", "insertion") for fill in get_args(Fill)),
    "drop",
    "increase",
)
STEPS = 16
# standard deviation as a share of the longer side: more than RISE's 11 x 11 pixels, which leave
# objects recognisable
BLUR = 0.05


def probability(model: CLIP, labels: Tensor, label: int) -> Score:
    """The score of a label: its softmax probability among `labels` (C, E), features of unit
    length.
    """

    def score(pixels: Tensor) -> Tensor:
        return (
            (model.logit_scale.exp() * model.encode_image(pixels.to(model.dtype)) @ labels.T)
            .softmax(-1)[:, label]
            .float()
        )

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
        return (
            torch.from_numpy(cv2.GaussianBlur(planes, (0, 0), BLUR * max(planes.shape[:2])))
            .permute(2, 0, 1)
            .to(pixels)
        )
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
    rank = torch.empty(heat.size, dtype=torch.long)
    rank[torch.from_numpy(np.argsort(-heat, axis=None, kind="stable"))] = torch.arange(heat.size)
    turned = rank < (torch.linspace(0, 1, steps + 1) * heat.size).round()[:, None]
    return score(torch.where(turned.view(-1, 1, *heat.shape).to(before.device), after, before))


def area(scores: Tensor) -> float:
    """Area x100 under a curve of equal steps from 0 to 1."""
    return 100 * float(torch.trapezoid(scores.double()) / (len(scores) - 1))


@torch.no_grad()
def faithfulness(model: CLIP, score: Score, pixels: Tensor, heat: np.ndarray) -> np.ndarray:
    """What one map (h, w) is worth to the score of one picture (3, h, w), in per cent and in the
    order of `FIELDS`.

    Deletion: lower is better; insertion: higher. Drop: how much of the probability is lost when the
    picture is multiplied with its min-max map (what is cold takes the mean colour), 0 if none;
    increase: 100 if the probability rose.
    """
    fills = [filled(pixels, fill, model) for fill in get_args(Fill)]
    areas = [area(curve(score, pixels, fill, heat)) for fill in fills] + [
        area(curve(score, fill, pixels, heat)) for fill in fills
    ]
    full, seen = score(
        torch.stack([pixels, pixels * torch.from_numpy(minmax(heat)).to(pixels)])
    ).tolist()
    return np.array([*areas, 100 * max(0.0, full - seen) / full, 100.0 * (seen > full)])


def randomised(model: CLIP, seed: int, blocks: int | None = None) -> CLIP:
    """A copy whose image tower knows nothing: the entries of every weight matrix are shuffled; of
    the last `blocks` only, if given.
    """
    shuffled, random = copy.deepcopy(model), torch.Generator().manual_seed(seed)
    part = shuffled.visual if blocks is None else shuffled.visual.blocks[-blocks:]
    with torch.no_grad():
        for weight in part.parameters():
            if weight.ndim >= 2:
                weight.copy_(
                    weight.flatten()[
                        torch.randperm(weight.numel(), generator=random).to(weight.device)
                    ].view_as(weight)
                )
    return shuffled


def agreement(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman rank correlation of two maps, -1…1; NaN for a map without variation, which has no
    order.
    """
    if is_flat(one) or is_flat(other):
        return float("nan")
    return float(
        spearman_corrcoef(
            *(torch.from_numpy(np.ravel(values).astype(np.float64)) for values in (one, other))
        )
    )


def sensitivity(
    maps: Callable[[Tensor], np.ndarray],
    pixels: Tensor,
    std: tuple[float, ...],
    seed: int,
    draws: int = 8,
) -> np.ndarray:
    """Largest relative change of each min-max map over `draws` noises of at most 2 % of the
    brightness range: (T,), 0 is steady.

    `maps` makes (B, T, gh, gw) scores of pixels (B, 3, h, w); the first picture is `pixels` (3, h,
    w) itself.
    """
    noise = torch.rand(draws, *pixels.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    noisy = pixels + (0.02 * noise / torch.tensor(std).view(3, 1, 1)).to(pixels)
    scaled = np.array(
        [
            [minmax(one).ravel() for one in of_picture]
            for of_picture in maps(torch.cat([pixels[None], noisy]))
        ]
    )
    change = np.linalg.norm(scaled[1:] - scaled[:1], axis=-1) / np.linalg.norm(scaled[0], axis=-1)
    return change.max(0)
