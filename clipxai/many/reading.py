"""How are many images read while the model works? One background thread decodes and resizes ahead.

An entry is an image, a batch of them, or what a loader of a data set gives: a mapping of names to
values, of which one is the image. What cannot be read is told, and the rest goes on.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np
from torch import Tensor

from ..checks import several, shown
from ..model.clip import CLIP
from ..model.image import Prepared, Preprocessor
from ..model.normalised import normalised_pixels, taken_for
from ..model.picture import Picture, each_image

Broken = Callable[[object, Exception], None]
Item, Found = TypeVar("Item"), TypeVar("Found")
FAILURES = (ValueError, TypeError, OSError)  # of an image that cannot be read
AHEAD = 2  # batches: one is explained while the next is read


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


def images_ahead(model: CLIP, batch: int) -> int:
    """How many images to read before they are needed.

    A processor that multiplies matrices on all of its cores waits for the one that decodes, so
    there is nothing to gain by reading beside it: `benchmarks/folder_throughput.py --beside`.
    """
    return 0 if model.device.type == "cpu" else AHEAD * batch


def read_ahead(
    sources: Iterable[Source], read: Callable[..., Prepared], ahead: int, broken: Broken | None
) -> Iterator[Ready]:
    """Images as they become ready, in order."""

    def now(source: Source) -> Prepared:
        if isinstance(source.image, Exception):
            raise source.image
        return read(source.image, normalized=source.normalized)

    for source, done in done_ahead(sources, now, ahead):
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
    items: Iterable[Item], do: Callable[[Item], Found], ahead: int
) -> Iterator[tuple[Item, Callable[[], Found]]]:
    """Each of some items, and what gives what becomes of it, or raises its error.

    It is done in a thread that is `ahead` items further, a single one, because decoding is quicker
    than any model; if `ahead` is 0, by whoever asks.
    """
    if not ahead:
        yield from ((item, partial(do, item)) for item in items)
        return
    reader = ThreadPoolExecutor(1, "clipxai-reader")
    waiting: deque[tuple[Item, Callable[[], Found]]] = deque()
    try:
        for item in items:
            waiting.append((item, reader.submit(do, item).result))
            # the oldest is handed over only when enough is read behind it
            if len(waiting) > ahead:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
    finally:  # also when nobody wants the rest
        reader.shutdown(cancel_futures=True)


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
