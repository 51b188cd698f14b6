"""A switch that could do nothing is refused by its name, and what an option may be is what its
annotation says.
"""

import itertools
from dataclasses import replace
from functools import partial
from inspect import signature
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.checks import Within
from clipxai.explainers.presets import AttentionKind
from clipxai.model.towers.vit import VisionTransformer

OTHER = {  # another value of every switch than any preset has
    "dual_path": (True, False),
    "residual": (True, False),
    "ffn": (True, False),
    "neighbourhood": (2.0,),
    "normalize": (True,),
    "sharpen": (2.5,),
    "iterations": (3,),
    "class_token": ("original", "rewritten"),
    "attention": get_args(AttentionKind),
    "blocks": (2,),
}
REWRITES = [name for name, method in cx.METHODS.items() if "blocks" in method.options]
REWRITES = [name for name in REWRITES if cx.METHODS[name].preset]


@pytest.mark.parametrize("name", REWRITES)
def test_a_switch_changes_the_map_or_is_refused(trace, name):
    """By the maps themselves: what is accepted and differs from the preset gives another one."""
    if not cx.METHODS[name].works_on(trace.model):
        pytest.skip("its preset is a ResNet's")
    preset, plain = cx.PRESETS[cx.METHODS[name].preset], cx.explain(trace, name).scores
    acted = 0
    for switch, value in [(s, v) for s, values in OTHER.items() for v in values]:
        if value == getattr(preset, switch):
            continue
        try:
            scores = cx.explain(trace, name, **{switch: value}).scores
        except ValueError as error:
            assert switch in str(error)
            continue
        acted += 1
        assert not np.array_equal(scores, plain), (switch, value)
    assert acted >= (1 if preset.blocks == 0 else 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"attention": "vv"},
            "attention='vv' does nothing where no block is rewritten: pass block",
        ),
        ({"ffn": True}, "ffn=True does nothing where no block"),
    ],
)
def test_nothing_is_rewritten_in_no_block(trace, options, message):
    with pytest.raises(ValueError, match=message):
        cx.explain(trace, "clip", **options)
    assert cx.explain(trace, "clip", blocks=3, **options).varies()
    with pytest.raises(ValueError, match="does nothing where no block"):
        cx.explain(trace, "clip_surgery", blocks=0, ffn=True)
    raw = cx.explain(trace, "clip_surgery_architecture", blocks=0)
    np.testing.assert_array_equal(raw.scores, cx.explain(trace, "clip").scores)


def test_the_class_token_acts_where_texts_are_weighed(trace):
    with pytest.raises(ValueError, match="class_token='rewritten' does nothing to a map"):
        cx.explain(trace, "clip_surgery", class_token="rewritten")
    weighed = [
        cx.explain(trace, "clip_surgery", redundant="labels", class_token=kind).scores
        for kind in ("original", "rewritten")
    ]
    assert not np.allclose(*weighed, atol=1e-3)


def test_a_resnet_has_no_residual_stream(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"][:1], arrays["tokens"], normalized=True)
    with pytest.raises(ValueError, match="residual=False does nothing in a ResNet"):
        cx.explain(trace, "clip_surgery", residual=False)


def test_a_wrong_question_is_told_before_the_first_image(embedded):
    def images():
        raise AssertionError("an image was read")
        yield

    for method, options in (
        ("clip", {"ffn": True}),
        ("clip_surgery", {"blocks": 99}),
        ("clip_surgery", {"depth": 3}),
        ("rise", {"share": 0}),
        ("clip_surgery_released", {}),
    ):
        for verb in (
            partial(cx.explain_each, embedded, images(), ["a dog"]),
            partial(cx.explain_pairs, embedded, images()),
        ):
            with pytest.raises(ValueError):
                verb(method, **options)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("clip_surgery", {"sharpen": 1e300}),
        ("naclip", {"neighbourhood": 1e300}),
        ("naclip", {"neighbourhood": 1e-300}),
        ("clip_surgery", {"redundant": "labels", "temperature": -1e300}),
        ("resclip", {"strength": 1e300}),
        ("m2ib", {"beta": 1e300}),
    ],
)
def test_factors_that_leave_no_numbers_are_refused(trace, method, options):
    """Infinite in float32, and then NaN; the largest that are taken leave a map."""
    [(name, value)] = [(n, v) for n, v in options.items() if n != "redundant"]
    with pytest.raises(ValueError, match=f"{name}=.* but a finite number from .* is needed"):
        cx.explain(trace, method, **options)
    if method != "m2ib":
        most = options | {name: 1e6 if value > 1 else -1e6 if value < 0 else 1e-3}
        assert np.isfinite(cx.explain(trace, method, **most).scores).all()


