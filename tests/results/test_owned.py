"""Nobody writes into a result: neither who made it nor who reads it."""

import sys
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

import clipxai as cx
from clipxai.results.findings import Picture, Selection


def arrays_in(value, path):
    """(path, array) of every array that can be reached from a result, and the classes passed."""
    if isinstance(value, np.ndarray):
        yield path, value
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from arrays_in(one, f"{path}[{number}]")
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from arrays_in(one, f"{path}[{name!r}]")
    elif is_dataclass(value):
        yield type(value), None
        for part in fields(value):
            yield from arrays_in(getattr(value, part.name), f"{path}.{part.name}")


@pytest.fixture(scope="module")
def results(trace, scene):
    """One of every kind of result, by the verb that makes it."""
    e = cx.explain(trace, "clip_surgery")
    masks = {"a dog": scene.mask("dog")}
    return {
        "explain": e,
        "segment": cx.segment(e),
        "attention_maps": cx.attention_maps(trace).with_heads(trace, 0),
        "contributions": cx.contributions(trace).with_masks(trace, masks),
        "head_contributions": cx.head_contributions(trace),
        "overview": cx.overview(trace),
        "surgery_steps": cx.surgery_steps(trace),
        "token_scores": cx.token_scores(trace),
        "word_relevance": cx.word_relevance(trace),
        "refine": cx.refine(e),
        "effects": cx.effects(trace),
        "name_heads": cx.name_heads(
            trace.model, [np.roll(scene.image, n, 1) for n in range(10)], ["a dog"], count=1
        ),
        "sinks": cx.sinks(trace),
    }


def test_all_arrays_of_all_results_are_read_only(results):
    found = [pair for name, result in results.items() for pair in arrays_in(result, name)]
    seen = {where for where, array in found if array is None}
    arrays = {where: array for where, array in found if array is not None}
    assert len(arrays) > 30
    writeable = []
    for where, array in arrays.items():
        while isinstance(array, np.ndarray):
            writeable += [where] if array.flags.writeable else []
            array = array.base
    assert not writeable
    public = {
        thing
        for name, module in sys.modules.items()
        if name.startswith(("clipxai.results", "clipxai.tasks"))
        for thing in vars(module).values()
        if isinstance(thing, type) and is_dataclass(thing) and thing.__module__ == name
    }
    assert public == seen, "a result that no verb here makes"


def test_what_a_result_was_made_from_may_change(results):
    e, found = results["explain"], results["contributions"]
    scores, ratio = np.zeros_like(e.scores), {"qk": np.zeros(3)}
    explained = replace(e, scores=scores, presence=(presence := np.zeros(3, np.float32)))
    selected = Selection(ratio, patches=4, chance=0.1)
    pictured = Picture(image := np.zeros((4, 4, 3), np.uint8), e.grid)
    for given in (scores, presence, ratio["qk"], image):
        given += 1
    for kept in (explained.scores, explained.presence, selected.ratio["qk"], pictured.image):
        assert not kept.any()
    assert replace(found, selection={}).attention is found.attention, (
        "copied once, not at each step"
    )
