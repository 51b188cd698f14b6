"""A click adds a point and asks again; a click on a point takes it away."""

import numpy as np
import pytest

import clipxai as cx
from clipxai.app.masks import MaskEditor


@pytest.fixture
def e():
    rows, columns = np.mgrid[:8, :8]
    scores = np.exp(-((rows - 3) ** 2 + (columns - 2) ** 2) / 4)[None].astype(np.float32)
    image = np.full((64, 64, 3), 60, np.uint8)
    image[16:40, 8:32], image[30:50, 40:60] = (200, 40, 40), (40, 40, 200)
    image += np.random.default_rng(0).integers(0, 9, image.shape, dtype=np.uint8)
    grid = cx.Grid(8, 8, (64, 64), (0, 0, 64, 64))
    return cx.Explanation(scores, ("a",), "clip", grid, "", image, np.zeros(1, np.float32))


def click(editor, n, x, y, label=1):
    editor._live.view = {"click": {"text": 0, "x": x, "y": y, "label": label, "n": n}}


def test_clicks_and_threshold(e):
    editor = MaskEditor(e)
    first, sent = editor.refined, editor._live.payload
    assert not first.mask("a")[40, 50]
    click(editor, 1, 50.0, 40.0)
    by_hand = cx.refine(e, points={"a": (np.array([[50.0, 40]]), np.array([1]))})
    np.testing.assert_array_equal(editor.refined.labels, by_hand.labels)
    assert editor.refined.mask("a")[40, 50] and editor._live.payload != sent
    click(editor, 1, 10.0, 10.0)  # the same click, told again
    assert len(editor.points["a"][0]) == 1
    click(editor, 2, 50.5, 40.5)  # on the point
    assert len(editor.points["a"][0]) == 0
    np.testing.assert_array_equal(editor.refined.labels, first.labels)
    editor._threshold.value = 0.7
    np.testing.assert_array_equal(editor.refined.labels, cx.refine(e, threshold=0.7).labels)


def test_what_its_slider_cannot_say_is_refused(e):
    with pytest.raises(ValueError, match="threshold=0.03, but its slider goes from 0.05 to 0.95"):
        MaskEditor(e, threshold=0.03)
    with pytest.raises(TypeError, match="click the others"):
        MaskEditor(e, points={})


def test_what_cannot_be_answered_is_said_and_the_last_answer_stays(e):
    editor = MaskEditor(e, sure=0.8)
    before = editor.refined
    editor._threshold.value = 0.9
    assert "rise in this order" in editor._said.value and editor.refined is before
    editor._threshold.value = 0.5
    assert editor._said.value == ""


def test_points_of_a_sam_begin_with_the_maps_own(e):
    asked = []

    def sam(image, points, labels, box):
        asked.append((points, labels))
        return [e.mask(0)], [1.0]

    editor = MaskEditor(e, sam)
    own = e.points(0)
    click(editor, 1, 60.0, 2.0, label=0)
    np.testing.assert_array_equal(asked[-1][0], np.vstack([own[0], [60, 2]]))
    np.testing.assert_array_equal(asked[-1][1], [*own[1], 0])
