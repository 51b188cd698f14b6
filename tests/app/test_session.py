"""Does a session show what the verbs compute, and compute only what changed?"""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

import clipxai as cx
from clipxai.app.latest import Cancelled
from clipxai.app.session import (
    Session,
    Wish,
    counterpart,
    fitting,
    subtracted,
    switches_of,
)
from clipxai.explainers.similarity import similarity
from clipxai.explainers.table import METHODS, Method
from clipxai.model.towers.resnet import ModifiedResNet
from clipxai.model.towers.vit import VisionTransformer
from clipxai.view import LayerAttentionViewer, ModuleComparison, TokenMap


@pytest.fixture
def wish(embedded, scene):
    return Wish(
        embedded, scene.image, ("a dog", "a bicycle"), dict(zip(scene.objects, scene.masks))
    )


@pytest.fixture
def towers(embedded):
    """How often each tower runs; its first block, as texts that begin alike are read another way
    than by `forward`.
    """
    ran = {"image": 0, "text": 0}
    hooks = [
        part.register_forward_hook(lambda *_, name=name: ran.update({name: ran[name] + 1}))
        for name, part in (("image", embedded.visual), ("text", embedded.text.blocks[0]))
    ]
    yield ran
    for hook in hooks:
        hook.remove()


def test_shows_what_the_verbs_compute(embedded, scene, wish):
    viewer = Session().answer(wish)
    trace = cx.record(embedded, scene.image, ["a dog", "a bicycle"])
    for shown, method in zip(viewer.explanations, ("clip", "clip_surgery"), strict=True):
        assert shown.method == method
        assert_array_equal(shown.scores, cx.explain(trace, method).scores)
    assert all("IoU" in panel.merits for panel in viewer.panels)


def test_words_of_a_text_that_is_gone_are_those_of_the_last(wish):
    wish = replace(wish, view="words", text=5)
    assert wish.code == "cx.token_scores(trace, text=1)"
    assert Session().answer(wish).scores.text == "a bicycle"


def test_each_tower_runs_only_for_its_own_input(wish, towers, scene):
    session = Session()
    session.answer(wish)
    assert towers["image"] == 1
    texts = towers["text"]
    for flipped in (
        {"switches": {"blocks": 2}},
        {"switches": {"attention": "qk", "ffn": True}},
        {"method": "gem"},
        {"beside": None},
        {"view": "attention"},
        {"view": "modules"},
        {"view": "words"},
        {"view": "words", "text": 1},
        {"subtract": "labels"},
    ):
        session.answer(replace(wish, **flipped))
    # words are left out of a text that is looked at: its shorter ones are read, in one go
    assert towers == {"image": 1, "text": texts + 2} and session.recorded == 1
    session.answer(replace(wish, texts=("a pizza",)))
    assert towers["image"] == 1 and towers["text"] > texts + 2 and session.recorded == 1
    session.answer(replace(wish, image=scene.image.copy()))
    assert towers["image"] == 2


def test_another_picture_reads_no_text_again(embedded, wish, towers):
    """A dragged thing is another picture; also what it would be without each thing is known."""
    session = Session()
    session.answer(wish)
    texts = towers["text"]
    moved = cx.scenes.compose(["dog", "bicycle"], "grass", 1, 224)
    masks = dict(zip(moved.objects, moved.masks))
    new = replace(wish, image=moved.image, scene=moved, masks=masks, leave_out=True)
    viewer = session.answer(new)
    assert towers == {"image": 1 + 1 + 2, "text": texts}
    found = Session().answer(new)
    assert towers["text"] == 2 * texts
    for name in ("stream", "text_features", "empty_features", "token_ids", "text_tokens"):
        alone = getattr(cx.record(embedded, moved.image, list(wish.texts)), name)
        assert torch.equal(getattr(session.trace, name), alone), name
    for shown, expected in zip(viewer.explanations, found.explanations, strict=True):
        assert_array_equal(shown.scores, expected.scores)
    session.answer(replace(new, texts=("a pizza", "a bicycle")))
    assert session.trace.texts == ("a pizza", "a bicycle")


def test_new_texts_give_what_a_new_recording_gives(embedded, scene, wish):
    session = Session()
    session.answer(wish)
    found = session.answer(replace(wish, texts=("a pizza", "a dog"))).explanations[1]
    expected = cx.explain(cx.record(embedded, scene.image, ["a pizza", "a dog"]))
    torch.testing.assert_close(
        torch.tensor(found.scores), torch.tensor(expected.scores), atol=1e-6, rtol=0
    )


