"""Does a live comparison show new data in place, exactly as if it had begun with them?"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from browsing import settled
from view_examples import MASKS, TEXTS, example

from clipxai.view import MethodComparison
from clipxai.view.html import join, stylesheet

OTHER = ("a dog", "a tree")
FIRST = [example(name, seed=n) for n, name in enumerate(("clip", "clip_surgery"))]
NEXT = [example(name, OTHER, seed=n + 5) for n, name in enumerate(("clip", "clip_surgery"))]
SHOW = """({ css, data }) => {
    window.model = values => {
        const heard = {};
        const get = name => values[name], on = (name, f) => { heard[name] = f; };
        const next = payload => { values.payload = payload; heard['change:payload'](); };
        return { get, on, off() {}, set() {}, save_changes() {}, next };
    };
    window.figure = payload => {
        const el = document.body.appendChild(document.createElement('div'));
        const live = model({ css, view: {}, payload });
        viewer.render({ model: live, el });
        return { el, next: live.next };
    };
    window.live = figure(data);
}"""
PIXELS = """el => [...el.shadowRoot.querySelectorAll('canvas')].map(c => c.toDataURL())"""
WORDS = """el => [...el.shadowRoot.querySelectorAll(
    'figcaption, .story, .numbers, .note, .chip, .caption, .readout, tbody'
)].map(node => node.textContent)"""


def sent(viewer: MethodComparison) -> dict:
    payload = viewer.payload()
    return {"header": payload.header, "blob": payload.base64()}


def shown(visit: Callable, viewer: MethodComparison) -> object:
    """A page with a live figure, `live` by name, and `figure` to make another."""
    code = f"{join('method_comparison/viewer')}\nwindow.viewer = viewer;"
    page = visit(f"<!doctype html><body><script>{code}</script>")
    page.evaluate(SHOW, {"css": stylesheet(), "data": sent(viewer)})
    settled(page)
    return page


def follow(page: object, viewer: MethodComparison) -> bool:
    """Send new data; whether the figure kept what stands on the page."""
    page.evaluate("() => { window.stage = live.el.shadowRoot.querySelector('.stage'); }")
    page.evaluate("data => live.next(data)", sent(viewer))
    settled(page)
    return page.evaluate("() => stage === live.el.shadowRoot.querySelector('.stage')")


def fresh(page: object, viewer: MethodComparison, read: str) -> object:
    """What a figure that begins with these data has in its stead, at the same place of the page."""
    page.evaluate(
        "data => { live.el.style.display = 'none'; window.other = figure(data); }", sent(viewer)
    )
    settled(page)
    found = page.evaluate(f"() => ({read})(other.el)")
    page.evaluate("() => { other.el.remove(); live.el.style.display = ''; }")
    return found


@pytest.mark.parametrize(
    "then",
    [
        MethodComparison(NEXT),
        MethodComparison(
            [
                example(name, seed=n + 9, sign=-1.0)
                for n, name in enumerate(("clip", "clip_surgery"))
            ],
            mask=MASKS,
        ),
    ],
    ids=["other texts", "other scores, with masks"],
)
def test_new_data_look_as_if_the_figure_had_begun_with_them(
    visit: Callable, then: MethodComparison
):
    page = shown(visit, MethodComparison(FIRST))
    before = page.evaluate(f"() => ({PIXELS})(live.el)")
    assert follow(page, then)
    after, words = page.evaluate(f"() => [({PIXELS})(live.el), ({WORDS})(live.el)]")
    assert after != before
    assert words == fresh(page, then, WORDS)
    assert after == fresh(page, then, PIXELS)


def test_new_data_are_painted_once(visit: Callable):
    page = shown(visit, MethodComparison(FIRST))
    page.evaluate("""() => {
        window.painted = 0;
        const put = CanvasRenderingContext2D.prototype.putImageData;
        CanvasRenderingContext2D.prototype.putImageData = function (...values) {
            painted += this.canvas.className === 'layer map';
            put.apply(this, values);
        };
    }""")
    follow(page, MethodComparison(NEXT))
    assert page.evaluate("painted") == 2, "two maps"


def test_the_pinned_patch_stays_and_is_read_anew(visit: Callable):
    page = shown(visit, MethodComparison(FIRST))
    page.locator(".stage").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    before = page.locator(".readout").all_inner_texts()
    assert follow(page, MethodComparison(NEXT))
    after = page.locator(".readout").all_inner_texts()
    assert all("rank" in line for line in after) and after != before
    assert page.evaluate("() => live.el.shadowRoot.activeElement === stage"), (
        "the keys still go to the figure"
    )


def test_a_map_without_variation_says_so_only_while_it_has_none(visit: Callable):
    scores = example("clip").scores.copy()
    scores[0] = 0.5
    flat = replace(example("clip"), scores=scores)
    page = shown(visit, MethodComparison([flat, FIRST[1]]))
    assert page.locator(".note").all_inner_texts() == ["no variation"]
    assert follow(page, MethodComparison(FIRST))
    assert page.locator(".note").count() == 0
    assert follow(page, MethodComparison([FIRST[0], flat]))
    assert page.locator(".note").count() == 1


def test_data_of_another_layout_rebuild_the_figure(visit: Callable):
    page = shown(visit, MethodComparison(FIRST))
    assert not follow(page, MethodComparison(FIRST[:1]))
    assert page.locator(".panel:not(.photo) b").all_inner_texts() == list(TEXTS)
    photo = np.ascontiguousarray(FIRST[0].image[:, ::-1])
    assert not follow(page, MethodComparison(example("clip", image=photo)))
    assert (
        page.locator("img").first.get_attribute("src")
        == MethodComparison(example("clip", image=photo)).payload().header["photo"]
    )


def test_the_chosen_text_stays_by_name_and_else_by_place(visit: Callable):
    page = shown(visit, MethodComparison(FIRST))
    page.locator(".chip", has_text=TEXTS[1]).click()
    assert page.locator(".chip[aria-pressed=true]").all_inner_texts() == [TEXTS[1]]
    assert follow(
        page,
        MethodComparison(
            [example(name, seed=n + 3) for n, name in enumerate(("clip", "clip_surgery"))]
        ),
    )
    assert page.locator(".chip[aria-pressed=true]").all_inner_texts() == [TEXTS[1]]
    assert follow(page, MethodComparison(NEXT))
    assert page.locator(".chip[aria-pressed=true]").all_inner_texts() == [OTHER[1]]
