"""Do the Explorer's controls ask for what they say? Without a browser and without an event loop, so
every change is answered at once.
"""

import copy
import gc
import html
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from weakref import ref

import cv2
import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

import clipxai as cx
from clipxai import Rewrite, rewrite
from clipxai.app import shown
from clipxai.app.controls import NOTHING, SOURCES, Controls
from clipxai.app.views import VIEWS
from clipxai.explainers.table import METHODS
from clipxai.view.payload import Payload, unpack

SAMPLE = next((Path(cx.__file__).parent / "data" / "samples").glob("*.png"))


@pytest.fixture
def explorer(embedded):
    return cx.Explorer(embedded)


def message(explorer):
    return explorer.controls.message.value


def sent(explorer):
    """The maps that the browser got."""
    payload = explorer._lives[explorer.viewer.module].payload
    return unpack(Payload(payload["header"], payload["blob"]))


def exchange(editor, n, name):
    """As the browser says that another thing was chosen."""
    editor.things = [
        {**thing, "name": name} if at == n else thing for at, thing in enumerate(editor.things)
    ]


def test_starts_with_a_scene_whose_truth_is_known(explorer):
    assert [panel.text for panel in explorer.viewer.panels] == [
        "a cat",
        "a cat",
        "a guitar",
        "a guitar",
    ]
    assert all("contrast" in panel.merits for panel in explorer.viewer.panels)
    assert explorer.explanation.method == "clip_surgery" and "clip_surgery" in message(explorer)
    assert explorer.explanation is explorer.viewer.explanations[-1], (
        "what is shown is not computed again"
    )


def test_every_switch_reaches_the_browser(explorer):
    c, seen = explorer.controls, []

    def differs():
        seen.append(sent(explorer)["maps1"])
        return not any(np.array_equal(seen[-1], earlier) for earlier in seen[:-1])

    assert differs()
    flips = (
        (c.blocks, 2),
        (c.attention, "qq"),
        (c.ffn, True),
        (c.dual_path, False),
        (c.subtract, "labels"),
        (c.subtract, "nothing"),
    )
    for control, value in flips:
        control.value = value
        assert differs(), control.description
        assert explorer.error is None
    assert explorer.session.recorded == 1
    expected = cx.explain(
        explorer.trace,
        "clip_surgery_architecture",
        blocks=2,
        attention="qq",
        ffn=True,
        dual_path=False,
    )
    np.testing.assert_array_equal(seen[-1].reshape(2, 14, 14), expected.scores)


def test_a_method_brings_its_own_switches(explorer):
    c = explorer.controls
    c.method.value = "clip"
    assert (c.blocks.value, c.attention.value, c.subtract.value) == (0, "qk", "nothing")
    c.method.value = "reversed_clip"
    assert c.blocks.disabled and c.subtract.disabled and explorer.error is None
    c.method.value = "clip_surgery"
    assert (c.blocks.value, c.attention.value, c.subtract.value) == (
        6,
        "vv",
        "empty",
    ) and not c.blocks.disabled
    quick = [
        row.name
        for row in METHODS.values()
        if row.name in c.method.options and row.needs == "forward"
    ]
    for method in (*quick, "grad_eclip"):
        c.method.value = method
        assert explorer.error is None and explorer.explanation.method == method


def test_texts_follow_the_scene_until_somebody_types(explorer):
    c = explorer.controls
    exchange(c.scene, 1, "pizza")
    assert c.texts.value == "a cat\na pizza" and explorer.viewer.texts == ("a cat", "a pizza")
    c.texts.value = "  a pizza  \n\na cat\na cat"
    assert explorer.viewer.texts == ("a pizza", "a cat")
    exchange(c.scene, 0, "dog")
    assert c.texts.value == "  a pizza  \n\na dog\na dog" and c.note.layout.display == "none"
    c.texts.value = "two owls"
    assert "“two owls”: in the picture is dog, pizza" in c.note.value, "nothing vanishes silently"
    c.texts.value = "<b>"
    assert "<b>" not in c.note.value


def test_whatever_is_no_scene_has_a_banner_on_the_embedded_model(embedded, scene):
    explorer = cx.Explorer(embedded, image=SAMPLE)
    c = explorer.controls

    def warned():
        return c.banner.layout.display is None and "only ever seen Emoji World" in c.banner.value

    assert warned()
    c.texts.value, c.view.value = "a dog", "words"
    assert warned(), "it stays"
    c.source.value = "scene"
    assert not warned()
    assert cx.Explorer(embedded, image=scene).controls.banner.value == ""
    other = copy.copy(embedded)
    other.name = "a model of photographs"
    assert cx.Explorer(other, image=SAMPLE).controls.banner.value == ""


