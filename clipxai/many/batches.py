"""Many images, the same texts: how are they explained without waiting for the disk or saying the
texts again?

    for path, e in explain_each(model, "photos/", ["a dog", "a bicycle"]):
        cx.save(e, f"maps/{path.stem}.png")

One background thread decodes and resizes ahead of the model; the text tower runs once; neighbours
of one shape go through the image tower together. Memory is that of one batch and of the images read
ahead, however many there are.
"""

import glob
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar, overload

import numpy as np
import torch

from ..checks import expect, expect_some
from ..explainers.explain import explain_all
from ..explainers.table import find_method
from ..model.clip import CLIP, Texts
from ..model.image import Mode, Prepared
from ..results.explanation import Explanation
from ..trace.record import record
from ..trace.trace import Trace

SUFFIXES = tuple(".jpg .jpeg .png .webp .gif .bmp .tif .tiff .avif .jp2 .ppm .pgm .tga".split())
READ_AHEAD = 2  # batches: one is explained while the next is read
Broken = Callable[[object, Exception], None]
Given = TypeVar("Given")


@overload
def explain_each(
    model: CLIP,
    images: str | Path,
    texts: Texts,
    method: str = ...,
    *,
    mode: Mode = ...,
    size: int | tuple[int, int] | None = ...,
    templates: Iterable[str] | None = ...,
    truncate: bool = ...,
    batch: int = ...,
    broken: Broken | None = ...,
    **options: object,
) -> Iterator[tuple[Path, Explanation]]: ...


@overload
def explain_each(
    model: CLIP,
    images: Iterable[Given],
    texts: Texts,
    method: str = ...,
    *,
    mode: Mode = ...,
    size: int | tuple[int, int] | None = ...,
    templates: Iterable[str] | None = ...,
    truncate: bool = ...,
    batch: int = ...,
    broken: Broken | None = ...,
    **options: object,
) -> Iterator[tuple[Given, Explanation]]: ...


def explain_each(
    model: CLIP,
    images: str | Path | Iterable[object],
    texts: Texts,
    method: str = "clip_surgery",
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: Iterable[str] | None = None,
    truncate: bool = False,
    batch: int = 8,
    broken: Broken | None = None,
    **options: object,
) -> Iterator[tuple[object, Explanation]]:
    """Explain many images, one after the other, in the order given.

    Parameters
    ----------
    model, texts, mode, size, templates, truncate : as for `record`
    images : a folder (its image files, by name), a pattern such as "photos/**/*.jpg", or any
        iterable of what `record` takes as an image; float tensors are pictures in 0…1, also those
        of four dimensions, which `record` takes for normalised pixels
    method, options : as for `explain`
    batch : images that go through the model together; more need more memory, the maps are the same
    broken : called as broken(image, error) for an image that cannot be read, which is then left
        out; None raises the error

    Returns
    -------
    Iterator of (image as it was given, its `Explanation`). Wrong texts, methods, modes and sizes
    are errors at once, not at the first image

    Raises
    ------
    FileNotFoundError : no images in the folder or of that pattern
    ValueError, TypeError, OSError : as `record` and `explain`; an image that cannot be read, unless
        `broken` is given; a batch of none

    Examples
    --------
    >>> for path, explanation in explain_each(model, "photos/", ["a cat", "a guitar"]):
    ...     print(path.name, explanation.presence.round(2))
    one.jpg [0.32 0.45]
    """
    expect(CLIP, model, "load")
    expect_some(batch=batch)
    find_method(method)
    read = partial(model.preprocessor, mode=mode, size=size)
    # so that a wrong mode or size is not taken for a broken image
    read(np.zeros((model.visual.patch, model.visual.patch, 3), np.uint8))
    sources = pictures(images) if isinstance(images, (str, Path)) else images
    spoken = speak(model, texts, templates, truncate)
    prepared = _read(sources, read, READ_AHEAD * batch, broken)
    # a generator of its own: this function would not check anything before its first image
    return _explained(spoken, _together(prepared, batch), method, options)


def _explained(
    spoken: Trace,
    batches: Iterable[list[tuple[object, Prepared]]],
    method: str,
    options: dict[str, object],
) -> Iterator[tuple[object, Explanation]]:
    for few in batches:
        sources, images = zip(*few)
        together = Prepared(
            pixels=torch.cat([image.pixels for image in images]),
            images=[image.images[0] for image in images],
            grids=[image.grids[0] for image in images],
        )
        yield from zip(sources, ask(spoken, together, method, options))


def pictures(where: str | Path) -> list[Path]:
    """Image files of a folder, or of a pattern with `*`, `?` or `**`, by name; hidden files are
    left out.

    Raises
    ------
    FileNotFoundError : no image there
    """
    folder = Path(where)
    if folder.is_dir():
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    else:  # whoever gives a pattern says which files are images
        found = [Path(path) for path in glob.glob(str(where), recursive=True)]
    # a set, as `**/**` finds some twice
    found = sorted({path for path in found if path.is_file() and not path.name.startswith(".")})
    if not found:
        raise FileNotFoundError(
            f"no images in {where}: pass a folder with {', '.join(SUFFIXES)}, or a pattern such as "
            "'photos/**/*.jpg'"
        )
    return found


def speak(
    model: CLIP, texts: Texts, templates: Iterable[str] | None = None, truncate: bool = False
) -> Trace:
    """A trace of texts, for `Trace.with_images`; what stands for the image is one blank patch."""
    blank = torch.zeros(1, 3, model.visual.patch, model.visual.patch)
    return record(model, blank, texts, templates=templates, truncate=truncate)


def ask(
    spoken: Trace, prepared: Prepared, method: str, options: dict[str, object]
) -> list[Explanation]:
    """What a method says of each image, with no more of the model run than it reads."""
    # a method with a path of its own reads patches there, so the last block may leave them out
    patches = not find_method(method).rewrites(options)
    return explain_all(spoken.with_images(prepared, patches=patches), method, **options)


def _read(
    sources: Iterable[object], read: Callable[[object], Prepared], ahead: int, broken: Broken | None
) -> Iterator[tuple[object, Prepared]]:
    """Images as they become ready, in order; a single thread, because decoding is quicker than any
    model.
    """
    for source, pending in _pending(sources, read, ahead):
        try:
            prepared = pending.result()
            if len(prepared.images) != 1:
                raise ValueError(
                    f"one entry of `images` holds {len(prepared.images)} of them: pass each as an "
                    "entry of its own"
                )
        except (ValueError, TypeError, OSError) as error:
            if broken is None:
                raise
            broken(source, error)
        else:
            yield source, prepared


def _pending(
    sources: Iterable[object], read: Callable[[object], Prepared], ahead: int
) -> Iterator[tuple[object, Future]]:
    reader = ThreadPoolExecutor(1, "clipxai-reader")
    waiting: deque[tuple[object, Future]] = deque()
    try:
        for source in sources:
            waiting.append((source, reader.submit(read, source)))
            # the oldest is handed over only when enough is read behind it
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:  # also when nobody wants the rest
        reader.shutdown(cancel_futures=True)


def _together(
    found: Iterable[tuple[object, Prepared]], batch: int
) -> Iterator[list[tuple[object, Prepared]]]:
    """Neighbours of the same shape, at most `batch` of them."""
    few: list[tuple[object, Prepared]] = []
    for source, prepared in found:
        if few and (len(few) == batch or few[0][1].pixels.shape != prepared.pixels.shape):
            yield few
            few = []
        few.append((source, prepared))
    if few:
        yield few
