"""All subsets of things and words, against sums made by hand."""

from itertools import product

import numpy as np
import pytest

import clipxai as cx
from clipxai.measure.coalitions import banzhaf, game, interactions, shorter

WORDS = "a photo of a dog , a bus and an ice cream".split()
PARTS = [range(1, 2), range(2, 3), range(4, 5), range(7, 8), range(8, 9), range(10, 12)]


def test_values_and_interactions_are_means_over_all_subsets():
    random = np.random.default_rng(0).normal(size=(2, 2, 2, 2))
    for i in range(4):
        adds = [
            random[(*rest[:i], 1, *rest[i:])] - random[(*rest[:i], 0, *rest[i:])]
            for rest in product((0, 1), repeat=3)
        ]
        assert banzhaf(random)[i] == pytest.approx(np.mean(adds))
    found = interactions(random)
    for i, j in ((0, 1), (1, 3), (2, 0)):
        seconds = []
        for rest in product((0, 1), repeat=2):
            rest = iter(rest)
            others = {n: next(rest) for n in range(4) if n not in (i, j)}

            def value(one, other, others=others, i=i, j=j):
                return random[tuple({**others, i: one, j: other}[n] for n in range(4))]

            seconds.append(value(1, 1) - value(1, 0) - value(0, 1) + value(0, 0))
        assert found[i, j] == pytest.approx(np.mean(seconds)) == pytest.approx(found[j, i])
    assert np.isnan(np.diag(found)).all()


def test_players_that_only_add_do_not_interact():
    worth = np.array([0.5, -2.0, 3.0])
    added = np.array([worth @ present for present in product((0, 1), repeat=3)]).reshape(2, 2, 2)
    np.testing.assert_allclose(banzhaf(added), worth)
    np.testing.assert_allclose(interactions(added)[~np.eye(3, dtype=bool)], 0, atol=1e-12)


def test_a_text_with_some_of_its_words():
    assert shorter(WORDS, PARTS, [1] * 6) == " ".join(WORDS)
    assert shorter(WORDS, PARTS, [1, 1, 1, 1, 1, 0]) == "a photo of a dog , a bus and"
    assert shorter(WORDS, PARTS, [1, 1, 1, 0, 1, 1]) == "a photo of a dog , and an ice cream"
    assert shorter(WORDS, PARTS, [1, 0, 0, 1, 0, 0]) == "a photo a bus"
    assert shorter(WORDS, PARTS, [0] * 6) == ""


def test_the_game_is_what_the_model_says_of_each_subset(embedded):
    scene = cx.scenes.compose(["dog", "ice cream"], "grass", seed=1)
    words, parts = "a dog and an ice cream".split(), [range(1, 2), range(4, 6)]
    found = game(embedded, scene, words, parts)
    assert found.shape == (2, 2, 2, 2)

    def cosine(image, text):
        image = embedded.encode_image(embedded.preprocess(image))
        return float(image @ embedded.encode_text([text]).T)

    whole, text = scene.image, "a dog and an ice cream"
    assert found[1, 1, 1, 1] == pytest.approx(cosine(whole, text), abs=1e-5)
    without = scene.without("dog").image
    assert found[0, 1, 1, 1] == pytest.approx(cosine(without, text), abs=1e-5)
    assert found[1, 1, 0, 1] == pytest.approx(cosine(whole, "and an ice cream"), abs=1e-5)
    nothing = scene.without("dog").without("ice cream").image
    assert found[0, 0, 1, 0] == pytest.approx(cosine(nothing, "a dog and"), abs=1e-5)
    # a word is about its own thing
    of_words = interactions(found)[:2, 2:]
    assert (of_words.argmax(0) == [0, 1]).all() and (np.diag(of_words) > 0.1).all()