def test_mistakes_are_words_and_everything_stays(explorer):
    c, before = explorer.controls, explorer.viewer
    c.texts.value = "\n"
    assert "type at least one" in message(explorer) and isinstance(explorer.error, ValueError)
    c.texts.value = "word " * 500
    assert "role=alert" in message(explorer) and explorer.viewer is before
    c.texts.value = "a cat"
    assert explorer.error is None and explorer.viewer.texts == ("a cat",)
    c.source.value = "file"
    assert "type the path" in message(explorer)
    c.path.value = "<b>nowhere</b>.png"
    assert "&lt;b&gt;nowhere" in message(explorer) and "<b>" not in message(explorer)
    c.path.value = str(SAMPLE)
    assert explorer.error is None and explorer.viewer.mask is None
    c.folder.value = "nowhere"
    assert "no checkpoint at nowhere" in message(explorer)


def test_trace_and_explanation_are_of_the_figure_that_is_shown(explorer, tmp_path):
    c, trace = explorer.controls, explorer.trace
    wish = explorer.wish()
    # the worker is ahead of the page
    explorer.session.answer(replace(wish, image=np.full_like(wish.image, 90)))
    assert explorer.trace is trace
    np.testing.assert_array_equal(explorer.explanation.image, wish.image)
    c.texts.value = "word " * 500
    c.run.click()
    assert isinstance(explorer.error, ValueError) and explorer.trace is trace
    np.testing.assert_array_equal(
        cx.Explanation.from_npz(explorer.save(tmp_path / "shown.npz")).scores,
        cx.explain(trace).scores,
    )


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_has_the_explanation_of_the_chosen_method(explorer, view):
    c = explorer.controls
    c.blocks.value, c.view.value = 2, view
    np.testing.assert_array_equal(
        explorer.explanation.scores, cx.explain(explorer.trace, blocks=2).scores
    )


def test_an_upload_is_read(explorer):
    c = explorer.controls
    c.source.value = "upload"
    assert "choose an image" in message(explorer)
    encoded = cv2.imencode(".png", np.full((20, 30, 3), 90, np.uint8))[1].tobytes()
    file = {
        "name": "a.png",
        "type": "image/png",
        "size": len(encoded),
        "content": memoryview(encoded),
    }
    c.upload.value = ({**file, "last_modified": datetime.now(timezone.utc)},)
    assert explorer.error is None and explorer.explanation.image.shape == (20, 30, 3)


def test_any_model_can_be_passed_or_loaded(embedded, golden_resnet):
    resnet = golden_resnet[0]
    resnet.tokenizer = embedded.tokenizer
    try:
        explorer = cx.Explorer({"small": embedded, "resnet": resnet}, image=SAMPLE)
        explorer.controls.model.value = "resnet"
        assert explorer.controls.ffn.disabled and "gem" not in explorer.controls.method.options
    finally:
        resnet.tokenizer = None


def test_what_was_loaded_is_chosen_and_answers_once(embedded, monkeypatch):
    first, other, again = (copy.copy(embedded) for _ in range(3))
    first.name, other.name, again.name = "b/net", "other", "b/net"
    explorer = cx.Explorer({"b/net": first, "other": other}, beside=None)
    monkeypatch.setattr("clipxai.app.listening.load", lambda name, device: again)
    answered, done = [], explorer._latest._done
    monkeypatch.setattr(
        explorer._latest, "_done", lambda answer: (answered.append(answer), done(answer))
    )
    explorer.controls.folder.value = "b/net"
    assert message(explorer) == "loaded b/net" and explorer.controls.model.value == "b/net"
    assert list(explorer.controls.model.options) == ["b/net", "other"]
    assert [answer.wish.model for answer in answered] == [again] and explorer.trace.model is again
    explorer.controls.texts.value = ""
    explorer.controls.folder.value = "b/net again"
    assert "there is no text" in message(explorer), (
        "what is missing counts for more than what was loaded"
    )


