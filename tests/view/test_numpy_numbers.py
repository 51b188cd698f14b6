"""Is a number from numpy a number to every viewer? They come from `argmax`, and JSON knows none."""

import json

import numpy as np
import pytest
from attention_examples import attention_example
from inside_examples import contributions, head_contributions, token_scores
from view_examples import MASKS, example

import clipxai as cx
from clipxai.view import (
    BlindRanking,
    HeadGrid,
    LayerAttentionViewer,
    MethodComparison,
    ModuleComparison,
    Prediction,
    RegionMap,
    TokenMap,
    TrainingSteps,
    Viewer,
)


def viewers(number: type) -> list[Viewer]:
    """One of each that can be told where to begin, told so in numbers of a type."""
    few, one = [number(1), number(0)], number(1)
    budget = number(1_400_000)
    segmented = cx.segment(example(), one, size=None)
    return [
        MethodComparison(example(), texts=few, budget=budget),
        MethodComparison(example(), texts=one),
        ModuleComparison(contributions(), texts=few, layer=one, budget=budget),
        ModuleComparison(contributions(), texts=one),
        HeadGrid(head_contributions(), texts=one, head=(one, number(0)), budget=budget),
        LayerAttentionViewer(attention_example(), query=(one, number(2)), layer=one),
        LayerAttentionViewer(attention_example(), layer=number(-1), steps=number(15)),
        Prediction(attention_example(), patch=(one, number(2)), layer=one),
        BlindRanking([example("clip"), example("gem")], MASKS, seed=one, text=one),
        TrainingSteps({"raw": [example("clip"), example("gem")]}, few[::-1], {}, step=number(0)),
        TokenMap(token_scores(), pinned=few, budget=budget),
        RegionMap(segmented, budget=budget),
    ]


@pytest.mark.parametrize("number", [np.int64, np.int32])
def test_a_number_of_numpy_is_a_number(number: type):
    for plain, same in zip(viewers(int), viewers(number), strict=True):
        assert json.dumps(plain.payload().header) == json.dumps(same.payload().header)
        assert plain.payload().blob == same.payload().blob


def test_heads_of_a_layer_that_numpy_counted(trace):
    maps = cx.attention_maps(trace)
    heads = maps.with_heads(trace, np.int64(1)).heads
    assert [*heads] == [1] and type(next(iter(heads))) is int
    assert [*maps.with_heads(trace, np.arange(2)).heads] == [0, 1]


@pytest.mark.parametrize("half", [1.0, True, "1"])
def test_what_is_no_whole_number_is_refused(half: object):
    for ask in (
        lambda: HeadGrid(head_contributions(), head=(half, 0)),
        lambda: LayerAttentionViewer(attention_example(), query=(0, half)),
        lambda: LayerAttentionViewer(attention_example(), layer=half),
        lambda: ModuleComparison(contributions(), layer=half),
    ):
        with pytest.raises(TypeError, match="a whole number"):
            ask()
