"""Which map should one believe? Every method on every picture of a data set, one forward pass a
picture, with all measures.

`Bench` says what is measured and measures pictures; `run.run` goes through all of them.

Pictures of a batch go through the image tower together, and each method that needs only the
recorded pass, and compares no texts, is asked of all of them and all their texts at once. Gradients
would pay for texts that are another picture's: they are asked of all pictures, each with its own,
as far as memory allows. Measures see each picture by itself, those that need maps alone in a thread
beside the next method.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from .. import __version__
from ..checks import expect_some
from ..explainers.explain import explain, explain_all
from ..explainers.own_texts import explain_own
from ..explainers.table import METHODS, find_method
from ..many.reading import done_ahead, reading_for
from ..model.clip import CLIP
from ..model.image import Prepared
from ..results.explanation import Explanation
from ..trace.sharing import sharing
from ..trace.trace import Trace
from .asking import Asked, Asker
from .metrics import COMPETING, DRAWN, METRICS, NAMED, OF_MAPS, Rows, class_token, look_inside
from .samples import Dataset, Sample

ABSENT = 3  # labels asked for that are not in the picture
NAMELESS = "imagenet-segmentation"  # the one data set that does not say what its foreground is


class Read(NamedTuple):
    """A picture on its way into the model.

    Attributes
    ----------
    name, made_from : its id, and `Bench.made_from` before it was read
    sample, prepared : with its truth, and for the model; not prepared without a label
    """

    name: str
    made_from: list
    sample: Sample
    prepared: Prepared | None


class Bench(Asker):
    """One run: a model, a data set, methods and metrics.

    Parameters
    ----------
    model, data, seed, templates, truncate, size : as for `Asker`
    methods : names in `clipxai.methods()`; by default all that need only the recorded pass
    metrics : names in `METRICS`; by default those that cost little
    batch : pictures that go through the model together. Sums are then added up in another order: a
        patch's score differs by 5e-7 at most, where it was measured (300 scenes of Emoji World, 17
        methods, embedded model, batch of 8, on a CPU), an IoU of one picture by 0.4 % where a pixel
        lies on a threshold, a number of the whole table by 0.001 %, and nothing that it prints;
        so with gradients, whose highest scores differ by 6e-8 at most (24 scenes, five methods)

    Raises
    ------
    ValueError : a batch of none; unknown method, metric or templates; a method that the model's
        architecture does not allow; a metric that the data cannot answer, or one class alone
    """

    def __init__(
        self,
        model: CLIP,
        data: Dataset,
        methods: Sequence[str] | None = None,
        metrics: Sequence[str] | None = None,
        seed: int = 0,
        *,
        templates: str | None = None,
        truncate: bool = False,
        size: int | None = None,
        batch: int = 1,
    ) -> None:
        super().__init__(model, data, seed, templates=templates, truncate=truncate, size=size)
        expect_some(batch=batch)
        self.batch = batch
        self.methods = self._allowed_methods(methods)
        self._warm: set[str] = set()
        self.metrics = self._answerable_metrics(metrics)

    def _allowed_methods(self, asked: Sequence[str] | None) -> list[str]:
        free = (
            name
            for name, row in METHODS.items()
            if row.needs == "forward" and row.works_on(self.model)
        )
        names = list(asked or free)
        for name in names:
            self.model.expect(name, *find_method(name).requires)
        return names

    def _answerable_metrics(self, asked: Sequence[str] | None) -> list[str]:
        nameless = self.data.name == NAMELESS
        cheap = (NAMELESS, "localisation") if nameless else ("localisation", "presence")
        names = list(asked or cheap)
        for name in names:
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}; choose from {', '.join(METRICS)}")
            if nameless and name in NAMED:
                raise ValueError(
                    f"{name} needs to know what is in a picture, but ImageNet-Segmentation does "
                    "not say"
                )
            if name in DRAWN and not self.data.drawn:
                raise ValueError(
                    f"{name} needs pictures that can be drawn again without a thing, which those "
                    f"of {self.data.name} cannot: effect-mean and effect-blur fill it in, a weaker "
                    "question"
                )
            if name == NAMELESS and not nameless:
                raise ValueError(
                    f"{name} is the protocol of that data set alone, not of {self.data.name}"
                )
            if name in COMPETING and len(self.data.classes) == 1:
                raise ValueError(
                    f"{name} lets the classes compete, but the list has {self.data.classes[0]!r} "
                    "alone: name more classes, or leave that metric out"
                )
        return names

    @cached_property
    def settings(self) -> dict[str, object]:
        """What the numbers depend on, apart from which pictures were measured; `made_from` says
        that.
        """
        return {
            "model": {
                "name": self.model.name,
                **self.model.provenance,
                "weights sha256": self.model.weights_sha256(),
            },
            "data": self.data.name,
            "data folder": self.data.root and str(self.data.root),
            "prompts": dict(zip(self.data.classes, self.data.prompts)),
            "methods": self.methods,
            "metrics": self.metrics,
            "seed": self.seed,
            "clipxai": __version__,
            "templates": self.templates,
            "truncate": self.truncate,
            "size": self.size,
            "batch": self.batch,
        }

    @cached_property
    def places(self) -> dict[str, int]:
        """id -> its place in the order of the data set, which chooses its half and its absent
        labels.
        """
        return {name: at for at, name in enumerate(self.data.ids)}

    def made_from(self, name: str) -> list:
        """What one picture's row depends on: its place, and bytes and time of the last change of
        each file that is read for it.
        """
        states = [file.stat() for file in self.data.files(name)]
        return [self.places[name], *([state.st_size, state.st_mtime_ns] for state in states)]

    def measure(self, name: str) -> dict[str, object]:
        """The row of one picture: see `measure_each`."""
        (row,) = self.measure_each([name])
        return row

    def measure_each(self, names: Iterable[str]) -> Iterator[dict[str, object]]:
        """The row of each picture, in order: labels, milliseconds, and method -> metric -> rows of
        numbers; without a label no numbers. They are read ahead of a model on another device.
        """
        for few in self._batches(names):
            yield from self._measured(few)

    def _batches(self, names: Iterable[str]) -> Iterator[list[Read]]:
        """Neighbours, read; those before one that cannot be read come before its error."""
        few: list[Read] = []
        # by one thread: what a data set reads may not bear several
        how = reading_for(self.model, self.batch)._replace(threads=1)
        for _, read in done_ahead(names, self._read, how):
            try:
                few.append(read())
            except Exception:
                if few:
                    yield few
                raise
            if len(few) == self.batch:
                yield few
                few = []
        if few:
            yield few

    def _read(self, name: str) -> Read:
        # before the picture is read: if it changes meanwhile, the next run measures it again
        made_from = self.made_from(name)
        sample = self.data.read(name)
        if sample.labels == ():  # not None, which is a foreground without a name
            return Read(name, made_from, sample, None)
        prepared = self.prepare(sample.image)
        self._expect_covered(name, sample, prepared)
        return Read(name, made_from, sample, prepared)

    @torch.no_grad()
    def _measured(self, few: list[Read]) -> list[dict[str, object]]:
        """The rows of one batch."""
        rows = [{"id": one.name, "from": one.made_from, "labels": []} for one in few]
        seen = [(one, row) for one, row in zip(few, rows) if one.prepared is not None]
        if seen:
            self._score(*zip(*seen))
        return rows

    def _score(self, few: Sequence[Read], rows: Sequence[dict[str, object]]) -> None:
        """Put what is measured into the rows; milliseconds are a picture's share of its batch."""
        prepared, spoken = Prepared.together([one.prepared for one in few]), self.spoken
        with stopwatch(len(few)) as forward:
            trace = spoken.with_images(prepared)
        each = [self._asked(one, trace.of(n)) for n, one in enumerate(few)]
        for one, row, asked in zip(few, rows, each):
            row["labels"] = list(asked.labels)
            row["half"] = self.places[one.name] % 2
            row["milliseconds"] = {"forward": forward()}
            if "inside" in self.metrics:
                row["inside"] = look_inside(asked)
            row["scores"] = class_token(self, asked, self.metrics)
        texts = sorted({n for asked in each for n in asked.texts})
        together = each[0].trace if len(each) == 1 else self.with_texts(trace, texts)
        together.image_tokens()  # computed here, so that no method pays for all
        found = []
        with sharing(), ThreadPoolExecutor(1, "clipxai-measures") as beside:
            for method in self.methods:
                # a graph's memory is measured the first time, which takes many times as long
                if len(few) > 1 and method not in self._warm:
                    if find_method(method).needs == "gradient":
                        self._explained(together, texts, each, method)
                    self._warm.add(method)
                with stopwatch(len(few)) as spent:
                    explanations = self._explained(together, texts, each, method)
                # one by one nothing runs beside a method whose cost is told
                if self.batch > 1 and OF_MAPS.issuperset(self.metrics):
                    numbers = beside.submit(self._numbers, each, explanations).result
                else:
                    numbers = partial(list, self._numbers(each, explanations))
                found.append((method, spent(), numbers))
        for method, milliseconds, numbers in found:
            for row, scores in zip(rows, numbers(), strict=True):
                row["milliseconds"][method], row["scores"][method] = milliseconds, scores

    def _numbers(self, each: list[Asked], explanations: list[Explanation]) -> list[dict[str, Rows]]:
        """Of each picture metric -> rows of numbers."""
        metrics = {name: METRICS[name] for name in self.metrics if METRICS[name]}
        return [
            {name: measured(self, asked, maps) for name, measured in metrics.items()}
            for asked, maps in zip(each, explanations, strict=True)
        ]

    def _explained(
        self, together: Trace, texts: list[int], each: list[Asked], method: str
    ) -> list[Explanation]:
        """A method's maps of each picture for its own texts; of all at once where that is no more
        work, and says the same.
        """
        row = find_method(method)
        if len(each) == 1 or row.needs == "covered pictures" or row.compares_texts:
            return [explain(asked.trace, method) for asked in each]
        own = [[*map(texts.index, asked.texts)] for asked in each]
        if row.needs == "gradient":
            return explain_own(together, own, method)
        return [_of_texts(*both) for both in zip(explain_all(together, method), own)]

    def _expect_covered(self, name: str, sample: Sample, prepared: Prepared) -> None:
        """A ValueError of masks of another size than their picture."""
        drawn, size = sample.masks.shape[1:], prepared.grids[0].image_size
        if drawn != size and self.data.name != NAMELESS:  # whose protocol squashes the masks
            picture = sample.image if isinstance(sample.image, Path) else f"picture {name}"
            told = ", ".join(str(file) for file in self.data.files(name) if file != picture)
            raise ValueError(
                f"{picture} has {size[0]}x{size[1]} pixels (down and across, upright), but its "
                f"masks {drawn[0]}x{drawn[1]}: one of them is of another picture, or resized"
                + (f" ({told})" if told else "")
            )

    def _asked(self, one: Read, trace: Trace) -> Asked:
        """The picture with the texts of its labels and of some classes that are not there."""
        place, labels = self.places[one.name], self.labels(one.sample, trace)
        random = np.random.default_rng([self.seed, place])  # whichever pictures came before
        others = np.setdiff1d(np.arange(len(self.texts)), labels)
        absent = ()
        if one.sample.labels:  # else nobody knows what is absent
            chosen = random.choice(others, min(ABSENT, len(others)), replace=False)
            absent = tuple(chosen.tolist())
        return Asked(
            sample=one.sample,
            trace=self.with_texts(trace, labels + absent),
            labels=labels,
            absent=absent,
            seed=int(random.integers(1 << 31)),
        )


def _of_texts(maps: Explanation, numbers: list[int]) -> Explanation:
    """The maps of some of its texts alone."""
    texts = tuple(maps.texts[n] for n in numbers)
    scores, presence = maps.scores[numbers], maps.presence[numbers]
    return replace(maps, scores=scores, presence=presence, texts=texts)


@contextmanager
def stopwatch(pictures: int = 1) -> Iterator[Callable[[], float]]:
    """`with stopwatch() as spent: ...; spent()` gives milliseconds, of so many pictures each."""
    start, stop = time.perf_counter(), None
    yield lambda: round(1e3 * (stop - start) / pictures, 3)
    stop = time.perf_counter()
