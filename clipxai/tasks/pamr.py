"""How do maps settle along a picture's edges? Pixel-adaptive refinement: every pixel takes over the
mean of those around it that look alike.

Formula    m_t(x) = sum_y w(x, y) m_{t-1}(y),  y in the 8 neighbours of x at every dilation
           w(x, y) = softmax_y mean_c( -|I_c(x) - I_c(y)| / (0.1 sigma_c(x) + 1e-8) )
           sigma_c(x) the standard deviation of colour c over x and those neighbours, all dilations
           m_0 the maps' heights, a pixel beyond the border that on it; `rounds` times. A pixel goes
           to the highest text, where that reaches the threshold.
Reads      the image and the maps' heights, both at no more than `side` pixels.
Reference  Araslanov and Roth, "Single-Stage Semantic Segmentation from Image Labels", arXiv
           2005.08104, and its released code. 10 rounds at dilations 8 and 16 are SCLIP's (arXiv
           2312.01597) and NACLIP's (2404.08181), which let it work on the probabilities of all
           classes, where here every map keeps its own scale.
Misleads   It moves heat by a few dozen pixels at most, and blurs what is thinner than that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import cv2
import numpy as np

from ..checks import Side, Steps, Within
from .heights import NO_HEIGHT, Heights, Points, enlarged
from .proposal import Proposal

ROUNDS, DILATIONS, SIDE = 10, (8, 16), 256
MOST = 1 << 23  # pixels times dilations, each with eight neighbours in three colours
AROUND = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
Dilation = Annotated[int, Within(1, 1000)]


def by_pamr(
    heights: Heights,
    points: Mapping[str, Points],
    *,
    rounds: Steps = ROUNDS,
    dilations: Sequence[Dilation] = DILATIONS,
    side: Side = SIDE,
) -> list[Proposal]:
    """A proposal for every text."""
    if points:
        raise ValueError("by='pamr' smooths maps and takes no points; by='grabcut' and a SAM do")
    if not len(dilations):
        raise ValueError("dilations=(), but a pixel has to look somewhere")
    size = heights.within(side)
    if (looks := size[0] * size[1] * len(dilations)) > MOST:
        raise ValueError(
            f"{size[0]} x {size[1]} pixels at {len(dilations)} dilations are {looks:,}, but at "
            f"most {MOST:,} fit in a gigabyte: choose a smaller side=, or fewer dilations"
        )
    picture = cv2.resize(heights.image, size[::-1], interpolation=cv2.INTER_AREA)
    # what was not seen is as low as a map gets, so that it lends no heat
    smooth = pamr(picture, np.maximum(heights.at(size), 0), dilations, rounds)
    highest, proposals = smooth.argmax(0), []
    for n, text in enumerate(heights.texts):
        plain = heights.plain(n)
        mask = enlarged((highest == n) & (smooth[n] >= heights.threshold), plain.shape)
        seen = heights.full[n] > NO_HEIGHT
        flat = "" if seen.any() else f"{text!r}: its map has no height; its plain mask stands"
        chosen = -1 if flat else 0
        proposals.append(Proposal.of(text, plain, (mask & seen)[None], chosen=chosen, note=flat))
    return proposals


def pamr(
    picture: np.ndarray, maps: np.ndarray, dilations: Sequence[int], rounds: int
) -> np.ndarray:
    """Maps (T, H, W) float32 after some rounds beside a picture (H, W, 3), on the same scale."""
    weights = _affinity(picture.astype(np.float32), dilations)
    for _ in range(rounds):
        near = zip(weights, _neighbours(maps.transpose(1, 2, 0), dilations))
        maps = sum(weight * one.transpose(2, 0, 1) for weight, one in near)
    return maps


def _affinity(picture: np.ndarray, dilations: Sequence[int]) -> np.ndarray:
    """(8 D, H, W) float32, adding up to 1 over the first."""
    near = list(_neighbours(picture, dilations))
    # the pixel itself counts once for every dilation, as in the released code
    sigma = np.std([*near, *[picture] * len(dilations)], axis=0, ddof=1)
    unlike = np.stack([np.abs(picture - one) / (0.1 * sigma + 1e-8) for one in near]).mean(-1)
    powers = np.exp(unlike.min(0) - unlike)
    return powers / powers.sum(0)


def _neighbours(values: np.ndarray, dilations: Sequence[int]) -> Iterator[np.ndarray]:
    """What stands at each neighbour: values (H, W, C), 8 D times."""
    H, W = values.shape[:2]
    for d in dilations:
        padded = np.pad(values, ((d, d), (d, d), (0, 0)), "edge")
        for y, x in AROUND:
            yield padded[d + y * d : d + y * d + H, d + x * d : d + x * d + W]
