"""How is a large photograph explained by a model that reads small images? Window by window,
averaged where windows overlap.

Formula    S[t, p] = mean over the windows w that cover patch p of S_w[t, p]
           Windows lie on the patch grid of the resized image, `stride` apart; the last of a row or
           column is shifted inwards so that it ends with the image, and every patch is covered.
Reference  the sliding-window protocol of training-free segmentation with CLIP: 224 pixels, stride
           112, short side 336 (SCLIP, Wang et al., arXiv 2312.01597).
Misleads   A window knows nothing of what lies around it: a wheel that fills a window may be
           anything round. Small things gain, large things lose. Where windows meet, the averages of
           differently many windows stand side by side.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from ..checks import expect, expect_some, of_its_kinds
from ..explainers.explain import expect_question
from ..model.clip import CLIP, Texts, cosines
from ..model.image import Prepared
from ..model.picture import Picture, each_image, read_picture
from ..results.explanation import Explanation, Grid
from ..trace.record import record_texts
from .batches import ask

MOST_WINDOWS = 1 << 12
MOST_SEEN = 1 << 19  # patches of all windows: minutes on a slow machine


class Window(NamedTuple):
    """Rows and columns of patches that a window covers."""

    rows: slice
    columns: slice


@of_its_kinds
def explain_windows(
    model: CLIP,
    image: object,
    texts: Texts,
    method: str = "clip_surgery",
    *,
    window: int | tuple[int, int] | None = None,
    stride: int | None = None,
    size: int | None = None,
    templates: str | Iterable[str] | None = None,
    truncate: bool = False,
    batch: int = 4,
    **options: object,
) -> Explanation:
    """One map of a large image, from overlapping windows of the size the model reads; memory is
    that of `batch` windows.

    Every window is explained by itself and never normalised, so its raw scores can be averaged with
    its neighbours'. What a method asks of "the whole image" it asks of the window. For feature
    surgery: redundant="empty" subtracts the same text in every window; with "labels" the weights of
    the texts come from each window's own class token, so the same patch may lose more in one window
    than in another.

    Parameters
    ----------
    model, texts, templates, truncate : as for `record`
    image : one image, anything `record` takes but pixels
    method, options : as for `explain`; every method works that works on the model
    window : side in pixels, or (height, width), of what the model sees at once; its own input size
        unless told
    stride : pixels from one window to the next, across and down; half the smaller side of the
        window unless told
    size : short side in pixels the image is resized to first, ratio kept, to the nearest whole
        patch. None keeps its own resolution, or enlarges it to one window where it is smaller
    batch : windows that go through the model together; more need more memory, the map is the same

    Returns
    -------
    An `Explanation` on the patch grid of the resized image, its whole image covered. Its `presence`
    is, as everywhere, the cosine of each text with the whole image, seen at once at the model's own
    size: a small thing may be found in a window and hardly count in the whole

    Raises
    ------
    TypeError : no CLIP
    ValueError : a window that does not fit into the resized image; sides or strides that are not
        multiples of the patch; as `explain`
    FileNotFoundError : no such image

    Examples
    --------
    >>> explain_windows(model, "large.jpg", ["a cat"], window=112, stride=56)
    <Explanation by clip_surgery of 1 texts on 42x42 patches: 'a cat'>
    """
    expect(CLIP, model, "load")
    expect_some(batch=batch)
    expect_question(model, method, options)
    patch = model.visual.patch
    high, wide = _sides(window, model.preprocessor.image_size)
    if stride is None:
        stride = max(patch, min(high, wide) // 2 // patch * patch)
    _check(high, wide, stride, patch)
    original = _one_picture(image)
    if size is None:
        size = _own_size(original.size, high, wide, patch)
    # before anything is resized
    height, width = model.preprocessor.kept_ratio(original.size, size)
    rows, columns = _starts(height, high, stride), _starts(width, wide, stride)
    _expect_few(len(rows) * len(columns), (high // patch) * (wide // patch), stride)
    whole = model.preprocessor(original)
    canvas = model.preprocessor(original, mode="aspect", size=size)
    windows = _windows(rows, columns, high, wide, patch)
    spoken = record_texts(model, texts, templates, truncate)

    def explained() -> Iterator[tuple[Window, Explanation]]:
        for first in range(0, len(windows), batch):
            few = windows[first : first + batch]
            yield from zip(few, ask(spoken, _cut(canvas, few, patch), method, options))

    scores, last = _averaged(explained(), len(spoken.texts), canvas.grids[0])
    seen = spoken.with_images(whole, path=1)
    h, w = canvas.pixels.shape[-2:]
    how = f"{len(windows)} x {high}x{wide} pixels, stride {stride}, on the image at {h}x{w}"
    note = f"Every window was explained by itself and overlaps were averaged: {how}."
    # what all windows have in common stays: method, unit, texts, the original image
    return replace(
        last,
        scores=scores,
        grid=canvas.grids[0],
        presence=cosines(seen.image_features, spoken.text_features)[0].cpu().numpy(),
        notes=(*last.notes, note),
        provenance=last.provenance | {"windows": how},
    )


def _averaged(
    windows: Iterable[tuple[Window, Explanation]], texts: int, grid: Grid
) -> tuple[np.ndarray, Explanation]:
    """Scores (T, gh, gw) on the whole grid, and the explanation of the last window."""
    sums = np.zeros((texts, grid.height, grid.width))  # float64: a patch may lie in many windows
    counts = np.zeros(sums.shape[1:])
    for (rows, columns), explanation in windows:
        sums[:, rows, columns] += explanation.scores
        counts[rows, columns] += 1
    return (sums / counts).astype(np.float32), explanation


def _one_picture(image: object) -> Picture:
    originals = [read_picture(one) for one in each_image(image)]
    if len(originals) != 1:
        raise ValueError(
            f"explain_windows takes one image at a time, not {len(originals)}: call it for each"
        )
    return originals[0]


def _sides(window: int | tuple[int, int] | None, usual: tuple[int, int]) -> tuple[int, int]:
    """Height and width of a window."""
    if window is None:
        return usual
    return (window[0], window[1]) if isinstance(window, Sequence) else (window, window)


def _check(high: int, wide: int, stride: int, patch: int) -> None:
    for name, side in {"window": high, "width of the window": wide, "stride": stride}.items():
        if side < patch or side % patch:
            nearest = max(1, round(side / patch)) * patch
            raise ValueError(
                f"{name} {side} is not a multiple of the patch, {patch} pixels; nearest: {nearest}"
            )
    if stride > min(high, wide):
        raise ValueError(
            f"stride {stride} leaves gaps between windows of {high}x{wide} pixels: pass at most "
            f"{min(high, wide)}"
        )


def _expect_few(windows: int, patches: int, stride: int) -> None:
    """A ValueError of more windows, of so many patches each, than there is patience for."""
    if windows > MOST_WINDOWS or windows * patches > MOST_SEEN:
        raise ValueError(
            f"{windows:,} windows of {patches:,} patches, one for every stride of {stride} pixels, "
            f"but at most {MOST_WINDOWS:,} windows and {MOST_SEEN:,} patches are looked at: pass a "
            "longer stride, or a smaller size"
        )


def _own_size(image: tuple[int, int], high: int, wide: int, patch: int) -> int:
    """Short side, in whole patches, of an image at its own resolution, or at what makes it as large
    as a window.
    """
    h, w = image
    scale = max(1, high / h, wide / w)
    # a little less, as a whole number of patches may come out as one and a rounding error
    return math.ceil(min(h, w) * scale / patch - 1e-6) * patch


def _starts(length: int, window: int, stride: int) -> list[int]:
    """Where windows begin; the last is shifted inwards to end where the image does."""
    if window > length:
        raise ValueError(
            f"a window of {window} pixels does not fit into an image resized to {length}: pass a "
            "larger size, or none to keep the image's own resolution"
        )
    return [*range(0, length - window, stride), length - window]


def _windows(
    rows: Sequence[int], columns: Sequence[int], high: int, wide: int, patch: int
) -> list[Window]:
    """Rows and columns of every window, in patches, from where they begin in pixels."""
    return [
        Window(slice(y // patch, (y + high) // patch), slice(x // patch, (x + wide) // patch))
        for y in rows
        for x in columns
    ]


def _cut(canvas: Prepared, windows: list[Window], patch: int) -> Prepared:
    """The pixels of windows, and where each lies on the original image."""
    grid = canvas.grids[0]
    # pixels of the original in a patch
    y, x = grid.image_size[0] / grid.height, grid.image_size[1] / grid.width
    pixels, grids = [], []
    for rows, columns in windows:
        down = slice(patch * rows.start, patch * rows.stop)
        across = slice(patch * columns.start, patch * columns.stop)
        pixels.append(canvas.pixels[0, :, down, across])
        grids.append(
            Grid(
                height=rows.stop - rows.start,
                width=columns.stop - columns.start,
                image_size=grid.image_size,
                box=(rows.start * y, columns.start * x, rows.stop * y, columns.stop * x),
            )
        )
    return Prepared(
        torch.stack(pixels), canvas.images * len(windows), grids, canvas.notes * len(windows)
    )
