"""Which map should one believe? Every method on every picture of a data set, one forward pass a
picture, with all measures.

`Bench` says what is measured and measures one picture; `run.run` goes through all of them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..explainers.explain import explain
from ..explainers.table import METHODS, find_method
from ..model.clip import CLIP
from ..trace.trace import Trace
from .asking import Asked, Asker
from .metrics import COMPETING, DRAWN, METRICS, NAMED, class_token, look_inside
from .samples import Dataset, Sample

ABSENT = 3  # labels asked for that are not in the picture
NAMELESS = "imagenet-segmentation"  # the one data set that does not say what its foreground is


class Bench(Asker):
    """One run: a model, a data set, methods and metrics.

    Parameters
    ----------
    model, data, seed, templates, truncate, size : as for `Asker`
    methods : names in `clipxai.methods()`; by default all that need only the recorded pass
    metrics : names in `METRICS`; by default those that cost little

    Raises
    ------
    ValueError : unknown method, metric or templates; a method that the model's architecture does
        not allow; a metric that the data cannot answer, or one class alone
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
    ) -> None:
        super().__init__(model, data, seed, templates=templates, truncate=truncate, size=size)
        self.methods = self._allowed_methods(methods)
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

    @torch.no_grad()
    def measure(self, name: str) -> dict[str, object]:
        """The row of one picture: labels, milliseconds, and method -> metric -> rows of numbers;
        without a label no numbers.
        """
        # before the picture is read: if it changes meanwhile, the next run measures it again
        made_from = self.made_from(name)
        sample = self.data.read(name)
        if sample.labels == ():  # not None, which is a foreground without a name
            return {"id": name, "from": made_from, "labels": []}
        with stopwatch() as forward:
            trace = self.record(sample.image)
        self._expect_covered(name, sample, trace)
        asked = self._asked(sample, self.labels(sample, trace), trace, self.places[name])
        asked.trace.image_tokens()  # computed here, so that no method pays for all
        row = {
            "id": name,
            "from": made_from,
            "labels": list(asked.labels),
            "half": self.places[name] % 2,
            "milliseconds": {"forward": forward()},
            "scores": {},
        }
        if "inside" in self.metrics:
            row["inside"] = look_inside(asked)
        row["scores"] |= class_token(self, asked, self.metrics)
        for method in self.methods:
            with stopwatch() as spent:
                explanation = explain(asked.trace, method)
            row["milliseconds"][method] = spent()
            row["scores"][method] = {
                metric: METRICS[metric](self, asked, explanation)
                for metric in self.metrics
                if METRICS[metric]
            }
        return row

    def _expect_covered(self, name: str, sample: Sample, trace: Trace) -> None:
        """A ValueError of masks of another size than their picture."""
        drawn, size = sample.masks.shape[1:], trace.grids[0].image_size
        if drawn != size and self.data.name != NAMELESS:  # whose protocol squashes the masks
            picture = sample.image if isinstance(sample.image, Path) else f"picture {name}"
            told = ", ".join(str(file) for file in self.data.files(name) if file != picture)
            raise ValueError(
                f"{picture} has {size[0]}x{size[1]} pixels (down and across, upright), but its "
                f"masks {drawn[0]}x{drawn[1]}: one of them is of another picture, or resized"
                + (f" ({told})" if told else "")
            )

    def _asked(self, sample: Sample, labels: tuple[int, ...], trace: Trace, place: int) -> Asked:
        """The picture with the texts of its labels and of some classes that are not there."""
        random = np.random.default_rng([self.seed, place])  # whichever pictures came before
        others = np.setdiff1d(np.arange(len(self.texts)), labels)
        absent = ()
        if sample.labels:  # else nobody knows what is absent
            chosen = random.choice(others, min(ABSENT, len(others)), replace=False)
            absent = tuple(chosen.tolist())
        return Asked(
            sample=sample,
            trace=self.with_texts(trace, labels + absent),
            labels=labels,
            absent=absent,
            seed=int(random.integers(1 << 31)),
        )


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """`with stopwatch() as spent: ...; spent()` gives milliseconds."""
    start, stop = time.perf_counter(), None
    yield lambda: round(1e3 * (stop - start), 3)
    stop = time.perf_counter()
