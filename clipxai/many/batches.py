"""Many images, the same texts: how are they explained without waiting for the disk or saying the
texts again?

    for path, e in explain_each(model, "photos/", ["a dog", "a bicycle"]):
        cx.save(e, f"maps/{path.stem}.png")

One background thread decodes and resizes ahead of the model; the text tower runs once; neighbours
of one shape go through the image tower together. Memory is that of one batch and of the images read
ahead, however many there are.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar, overload

import numpy as np
import torch
from torch import Tensor

from ..checks import expect, expect_some, of_its_kinds, shown
from ..explainers.explain import expect_question, explain_all
from ..explainers.table import find_method
from ..model.clip import CLIP, Texts
from ..model.image import MOST_PATCHES, Mode, Prepared
from ..model.normalised import normalised_pixels, taken_for
from ..model.picture import Picture, each_image
from ..results.explanation import Explanation
from ..trace.record import record
from ..trace.trace import Trace
from .patterns import matching, split_pattern

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
    templates: str | Iterable[str] | None = ...,
    truncate: bool = ...,
    normalized: bool | None = ...,
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
    templates: str | Iterable[str] | None = ...,
    truncate: bool = ...,
    normalized: bool | None = ...,
    batch: int = ...,
    broken: Broken | None = ...,
    **options: object,
) -> Iterator[tuple[Given, Explanation]]: ...


@of_its_kinds
def explain_each(
    model: CLIP,
    images: object,
    texts: Texts,
    method: str = "clip_surgery",
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: str | Iterable[str] | None = None,
    truncate: bool = False,
    normalized: bool | None = None,
    batch: int = 8,
    broken: Broken | None = None,
    **options: object,
) -> Iterator[tuple[object, Explanation]]:
    """Explain many images, one after the other, in the order given.

    Parameters
    ----------
    model, texts, mode, size, templates, truncate, normalized : as for `record`
    images : a folder (its image files, by name), a pattern such as "photos/**/*.jpg", one image,
        or any iterable of what `record` takes as images. Batches (B, 3, h, w), as a DataLoader
        gives them, are taken apart
    method, options : as for `explain`
    batch : images that go through the model together; more need more memory, the maps are the same
    broken : called as broken(image, error) for an image that cannot be read, which is then left
        out; None raises the error

    Returns
    -------
    Iterator of (image as it was given, its `Explanation`). Wrong texts, methods, options, modes and
    sizes are errors at once, not at the first image

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
    expect_question(model, method, options)
    read = partial(model.preprocessor, mode=mode, size=size, patches=MOST_PATCHES)
    # so that a wrong mode or size is not taken for a broken image
    h, w = _least(model)
    blank = torch.zeros(3, h, w) if normalized else np.zeros((h, w, 3), np.uint8)
    read(blank, normalized=normalized)
    sources = pictures(images) if isinstance(images, (str, Path)) else images
    spoken = speak(model, texts, templates, truncate)
    prepared = _read(_each(sources, model, normalized), read, READ_AHEAD * batch, broken)
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
        yield from zip(sources, ask(spoken, Prepared.together(images), method, options))


def pictures(where: str | Path) -> list[Path]:
    """Image files of a folder, or of a pattern with `*`, `?` or `**`, by name; hidden files are
    left out.

    Raises
    ------
    FileNotFoundError : no image there
    """
    folder = Path(where)
    if os.path.isdir(folder):
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    else:  # whoever gives a pattern says which files are images
        root, pattern = split_pattern(where)
        found = matching(pattern, root)
    # a set, as `**/**` finds some twice
    found = sorted(
        {path for path in found if os.path.isfile(path) and not path.name.startswith(".")}
    )
    if not found:
        raise FileNotFoundError(
            f"no images in {where}: pass a folder with {', '.join(SUFFIXES)}, or a pattern such as "
            "'photos/**/*.jpg'"
        )
    return found


def speak(
    model: CLIP, texts: Texts, templates: str | Iterable[str] | None = None, truncate: bool = False
) -> Trace:
    """A trace of texts, for `Trace.with_images`; what stands for the image is one blank patch."""
    blank = torch.zeros(1, 3, *_least(model))
    return record(model, blank, texts, templates=templates, truncate=truncate, normalized=True)


def _least(model: CLIP) -> tuple[int, int]:
    """Height and width of the least image that a model takes: one patch, if it takes any size."""
    tower = model.visual
    return tower.image_size if tower.one_size else (tower.patch, tower.patch)


def ask(
    spoken: Trace, prepared: Prepared, method: str, options: dict[str, object]
) -> list[Explanation]:
    """What a method says of each image, with no more of the model run than it reads."""
    # a method with a path of its own reads patches there, so the last block may leave them out
    patches = not find_method(method).rewrites(options)
    return explain_all(spoken.with_images(prepared, patches=patches), method, **options)


class Source(NamedTuple):
    """One image as it was given, whether it is normalised pixels (None: its own range has to say),
    and what was concluded of it.
    """

    image: object
    normalized: bool | None
    notes: tuple[str, ...] = ()


def _each(sources: object, model: CLIP, normalized: bool | None) -> Iterator[Source]:
    """Every image; batches are taken apart."""
    for one in sources if _holds_many(sources) else [sources]:
        if isinstance(one, (list, tuple)) and any(_is_batch(part) for part in one):
            raise TypeError(
                "an entry of `images` is a list with a batch in it, as loaders give images with "
                "their labels: pass (images for images, _ in loader)"
            )
        if not _is_batch(one):
            yield Source(one, normalized)
            continue
        said, notes = normalized, ()
        if said is None:  # the whole batch says more than each image by itself
            colours = model.preprocessor
            pixels = normalised_pixels(one, colours.mean, colours.std, None)
            said, notes = pixels is not None, () if pixels is None else (taken_for(pixels),)
        yield from (Source(image, said, notes) for image in each_image(one))


def _is_batch(images: object) -> bool:
    return isinstance(images, (Tensor, np.ndarray)) and images.ndim == 4


def _holds_many(images: object) -> bool:
    """Whether these are images, rather than one of them, which may be iterable as well."""
    if isinstance(images, Mapping):
        raise TypeError("`images` is a mapping: pass list(images.values()), or its keys")
    if isinstance(images, np.ndarray) and images.ndim == 1:
        return True  # of paths
    is_one = isinstance(images, (Tensor, np.ndarray, bytes, bytearray, memoryview, Picture))
    if is_one or hasattr(images, "getexif") or hasattr(images, "read"):
        return False
    if not isinstance(images, Iterable):
        raise TypeError(f"`images` are paths, pictures or arrays, not {shown(images)}")
    return True


def _read(
    sources: Iterable[Source], read: Callable[..., Prepared], ahead: int, broken: Broken | None
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
            broken(source.image, error)
        else:
            yield source.image, replace(prepared, notes=[(*source.notes, *prepared.notes[0])])


def _pending(
    sources: Iterable[Source], read: Callable[..., Prepared], ahead: int
) -> Iterator[tuple[Source, Future]]:
    reader = ThreadPoolExecutor(1, "clipxai-reader")
    waiting: deque[tuple[Source, Future]] = deque()
    try:
        for source in sources:
            ready = reader.submit(read, source.image, normalized=source.normalized)
            waiting.append((source, ready))
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