def test_the_layers_views_have_what_is_known_of_heads_and_masks(wish):
    modules = Session().answer(replace(wish, view="modules"))
    assert modules.shares.selections[0].patches > 1 and modules.shares.selections[1] is None, (
        "the bicycle covers one patch"
    )
    attention = Session().answer(replace(wish, view="attention"))
    assert list(attention.maps.heads) == [7]


@pytest.mark.parametrize(
    ("view", "kind"),
    [("attention", LayerAttentionViewer), ("modules", ModuleComparison), ("words", TokenMap)],
)
def test_every_view(wish, view, kind):
    assert isinstance(Session().answer(replace(wish, view=view)), kind)


def test_words_are_those_of_the_chosen_text(wish):
    assert Session().answer(replace(wish, view="words", text=1)).scores.text == "a bicycle"
    assert Session().answer(replace(wish, view="words", text=7)).scores.text == "a bicycle", (
        "the last one, if there are fewer texts now"
    )


@pytest.mark.parametrize(
    ("chosen", "asked"),
    [
        ({}, ("clip_surgery", {})),
        ({"switches": {"blocks": 6, "attention": "vv"}}, ("clip_surgery", {})),
        ({"switches": {"blocks": 3, "attention": "vv"}}, ("clip_surgery", {"blocks": 3})),
        ({"subtract": "labels"}, ("clip_surgery", {"redundant": "labels"})),
        (
            {"subtract": "nothing", "switches": {"ffn": True}},
            ("clip_surgery_architecture", {"ffn": True}),
        ),
        ({"method": "clip_surgery_architecture", "subtract": "empty"}, ("clip_surgery", {})),
        (
            {"method": "clip", "subtract": "labels", "switches": {"blocks": 2}},
            ("clip_surgery_features", {"redundant": "labels", "blocks": 2}),
        ),
        ({"method": "clip", "subtract": "nothing"}, ("clip", {})),
        ({"method": "reversed_clip"}, ("reversed_clip", {})),
    ],
)
def test_switches_become_method_and_options(wish, chosen, asked):
    wish = replace(wish, **chosen)
    assert wish.asked == asked
    method, options = asked
    trace = cx.record(wish.model, wish.image, list(wish.texts))
    assert_array_equal(
        eval(wish.code, {"cx": cx, "trace": trace}).scores,
        cx.explain(trace, method, **options).scores,
    )


def test_every_method_of_the_table_can_be_chosen(embedded, golden_resnet, wish):
    assert {row.name for row in fitting(embedded)} == {
        name for name, row in METHODS.items() if VisionTransformer.has.issuperset(row.requires)
    }
    assert {row.name for row in fitting(golden_resnet[0])} == {
        name for name, row in METHODS.items() if ModifiedResNet.has.issuperset(row.requires)
    }
    for name in METHODS:
        assert set(switches_of(name)) <= set(METHODS[name].options)
        if counterpart(name):
            assert (
                subtracted(counterpart(name)) != subtracted(name)
                and counterpart(counterpart(name)) is not None
            )


def test_a_cancelled_answer_keeps_what_was_recorded(wish, monkeypatch):
    session, stop, steps = Session(), Event(), []
    session.answer(wish)
    before = session.trace

    def slow(trace):
        for _ in range(1000):
            steps.append(torch.ones(1) + 1)
            stop.set()
        return similarity(trace, "clip")

    monkeypatch.setitem(METHODS, "slow", Method("slow", slow, "", ""))
    with pytest.raises(Cancelled):
        session.answer(replace(wish, method="slow"), stop)
    assert len(steps) == 1 and session.trace is before
    stop.set()
    with pytest.raises(Cancelled):
        session.answer(replace(wish, texts=("a new text",)), stop)
    assert session.trace is before
    assert session.answer(wish).explanations[1].method == "clip_surgery"


def test_resnets_have_methods_and_attention_and_say_what_they_lack(golden_resnet):
    model, arrays, _ = golden_resnet
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    ids = next(
        value for value in arrays.values() if value.ndim == 2 and not value.is_floating_point()
    )
    session = Session()
    trace = cx.record(model, image, ids)
    session.trace, session._image = trace, image
    wish = Wish(model, image, trace.texts, beside=None)
    assert session.answer(wish).explanations[0].scores.shape[0] == len(trace.texts)
    assert session.answer(replace(wish, view="attention"))
    with pytest.raises(ValueError, match="a ResNet with an attention pool"):
        session.answer(replace(wish, view="modules"))
