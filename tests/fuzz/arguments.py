"""Any verb with anything as arguments: an answer, or one line that says what is wrong with them.

Values are Hypothesis's: numbers, texts, arrays and tensors of every shape and type, and what nests
them, beside what verbs are meant for.
"""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, signature
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args, get_origin

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
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


# made when they are drawn: a call may not spoil the next one's
ODD = (
    lambda: 10**12,
    lambda: -(10**30),
    lambda: "a dog",
    lambda: "clip",
    lambda: "\0",
    lambda: ["a dog"],
    lambda: (3, 4),
    lambda: (-1, 4),
    lambda: {"a dog": np.ones((64, 64), bool)},
    lambda: np.full((8, 8), np.nan),
    lambda: np.zeros((8, 8), object),
    lambda: torch.zeros(3, 8, 8),
    lambda: torch.full((1, 3, 8, 8), float("nan")),
    lambda: Image.new("RGB", (8, 8)),
    lambda: Path("no.png"),
    object,
    lambda: slice(1),
    lambda: iter(["a dog"]),
    lambda: len,
)
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 20),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=400),
    st.binary(max_size=20),
)
NUMBERS = arrays.integer_dtypes() | arrays.floating_dtypes() | arrays.boolean_dtypes()
ARRAYS = arrays.arrays(NUMBERS, arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9))
NATIVE = arrays.arrays(  # torch has no other byte order, and no float of 16 bytes
    st.sampled_from(["u1", "i8", "f2", "f4", "f8", "?"]),
    arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9),
)
ANYTHING = st.one_of(
    PLAIN,
    st.sampled_from(ODD).map(lambda make: make()),
    ARRAYS,
    NATIVE.map(torch.tensor),
    st.lists(PLAIN | NATIVE, max_size=4),
    st.tuples(PLAIN, PLAIN),
    st.sets(st.text(max_size=9) | st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=9) | st.integers(-2, 9), PLAIN | NATIVE, max_size=3),
    NATIVE.filter(lambda a: a.ndim == 0).map(lambda a: a[()]),
)
VIEWERS = (
    "MethodComparison LayerAttentionViewer LabelRanking RegionMap TokenMap WordRanking ContrastMap "
    "HeadGrid EffectGrid MaskSteps ModuleComparison BlindRanking Prediction TrainingSteps "
    "SurgeryWalk"
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
        "register_neurons with_registers "
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
    drawn: list[tuple] = []

    # the first example is always the simplest one
    @seed(random.getrandbits(64))
    @settings(max_examples=4, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        drawn.append(_call(data.draw))

    draw()
    verb, chosen = drawn[-1]
    found = verb(**chosen)
    return next(found, None) if hasattr(found, "__next__") else found


def _call(draw: Callable) -> tuple[Callable[..., object], dict[str, object]]:
    """A verb and what it is given."""
    name, verb = draw(st.sampled_from(sorted(verbs().items(), key=lambda item: item[0])))
    chosen: dict[str, object] = {}
    for parameter in signature(verb).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            _options(chosen, verb, draw)
        elif parameter.default is Parameter.empty or draw(_one_in(3)):
            meant = [] if draw(_one_in(4)) else _meant(name, parameter)
            chosen[parameter.name] = draw(st.sampled_from(meant) if meant else ANYTHING)
    return verb, chosen


def _one_in(number: int) -> st.SearchStrategy[bool]:
    return st.integers(1, number).map(lambda drawn: drawn == number)


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


def _options(chosen: dict[str, object], verb: Callable[..., object], draw: Callable) -> None:
    """Options of a method, if the verb takes one; methods of many passes are left out."""
    quick = [row for row in cx.methods() if row.needs == "forward" or row.name == "grad_cam"]
    method = draw(st.sampled_from(quick))
    if "method" in signature(verb).parameters and not draw(_one_in(5)):
        chosen["method"] = method.name
    for option in draw(st.lists(st.sampled_from(method.options or ("option",)), max_size=2)):
        chosen[option] = draw(ANYTHING)
