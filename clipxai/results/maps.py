"""How is a small map brought to another size or scale? Array operations that every drawing and
every measure shares (numpy only).
"""

import numpy as np

# relative spread below which a map is rounding noise, not variation
FLAT = 4 * np.finfo(np.float32).eps


def is_flat(values: np.ndarray) -> bool:
    """Whether values differ by no more than rounding (NaN ignored)."""
    low, high = np.nanmin(values), np.nanmax(values)
    return not high - low > FLAT * max(abs(low), abs(high))


def minmax(values: np.ndarray) -> np.ndarray:
    """Values brought to 0…1; a constant map has no variation to show and becomes 0.5 everywhere.
    NaN stays NaN.
    """
    if np.isnan(values).all() or is_flat(values):
        return np.where(np.isnan(values), np.nan, 0.5).astype(np.float32)
    low, high = np.nanmin(values), np.nanmax(values)
    return (values - low) / (high - low)


def otsu(values: np.ndarray, bins: int = 256) -> float:
    """The threshold in 0…1 that splits values into two groups with the largest variance between
    them (Otsu 1979).
    """
    counts, edges = np.histogram(values, bins, (0, 1))
    centres = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[::-1][1:]
    sums = np.cumsum(counts * centres)
    mean_below, mean_above = (
        sums[:-1] / np.maximum(below, 1),
        (sums[-1] - sums[:-1]) / np.maximum(above, 1),
    )
    return float(edges[1:-1][np.argmax(below * above * (mean_below - mean_above) ** 2)])


def resize_bilinear(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear interpolation (align_corners False, as torch's) of the last two axes: (..., h, w) ->
    (..., height, width).
    """
    rows = sampling(values.shape[-2], 0, values.shape[-2], values.shape[-2], height)
    columns = sampling(values.shape[-1], 0, values.shape[-1], values.shape[-1], width)
    return rows @ values.astype(np.float32) @ columns.T


def sampling(cells: int, start: float, stop: float, length: int, pixels: int) -> np.ndarray:
    """(pixels, cells) weights that read `cells` lying between start and stop of an axis of
    `length`, drawn with `pixels` pixels.
    """
    on_axis = (np.arange(pixels) + 0.5) * length / pixels
    position = (on_axis - start) / (stop - start) * cells
    inner = np.clip(position - 0.5, 0, cells - 1)
    low = np.minimum(inner.astype(int), max(cells - 2, 0))
    weights = np.zeros((pixels, cells), np.float32)
    weights[np.arange(pixels), low] = 1 - (inner - low)
    weights[np.arange(pixels), np.minimum(low + 1, cells - 1)] += inner - low
    weights[(position < 0) | (position > cells)] = np.nan
    return weights
