"""What do the rows of a run add up to? Means, curves and tables, every number with the protocol
that made it.
"""

import platform
from importlib.metadata import version

import numpy as np
import torch

from ..many.processes import world_size
from . import faithfulness, layers, meters
from .asking import ENSEMBLES
from .bench import ABSENT, NAMELESS, Bench
from .effect_meter import EffectMeter
from .map_scores import MapScores
from .metrics import EFFECTS

FIRST = 50  # images that leaderboard.md also counts alone, so that a test can measure them again
MEANS = {  # metric -> names of its columns, whose means are its result
    "faithfulness": faithfulness.FIELDS,
    "randomisation": ("size of the rank correlation with shuffled weights",),
    "sensitivity": ("largest change",),
}
METERS = {
    "localisation": meters.LocalisationMeter,
    "presence": meters.PresenceMeter,
    "imagenet-segmentation": meters.ImageNetSegmentationMeter,
    "segmentation": meters.SegmentationMeter,
    "given-labels": meters.SegmentationMeter,
    "recognition": meters.RecognitionMeter,
    "words": meters.WordsMeter,
    "refined": meters.RefinedMeter,
    **dict.fromkeys(EFFECTS, EffectMeter),
}
# a threshold is chosen on one half for the other
BY_HALVES = {"localisation", "segmentation", "given-labels"}
# errors are drawn over pictures, or some pictures stand alone
BY_PICTURE = {"words", "refined", *EFFECTS}


def summary(bench: Bench, rows: list[dict]) -> dict[str, object]:
    """Everything `results.json` holds."""
    measured = [row for row in rows if row["labels"]]
    if not measured:
        raise ValueError(
            f"none of these {len(rows)} pictures of {bench.data.name} shows a class of the list: "
            "nothing to measure"
        )
    by_class = {}
    if "localisation" in bench.metrics:
        by_class = {method: _by_class(bench, method, measured) for method in bench.methods}
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
        "by class": by_class,
    }
    if "inside" in bench.metrics:
        results["inside"] = _inside([row["inside"] for row in measured])
    return results


def protocol(bench: Bench) -> dict[str, str]:
    """What the numbers mean, in words."""
    sides = [bench.size] * 2 if bench.size else bench.model.preprocessor.image_size
    return {
        "texts": _about_texts(bench),
        "image": f"squashed to {' x '.join(map(str, sides))} pixels",
        "map": "bilinear to the mask's size, min-max over its pixels",
        "threshold": (
            "named with every IoU; 'best of other half': one for all, chosen on the other half of "
            "the images (every second one); 'oracle': chosen on the images it scores, an upper "
            "bound and no result"
        ),
        "cost": (
            "median time of a picture on top of the recorded forward pass"
            + (f", its share of a batch of {bench.batch}" if bench.batch > 1 else "")
        ),
    }


def _about_texts(bench: Bench) -> str:
    prompt = repr(bench.data.prompt)
    if bench.templates:
        count = len(ENSEMBLES[bench.templates])
        prompt = f"mean of {count} templates ({bench.templates})"
    if bench.truncate:
        prompt += ", cut where it is too long"
    named = "present labels one by one"
    if bench.data.name == NAMELESS:
        named = "the class that the model finds among all"
    said = f"{prompt}, {named}; {ABSENT} absent labels a picture for presence"
    of_all = sorted({"segmentation", "recognition"}.intersection(bench.metrics))
    if of_all:
        said += f"; all {len(bench.data.classes)} classes for {' and '.join(of_all)}"
    return said


def _scores(method: str, rows: list[dict]) -> dict[str, object]:
    """Metric -> numbers of one method."""
    scores = {}
    for metric in rows[0]["scores"][method]:
        meter = METERS.get(metric, meters.MeanMeter)()
        for row in rows:
            numbers = row["scores"][method][metric]
            if metric in BY_PICTURE:
                numbers = [[row["from"][0], *of_one] for of_one in numbers]
            elif metric in BY_HALVES:
                numbers = [[row["half"], *of_one] for of_one in numbers]
            meter.update(numbers)
        computed = meter.compute()
        scores[metric] = dict(zip(MEANS[metric], computed)) if metric in MEANS else computed
    return scores


def _by_class(bench: Bench, method: str, rows: list[dict]) -> dict[str, dict[str, float]]:
    """Class -> how many pairs, mSC and mIoU at 0.5."""
    pairs: dict[int, list[list[float]]] = {}
    for row in rows:
        for label, numbers in zip(row["labels"], row["scores"][method]["localisation"]):
            pairs.setdefault(label, []).append(numbers)
    found = {}
    for label, numbers in sorted(pairs.items()):
        of = MapScores.columns(np.array(numbers))
        found[bench.data.classes[label]] = {
            "pairs": len(numbers),
            "mSC": meters.mean(of.contrast),
            "mIoU at 0.5": meters.mean(of.iou_half),
        }
    return found


def _inside(rows: list[dict]) -> dict[str, object]:
    """What the model's layers do, whatever the method: see `clipxai.measure.layers`."""
    attention = np.array([one for row in rows for one in row["attention"]])  # objects, 2, kinds, L
    if not len(attention):  # no object covers two patches
        return {"objects": 0}
    chance = np.array([one for row in rows for one in row["chance"]])
    shared = np.array([one for row in rows for one in row["redundancy"]])
    ratio, stays = attention.swapaxes(0, 1)
    return {
        "objects": len(attention),
        "mFSR by layer": _by_layer(ratio),
        "mFSR by chance": meters.mean(chance[:, 0]),
        "attention that stays by layer": _by_layer(stays),
        "L1 redundancy": dict(zip(layers.REDUNDANCY, map(meters.mean, shared.T))),
    }


def _by_layer(numbers: np.ndarray) -> dict[str, list[float]]:
    """(objects, kinds, L) -> kind of attention -> means over the objects, layer by layer."""
    return {
        kind: [meters.mean(layer) for layer in of_kind.T]
        for kind, of_kind in zip(layers.KINDS, numbers.swapaxes(0, 1))
    }
