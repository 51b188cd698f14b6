"""What is a figure of maps given? Explanations of one image, and where things truly are."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..checks import expect, shown, whole
from ..results.explanation import Explanation, Grid
from ..results.findings import on_patches
from .scales import varies

WRITTEN_AS_ZERO = 0.005  # by two digits, which cosines have in every figure
COSINES = ("cosine similarity", "negative cosine similarity", "drop of the cosine")  # units
SHARES = "share of the cosine"
Truth = np.ndarray | Mapping[str, np.ndarray]


def gather(explanations: Explanation | Sequence[Explanation]) -> tuple[Explanation, ...]:
    """One or several explanations as a tuple, after checking that they explain the same image.

    Raises
    ------
    TypeError : something else than explanations came in
    ValueError : none came in, or their images differ
    """
    several = tuple(explanations) if isinstance(explanations, (list, tuple)) else (explanations,)
    for given in several:
        expect(Explanation, given, "explain")
    if not several:
        raise ValueError("there is no explanation to draw: the list is empty")
    if not all(np.array_equal(e.image, several[0].image) for e in several[1:]):
        raise ValueError(
            "these explanations are of different images; draw each image by itself, for example in "
            "a loop"
        )
    return several


def truth_of(mask: Truth | None, text: str, image_size: tuple[int, int]) -> np.ndarray | None:
    """The true mask (H, W) bool of a text, None if it is not known; an error if it is no
    array of the image's size, or has fractions.
    """
    found = mask.get(text) if isinstance(mask, Mapping) else mask
    if found is None:
        return None
    if not isinstance(found, np.ndarray):
        raise TypeError(f"the mask of {text!r} is no numpy array (H, W), but {shown(found)}")
    if found.shape != tuple(image_size):
        raise ValueError(
            f"the mask has shape {found.shape}, but the image is {tuple(image_size)} (height, "
            "width)"
        )
    if found.dtype.kind not in "bui" and not np.isin(found, (0, 1)).all():
        raise ValueError(
            f"the mask of {text!r} has other numbers than 0 and 1, so what is inside is not known: "
            "cut it, such as mask > 0.5"
        )
    return found.astype(bool)


def truths_of(
    truth: Mapping[str, np.ndarray] | None, names: Sequence[str], image_size: tuple[int, int]
) -> dict[str, np.ndarray]:
    """True masks (H, W) bool by name, of those of the `names` whose mask is known.

    Raises
    ------
    ValueError : masks, and none is for one of the names; one of another size than the image
    """
    if truth and not set(truth) & set(names):
        raise ValueError(
            f"none of the masks ({', '.join(map(repr, truth))}) is for one of "
            f"{', '.join(map(repr, names))}"
        )
    found = {name: truth_of(truth, name, image_size) for name in names if truth}
    return {name: mask for name, mask in found.items() if mask is not None}


def agreement(e: Explanation, row: int, truth: np.ndarray) -> dict[str, float]:
    """IoU (0…1) and contrast (−1…1) of a text's map with its true mask (H, W) bool, where the map
    is known; nothing if the mask has no inside or no outside there.
    """
    heat = e.heatmap(row)
    difference = contrast(heat, truth)
    if difference is None:
        return {}
    known = ~np.isnan(heat)
    hot, true = (values[known] for values in (e.mask(row), truth))
    return {"IoU": float((hot & true).sum() / (hot | true).sum()), "contrast": difference}


def contrast(heat: np.ndarray, truth: np.ndarray) -> float | None:
    """Mean of a map (H, W) inside a true mask (H, W) bool minus outside, where the map is known;
    None if the mask has no inside or no outside there.
    """
    known = ~np.isnan(heat)
    heat, true = heat[known], truth[known]
    if not true.any() or true.all():
        return None
    return float(heat[true].mean() - heat[~true].mean())


def hottest_inside(e: Explanation, row: int, truth: np.ndarray | None) -> bool | None:
    """Whether the hottest pixel of a text's map lies in its true mask (H, W) bool; None where that
    is not known, or has no inside or no outside, or the map does not vary.
    """
    if truth is None or truth.all() or not truth.any() or not varies(e.scores[row]):
        return None
    return bool(truth.flat[np.nanargmax(e.heatmap(row))])


def near_zero(e: Explanation, row: int) -> bool:
    """Whether a text's map is so near zero all over that which way up it is means nothing: cosines
    that are all written as 0, shares of one that together are. What has another unit is not known
    to be small.
    """
    values = abs(e.scores[row][np.isfinite(e.scores[row])])
    if e.unit.startswith(COSINES):
        return bool(values.max(initial=0) < WRITTEN_AS_ZERO)
    return e.unit.startswith(SHARES) and bool(values.sum() < WRITTEN_AS_ZERO)


def overlaps(e: Explanation, row: int, truth: np.ndarray | None) -> list[float]:
    """IoU (0…1) of a text's map, cut at 0, 0.01 … 1 as `Explanation.mask` cuts it, with its true
    mask (H, W) bool; nothing where that is not known, or has no inside or no outside, or the map
    has no region.
    """
    if truth is None or not varies(e.scores[row]):
        return []
    heat = e.heatmap(row)
    known = ~np.isnan(heat)
    heat, true = heat[known], truth[known]
    if not true.any() or true.all():  # as in `agreement`
        return []
    cuts = (np.arange(101) / 100).astype(heat.dtype)
    reached = np.searchsorted(cuts, heat, side="right")  # how many cuts a pixel survives
    hot, both = (
        np.bincount(of, minlength=102)[::-1].cumsum()[::-1][1:] for of in (reached, reached[true])
    )
    either = hot + np.count_nonzero(true) - both
    found: list[float] = np.divide(both, either, out=np.zeros(101), where=either > 0).tolist()
    return found


def outlines(truth: np.ndarray | None, fine: float = 0.0) -> list[list[float]]:
    """Edges of a mask (H, W) bool as closed lines x, y, x, y … in pixels of the image; of fewer
    corners where nothing moves by more than `fine` pixels.
    """
    import cv2

    if truth is None or truth.all():
        return []
    lines = cv2.findContours(truth.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)[0]
    if fine > 0:
        lines = [cv2.approxPolyDP(line, fine, closed=True) for line in lines]
    return [(line.reshape(-1) + 0.5).tolist() for line in lines]


def lies_on(truth: np.ndarray | None, grid: Grid, patch: int) -> bool | None:
    """Whether a patch lies on the thing in a mask (H, W) bool; None where that is not known, or the
    mask has no patch, or all of them.
    """
    if truth is None:
        return None
    inside = on_patches(truth, grid)
    return bool(inside[patch]) if inside.any() and not inside.all() else None


def patch_at(grid: Grid, patch: tuple[int, int]) -> int:
    """Number of the patch (row, column) of a grid; an IndexError if it is not there."""
    row, column = (whole(asked, what) for asked, what in zip(patch, ("row", "column")))
    if not (0 <= row < grid.height and 0 <= column < grid.width):
        raise IndexError(
            f"no patch in row {row}, column {column}: the grid has {grid.height} rows and "
            f"{grid.width} columns"
        )
    return row * grid.width + column
