"""Does the editor show what is in the scene, and does the Explorer draw what was moved in it?"""

import base64
import threading

import cv2
import numpy as np
import pytest

import clipxai as cx
from clipxai.app.scene_editor import ZOOM, SceneEditor


def opened(url):
    encoded = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    return cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)


@pytest.fixture
def explorer(embedded):
    return cx.Explorer(embedded)


def move(explorer, n, **to):
    """As the browser tells of it."""
    editor = explorer.controls.scene
    editor.things = [{**one, **to} if at == n else one for at, one in enumerate(editor.things)]


def test_a_cutout_put_back_where_it_was_is_the_scene():
    """On the scene without its things; but for the grain, which the coding of pictures loses."""
    scene = cx.scenes.compose(["cat", "guitar"], "wood", 0, 336)
    editor = SceneEditor(["cat", "guitar"])
    editor.show(scene)
    pictures = editor.pictures
    drawn = opened(pictures["empty"])[..., :3].astype(float)
    there = scene.masks.any(0)
    missing = np.abs(drawn - scene.image)[there].mean()
    for thing, url in zip(editor.things, pictures["cutouts"], strict=True):
        cut = opened(url)
        side = round(336 * ZOOM * thing["side"])
        assert cut.shape == (side, side, 4)
        top, left = (round(336 * thing[way] - side / 2) for way in ("y", "x"))
        rows, columns = slice(max(0, top), top + side), slice(max(0, left), left + side)
        part = cut[rows.start - top : 336 - top, columns.start - left : 336 - left]
        solid = part[..., 3] > 127
        drawn[rows, columns][solid] = part[..., :3][solid]
    assert np.abs(drawn - scene.image)[there].mean() < missing / 10
    assert np.abs(drawn - scene.image)[~there].mean() < 5


def test_the_seed_decides_until_something_is_moved(explorer):
    c = explorer.controls
    c.seed.value = 3
    thrown = cx.scenes.compose(["cat", "guitar"], "wood", 3, 336)
    np.testing.assert_array_equal(explorer.wish().image, thrown.image)
    assert [thing["x"] for thing in c.scene.things] == [box.x for box in thrown.places]
    move(explorer, 1, name="pizza")
    np.testing.assert_array_equal(
        explorer.wish().image, cx.scenes.compose(["cat", "pizza"], "wood", 3, 336).image
    )
    move(explorer, 0, y=0.7, x=0.25)
    places = [(0.7, 0.25, thrown.places[0].side), thrown.places[1]]
    moved = cx.scenes.compose(["cat", "pizza"], "wood", 3, 336, places)
    np.testing.assert_array_equal(explorer.viewer.explanations[-1].image, moved.image)
    np.testing.assert_array_equal(explorer.viewer.mask["a cat"], moved.mask("cat"))
    c.background.value = "grass"
    assert explorer.wish().scene.places == moved.places, "what was moved stays"
    c.seed.value = 4
    np.testing.assert_array_equal(
        explorer.wish().image, cx.scenes.compose(["cat", "pizza"], "grass", 4, 336).image
    )


def test_things_are_doubled_and_taken_out(explorer):
    editor = explorer.controls.scene
    editor.things = [*editor.things, {**editor.things[0], "x": 0.2}]
    assert editor.names == ["cat", "guitar", "cat"] and len(editor.pictures["cutouts"]) == 3
    assert explorer.controls.texts.value == "a cat\na guitar"
    editor.things = editor.things[:1]
    assert explorer.wish().scene.objects == ("cat",) and explorer.viewer.texts == ("a cat",)
    before = explorer.viewer
    move(explorer, 0, y=1.5)
    assert "is no place" in explorer.controls.message.value and explorer.viewer is before


def told_during(monkeypatch, place, name, *choices):
    """Two choices in two threads, the second while the first is within a method of `place`.

    JupyterLab may tell of each in a thread of its own, the second before the first is done.
    """
    did, paused, go_on = getattr(place, name), threading.Event(), threading.Event()

    def slowly(*given):
        if not paused.is_set():
            paused.set()
            assert go_on.wait(20)
        did(*given)

    monkeypatch.setattr(place, name, slowly)
    first, second = (threading.Thread(target=choose, args=given) for choose, *given in choices)
    first.start()
    assert paused.wait(20)
    second.start()
    second.join(1)
    go_on.set()
    for thread in (first, second):
        thread.join(20)


@pytest.mark.parametrize("where", ["show", "ask"])
def test_two_choices_in_two_threads_both_count(explorer, monkeypatch, where):
    c, place = explorer.controls, {"show": explorer.controls.scene, "ask": explorer._latest}[where]
    choices = (setattr, c.background, "value", "grass"), (setattr, c.beside, "value", "—")
    told_during(monkeypatch, place, where, *choices)
    wish = explorer._answered.wish
    assert wish.beside is None and wish.scene.background == "grass"


def test_what_is_dragged_while_an_earlier_scene_is_shown_is_not_taken_back(explorer, monkeypatch):
    c, editor = explorer.controls, explorer.controls.scene
    things = [{**editor.things[0], "x": 0.9}, editor.things[1]]
    choices = (setattr, c.background, "value", "grass"), (editor.set_state, {"things": things})
    told_during(monkeypatch, editor, "show", *choices)
    scene = explorer._answered.wish.scene
    assert scene.background == "grass" and scene.places[0].x == editor.things[0]["x"] == 0.9
