"""How are many images read without the model waiting for long? By several threads: on a processor a
batch before the model runs, for a model on a device of its own while it runs.

An entry is an image, a batch of them, or what a loader of a data set gives: a mapping of names to
values, of which one is the image. What cannot be read is told, and the rest goes on.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from ..checks import several, shown
from ..model.clip import CLIP
from ..model.image import Prepared, Preprocessor
from ..model.normalised import normalised_pixels, taken_for
from ..model.picture import Picture, each_image

Broken = Callable[[object, Exception], None]
Item, Found = TypeVar("Item"), TypeVar("Found")
Done = tuple[Item, Callable[[], Found]]
FAILURES = (ValueError, TypeError, OSError)  # of an image that cannot be read
AHEAD = 2  # batches: one is explained while the next is read
MOST_READERS = 16  # threads: each holds a decoded image


class Reading(NamedTuple):
    """How images are read for a model.

    Attributes
    ----------
    ahead : images that are read before the first of them is handed over
    threads : that read, or whoever asks, if it is one and not beside the model
    beside : whether they go on while the model works
    """

    ahead: int
    threads: int
    beside: bool


class Source(NamedTuple):
    """One image on its way.

    Attributes
    ----------
    given : what the caller knows it by
    image : anything `record` takes as one image; an error where there is none to be read
    normalized : whether it is normalised pixels; None: its own range has to say
    notes : what was concluded of it
    texts : those that it alone is asked about, if it has its own
    """

    given: object
    image: object
    normalized: bool | None = None
    notes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Ready(NamedTuple):
    """One image for the model."""

    given: object
    prepared: Prepared
    texts: tuple[str, ...]


def sources_of(
    images: object,
    colours: Preprocessor,
    normalized: bool | None = None,
    column: str | None = None,
    texts_from: Sequence[str] = (),
) -> Iterator[Source]:
    """Every image of what a caller calls images; batches are taken apart, and mappings asked for
    their `column` ("image" unless told) and the texts beside it.
    """
    for one in images if _holds_many(images) else [images]:
        if isinstance(one, (list, tuple)) and any(_is_batch(part) for part in one):
            raise TypeError(
                "an entry of `images` is a list with a batch in it, as loaders give images with "
                "their labels: pass (images for images, _ in loader)"
            )
        if isinstance(one, Mapping):
            yield _of_mapping(one, column or "image", texts_from, normalized)
        elif texts_from or column:
            names = ", ".join(texts_from or [str(column)])
            raise TypeError(f"an entry of `images` is no mapping, so it has no {names}")
        elif _is_batch(one):
            yield from _of_batch(one, colours, normalized)
        else:
            yield Source(one, one, normalized)


def own_texts(values: Mapping[str, object], names: Sequence[str]) -> tuple[str, ...]:
    """The texts that a picture has under some names, those that are empty left out.

    Raises
    ------
    ValueError : no such name; no text at all
    TypeError : something else than a text, or a list of texts
    """
    texts: list[str] = []
    for name in names:
        if name not in values:
            raise ValueError(f"no {name!r} beside it; there are {', '.join(map(str, values))}")
        value = values[name]
        value = value.decode() if isinstance(value, bytes) else value
        said = [] if value is None else several(value)
        for text in said:
            if not isinstance(text, str):
                raise TypeError(f"{name} is {shown(text)}, but a text is needed")
        texts += [text.strip() for text in said if text.strip()]
    if names and not texts:
        raise ValueError(f"it has no text of its own ({', '.join(names)} is empty)")
    return tuple(dict.fromkeys(texts))


def reading_for(model: CLIP, batch: int) -> Reading:
    """How images are read for a model that takes so many at a time.

    A processor that multiplies matrices on all of its cores waits for the one that decodes, so
    there is nothing to gain by reading beside it (`benchmarks/folder_throughput.py --beside`), but
    all of its cores may decode before: see `_done_before`.
    """
    if model.device.type == "cpu":
        return Reading(batch, min(batch, torch.get_num_threads()), beside=False)
    return Reading(AHEAD * batch, min(MOST_READERS, os.cpu_count() or 1), beside=True)


def read_ahead(
    sources: Iterable[Source],
    read: Callable[..., Prepared],
    how: Reading,
    broken: Broken | None,
) -> Iterator[Ready]:
    """Images as they become ready, in order."""

    def whole(source: Source) -> Prepared:
        if isinstance(source.image, Exception):
            raise source.image
        return read(source.image, normalized=source.normalized)

    for source, done in done_ahead(sources, whole, how, _stays):
        try:
            prepared = done()
            if len(prepared.images) != 1:
                raise ValueError(
                    f"one entry of `images` holds {len(prepared.images)} of them: pass each as an "
                    "entry of its own"
                )
        except FAILURES as error:
            if broken is None:
                raise
            broken(source.given, error)
        else:
            noted = replace(prepared, notes=[(*source.notes, *prepared.notes[0])])
            yield Ready(source.given, noted, source.texts)


def together(found: Iterable[Ready], batch: int) -> Iterator[list[Ready]]:
    """Neighbours of the same shape, at most `batch` of them."""
    few: list[Ready] = []
    for one in found:
        if few and few[0].prepared.pixels.shape != one.prepared.pixels.shape:
            yield few
            few = []
        few.append(one)
        if len(few) == batch:
            yield few
            few = []
    if few:
        yield few


def done_ahead(
    items: Iterable[Item],
    do: Callable[[Item], Found],
    how: Reading,
    stays: Callable[[Item], bool] = lambda item: True,
) -> Iterator[Done[Item, Found]]:
    """Each of some items, in order, and what gives what becomes of it, or raises its error.

    What `stays` as it is while the next ones come is done in threads, all else when it comes.
    """
    if how.beside:
        return _done_beside(items, do, how, stays)
    if how.threads > 1:
        return _done_before(items, do, how, stays)
    return ((item, partial(do, item)) for item in items)


def _done_beside(
    items: Iterable[Item],
    do: Callable[[Item], Found],
    how: Reading,
    stays: Callable[[Item], bool],
) -> Iterator[Done[Item, Found]]:
    """The oldest is handed over only when enough is done behind it."""
    waiting: deque[tuple[Item, Future[Found]]] = deque()
    readers = _readers(how.threads)
    try:
        for item in items:
            waiting.append((item, _begun(readers if stays(item) else None, do, item)))
            while len(waiting) > how.ahead:
                ready, done = waiting.popleft()
                yield ready, done.result
        yield from ((item, done.result) for item, done in waiting)
    finally:  # also when nobody wants the rest
        _end(readers, cancel=True)


def _done_before(
    items: Iterable[Item],
    do: Callable[[Item], Found],
    how: Reading,
    stays: Callable[[Item], bool],
) -> Iterator[Done[Item, Found]]:
    """So many are done, then all of them handed over, and no thread is left: OpenMP counts threads
    that have computed, and while they are more than there are cores, those that multiply the
    model's matrices fall asleep between two of them.
    """
    waiting: list[tuple[Item, Future[Found]]] = []
    readers, can_start = None, True
    try:
        for item in items:
            if (later := stays(item)) and can_start:
                readers = readers or _readers(how.threads)
                can_start = readers is not None
            waiting.append((item, _begun(readers if later else None, do, item)))
            if not later or len(waiting) == how.ahead:
                _end(readers)
                yield from ((item, done.result) for item, done in waiting)
                waiting, readers = [], None
        _end(readers)
        yield from ((item, done.result) for item, done in waiting)
    finally:  # also when nobody wants the rest
        _end(readers, cancel=True)


def _begun(
    readers: ThreadPoolExecutor | None, do: Callable[[Item], Found], item: Item
) -> Future[Found]:
    """By a reader, or done here."""
    if readers is not None:
        return readers.submit(do, item)
    done: Future[Found] = Future()
    try:
        done.set_result(do(item))
    except Exception as error:
        done.set_exception(error)
    return done


def _end(readers: ThreadPoolExecutor | None, cancel: bool = False) -> None:
    if readers is not None:
        readers.shutdown(cancel_futures=cancel)


def _readers(threads: int) -> ThreadPoolExecutor | None:
    """Threads in each of which torch uses one core: those that it would start in each, to resize on
    all cores, would be in the way of the others and of the model. None if none can be started.
    """
    readers, all_here = ThreadPoolExecutor(threads, "clipxai-reader"), Barrier(threads)
    cores = torch.get_num_threads()

    def begin() -> None:
        all_here.wait()  # so that each thread comes here once
        torch.set_num_threads(1)

    try:
        wait([readers.submit(begin) for _ in range(threads)])
    except BaseException as error:
        all_here.abort()
        readers.shutdown()
        if isinstance(error, RuntimeError):
            return None
        raise
    finally:  # or threads of others, yet to begin, would use one core too
        torch.set_num_threads(cores)
    return readers


def _stays(source: Source) -> bool:
    """Whether an image is the same later on: a loader may fill one array again and again, and the
    pictures of an animation are one object.
    """
    return isinstance(source.image, (str, Path, bytes, Exception))


def _of_mapping(
    entry: Mapping[str, object], column: str, texts_from: Sequence[str], normalized: bool | None
) -> Source:
    """The image of an entry of Hugging Face's `datasets`, or of WebDataset."""
    if column not in entry:
        names = ", ".join(map(str, entry))
        return Source(
            entry, TypeError(f"an entry of `images` has no {column!r}, but {names}: pass column=")
        )
    image = entry[column]
    # as `datasets` gives it with decode=False, so that what is damaged ends no run
    if isinstance(image, Mapping) and set(image) == {"bytes", "path"}:
        image = image["path"] if image["bytes"] is None else image["bytes"]
    try:
        return Source(entry, image, normalized, texts=own_texts(entry, texts_from))
    except FAILURES as error:
        return Source(entry, error)


def _of_batch(batch: object, colours: Preprocessor, normalized: bool | None) -> Iterator[Source]:
    said, notes = normalized, ()
    if said is None:  # the whole batch says more than each image by itself
        pixels = normalised_pixels(batch, colours.mean, colours.std, None)
        said, notes = pixels is not None, () if pixels is None else (taken_for(pixels),)
    yield from (Source(image, image, said, notes) for image in each_image(batch))


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
