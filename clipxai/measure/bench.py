"""Which map should one believe? Every method on every picture of a data set, one forward pass a
picture, with all measures.

clipxai bench --data emoji-world --out runs/bench                          # table, results.json,
leaderboard.md, report.html
torchrun --nproc-per-node 2 -m clipxai bench --data DIR --out runs/bench   # the same numbers, to
the last digit

Each picture's numbers are one line in `OUT/rows/`, written whole or not at all: an interrupted run
goes on where it stopped, and measures again what changed on disk. Processes share the pictures;
their lines are gathered and added up in the order of the data set. (Processes with as many threads
each: how torch splits a sum over threads can change its last digit.)
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from tqdm import tqdm

from ..explainers.explain import explain, explain_all
from ..explainers.table import METHODS, find_method
from ..many.journal import whole_lines
from ..model.clip import CLIP
from ..model.words.templates import IMAGENET_TEMPLATES, SURGERY_TEMPLATES
from ..results.explanation import Explanation
from ..results.findings import on_patches
from ..results.maps import resize_bilinear
from ..tasks import recognise, segment
from ..trace.record import record
from ..trace.trace import Trace
from . import faithfulness, layers
from .data import Dataset, Sample
from .localisation import imagenet_segmentation, localise
from .miou import counts, truth

ABSENT = 3  # labels asked for that are not in the picture
TEXTS_AT_A_TIME = 256
TEMPLATES = {"imagenet": IMAGENET_TEMPLATES, "surgery": SURGERY_TEMPLATES}


@dataclass(frozen=True, eq=False)
class Asked:
    """A picture, what it was asked for, and what is known of it.

    Attributes
    ----------
    sample : the picture and its truth
    trace : recorded with the texts of `labels` and then of `absent`
    labels, absent : numbers of classes that are present (or, without a name, the one that the model
        finds), and of some that are not
    seed : for everything random about this picture
    of_all : method -> maps of every class, once some metric has needed them
    """

    sample: Sample
    trace: Trace
    labels: tuple[int, ...]
    absent: tuple[int, ...]
    seed: int
    of_all: dict[str, Explanation] = field(default_factory=dict)


class Bench:
    """One run: a model, a data set, methods and metrics.

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    data : from `clipxai.measure.data.dataset`
    methods : names in `clipxai.methods()`; by default all that need only the recorded pass
    metrics : names in `METRICS`; by default those that cost little
    seed : chooses absent labels, noise and shuffled weights
    templates : name in `TEMPLATES`, to average each class over these prompts instead of the data
        set's single one
    size : side in pixels of the pictures the model reads, instead of its own

    Raises
    ------
    ValueError : unknown method, metric or templates; a method that the model's architecture does
        not allow; a metric that the data cannot answer
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
        size: int | None = None,
    ) -> None:
        self.model, self.data, self.seed, self.size = model, data, seed, size
        if templates not in (None, *TEMPLATES):
            raise ValueError(f"unknown templates {templates!r}; choose from {', '.join(TEMPLATES)}")
        self.templates = templates
        self.methods = list(
            methods
            or (
                name
                for name, row in METHODS.items()
                if row.needs == "forward" and row.works_on(model)
            )
        )
        for name in self.methods:
            model.expect(name, *find_method(name).requires)
        nameless = data.name == "imagenet-segmentation"
        self.metrics = list(
            metrics
            or (
                ("imagenet-segmentation", "localisation")
                if nameless
                else ("localisation", "presence")
            )
        )
        for name in self.metrics:
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}; choose from {', '.join(METRICS)}")
        for name in NAMED.intersection(self.metrics) if nameless else ():
            raise ValueError(
                f"{name} needs to know what is in a picture, but ImageNet-Segmentation does not say"
            )
        if "imagenet-segmentation" in self.metrics and not nameless:
            raise ValueError(
                f"imagenet-segmentation is the protocol of that data set alone, not of {data.name}"
            )

    @cached_property
    @torch.no_grad()
    def ids(self) -> Tensor:
        """(C, S) token ids of every class's prompt."""
        return self.model.tokenize(self.data.prompts)

    @cached_property
    @torch.no_grad()
    def texts(self) -> Tensor:
        """(C, E) unit-length features of every class's prompt, encoded once."""
        if self.templates:
            return self.model.encode_text(self.data.classes, templates=TEMPLATES[self.templates])
        return torch.cat([self.model.encode_text(few) for few in self.ids.split(TEXTS_AT_A_TIME)])

    @cached_property
    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """(1, E) the empty text, in the same templates."""
        return self.model.encode_text([""], templates=TEMPLATES.get(self.templates))

    @cached_property
    def shuffled(self) -> CLIP:
        """The model with an image tower that knows nothing."""
        return faithfulness.randomised(self.model, self.seed)

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
            "prompts": {words: text for words, text in zip(self.data.classes, self.data.prompts)},
            "methods": self.methods,
            "metrics": self.metrics,
            "seed": self.seed,
            "clipxai": version("clipxai"),
            "templates": self.templates,
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

    def record(self, image: object) -> Trace:
        """A picture at this run's size; `with_texts` gives it texts."""
        return record(self.model, image, "", size=self.size)

    def with_texts(self, trace: Trace, numbers: Sequence[int]) -> Trace:
        """A trace with the texts of some classes instead of its own."""
        few = list(numbers)
        texts = tuple(self.data.prompts[number] for number in few)
        templates = TEMPLATES.get(self.templates)
        return trace.with_encoded_texts(texts, self.texts[few], self.empty_features, templates)

    def of_all_classes(self, asked: Asked, method: str) -> Explanation:
        """The maps of every class of the data set."""
        if method not in asked.of_all:
            asked.of_all[method] = explain(
                self.with_texts(asked.trace, range(len(self.texts))), method
            )
        return asked.of_all[method]

    def labels(self, sample: Sample, trace: Trace) -> tuple[int, ...]:
        """Numbers of the classes to ask for: those that are known to be there, or else the one that
        the model finds.
        """
        return sample.labels or (int((trace.image_features @ self.texts.T).argmax()),)

    @torch.no_grad()
    def measure(self, name: str) -> dict[str, object]:
        """The row of one picture: labels, milliseconds, and method -> metric -> rows of numbers;
        without a label no numbers.
        """
        at, made_from, sample = self.places[name], self.made_from(name), self.data.read(name)
        if sample.labels == ():
            return {"id": name, "from": made_from, "labels": []}
        with stopwatch() as forward:
            trace = self.record(sample.image)
        labels = self.labels(sample, trace)
        random = np.random.default_rng([self.seed, at])
        others = np.setdiff1d(np.arange(len(self.texts)), labels)
        absent = (
            tuple(random.choice(others, min(ABSENT, len(others)), replace=False).tolist())
            if sample.labels
            else ()
        )
        trace = self.with_texts(trace, labels + absent)
        asked = Asked(sample, trace, labels, absent, int(random.integers(1 << 31)))
        trace.image_tokens()  # computed here, so that no method pays for all
        row = {
            "id": name,
            "from": made_from,
            "labels": list(labels),
            "half": at % 2,
            "milliseconds": {"forward": forward()},
            "scores": {},
        }
        if "inside" in self.metrics:
            row["inside"] = look_inside(asked)
        row["scores"] |= class_token(self, asked)
        for method in self.methods:
            with stopwatch() as spent:
                explanation = explain(trace, method)
            row["milliseconds"][method] = spent()
            row["scores"][method] = {
                name: METRICS[name](self, asked, explanation)
                for name in self.metrics
                if METRICS[name]
            }
        return row


