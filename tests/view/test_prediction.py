"""Is a prediction asked of the right map, and refused where there is none?"""

from dataclasses import replace

import numpy as np
import pytest
from attention_examples import attention_example
from inside_examples import contributions
from view_examples import HOSTILE, example, texts_of

from clipxai.view import Prediction
from clipxai.view.html import page
from clipxai.view.payload import unpack

MAPS = attention_example()


def test_attention_is_in_multiples_of_an_even_gaze_as_in_its_own_figure():
    viewer = Prediction(MAPS, patch=(1, 2), layer=-1, kind="vv")
    values = unpack(viewer.payload())["values"]
    weights = MAPS.mean["vv"][-1, 1 + 8, 1:].astype(float)
    others = np.arange(len(weights)) != 8
    assert np.isnan(values[8]) and viewer.payload().header["query"] == 8
    np.testing.assert_allclose(values[others], weights[others] * MAPS.seen, rtol=1e-5)
    assert "v-v" in viewer.payload().header["story"]
    assert "itself and to [class] does not" in " ".join(viewer.payload().header["notes"])
    pooled = Prediction(attention_example(whole="[pool]"), patch=(1, 2))
    assert "to itself does not count" in " ".join(pooled.payload().header["notes"])
    given = pooled.question.values / 30  # nothing but patches is looked at
    assert np.nansum(given) == pytest.approx(
        1 - attention_example(whole="[pool]").mean["qk"][-1, 9, 9]
    )


def test_the_map_of_a_text_and_its_score():
    e = example("clip_surgery")
    question = Prediction(e, text="a clock").question
    np.testing.assert_array_equal(question.values, e.scores[1].ravel())
    order = np.argsort(-question.values).tolist()
    assert question.hits(order[:5]) == (5, 25 / 196)
    assert question.hits([*order[:3], *order[-2:]]) == (3, 25 / 196)
    assert question.hits([]) == (0, 0)


def test_on_paper_the_map_is_covered_first():
    viewer = Prediction(MAPS, patch=(1, 2))
    assert "covered" in texts_of(viewer.first_state())
    assert "covered" not in texts_of(viewer.figure())
    assert "<img src=x" not in page(Prediction(replace(example(), texts=(HOSTILE, "b"))))


def test_refused():
    flat = replace(example(), scores=np.ones((2, 14, 14), np.float32))
    for given, error, words in (
        (lambda: Prediction(MAPS), TypeError, "which patch looks"),
        (lambda: Prediction(MAPS, patch=(99, 0)), IndexError, "no patch in row 99"),
        (lambda: Prediction(MAPS, patch=(0, 0), layer=9), IndexError, "layer 9"),
        (lambda: Prediction(MAPS, patch=(0, 0), kind="kk"), ValueError, "no attention of the kind"),
        (lambda: Prediction(example(), patch=(0, 0)), ValueError, "are for attention maps"),
        (lambda: Prediction(example(), text="a key"), ValueError, "a key"),
        (lambda: Prediction(flat), ValueError, "no variation"),
        (lambda: Prediction(contributions()), TypeError, "Explanation"),
        (lambda: Prediction(example("clip"), layer=2), ValueError, "layer= and kind= are for att"),
        (lambda: Prediction(MAPS, patch=(1, 1), text=1), ValueError, "attention is of no text"),
    ):
        with pytest.raises(error, match=words):
            given()
