"""Many images, the same texts: how are they explained without waiting for the disk or saying the
texts again?

    for path, e in explain_each(model, "photos/", ["a dog", "a bicycle"]):
        cx.save(e, f"maps/{path.stem}.png")

Images are read from wherever they lie (`places`), files by several threads (`reading`); the text
tower runs once; neighbours of one shape go through the image tower together. Memory is that of one
batch and of the images read ahead, and of the names of files, however many there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise, starmap
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
import torch

from ..checks import expect, expect_some, of_its_kinds, several
from ..explainers.explain import expect_question, explain, explain_all
from ..explainers.own_texts import explain_own
from ..explainers.table import find_method
from ..model.clip import CLIP, Texts, as_templates
from ..model.image import MOST_PATCHES, Mode, Prepared
from ..results.explanation import Explanation
from ..trace.record import record_texts
from ..trace.trace import Trace
from .places import find_place
from .processes import Processes
from .reading import Broken, Ready, Source, read_ahead, reading_for, sources_of, together

Given = TypeVar("Given")


@overload
def explain_each(
    model: CLIP,
    images: str | Path,
    texts: Texts | None = ...,
    method: str = ...,
    *,
    mode: Mode = ...,
    size: int | tuple[int, int] | None = ...,
    templates: str | Iterable[str] | None = ...,
    truncate: bool = ...,
    normalized: bool | None = ...,
    batch: int = ...,
    broken: Broken | None = ...,
    column: str | None = ...,
    texts_from: str | Sequence[str] = ...,
    shard: tuple[int, int] | None = ...,
    **options: object,
) -> Iterator[tuple[Path, Explanation]]: ...


@overload
def explain_each(
    model: CLIP,
    images: Iterable[Given],
    texts: Texts | None = ...,
    method: str = ...,
    *,
    mode: Mode = ...,
    size: int | tuple[int, int] | None = ...,
    templates: str | Iterable[str] | None = ...,
    truncate: bool = ...,
    normalized: bool | None = ...,
    batch: int = ...,
    broken: Broken | None = ...,
    column: str | None = ...,
    texts_from: str | Sequence[str] = ...,
    shard: tuple[int, int] | None = ...,
    **options: object,
) -> Iterator[tuple[Given, Explanation]]: ...


@of_its_kinds
def explain_each(
    model: CLIP,
    images: object,
    texts: Texts | None = None,
    method: str = "clip_surgery",
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: str | Iterable[str] | None = None,
    truncate: bool = False,
    normalized: bool | None = None,
    batch: int = 8,
    broken: Broken | None = None,
    column: str | None = None,
    texts_from: str | Sequence[str] = (),
    shard: tuple[int, int] | None = None,
    **options: object,
) -> Iterator[tuple[object, Explanation]]:
    """Explain many images, one after the other, in the order given.

    Parameters
    ----------
    model, mode, size, templates, truncate, normalized : as for `record`
    images : a folder (its image files, by name), a pattern such as "photos/**/*.jpg", a list in a
        file (.txt, .csv, .parquet; paths are told from its folder), tar files as WebDataset lays
        them out ("shards/{000..009}.tar"), one image, or any iterable of what `record` takes as
        images. Batches (B, 3, h, w), as a DataLoader gives them, are taken apart; of a mapping, as
        Hugging Face's `datasets` give them, streaming too, the image is looked up
    texts : what every image is asked about, as for `record`; None if each has its own
    method, options : as for `explain`
    batch : images that go through the model together; more need more memory, the maps are the same
    broken : called as broken(image, error) for an image that cannot be read, or whose own text
        cannot, which is then left out; None raises the error
    column : where the images are: the column of a list ("path" unless told), the key of a mapping
        ("image"), the kind of an entry in tar files ("jpg"; unless told, any kind of image)
    texts_from : the columns, keys or kinds of entries ("txt") with texts that one image alone is
        asked about, in place of `texts`; those of several lines of one image are put together
    shard : (rank, count) of this process among those that share the images: every tar file is read
        by one of them, and every image of a folder, pattern or list. An iterable is split by who
        makes it, as by `datasets.distributed.split_dataset_by_node`

    Returns
    -------
    Iterator of (image as it was given, its `Explanation`); of a folder, pattern, list or tar files
    the path of the image. Wrong texts, methods, options, modes and sizes are errors at once, not at
    the first image

    Raises
    ------
    FileNotFoundError : no images in the folder or of that pattern
    ModuleNotFoundError : Parquet without pyarrow, tar files without webdataset
    ValueError, TypeError, OSError : as `record` and `explain`; an image that cannot be read, unless
        `broken` is given; a batch of none; both `texts` and `texts_from`, or neither

    Examples
    --------
    >>> for path, explanation in explain_each(model, "photos/", ["a cat", "a guitar"]):
    ...     print(path.name, explanation.presence.round(2))
    one.jpg [0.32 0.45]
    """
    expect(CLIP, model, "load")
    names = several(texts_from)
    if texts is None and not names:
        raise TypeError(
            "texts=None, but a text or a list of texts is needed, or texts_from= where each image "
            "has its own"
        )
    if texts is not None and names:
        raise ValueError(
            "texts= is what every image is asked about, texts_from= what each alone is: pass one"
        )
    if isinstance(images, (str, Path)):
        process = _process(shard)
        place = find_place(images, column, names, process)
        own = place.share(place.images, process)
        sources = _of_place(place.failed, place.read(own))
    elif shard is not None:
        raise ValueError(
            "shard= is for folders, patterns, lists and tar files: an iterable is split by who "
            "makes it, as by datasets.distributed.split_dataset_by_node"
        )
    else:
        sources = sources_of(images, model.preprocessor, normalized, column, names)
    seen = {"mode": mode, "size": size, "normalized": normalized}
    said = {"templates": templates, "truncate": truncate, "batch": batch, "broken": broken}
    return explain_sources(model, sources, texts, method, **seen, **said, **options)


def explain_sources(
    model: CLIP,
    sources: Iterable[Source],
    texts: Texts | None,
    method: str,
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
    """`explain_each` of images on their way; without `texts` each is asked about its own."""
    expect_some(batch=batch)
    expect_question(model, method, options)
    read = _reader(model, mode, size, normalized)
    said = {"templates": templates, "truncate": truncate}
    spoken = None
    if texts is not None:
        spoken = record_texts(model, texts, **said)
    elif model.tokenizer is not None:  # without one no text can be read
        filled = ("{}",) if templates is None else as_templates(templates)
        sources = _of_texts_that_fit(model, sources, filled, truncate)
    ready = read_ahead(sources, read, reading_for(model, batch), broken)
    # a generator of its own: this function would not check anything before its first image
    return _explained(model, spoken, together(ready, batch), method, options, said)


def _of_texts_that_fit(
    model: CLIP, sources: Iterable[Source], templates: tuple[str, ...], truncate: bool
) -> Iterator[Source]:
    """The same; one of a text that the model cannot read is told like one that is no image."""
    for source in sources:
        filled = [one.replace("{}", text) for text in source.texts for one in templates]
        try:
            if filled:
                model.tokenize(filled, truncate)
        except ValueError as error:
            named = f"{source.given}: " if isinstance(source.given, (str, Path)) else ""
            source = source._replace(image=ValueError(f"{named}{error}"))
        yield source


def _reader(
    model: CLIP,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    normalized: bool | None = None,
) -> partial[Prepared]:
    """What makes one image ready for the model; a wrong mode or size is an error here, so that it
    is not taken for a broken image.
    """
    read = partial(model.preprocessor, mode=mode, size=size, patches=MOST_PATCHES)
    h, w = _least(model)
    blank = torch.zeros(3, h, w) if normalized else np.zeros((h, w, 3), np.uint8)
    read(blank, normalized=normalized)
    return read


def _explained(
    model: CLIP,
    spoken: Trace | None,
    batches: Iterable[list[Ready]],
    method: str,
    options: dict[str, object],
    said: dict[str, object],
) -> Iterator[tuple[object, Explanation]]:
    """Every image that was read, asked about the texts that were `spoken`, or else about its own,
    which run through their tower together (`said` as `record_texts` takes it).
    """
    for few in batches:
        prepared = Prepared.together([one.prepared for one in few])
        if spoken is not None:
            found = ask(spoken, prepared, method, options)
        else:
            texts = [text for one in few for text in one.texts]
            spelled = record_texts(model, texts, **said)
            found = _each_its_own(spelled, few, prepared, method, options)
        yield from zip((one.given for one in few), found)


def _each_its_own(
    spoken: Trace, few: list[Ready], prepared: Prepared, method: str, options: dict[str, object]
) -> Iterator[Explanation]:
    trace = _seen(spoken, prepared, method, options)
    ends = [*accumulate((len(one.texts) for one in few), initial=0)]
    own = [*starmap(range, pairwise(ends))]
    if len(few) > 1 and find_method(method).needs == "gradient":
        yield from explain_own(trace, own, method, **options)
        return
    for number, texts in enumerate(own):
        alone = _with_texts(trace.of(number), slice(texts.start, texts.stop))
        yield explain(alone, method, **options)


def _with_texts(trace: Trace, own: slice) -> Trace:
    """A trace with some of its texts only; the text tower does not run again."""
    spelled: dict[str, Any] = {}
    if trace.templates is None:  # a mean over templates has no tokens
        ids, tokens = trace.token_ids, trace.text_tokens
        layers = tuple(tape.of(own) for tape in trace.text_layers)
        spelled = dict(token_ids=ids[own], text_layers=layers, text_tokens=tokens[own])
    return replace(
        trace,
        texts=trace.texts[own],
        **spelled,
        text_features=trace.text_features[own],
    )


def _process(shard: tuple[int, int] | None) -> Processes:
    rank, count = shard or (0, 1)
    if not 0 <= rank < count:
        raise ValueError(f"shard={shard}, but it is (rank, count), the rank from 0 to count - 1")
    return Processes(rank, count)


def _of_place(failed: Iterable[tuple[Path, Exception]], rest: Iterable[Source]) -> Iterator[Source]:
    yield from (Source(path, error) for path, error in failed)
    yield from rest


def _least(model: CLIP) -> tuple[int, int]:
    """Height and width of the least image that a model takes: one patch, if it takes any size."""
    tower = model.visual
    return tower.image_size if tower.one_size else (tower.patch, tower.patch)


def ask(
    spoken: Trace, prepared: Prepared, method: str, options: dict[str, object]
) -> list[Explanation]:
    """What a method says of each image, with no more of the model run than it reads."""
    return explain_all(_seen(spoken, prepared, method, options), method, **options)


def _seen(spoken: Trace, prepared: Prepared, method: str, options: dict[str, object]) -> Trace:
    return spoken.with_images(prepared, path=find_method(method).path(options))