def test_the_same_of_verbs(trace):
    e = cx.explain(trace)
    for verb in (
        partial(cx.segment, e, scale=1e300),
        partial(cx.recognise, e, "class token", scale=1e300),
        partial(cx.recognise, e, "feature surgery", temperature=-1e300),
    ):
        with pytest.raises(ValueError, match="a finite number from -1,000,000 to 1,000,000"):
            verb()
    assert np.isfinite(cx.segment(e, scale=1e6).confidence).all()
    with pytest.raises(TypeError, match="scale='x'"):
        cx.recognise(e, "class token", scale="x")


def test_no_parameter_of_a_verb_takes_a_methods_option_away():
    known = {option for method in cx.METHODS.values() for option in method.options}
    taken = {
        name: known & set(signature(getattr(cx, name)).parameters)
        for name in dir(cx)
        if callable(getattr(cx, name)) and "options" in _parameters(getattr(cx, name))
    }
    assert {"explain", "explain_each", "explain_pairs", "explain_windows"} <= set(taken)
    # of large images, where it has always been the size of what is looked at at once
    assert {name: of for name, of in taken.items() if of} == {"explain_windows": {"window"}}


def _parameters(verb):
    try:
        return signature(verb).parameters
    except (TypeError, ValueError):
        return {}


def options():
    """Every option of every method of a ViT, with what it may be."""
    for name, method in cx.METHODS.items():
        if not VisionTransformer.has.issuperset(method.requires):
            continue
        function = getattr(method.function, "func", method.function)
        kinds = get_type_hints(function, include_extras=True)
        for option in signature(function).parameters:
            if option in method.options and option in kinds:
                yield name, option, kinds[option]


@pytest.mark.parametrize(("name", "option", "kind"), list(options()))
def test_what_an_option_cannot_be(trace, name, option, kind):
    """Not a number, endless, of another kind, out of its range: one line, at once, never a NaN."""
    wrong = [float("nan"), float("inf"), -float("inf"), "x", {}, 1j, torch.ones(2)]
    if type(None) not in get_args(kind):
        wrong.append(None)
    for within in (one for one in getattr(kind, "__metadata__", ()) if isinstance(one, Within)):
        wrong += [within.low - 1, *([within.low] if within.above else [])]
        wrong += [] if within.high == float("inf") else [within.high + 1]
    for value in wrong:
        with pytest.raises((TypeError, ValueError), match=f"{option}"):
            cx.explain(trace, name, **{option: value})


def test_numbers_of_numpy_are_options_too(trace):
    plain = cx.explain(trace, "clip_surgery", blocks=4, sharpen=2.0).scores
    again = cx.explain(trace, "clip_surgery", blocks=np.int64(4), sharpen=np.float32(2)).scores
    np.testing.assert_array_equal(plain, again)
    for name, numbers in {
        "rise": {"masks": 4, "share": 0.5, "seed": 1},
        "m2ib": {"steps": 2, "samples": 2, "seed": 1},
        "clip_surgery": {"ffn": True},
        "decomposition": {"minus_mean": True},
    }.items():
        plain, again = (
            cx.explain(trace, name, **numbers),
            cx.explain(
                trace, name, **{option: np.array(number)[()] for option, number in numbers.items()}
            ),
        )
        np.testing.assert_array_equal(plain.scores, again.scores)
        assert plain.provenance == again.provenance


def test_what_a_rewrite_cannot_be():
    for change, message in (
        (
            {"attention": "gem", "neighbourhood": 3.0},
            "neighbourhood=3.0 does nothing with attention",
        ),
        ({"attention": "gem", "normalize": False}, "normalize=False does nothing with"),
        ({"attention": "identity", "sharpen": 2.0}, "sharpen=2.0 does nothing with"),
        ({"iterations": 2}, "iterations=2 does nothing with attention='vv'"),
        ({"attention": "gem", "iterations": -1}, "iterations=-1, but a whole number from 0 to 100"),
        ({"attention": "gem", "iterations": 32768}, "iterations=32768, but a whole number"),
        ({"neighbourhood": float("nan")}, "neighbourhood=nan, but a finite number from 0.001 to"),
        ({"ffn": "no"}, "ffn='no', but True or False is needed"),
        ({"blocks": 2.0}, "blocks=2.0, but a whole number of at least 0 is needed"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            cx.Rewrite(**change)
    for one, other in itertools.combinations(cx.PRESETS.values(), 2):
        assert replace(one) == one != other
