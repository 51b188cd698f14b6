"""How does a coarse map become a mask without any weights? GrabCut: the map says roughly where,
the picture's colours say where the edge is.

Formula    A pixel is sure where the map's height h (0…1) reaches `sure`, likely from `threshold`,
           sure not below `unlikely`; sure not is also where a rival's map is both higher and sure.
           Where a rival is higher, nothing is likely. Then a mixture of five Gaussians is fitted to
           the colours of either side, the cut of least cost separates them, and both again for some
           `rounds`. Of the result, pieces that touch no sure pixel go.
Reads      the image and the maps' heights, both at no more than `side` pixels.
Reference  Rother, Kolmogorov, Blake, "GrabCut", SIGGRAPH 2004; `cv2.grabCut`.
Misleads   A sharp edge is the picture's, not the map's: pointed at the wrong thing, GrabCut cuts
           out the wrong thing cleanly. Thin things and things in the background's colours are lost.

The thresholds are those that were best on the first half of 1,000 scenes of Emoji World, by CLIP
Surgery (`clipxai bench --metrics refined` reports the other half).
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from ..checks import Share, Side, Steps
from .heights import Heights, Points, enlarged
from .proposal import NO_LABELS, NO_POINTS, Proposal

DISC = 0.02  # radius of a given point, of the longer side
SURE, UNLIKELY, ROUNDS, SIDE = 0.8, 0.1, 2, 256


def by_grabcut(
    heights: Heights,
    points: Mapping[str, Points],
    *,
    sure: Share = SURE,
    unlikely: Share = UNLIKELY,
    rounds: Steps = ROUNDS,
    side: Side = SIDE,
) -> list[Proposal]:
    """A proposal for every text; `points` that are given are sure, for or against it."""
    if not unlikely <= heights.threshold <= sure:
        raise ValueError(
            f"unlikely={unlikely:g}, threshold={heights.threshold:g}, sure={sure:g}, but they have "
            "to rise in this order"
        )
    size = heights.within(side)
    picture = cv2.resize(heights.image, size[::-1], interpolation=cv2.INTER_AREA)
    maps = heights.at(size)
    proposals = []
    for n, text in enumerate(heights.texts):
        xy, labels = points.get(text, (NO_POINTS, NO_LABELS))
        seeds = _seeds(maps, n, heights.threshold, sure, unlikely)
        _draw(seeds, xy * size[1] / heights.image.shape[1], labels)
        plain = heights.plain(n)
        mask, note = _cut(picture, seeds, rounds)
        if note:
            note = f"{text!r}: {note}; its plain mask stands"
        full = enlarged(mask, plain.shape)
        prompts = xy, labels, None
        proposals.append(
            Proposal.of(
                text, plain, full[None], chosen=-1 if note else 0, note=note, prompts=prompts
            )
        )
    return proposals


def _seeds(maps: np.ndarray, n: int, likely: float, sure: float, unlikely: float) -> np.ndarray:
    """(H, W) uint8, what `cv2.grabCut` is told of every pixel for text `n`."""
    height, others = maps[n], np.delete(maps, n, axis=0)
    rival = others.max(0) if len(others) else np.full_like(height, -1)
    mine = height >= rival
    seeds = np.full(height.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[mine & (height >= likely)] = cv2.GC_PR_FGD
    seeds[(height < unlikely) | (~mine & (rival >= sure))] = cv2.GC_BGD
    seeds[mine & (height >= sure)] = cv2.GC_FGD
    return seeds


def _draw(seeds: np.ndarray, xy: np.ndarray, labels: Sequence[int]) -> None:
    """Discs of what is known at given points."""
    radius = max(1, round(DISC * max(seeds.shape)))
    for (x, y), label in zip(xy, labels):
        value = cv2.GC_FGD if label else cv2.GC_BGD
        cv2.circle(seeds, (int(x), int(y)), radius, int(value), -1)


def _cut(picture: np.ndarray, seeds: np.ndarray, rounds: int) -> tuple[np.ndarray, str]:
    """The mask (H, W) bool, and why there is none."""
    nothing = np.zeros(seeds.shape, bool)
    sure = seeds == cv2.GC_FGD
    if not sure.any():
        return nothing, "its map has no height of its own to start from"
    if not np.ptp(picture.reshape(-1, 3), axis=0).any():
        return nothing, "the picture has one colour, so there is no edge to find"
    rows, columns = (np.flatnonzero((seeds != cv2.GC_BGD).any(axis)) for axis in (1, 0))
    # only where it may be: the rest is known, and costs as much
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    inside = np.ascontiguousarray(seeds[box])
    if not np.isin(inside, (cv2.GC_BGD, cv2.GC_PR_BGD)).any():
        box, inside = (slice(None), slice(None)), seeds.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # of its k-means: the same mask every time
    try:
        cv2.grabCut(
            np.ascontiguousarray(picture[box]), inside, None, *models, rounds, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:  # one side has no pixel
        return nothing, "nothing is left for the other side"
    found = nothing.copy()
    found[box] = inside & 1  # sure or likely
    return _touching(found, sure), ""


def _touching(mask: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """The pieces of a mask that hold a sure pixel."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    return mask & np.isin(pieces, np.unique(pieces[mask & sure]))
