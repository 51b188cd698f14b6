"""Methods made of gradients, asked about many images: how many at once, and about whose texts."""

from dataclasses import replace

import numpy as np
from method_examples import QUICK

import clipxai as cx
from clipxai.explainers import gradient_parts
from clipxai.explainers.gradient_parts import Meter, in_parts
from clipxai.explainers.own_texts import explain_own

TEXTS = ["a dog", "a bicycle", "a pizza", "a boat"]


def test_images_go_back_together_each_for_its_own_texts_within_memory(embedded, monkeypatch):
    images, texts = [cx.scenes.sample(n).image for n in range(4)], TEXTS
    trace = cx.record(embedded, images, texts, size=64)
    own, sizes = [[0, 3], [3], [2, 1], [1, 3]], []

    def asked(trace, **options):
        sizes.append(len(trace.images))
        return cx.METHODS["grad_cam"].function(trace, **options)

    spied = replace(cx.METHODS["grad_cam"], name="spied", function=asked)
    for _ in range(2):
        assert sum(len(few.images) for few, _ in in_parts(trace, spied, {})) == len(images)
    assert sizes == [1, 3, 4]  # the first is measured, which the next knows
    (took,) = (took for of, took in gradient_parts._TAKEN[embedded].items() if of[0] == "spied")
    with Meter() as meter:
        cx.METHODS["grad_cam"].function(trace)
    assert 3 * took < meter.most < 4.1 * took
    # what a picture takes, times the pictures, is what they take
    monkeypatch.setattr(gradient_parts, "MOST_MEMORY", 2 * took)
    assert [len(few.images) for few, _ in in_parts(trace, spied, {})] == [2, 2]
    for name in (name for name, row in cx.METHODS.items() if row.needs == "gradient"):
        found = explain_own(trace, own, name, **QUICK.get(name, {}))
        for n, (e, numbers) in enumerate(zip(found, own, strict=True)):
            alone = cx.explain(trace, name, image=n, **QUICK.get(name, {}))
            assert e.texts == tuple(texts[n] for n in numbers) and e.image is trace.images[n]
            most = abs(alone.scores[numbers]).max()
            np.testing.assert_allclose(e.scores, alone.scores[numbers], rtol=0, atol=1e-3 * most)
            np.testing.assert_allclose(e.presence, alone.presence[numbers], atol=1e-6)


def test_what_is_said_of_a_map_is_of_its_own_image(embedded):
    trace = cx.record(embedded, [cx.scenes.sample(n).image for n in range(3)], "a dog", size=64)
    together = cx.explain_all(trace, "integrated_gradients", steps=2)
    alone = [cx.explain(trace, "integrated_gradients", image=n, steps=2) for n in range(3)]
    assert [e.notes for e in together] == [e.notes for e in alone]
    assert len({e.notes for e in alone}) == 3
