"""Is nothing lost of what a reader drags while the kernel still answers an earlier choice?"""

from collections.abc import Callable

import pytest
from browsing import wait_until

from clipxai.app.scene_editor import SceneEditor
from clipxai.scenes import compose
from clipxai.view.html import join

RUN = """values => {
    const heard = {}, model = window.model = {
        told: [],
        get: name => values[name],
        set: (name, value) => { values[name] = value; },
        save_changes() { this.told.push(structuredClone(values.things)); },
        on: (name, notify) => { heard[name] = notify; },
        off() {},
        show(next) { Object.assign(values, next); heard['change:pictures'](); },
    };
    const el = document.body.appendChild(document.createElement('div'));
    el.style.width = '400px';
    viewer.render({ model, el });
}"""


def state(editor: SceneEditor) -> dict:
    return {
        name: getattr(editor, name) for name in ("things", "pictures", "world", "words", "most")
    }


@pytest.fixture
def editor() -> SceneEditor:
    made = SceneEditor(["cat", "guitar"])
    made.show(compose(made.names, "wood", 0, 336))
    return made


def test_a_picture_that_comes_while_a_thing_is_dragged_takes_nothing_back(
    visit: Callable, editor: SceneEditor
):
    css = ".scene { position: relative; width: 400px; height: 400px } .thing { position: absolute }"
    code = f"{join('../app/scene_editor')}\nwindow.viewer = viewer;"
    page = visit(f"<!doctype html><style>{css}</style><body><script>{code}</script>")
    page.evaluate(RUN, state(editor))
    before, thing = editor.things, page.locator(".thing").first
    box = thing.bounding_box()

    def answer() -> None:
        """To what was chosen earlier: things where they were."""
        page.evaluate("next => model.show(next)", state(editor))

    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    answer()  # before it moves
    page.mouse.move(x + 20, y)
    answer()
    assert thing.bounding_box()["x"] == pytest.approx(box["x"] + 20, abs=1)
    page.mouse.move(x + 40, y)
    page.mouse.up()
    (told,) = page.evaluate("() => model.told")
    assert told[0]["x"] == pytest.approx(before[0]["x"] + 40 / 400, abs=0.002)
    assert told[1]["x"] == pytest.approx(before[1]["x"], abs=0.001)
    thing.press("ArrowLeft")
    answer()  # before the kernel is told of the key
    wait_until(page, "model.told.length === 2")
    told = page.evaluate("() => model.told[1][0].x")
    assert told == pytest.approx(before[0]["x"] + 40 / 400 - 0.02, abs=0.002)
    answer()
    assert page.locator(".scene[data-moving]").count() == 0, "at rest, what the kernel says counts"
    assert thing.bounding_box()["x"] == pytest.approx(box["x"], abs=1)
