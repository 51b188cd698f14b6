"""How is a small map brought to another size or scale? Array operations that every drawing and
every measure shares (numpy only).

NaN is a score that is not known. It counts nowhere: no scale is made from it, no neighbour is mixed
with it, and what lies in it is not known either.
"""

from functools import lru_cache

import numpy as np

# relative spread below which a map is rounding noise, not variation
FLAT = 4 * np.finfo(np.float32).eps
HALF = 0.5  # of the weight: more has only the cell in which a place lies
ALONE = 1 << 17  # multiplications of a product that one thread makes


def is_flat(values: np.ndarray) -> bool:
    """Whether values differ by no more than rounding; NaN is ignored, and nothing but NaN is flat
    too.
    """
    return _is_flat(*_reach(values))


def minmax(values: np.ndarray) -> np.ndarray:
    """Values brought to 0…1; NaN stays NaN.

    A constant map has no variation to show and becomes 0.5 everywhere: stretched to 0…1, its
    rounding noise would look like an answer.
    """
    low, high = _reach(values)
    if _is_flat(low, high):
        return np.where(np.isnan(values), np.nan, 0.5).astype(np.float32)
    return (values - low) / (high - low)


def _reach(values: np.ndarray) -> tuple[np.floating, np.floating]:
    """The lowest and the highest that is known; NaN where nothing is."""
    if not values.size:
        return np.float64(np.nan), np.float64(np.nan)
    return np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)


def _is_flat(low: np.floating, high: np.floating) -> bool:
    return not high - low > FLAT * max(abs(low), abs(high))


def otsu(values: np.ndarray, bins: int = 256) -> float:
    """The threshold in 0…1 that splits values into two groups with the largest variance between
    them (Otsu 1979).
    """
    return _split(*np.histogram(values, bins, (0, 1)))


def otsu_of_sorted(values: np.ndarray, bins: int = 256) -> float:
    """`otsu` of values in 0…1 that are in order: a bin's count is a difference of places."""
    edges = np.linspace(0, 1, bins + 1, dtype=values.dtype)
    places = np.searchsorted(values, edges)
    places[-1] = len(values)  # the last bin has both its ends
    return _split(np.diff(places), edges)


def _split(counts: np.ndarray, edges: np.ndarray) -> float:
    """The edge between bins that `otsu` finds."""
    centres = (edges[:-1] + edges[1:]) / 2
    sums = np.cumsum(counts * centres)
    below, above = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[::-1][1:]
    # an empty side has variance 0 whatever its mean is called, so 1 may stand for its count
    mean_below = sums[:-1] / np.maximum(below, 1)
    mean_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    between = below * above * (mean_below - mean_above) ** 2
    return float(edges[1:-1][np.argmax(between)])


def ranks(values: np.ndarray) -> np.ndarray:
    """Place (n,) of each of n values in their order, from 1; equal ones share their mean place."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[where]


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation of two arrays of one size, -1…1; NaN if one of them is constant,
    which has no order.
    """
    places = [ranks(np.ravel(values)) for values in (a, b)]
    if any(np.ptp(place) == 0 for place in places):
        return float("nan")
    return float(np.corrcoef(*places)[0, 1])


def resize_bilinear(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear interpolation of the last two axes, (..., h, w) -> (..., height, width) float32, as
    torch's with align_corners False.
    """
    h, w = values.shape[-2:]
    rows = sampling(cells=h, start=0, stop=h, length=h, pixels=height)
    columns = sampling(cells=w, start=0, stop=w, length=w, pixels=width)
    return interpolate(values, rows, columns)


def interpolate(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values (..., h, w) mixed by two matrices of `sampling`, (H, h) and (W, w), to (..., H, W)
    float32.

    NaN is left out of every mixture. What lies in such a cell itself is NaN, as is what lies
    outside of all cells.
    """
    # bilinear is linear down times linear across, so two small matrices do it
    values = values.astype(np.float32)
    unknown = np.isnan(values)
    if not unknown.any():
        return _across(rows @ values, columns.T)
    within = (rows > HALF).astype(np.float32) @ unknown @ (columns > HALF).T.astype(np.float32) > 0
    # in double precision, so that equal values stay equal
    rows, columns = rows.astype(float), columns.astype(float)
    known = _across(rows @ ~unknown, columns.T)
    mixed = _across(rows @ np.where(unknown, 0, values), columns.T)
    seen = (known > 0) & ~within
    return np.divide(mixed, known, out=np.full(mixed.shape, np.nan), where=seen).astype(np.float32)


def _across(down: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(..., H, w) times (w, W), some rows at a time: a product of this size is shared among
    threads, and on a busy machine they wait for one another a hundred times as long as it takes.
    """
    few = max(8, ALONE // columns.size // 8 * 8)  # eight: every row is summed as in the whole
    parts = [down[..., n : n + few, :] @ columns for n in range(0, down.shape[-2], few)]
    return np.concatenate(parts, axis=-2)


@lru_cache(maxsize=4)  # rows and columns of two sizes: those of a large picture take megabytes
def sampling(cells: int, start: float, stop: float, length: int, pixels: int) -> np.ndarray:
    """(pixels, cells) weights that read `cells` lying between start and stop of an axis of
    `length`, drawn with `pixels` pixels; NaN for pixels outside. The same again is the same array,
    not to be written to.
    """
    on_axis = (np.arange(pixels) + 0.5) * length / pixels
    position = (on_axis - start) / (stop - start) * cells
    # a cell's value belongs to its centre; beyond the outermost centres it goes on unchanged
    inner = np.clip(position - 0.5, 0, cells - 1)
    low = np.minimum(inner.astype(int), max(cells - 2, 0))
    weights = np.zeros((pixels, cells), np.float32)
    weights[np.arange(pixels), low] = 1 - (inner - low)
    # added, not set: of a single cell the two neighbours are the same
    weights[np.arange(pixels), np.minimum(low + 1, cells - 1)] += inner - low
    weights[(position < 0) | (position > cells)] = np.nan
    weights.flags.writeable = False
    return weights