def test_a_scene_or_array_may_be_given(embedded, scene):
    explorer = cx.Explorer(embedded, image=scene, texts="a dog", method="clip", beside=None)
    assert explorer.controls.source.value == "given" and len(explorer.viewer.panels) == 1
    assert "IoU" in explorer.viewer.panels[0].merits
    with pytest.raises(FileNotFoundError, match="no such image file"):
        cx.Explorer(embedded, image="nowhere.png")


def test_a_method_that_does_not_fit_is_an_error(embedded):
    with pytest.raises(ValueError, match="nearest: clip_surgery"):
        cx.Explorer(embedded, method="clip_surgry")
    with pytest.raises(ValueError, match="clip_surgery_released does not work on Emoji World"):
        cx.Explorer(embedded, beside="clip_surgery_released")


def test_what_cannot_make_masks_is_refused_before_anything_is_shown(embedded, scene):
    with pytest.raises(ValueError, match="cannot refine by 'grabcat': choose 'grabcut' or 'pamr'"):
        cx.Explorer(embedded, scene, by="grabcat")
    with pytest.raises(TypeError, match="cannot refine by a int"):
        cx.Explorer("no/such/model", scene, by=3)


def test_every_choice_can_be_undone(explorer):
    """Also those that brought others with them, and a mistake; what was typed in one step."""
    c = explorer.controls

    def choose_texts(*steps):
        for text in steps:
            c.texts.value = text

    def state():
        wish = explorer.wish()
        return wish.asked, wish.texts, wish.view, wish.beside, wish.silence, c.scene.at

    choices = [
        lambda: exchange(c.scene, 1, "pizza"),
        lambda: setattr(c.scene, "things", [{**one, "y": 0.3} for one in c.scene.things]),
        lambda: setattr(c.seed, "value", 3),
        lambda: choose_texts("a", "a d", "a dog"),
        lambda: setattr(c.method, "value", "clip_surgery_architecture"),
        lambda: setattr(c.ffn, "value", True),
        lambda: setattr(c.silencer, "off", {"heads": [[6, 3]]}),
        lambda: setattr(c.method, "value", "grad_eclip"),
        lambda: setattr(c.view, "value", "words"),
    ]
    states, images = [state()], [explorer.wish().image]
    for choose in choices:
        choose()
        states.append(state())
        images.append(explorer.wish().image)
    c.texts.value = ""
    assert isinstance(explorer.error, ValueError)
    for expected, image in zip(reversed(states), reversed(images), strict=True):
        c.undo.click()
        assert state() == expected and explorer.error is None
        np.testing.assert_array_equal(explorer.wish().image, image)
        assert explorer._answered.wish.asked == expected[0]
    c.undo.click()
    assert "nothing to undo" in message(explorer) and state() == states[0]


def test_run_asks_again_from_scratch(explorer, tmp_path):
    c = explorer.controls
    path = tmp_path / "changing.png"
    for value in (10, 240):
        cv2.imwrite(str(path), np.full((40, 40, 3), value, np.uint8))
        c.source.value, c.path.value = "file", str(path)
        c.run.click()
        assert explorer.explanation.image.mean() == value


