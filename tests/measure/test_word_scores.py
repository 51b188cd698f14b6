"""What is counted of words is what one counts by hand, over any number of processes."""

import math

import numpy as np
import pytest

import clipxai as cx
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.meters import WordsMeter
from clipxai.measure.summary import summary
from clipxai.measure.word_scores import FIELDS, caption_of, contrasts, nouns, presence

NAN = math.nan


@pytest.fixture(scope="module")
def two():
    return cx.scenes.compose(["dog", "ice cream"], "grass", seed=1)


def test_where_the_names_of_a_caption_stand():
    names = ("a dog", "an ice cream", "grapes")
    text, spans = caption_of("a photo of {}.", names)
    assert text == "a photo of a dog, an ice cream and grapes."
    assert [text[start:stop] for start, stop in spans] == [*names]


def test_nouns_are_where_their_own_maps_are_highest(embedded, two):
    trace = cx.record(embedded, two.image, "")
    rows = nouns(trace, "decomposition", "a photo of {}", ("a dog", "an ice cream"), two.masks)
    text = "a photo of a dog and an ice cream"
    by_hand = []
    for own, left in enumerate(("a photo of and an ice cream", "a photo of a dog and")):
        maps = cx.explain(trace.with_texts([text, left]), "decomposition").scores
        heat = trace.grids[0].onto_image(maps[0] - maps[1])
        by_hand.append(float(np.argmax([heat[mask].mean() for mask in two.masks]) == own))
    assert [dict(zip(FIELDS, row))["noun"] for row in rows] == by_hand == [1, 1]
    swapped = nouns(
        trace, "decomposition", "a photo of {}", ("a dog", "an ice cream"), two.masks[::-1]
    )
    assert [row[FIELDS.index("noun")] for row in swapped] == [0, 0]
    alone = nouns(trace, "decomposition", "a photo of {}", ("a dog",), two.masks[:1])
    assert alone == []


def test_the_word_that_is_there_matters_more(embedded, two):
    trace = cx.record(embedded, two.image, "")
    at = FIELDS.index("presence")
    for first in (True, False):
        said = presence(trace, "leave_out", "a photo of {}", ("a dog", "a bus"), first, 2)
        assert said[at] == 1
        turned = presence(trace, "leave_out", "a photo of {}", ("a bus", "a dog"), first, 2)
        assert turned[at] == 0


def test_contrasts_peak_on_the_one_and_fall_on_the_other(embedded, two):
    e = cx.explain(cx.record(embedded, two.image, ["a dog", "an ice cream"]), "decomposition")
    (row,) = contrasts(e, two.masks)
    heat = cx.contrast(cx.record(embedded, two.image, ["a dog", "an ice cream"]), 0, 1).heatmap(
        normalize="none"
    )
    found = dict(zip(FIELDS, row))
    assert found["objects"] == 2 and math.isnan(found["noun"])
    assert found["peak"] == two.masks[0].ravel()[heat.argmax()] == 1
    assert found["trough"] == two.masks[1].ravel()[heat.argmin()] == 1
    same = cx.explain(cx.record(embedded, two.image, ["a", "b"]), "rollout")
    assert contrasts(same, two.masks) == [], "a method that does not read the text"


ROWS = [  # place, objects, noun, presence, peak, trough
    [0, 2, 1, NAN, NAN, NAN],
    [0, 2, 0, NAN, NAN, NAN],
    [1, 2, 1, NAN, NAN, NAN],
    [1, 2, 1, NAN, NAN, NAN],
    [1, 2, NAN, NAN, 1, 0],
    [2, 3, 1, NAN, NAN, NAN],
    [2, NAN, NAN, 1, NAN, NAN],
    [3, 2, NAN, 0, NAN, NAN],
    [4, 1, NAN, 1, NAN, NAN],
    [5, NAN, NAN, NAN, NAN, NAN],
]


def metered(*parts):
    meter = WordsMeter()
    for rows in parts:
        meter.update(rows)
    return meter.compute()


def test_hits_are_counted_by_question():
    found = metered(ROWS)
    assert found["right object of two"] == 75 and found["right object of three"] == 100
    assert found["present above absent"] == pytest.approx(100 * 2 / 3)
    assert found["present above absent, one thing"] == 100
    assert found["peak of two"] == 100 and found["trough of two"] == 0
    assert math.isnan(found["peak of three"]) and math.isnan(found["peak of three error"])


def test_errors_are_those_of_pictures_drawn_with_replacement():
    """One hit in two pictures of a row each: a mean of 0, 1/2 or 1 by 1, 2, 1 in 4."""
    rows = [[n, NAN, NAN, hit, NAN, NAN] for n, hit in enumerate([0, 1])]
    assert metered(rows)["present above absent error"] == pytest.approx(100 * 0.125**0.5, rel=0.05)
    many = [[n, NAN, NAN, n % 2, NAN, NAN] for n in range(400)]
    assert metered(many)["present above absent error"] == pytest.approx(100 * 0.5 / 20, rel=0.1)
    # two rows of one picture are one trial
    twice = [row for row in many for _ in range(2)]
    assert metered(twice)["present above absent error"] == pytest.approx(2.5, rel=0.1)


def test_order_and_processes_do_not_matter():
    np.testing.assert_equal(metered(ROWS[::-1]), metered(ROWS))
    np.testing.assert_equal(metered(ROWS[6:], ROWS[:6]), metered(ROWS))


def test_it_is_a_metric_of_the_bench(embedded):
    data = dataset("emoji-world")
    bench = Bench(embedded, data, ["decomposition", "bimodal", "rollout"], ["words"])
    rows = [bench.measure(name) for name in data.ids[:6]]
    scores = summary(bench, rows)["scores"]
    assert set(scores) == {"(word left out)", "decomposition", "bimodal", "rollout"}
    assert scores["decomposition"]["words"]["right object of two"] >= 50
    assert math.isnan(scores["decomposition"]["words"]["present above absent"])
    assert scores["(word left out)"]["words"]["present above absent"] >= 50
    assert 0 <= scores["bimodal"]["words"]["present above absent"] <= 100
    assert math.isnan(scores["rollout"]["words"]["right object of two"])
