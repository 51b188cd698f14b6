"""Does the figure of recognised labels show their order, and what speaks for which?"""

from dataclasses import replace

import numpy as np
import pytest
from view_examples import HOSTILE, contrast, example, texts_of

from clipxai.tasks import recognise
from clipxai.view import LabelRanking
from clipxai.view.html import page
from clipxai.view.label_ranking.content import MOST
from clipxai.view.number import percent
from clipxai.view.payload import unpack

E = replace(example("decomposition"), presence=np.array([0.1, 0.13], np.float32))


def test_the_first_map_is_the_best_label_against_the_next():
    viewer = LabelRanking(E)
    assert viewer.labels.order == [1, 0] and viewer.labels.chosen == [0, 1]
    difference = (E.scores[1] - E.scores[0]).ravel()
    np.testing.assert_allclose(viewer.labels.first_map(), difference, rtol=1e-6)
    sent, header = unpack(viewer.payload()), viewer.payload().header
    np.testing.assert_array_equal(sent["maps"], E.scores[[1, 0]].reshape(2, -1))
    np.testing.assert_allclose(sent["values"], recognise(E)[[1, 0]], rtol=1e-6)
    assert header["labels"] == ["a clock", "an owl"] and header["chosen"] == [0, 1]


def test_paper_says_who_comes_first():
    high, low = sorted(recognise(E), reverse=True)
    written = texts_of(LabelRanking(E).figure())
    assert (
        f"“a clock” comes first, with {percent(high)}, before “an owl”, with {percent(low)}."
        in written
    )
    assert "a clock rather than an owl" in written and "labels by probability" in written
    cosines = texts_of(LabelRanking(E, scale=None).figure())
    assert "“a clock” comes first, with 0.13, before “an owl”, with 0.1." in cosines
    assert "labels by score" in cosines


def test_many_labels_and_one():
    texts = tuple(f"label {n}" for n in range(MOST + 6))
    scores = np.repeat(E.scores[:1], len(texts), axis=0)
    many = replace(E, texts=texts, scores=scores, presence=np.linspace(0, 0.2, len(texts)))
    viewer = LabelRanking(many, scale=None)
    assert viewer.labels.order == [*range(MOST + 5, 5, -1)]
    assert f"The {MOST} best of {MOST + 6} labels are shown." in viewer.payload().header["notes"]
    alone = replace(E, texts=E.texts[:1], scores=E.scores[:1], presence=E.presence[:1])
    viewer = LabelRanking(alone)
    np.testing.assert_array_equal(viewer.labels.first_map(), alone.scores.ravel())
    assert viewer.figure() and viewer.payload().header["chosen"] == [0]


def test_patches_and_labels_that_are_not_known():
    broken = E.scores.copy()
    broken[0] = np.nan
    viewer = LabelRanking(replace(E, scores=broken), by="maps")
    assert viewer.labels.order == [1, 0] and viewer.payload() and viewer.figure()


def test_wrong_input_and_hostile_texts():
    with pytest.raises(ValueError, match="are differences, not of labels"):
        LabelRanking(replace(contrast(), difference=True))
    with pytest.raises(ValueError, match="cannot recognise by 'eye'"):
        LabelRanking(E, by="eye")
    with pytest.raises(TypeError, match="expected Explanation"):
        LabelRanking("e")
    text = page(LabelRanking(replace(E, texts=(HOSTILE, "b\nc"))))
    assert "<img src=x" not in text and text.count("</script>") == 2


def test_a_label_is_not_compared_with_itself():
    """Written twice, or read as the same: the next that is another to the model is beside it."""
    twice = replace(
        E,
        texts=("a clock", "A clock", "an owl"),
        scores=E.scores[[1, 1, 0]],
        presence=E.presence[[1, 1, 0]],
    )
    labels = LabelRanking(twice).labels
    assert labels.chosen == [0, 2]
    np.testing.assert_allclose(labels.first_map(), (E.scores[1] - E.scores[0]).ravel(), rtol=1e-6)
    assert "before “an owl”" in " ".join(texts_of(LabelRanking(twice).figure()))
