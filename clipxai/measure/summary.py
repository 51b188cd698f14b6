"""What do the rows of a run add up to? Means, curves and tables, every number with the protocol
that made it.
"""

import platform
from importlib.metadata import version

import numpy as np
import torch

from . import faithfulness, layers, meters
from .bench import ABSENT, TEMPLATES, Bench, world_size
from .localisation import FIELDS

FIRST = 50  # images that leaderboard.md also counts alone, so that a test can measure them again
MEANS = {  # metric -> names of its columns, whose means are its result
    "faithfulness": faithfulness.FIELDS,
    "randomisation": ("rank correlation with shuffled weights",),
    "sensitivity": ("largest change",),
}
METERS = {
    "localisation": meters.Localisation,
    "presence": meters.Presence,
    "imagenet-segmentation": meters.ImageNetSegmentation,
    "segmentation": meters.Segmentation,
    "given-labels": meters.Segmentation,
    "recognition": meters.Recognition,
}
# a threshold is chosen on one half for the other
BY_HALVES = {"localisation", "segmentation", "given-labels"}


def summary(bench: Bench, rows: list[dict]) -> dict[str, object]:
    """Everything `results.json` holds."""
    measured = [row for row in rows if row["labels"]]
    if not measured:
        raise ValueError(
            f"none of these {len(rows)} pictures of {bench.data.name} shows a class of the list: "
            "nothing to measure"
        )
    results = {
        **bench.settings,
        "images": len(rows),
        "first": FIRST,
        "images with a label": len(measured),
        "protocol": protocol(bench),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "torchmetrics")},
        },
        "processes": world_size(),
        "threads": torch.get_num_threads(),
        "scores": {method: _scores(method, measured) for method in measured[0]["scores"]},
        "scores of the first images": {
            method: _scores(method, measured[:FIRST]) for method in bench.methods
        },
        "milliseconds": {
            name: float(np.median([row["milliseconds"][name] for row in measured]))
            for name in ("forward", *bench.methods)
        },
        "by class": {method: _by_class(bench, method, measured) for method in bench.methods}
        if "localisation" in bench.metrics
        else {},
    }
    if "inside" in bench.metrics:
        results["inside"] = _inside([row["inside"] for row in measured])
    return results


def _prompt(bench: Bench) -> str:
    return (
        f"mean of {len(TEMPLATES[bench.templates])} templates ({bench.templates})"
        if bench.templates
        else repr(bench.data.prompt)
    )


def protocol(bench: Bench) -> dict[str, str]:
    """What the numbers mean, in words."""
    named = (
        "present labels one by one"
        if bench.data.name != "imagenet-segmentation"
        else "the class that the model finds among all"
    )
    of_all = {"segmentation", "recognition"}.intersection(bench.metrics)
    sides = [bench.size] * 2 if bench.size else bench.model.preprocessor.image_size
    return {
        "texts": f"{_prompt(bench)}, {named}; {ABSENT} absent labels a picture for presence"
        + (
            f"; all {len(bench.data.classes)} classes for {' and '.join(sorted(of_all))}"
            if of_all
            else ""
        ),
        "image": f"squashed to {' x '.join(map(str, sides))} pixels",
        "map": "bilinear to the mask's size, min-max over its pixels",
        "threshold": "named with every IoU; 'best of other half': one for all, chosen on the other "
        "half of the images (every second one); "
        "'oracle': chosen on the images it scores, an upper bound and no result",
        "cost": (
            "median time on top of the recorded forward pass, which includes reading the picture"
        ),
    }


def _scores(method: str, rows: list[dict]) -> dict[str, object]:
    """Metric -> numbers of one method."""
    scores = {}
    for metric in rows[0]["scores"][method]:
        meter = METERS.get(metric, meters.Means)()
        for row in rows:
            numbers = row["scores"][method][metric]
            meter.update(
                [[row["half"], *pair] for pair in numbers] if metric in BY_HALVES else numbers
            )
        computed = meter.compute()
        scores[metric] = dict(zip(MEANS[metric], computed)) if metric in MEANS else computed
    return scores


def _by_class(bench: Bench, method: str, rows: list[dict]) -> dict[str, dict[str, float]]:
    """Class -> how many pairs, mSC and mIoU at 0.5."""
    pairs: dict[int, list[list[float]]] = {}
    for row in rows:
        for label, numbers in zip(row["labels"], row["scores"][method]["localisation"]):
            pairs.setdefault(label, []).append(numbers)
    named = {"mSC": "contrast", "mIoU at 0.5": "IoU at 0.5"}
    found = {}
    for label, numbers in sorted(pairs.items()):
        of = dict(zip(FIELDS, np.array(numbers).T))
        found[bench.data.classes[label]] = {
            "pairs": len(numbers),
            **{name: meters.mean(of[field]) for name, field in named.items()},
        }
    return found


def _inside(rows: list[dict]) -> dict[str, object]:
    """What the model's layers do, whatever the method: see `clipxai.measure.layers`."""
    attention = np.array([one for row in rows for one in row["attention"]])  # objects, 2, kinds, L
    if not len(attention):  # no object covers two patches
        return {"objects": 0}
    ratio, stays = [
        [[meters.mean(layer) for layer in kind.T] for kind in which.swapaxes(0, 1)]
        for which in attention.swapaxes(0, 1)
    ]
    shared = np.array([one for row in rows for one in row["redundancy"]])
    return {
        "objects": len(attention),
        "mFSR by layer": dict(zip(layers.KINDS, ratio)),
        "mFSR by chance": meters.mean(
            np.array([one for row in rows for one in row["chance"]])[:, 0]
        ),
        "attention that stays by layer": dict(zip(layers.KINDS, stays)),
        "L1 redundancy": dict(zip(layers.REDUNDANCY, map(meters.mean, shared.T))),
    }
