"""Does the saved page of effects tell of the cell under the pointer?"""

from collections.abc import Callable

from browsing import (
    assert_no_sideways_scrolling,
    assert_poster,
    press,
    saved,
    settled,
    status,
)
from inside_examples import TEXTS, effects, head_contributions
from test_effect_grid import known_heads

from clipxai.view import EffectGrid
from clipxai.view.effect_grid import sentences

VIEWER = EffectGrid(effects(), head_contributions())


def told(text: int, head: int, layer: int) -> str:
    return sentences.status(VIEWER.grids, text, head, layer)


def test_a_cell_says_what_is_lost_and_what_was_added(visit: Callable):
    page = visit(saved(VIEWER))
    settled(page)
    assert status(page) == told(0, 0, 1), "the largest effect first"
    cell = page.locator(".effects").nth(1).locator("[data-cell='6']")  # head 1 of layer 2
    cell.hover()
    settled(page)
    assert status(page) == told(0, 1, 2) and "they disagree" in status(page)
    page.mouse.move(2, 2)
    settled(page)
    assert status(page) == told(0, 0, 1)
    cell.click()
    page.mouse.move(2, 2)
    press(page, "]", "{")
    assert status(page) == told(0, 0, 3)


def test_another_text_has_its_own_numbers(visit: Callable):
    page = visit(saved(VIEWER))
    page.get_by_role("button", name=TEXTS[1]).click()
    settled(page)
    assert status(page) == told(1, 0, 1)
    shown = page.locator(".effects [data-cell]").all_inner_texts()
    assert len(shown) == 24 and shown[1] == "+0.750"


def test_where_they_disagree_is_marked_where_numbers_have_no_room(visit: Callable):
    page = visit(saved(EffectGrid(effects(layers=8), head_contributions(layers=8))))
    page.set_viewport_size({"width": 900, "height": 700})
    settled(page)
    marks = page.locator(".effects .few[data-apart]")
    assert marks.count() > 0
    colours = marks.evaluate_all("cells => cells.map(c => getComputedStyle(c).borderTopColor)")
    assert not {"rgba(0, 0, 0, 0)"} & {*colours}


def test_a_grid_alone_takes_the_room_of_two(visit: Callable):
    page = visit(saved(EffectGrid(effects(layers=8))))
    page.set_viewport_size({"width": 880, "height": 700})
    settled(page)
    assert page.locator(".photo").is_visible()
    assert page.locator(".effects [data-cell]").count() == 24
    assert page.locator(".effects .few").count() == 0, "every cell says its number"


def test_narrow_windows_and_no_scripts(visit: Callable):
    page = visit(saved(VIEWER))
    page.set_viewport_size({"width": 420, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)
    assert_poster(visit(saved(VIEWER, poster=True), java_script_enabled=False))


def test_a_click_opens_what_is_known_of_a_head(visit: Callable):
    page = visit(saved(EffectGrid(effects(), **known_heads())))
    page.set_viewport_size({"width": 1024, "height": 640})
    settled(page)
    assert page.locator(".figure").bounding_box()["height"] <= 500
    assert status(page).endswith("Named: name 1.0; b")
    titles = page.locator(".details b").all_inner_texts()
    assert titles == ["image", "with it", "without it", "it looks at"]
    assert page.get_by_text("no map was made").count() == 0
    page.locator("[data-cell='6']").first.click()
    settled(page)
    assert page.get_by_text("no map was made").count() == 1
    assert page.locator(".details span").all_inner_texts().count("layer 2, head 1") == 2
