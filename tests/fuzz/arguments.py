"""Any verb with anything as arguments: an answer, or one line that says what is wrong with them."""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from pathlib import Path
from random import Random
from typing import Any

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
}


def verbs() -> dict[str, Callable[..., object]]:
    """Name -> what is called; methods are bound to something whole."""
    at = known()
    trace, e = at["trace"], at["explanation"]
    names = (
        "record explain explain_all rewrite attention_maps contributions head_contributions "
        "token_scores word_maps word_relevance contrast segment recognise explain_each "
        "explain_pairs explain_windows "
        "feature_surgery Rewrite"
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
        "MethodComparison": view.MethodComparison,
        "LayerAttentionViewer": view.LayerAttentionViewer,
    }


def ask_anything(place: Path, random: Random) -> object:
    """One verb with some of its arguments odd."""
    name, verb = random.choice(sorted(verbs().items()))
    given: dict[str, object] = {}
    for parameter in signature(verb).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            _options(given, verb, random)
        elif parameter.default is Parameter.empty or random.random() < 0.35:
            meant = MEANT.get(parameter.name) if random.random() < 0.75 else None
            given[parameter.name] = known()[meant] if meant else random.choice(ODD)()
    found = verb(**given)
    return next(found, None) if hasattr(found, "__next__") else found


def _options(given: dict[str, object], verb: Callable[..., object], random: Random) -> None:
    """Options of a method, if the verb takes one; methods of many passes are left out."""
    quick = [row for row in cx.methods() if row.needs == "forward" or row.name == "grad_cam"]
    method = random.choice(quick)
    if "method" in signature(verb).parameters and random.random() < 0.8:
        given["method"] = method.name
    for option in random.sample(method.options, k=min(len(method.options), random.randrange(3))):
        given[option] = random.choice(ODD)()
