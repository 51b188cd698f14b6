"""Any verb with anything as arguments: an answer, or one line that says what is wrong with them."""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args, get_origin

import numpy as np
import torch
from PIL import Image

import clipxai as cx
from clipxai import scenes, view


@cache
def known() -> dict[str, Any]:
    """What arguments are drawn from besides odd values: what verbs are meant for."""
    model = cx.load()
    picture = scenes.compose(["dog", "cat"], background="grass", seed=1, size=64).image
    trace = cx.record(model, picture, ["a dog", "a cat"], size=32)
    e = cx.explain(trace)
    return {
        "model": model,
        "trace": trace,
        "explanation": e,
        "pixels": model.preprocess(picture, size=32),
        "image": picture,
        "maps": cx.attention_maps(trace),
        "texts": ["a dog", "a cat"],
        "segmentation": cx.segment(e, threshold=0.5, of="map"),
        "effects": cx.effects(trace, "attention", by="mean"),
        "heads": cx.head_contributions(trace),
        "modules": cx.contributions(trace),
        "scores": cx.token_scores(trace),
        "relevance": cx.word_relevance(trace),
    }


ODD = (
    lambda: None,
    lambda: True,
    lambda: 0,
    lambda: 1,
    lambda: -1,
    lambda: 7,
    lambda: 10**12,
    lambda: -(10**30),
    lambda: 0.5,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: 1j,
    lambda: "",
    lambda: "a dog",
    lambda: "clip",
    lambda: "x" * 300,
    lambda: "\0",
    lambda: b"",
    lambda: b"bytes",
    list,
    dict,
    set,
    lambda: ["a dog"],
    lambda: [1, 2],
    lambda: (3, 4),
    lambda: (-1, 4),
    lambda: [None],
    lambda: {"a": 1},
    lambda: {"a dog": np.ones((64, 64), bool)},
    lambda: np.int64(1),
    lambda: np.float32("nan"),
    lambda: np.zeros(0),
    lambda: np.zeros((8, 8, 3), np.uint8),
    lambda: np.full((8, 8), np.nan),
    lambda: np.zeros((8, 8), object),
    lambda: torch.zeros(3, 8, 8),
    lambda: torch.zeros(1, 3, 8, 8),
    lambda: torch.full((1, 3, 8, 8), float("nan")),
    lambda: torch.ones(2, 3, dtype=torch.long),
    lambda: torch.tensor(1),
    lambda: Image.new("RGB", (8, 8)),
    lambda: Path("no.png"),
    object,
    lambda: slice(1),
    lambda: iter(["a dog"]),
    lambda: len,
)
VIEWERS = (
    "MethodComparison LayerAttentionViewer LabelRanking RegionMap TokenMap WordRanking ContrastMap "
    "HeadGrid EffectGrid MaskSteps ModuleComparison"
).split()
# what a verb's first arguments are, most of the time
MEANT = {
    "trace": "trace",
    "model": "model",
    "explanation": "explanation",
    "image": "image",
    "images": "image",
    "texts": "texts",
    "maps": "maps",
    "what": "explanation",
    "source": "trace",
    "reference": "trace",
    "vocabulary": "texts",
    "effects": "effects",
    "shares": "heads",
    "segmentation": "segmentation",
    "scores": "scores",
    "relevance": "relevance",
}


def verbs() -> dict[str, Callable[..., object]]:
    """Name -> what is called; methods are bound to something whole."""
    at = known()
    trace, e = at["trace"], at["explanation"]
    names = (
        "record explain explain_all rewrite attention_maps contributions head_contributions "
        "token_scores word_maps word_relevance contrast segment recognise explain_each "
        "explain_pairs explain_windows "
        "feature_surgery Rewrite ablate patch effects name_heads sinks refine score_maps "
        "patch_similarity"
    ).split()
    return {
        **{name: getattr(cx, name) for name in names},
        "Trace.attention": trace.attention,
        "Trace.residual": trace.residual,
        "Trace.of": trace.of,
        "Trace.with_texts": trace.with_texts,
        "Trace.words": trace.words,
        "Explanation.heatmap": e.heatmap,
        "Explanation.mask": e.mask,
        "Explanation.points": e.points,
        "Explanation.index": e.index,
        "CLIP.preprocess": at["model"].preprocess,
        "CLIP.encode_text": at["model"].encode_text,
        "CLIP.tokenize": at["model"].tokenize,
        "compose": scenes.compose,
        **{name: getattr(view, name) for name in VIEWERS},
    }


def ask_anything(place: Path, random: Random) -> object:
    """One verb with some of its arguments odd."""
    name, verb = random.choice(sorted(verbs().items()))
    given: dict[str, object] = {}
    for parameter in signature(verb).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            _options(given, verb, random)
        elif parameter.default is Parameter.empty or random.random() < 0.35:
            meant = _meant(name, parameter) if random.random() < 0.75 else []
            given[parameter.name] = random.choice(meant or [make() for make in ODD])
    found = verb(**given)
    return next(found, None) if hasattr(found, "__next__") else found


def _meant(verb: str, parameter: Parameter) -> list[object]:
    """What that argument of a verb is for: one of its words, or what it is named after."""
    if parameter.name == "contributions":
        return [known()["heads" if verb == "HeadGrid" else "modules"]]
    words = [w for part in _parts(parameter.annotation) for w in get_args(part)]
    if parameter.name in MEANT:
        return [known()[MEANT[parameter.name]]]
    return [word for word in words if isinstance(word, str)]


def _parts(annotation: object) -> list[object]:
    """The `Literal`s of an annotation."""
    if get_origin(annotation) is Literal:
        return [annotation]
    return [found for part in get_args(annotation) for found in _parts(part)]


def _options(given: dict[str, object], verb: Callable[..., object], random: Random) -> None:
    """Options of a method, if the verb takes one; methods of many passes are left out."""
    quick = [row for row in cx.methods() if row.needs == "forward" or row.name == "grad_cam"]
    method = random.choice(quick)
    if "method" in signature(verb).parameters and random.random() < 0.8:
        given["method"] = method.name
    for option in random.sample(method.options, k=min(len(method.options), random.randrange(3))):
        given[option] = random.choice(ODD)()