def test_what_is_seen_is_saved(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    c = explorer.controls
    explorer._lives["method_comparison"].view = {"alpha": 0.25}
    for suffix in ("html", "png", "npz"):
        c.format.value = suffix
        c.save.click()
        assert "saved explored" in message(explorer) and ("as it begins" in message(explorer)) == (
            suffix == "png"
        )
    assert '"view": {"alpha": 0.25}' in Path("explored.html").read_text(encoding="utf-8")
    np.testing.assert_array_equal(
        cx.Explanation.from_npz("explored.npz").scores, explorer.explanation.scores
    )
    c.name.value = "no/such/folder"
    c.save.click()
    assert "there is no folder" in message(explorer)


def test_a_notebook_gets_the_widget_and_a_copy_for_readers_without_a_kernel(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "clipxai.app.explorer.display", lambda bundle, **options: shown.append((bundle, options))
    )
    explorer._ipython_display_()
    (widget, _), (copy, options) = shown
    assert (
        "application/vnd.jupyter.widget-view+json" in widget
        and "run this cell" in widget["text/plain"]
    )
    assert (
        set(copy) == {"text/html", "image/png", "text/plain"}
        and "data:image/webp" in copy["text/html"]
    )
    assert options["display_id"] and f"body:has(.{options['display_id']})" in copy["text/html"]


def test_the_copy_in_a_notebook_is_small_in_every_view(explorer):
    for name in explorer.controls.view.options.values():
        explorer.controls.view.value = name
        copy = explorer._asleep()
        assert f'data-viewer="{explorer.viewer.module}"' in copy["text/html"]
        assert sum(map(len, copy.values())) <= 600_000, (
            f"{name} takes {sum(map(len, copy.values())) / 1000:.0f} kB"
        )


def test_one_image_at_a_time(embedded, scene):
    with pytest.raises(ValueError, match="the Explorer shows one image at a time, not 2"):
        cx.Explorer(embedded, image=[scene.image, scene.image], texts="a dog")


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_a_switch_that_could_do_nothing_is_disabled_and_not_in_the_code(explorer, blocks):
    """Second route: what a switch does to the numbers."""
    c = explorer.controls
    c.method.value = "clip_surgery_architecture"
    c.attention.value, c.dual_path.value, c.ffn.value = "kk", False, True
    c.blocks.value = blocks
    for name, other in (("attention", "vv"), ("dual_path", True), ("ffn", False)):
        control = c.switches[name]
        trace, told = explorer.trace, {"attention": "kk", "dual_path": False, "ffn": True}
        maps = [
            rewrite(trace, Rewrite(blocks=blocks, **(told | {name: value})))
            for value in (told[name], other)
        ]
        assert control.disabled == bool((maps[0] == maps[1]).all()), name
        assert (f"{name}=" in message(explorer)) == (not control.disabled), name
    assert explorer.error is None


def test_raw_clip_is_told_as_what_it_is(explorer):
    c = explorer.controls
    c.method.value = "clip"
    assert c.attention.disabled and "cx.explain(trace, &#x27;clip&#x27;)" in message(explorer)
    c.blocks.value = 3
    assert not c.attention.disabled
    c.attention.value = "vv"
    assert "attention=&#x27;vv&#x27;, blocks=3" in message(explorer)
    c.blocks.value = 0
    assert "cx.explain(trace, &#x27;clip&#x27;)" in message(explorer)


def test_an_attention_that_stands_alone_puts_the_others_out(explorer):
    c = explorer.controls
    c.method.value = "naclip"
    for kind in ("identity", "gem"):
        c.attention.value = kind
        assert explorer.error is None and "=None" in message(explorer)
        name, options = explorer.viewer.explanations[-1].method, explorer._answered.wish.asked[1]
        expected = cx.explain(explorer.trace, name, **options)
        np.testing.assert_array_equal(explorer.explanation.scores, expected.scores)


def test_a_resnet_is_not_offered_what_needs_blocks(golden_resnet):
    c = Controls(["a ResNet"], SOURCES, ["a cat"])
    c.offer(golden_resnet[0], "clip_surgery", NOTHING)
    c.arrange()
    assert not c.attention.disabled
    assert "gem" not in c.attention.options and c.dual_path.disabled and c.ffn.disabled


def held() -> int:
    return len(_instances)


def held_before() -> int:
    """What is held once the widgets of other tests, which are in cycles, have gone."""
    gc.collect()
    return held()


def test_closed_is_gone(embedded):
    before = held_before()
    explorer = cx.Explorer(embedded)
    explorer.controls.view.value = "attention"  # another viewer, another widget
    assert held() > before
    trace = ref(explorer.trace)
    with explorer as same:
        assert same is explorer
    explorer.close()  # twice is once
    assert held() == before
    gc.collect()
    assert trace() is None and repr(explorer) == "<Explorer, closed>"
    for ask in (lambda: explorer.trace, lambda: explorer.explanation, explorer.wish):
        with pytest.raises(RuntimeError, match="this Explorer is closed: make another one"):
            ask()
    with pytest.raises(RuntimeError, match="is closed"):
        explorer.save("x.html")


def test_what_nobody_holds_goes_with_its_widgets_and_its_recording(embedded):
    """At once: an explorer is in no cycle, so memory is free before the next is made."""
    before = held_before()
    gc.disable()
    try:
        explorer = cx.Explorer(embedded)
        trace = ref(explorer.trace)
        explorer.controls.blocks.value = 3  # it hears
        assert "blocks=3" in message(explorer)
        del explorer
        assert trace() is None and held() == before
    finally:
        gc.enable()


def test_one_that_cannot_begin_leaves_nothing(embedded):
    before = held_before()
    with pytest.raises(ValueError, match="does not work on"):
        cx.Explorer(embedded, beside="clip_surgery_released")
    gc.collect()
    assert held() == before


class Shell:
    """As much of a notebook's shell as `shown` asks."""

    def __init__(self) -> None:
        self.cell, self.run = "one", 0
        self.user_ns, self.user_ns_hidden = {"_oh": {}}, {}
        self.displayhook, self.last_execution_result = type("Hook", (), {})(), None

    def get_parent(self) -> dict:
        return {"metadata": {"cellId": self.cell}, "header": {"msg_id": str(self.run)}}


def test_running_a_cell_again_closes_what_only_the_history_remembers(embedded, monkeypatch):
    shell = Shell()
    monkeypatch.setattr(shown, "_shell", lambda: shell)
    monkeypatch.setattr(shown, "_shown", {})
    before, most = held_before(), 0

    def run(*made: cx.Explorer) -> None:
        shell.run += 1
        for explorer in made:
            shown.stands(explorer)
            shell.user_ns["_oh"][shell.run] = shell.user_ns["_"] = explorer

    for _ in range(4):
        run(cx.Explorer(embedded))
        most = max(most, held() - before)
    outs = shell.user_ns["_oh"]
    assert [repr(one) for one in outs.values()][:3] == ["<Explorer, closed>"] * 3
    assert held() - before == most, "the widgets of one"
    kept = cx.Explorer(embedded)
    run(kept)
    run(cx.Explorer(embedded), cx.Explorer(embedded))
    assert kept.trace, "a variable holds it"
    shell.cell = "two"
    run(cx.Explorer(embedded))
    alive = [one for one in outs.values() if "closed" not in repr(one)]
    assert len(alive) == 3, "kept, the last one of cell one, that of cell two"
    run(alive[-1])
    assert "closed" not in repr(alive[-1]), "shown again"
    for explorer in alive:
        explorer.close()


def choose(explorer, **view):
    """As the browser tells of the reader's choices."""
    shown = explorer._lives["method_comparison"]
    shown.view = {**shown.view, **view}


def test_the_overlay_of_points_shows_the_refined_mask(explorer):
    assert "masks" not in sent(explorer)
    choose(explorer, overlay=2, threshold=0.8)
    assert explorer.error is None and explorer.session.recorded == 1
    for height in (0.8, 0.6):
        choose(explorer, threshold=height)
        header = explorer._lives["method_comparison"].payload["header"]
        assert header["refined"] == {"size": [224, 224], "threshold": height}
        assert "GrabCut" in " ".join(header["notes"])
        assert f"'grabcut', sure={height}" in html.unescape(message(explorer))
        for panel, mask in zip(explorer.viewer.panels, sent(explorer)["masks"], strict=True):
            alone = cx.explain(explorer.trace, panel.method)
            made = cx.refine(alone, sure=height).mask(panel.text)
            assert made.any()
            # every panel its own, in the middle of each pixel that travels
            at = ((np.arange(224) + 0.5) * made.shape[0] / 224).astype(int)
            np.testing.assert_array_equal(mask, made[np.ix_(at, at)])
    choose(explorer, overlay=1)
    assert "masks" not in sent(explorer)


def test_what_cannot_be_refined_is_said_and_the_figure_stays(explorer):
    choose(explorer, overlay=2, threshold=0.8)
    before = explorer.viewer
    choose(explorer, threshold=0.3)
    assert "rise in this order" in message(explorer) and explorer.viewer is before
    choose(explorer, threshold=0.7)
    assert explorer.error is None and explorer.viewer is not before


def test_a_sam_that_was_given_makes_the_masks(embedded):
    asked = []

    def sam(image, points, labels, box):
        asked.append((points, labels))
        left = np.zeros(image.shape[:2], bool)
        left[:, : image.shape[1] // 2] = True
        return [left], [0.5]

    explorer = cx.Explorer(embedded, beside=None, by=sam)
    choose(explorer, overlay=2, threshold=0.8)
    for (points, labels), text in zip(asked, explorer.viewer.texts, strict=True):
        np.testing.assert_array_equal(points, explorer.explanation.points(text, 0.8)[0])
        np.testing.assert_array_equal(labels, explorer.explanation.points(text, 0.8)[1])
    assert "sam, hot=0.8" in message(explorer)
    masks = sent(explorer)["masks"]
    assert masks.any() and not masks[..., 112:].any()
