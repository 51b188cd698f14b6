"""Do maps, curves and sentences of a training belong to the same step?"""

import numpy as np
import pytest
from view_examples import HOSTILE, MASKS, cropped, example, texts_of

from clipxai.view import TrainingSteps
from clipxai.view.html import page
from clipxai.view.payload import unpack

RAW = [example("clip", seed=n, sign=sign) for n, sign in enumerate((1.0, -1.0, -1.0))]
CURVES = {"loss": [3.0, 2.0, 0.5], "top-1": [10.0, np.nan, 60.0]}


def test_every_step_has_its_map_curve_and_sentence():
    viewer = TrainingSteps({"raw": RAW, "path": RAW[::-1]}, [0, 40, 120], CURVES, truth=MASKS)
    header, arrays = viewer.payload().header, unpack(viewer.payload())
    for n, e in enumerate(RAW):
        np.testing.assert_allclose(arrays["map0"][n], e.scores[0].ravel(), atol=1e-5)
        np.testing.assert_allclose(arrays["map1"][2 - n], e.scores[0].ravel(), atol=1e-5)
        heat, mask = e.heatmap(0), MASKS["an owl"]
        up = heat[mask].mean() > heat[~mask].mean()
        assert ("raw is the right way up" in header["stories"][n]) == up
        assert ("raw is upside down" in header["stories"][n]) != up
        outside = not mask.flat[heat.argmax()]
        assert header["maps"][0]["told"][n] == "hottest pixel outside" * outside
    assert header["stories"][1].startswith("Step 40: ") and header["at"] == [0, 40, 120]
    assert header["span"] == [0, 60] and header["step"] == 2
    np.testing.assert_array_equal(arrays["curves"], np.float32(list(CURVES.values())))
    written = texts_of(viewer.figure())
    assert header["stories"][2] in " ".join(written) and "— loss" in written
    losses = np.array([3.0, 2.0, 0.012])
    late = TrainingSteps({"raw": RAW}, [1000, 1001, 12345], {"loss": losses})
    losses[:] = 0  # what the caller does with them afterwards
    header = late.payload().header
    assert header["steps"] == ["1000", "1001", "12345"]
    assert header["stories"][1].startswith("Step 1001: ") and "to step 12345" in header["summary"]
    assert unpack(late.payload())["curves"][0].tolist() == pytest.approx([3, 2, 0.012])
    assert "step 12345" in " ".join(texts_of(late.figure()))
    assert header["words"]["curve"] == "{name} {value:number}", "a loss of 0.012 is not 0.0"
    bare = TrainingSteps({"raw": RAW}, [0, 40, 120], {}, step=0).payload().header
    assert bare["stories"][0] == "Step 0: the map of “an owl”."


def test_refused():
    def of(maps, steps, curves, **more):
        return lambda: TrainingSteps(maps, steps, curves, **more)

    for given, error, words in (
        (of({}, [0, 1], {}), ValueError, "0 kinds of maps"),
        (of({"raw": RAW}, [0, 1], {}), ValueError, "'raw' has 3 maps, for 2 steps"),
        (of({"raw": RAW}, [0, 1, 2], {"loss": [1.0]}), ValueError, "'loss' has 1 values, for 3"),
        (of({"raw": RAW}, [0, 2, 2], {}), ValueError, "each later than the last"),
        (of({"raw": RAW[0]}, [0, 1, 2], {}), TypeError, "'raw' needs a list, one for each step"),
        (of({"raw": RAW}, [0, 1, 2], {"a": ["x"] * 3}), TypeError, "'a' is not of numbers"),
        (of({"raw": [*RAW[:2], cropped()]}, [0, 1, 2], {}), ValueError, "different images"),
        (of({"raw": RAW}, [0, 1, 2], {}, step=3), IndexError, "step number 3"),
        (of({"raw": RAW}, [0, 1, 2], {}, truth=np.ones((9, 9), bool)), ValueError, "mask has"),
    ):
        with pytest.raises(error, match=words):
            given()
    hostile = TrainingSteps({HOSTILE: RAW}, [0, 1, 2], {HOSTILE: [1.0, 2.0, 3.0]})
    assert "<img src=x" not in page(hostile)