@contextmanager
def stopwatch() -> Iterator[Callable[[], float]]:
    """`with stopwatch() as spent: ...; spent()` gives milliseconds."""
    start, stop = time.perf_counter(), None
    yield lambda: round(1e3 * (stop - start), 3)
    stop = time.perf_counter()


def _localisation(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    masks = asked.sample.masks
    others = [
        np.delete(masks, n, axis=0).any(0) if len(masks) > 1 else None for n in range(len(masks))
    ]
    heats = [explanation.heatmap(n, masks.shape[1:], normalize="none") for n in range(len(masks))]
    return [
        localise(heat, mask, other, asked.sample.ignore).tolist()
        for heat, mask, other in zip(heats, masks, others)
    ]


def _presence(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    return _ranked(recognise(explanation, "maps"), asked)


def _ranked(claims: np.ndarray, asked: Asked) -> list[list[float]]:
    return [[float(claim), float(n < len(asked.labels))] for n, claim in enumerate(claims)]


def _segmentation(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[int]]:
    made = segment(
        bench.of_all_classes(asked, explanation.method), size=asked.sample.masks.shape[1:]
    )
    return counts(made.labels, made.confidence, truth(asked.sample))


def _given_labels(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[int]]:
    there = slice(len(asked.labels))
    present = replace(
        explanation,
        scores=explanation.scores[there],
        texts=explanation.texts[there],
        presence=explanation.presence[there],
    )
    made = segment(present, threshold=0.0, of="map", size=asked.sample.masks.shape[1:])
    return counts(np.array([-1, *asked.labels])[made.labels], made.confidence, truth(asked.sample))


def _recognition(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    return _beside_truth(recognise(bench.of_all_classes(asked, explanation.method), "maps"), asked)


def _beside_truth(scores: np.ndarray, asked: Asked) -> list[list[float]]:
    return [
        [*scores.tolist(), *np.isin(np.arange(len(scores)), asked.labels).astype(float).tolist()]
    ]


def class_token(bench: Bench, asked: Asked) -> dict[str, dict[str, list]]:
    """What the whole image says, for the metrics that need no map: name of the row -> metric ->
    rows of numbers.
    """
    rows: dict[str, dict[str, list]] = (
        {"(class token)": {}} if {"presence", "recognition"}.intersection(bench.metrics) else {}
    )
    if "presence" in bench.metrics:
        rows["(class token)"]["presence"] = _ranked(explain(asked.trace, "clip").presence, asked)
    if "recognition" in bench.metrics:
        everything = bench.of_all_classes(asked, "clip")
        # a SigLIP asks about each text alone
        scale = None if bench.model.sigmoid else float(bench.model.logit_scale.exp())
        rows["(class token)"]["recognition"] = _beside_truth(
            recognise(everything, scale=scale), asked
        )
        rows["(class token, cosine)"] = {
            "recognition": _beside_truth(recognise(everything, scale=None), asked)
        }
        rows["(class token, feature surgery)"] = {
            "recognition": _beside_truth(recognise(everything, "feature surgery"), asked)
        }
    return rows


def _imagenet_segmentation(
    bench: Bench, asked: Asked, explanation: Explanation
) -> list[list[float]]:
    return [
        imagenet_segmentation(
            explanation.heatmap(0, asked.sample.masks.shape[1:]), asked.sample.masks[0]
        ).tolist()
    ]


def _faithfulness(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    pixels = asked.trace.pixels[0]
    heats = resize_bilinear(explanation.scores[: len(asked.labels)], *pixels.shape[1:])
    scores = (faithfulness.probability(bench.model, bench.texts, label) for label in asked.labels)
    return [
        faithfulness.faithfulness(bench.model, score, pixels, heat).tolist()
        for score, heat in zip(scores, heats)
    ]


def _randomisation(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    blind = bench.with_texts(record(bench.shuffled, asked.trace.pixels, ""), asked.labels)
    return [
        [faithfulness.agreement(a, b)]
        for a, b in zip(explanation.scores, explain(blind, explanation.method).scores)
    ]


def _sensitivity(bench: Bench, asked: Asked, explanation: Explanation) -> list[list[float]]:
    def maps(pixels: Tensor) -> np.ndarray:
        return np.array(
            [
                e.scores
                for e in explain_all(
                    bench.with_texts(bench.record(pixels), asked.labels), explanation.method
                )
            ]
        )

    return faithfulness.sensitivity(
        maps, asked.trace.pixels[0], bench.model.preprocessor.std, asked.seed
    )[:, None].tolist()


def look_inside(asked: Asked) -> dict[str, list]:
    """Attention on each labelled object of two patches or more, its chance level, and what features
    share.
    """
    objects = [on_patches(mask, asked.trace.grids[0]) for mask in asked.sample.masks]
    objects = [patches for patches in objects if 1 < patches.sum() < len(patches)]
    return {
        "attention": [layers.attention_on(asked.trace, patches).tolist() for patches in objects],
        "chance": [[(int(patches.sum()) - 1) / (len(patches) - 1)] for patches in objects],
        "redundancy": [
            layers.redundancies(asked.trace, n, len(asked.labels))
            for n in range(len(asked.labels))
            if asked.absent
        ],
    }


METRICS: dict[str, Callable[[Bench, Asked, Explanation], list[list[float]]] | None] = {
    "localisation": _localisation,
    "presence": _presence,
    "imagenet-segmentation": _imagenet_segmentation,
    "segmentation": _segmentation,
    "given-labels": _given_labels,
    "recognition": _recognition,
    "faithfulness": _faithfulness,
    "randomisation": _randomisation,
    "sensitivity": _sensitivity,
    "inside": None,  # of the model, not of a method
}
# metrics of pictures whose classes are known
NAMED = {"presence", "segmentation", "given-labels", "recognition"}


def run(bench: Bench, out: Path, limit: int | None = None) -> list[dict] | None:
    """Measure what is missing of the first `limit` pictures and gather: the rows in order in the
    first process, None in the others.
    """
    rank, processes = _join()
    try:
        wanted = bench.data.ids[:limit]
        found = _gather(_read_rows(out, bench), processes)
        missing = [name for name in wanted if name not in found]
        with _appending(out / "rows" / f"{rank}.jsonl", bench.settings) as append:
            for name in tqdm(missing[rank::processes], "pictures", disable=rank > 0 or None):
                found[name] = bench.measure(name)
                append(found[name])
        found = _gather(found, processes)
    finally:
        if processes > 1:
            dist.destroy_process_group()
    return [found[name] for name in wanted] if rank == 0 else None


def world_size() -> int:
    """How many processes share this run, as torchrun tells."""
    return int(os.environ.get("WORLD_SIZE", 1))


def _join() -> tuple[int, int]:
    """This process's number, and how many there are."""
    if world_size() == 1:
        return 0, 1
    dist.init_process_group("gloo")
    return dist.get_rank(), world_size()


def _gather(rows: dict[str, dict], processes: int) -> dict[str, dict]:
    """The rows of all processes, in all processes."""
    if processes == 1:
        return rows
    everyone: list = [None] * processes
    dist.all_gather_object(everyone, rows)
    return {name: row for own in everyone for name, row in own.items()}


def _read_rows(out: Path, bench: Bench) -> dict[str, dict]:
    """What earlier runs left of pictures that are still the same; a line without an end was
    interrupted and does not count.
    """
    rows = {}
    for file in sorted((out / "rows").glob("*.jsonl")):
        first, *lines = whole_lines(file) or [bench.settings]
        differing = [name for name in bench.settings if first.get(name) != bench.settings[name]]
        if differing:
            raise ValueError(
                f"{out} holds a run with other {', '.join(differing)}: choose another --out, or "
                "delete that folder"
            )
        rows |= {
            row["id"]: row
            for row in lines
            if row["id"] in bench.places and row.get("from") == bench.made_from(row["id"])
        }
    return rows


@contextmanager
def _appending(file: Path, settings: dict[str, object]) -> Iterator[Callable[[dict], None]]:
    """Append rows to a file, each by a single write; the first line says what they depend on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab", buffering=0) as lines:
        whole = file.read_bytes().rfind(b"\n") + 1
        lines.truncate(whole)
        if not whole:
            lines.write(json.dumps(settings).encode() + b"\n")
        yield lambda row: lines.write(json.dumps(row).encode() + b"\n")
