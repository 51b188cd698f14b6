"""Does the saved page of tracing show one layer after another, and fit on a screen?"""

from collections.abc import Callable

import pytest
from browsing import (
    assert_accessible,
    assert_no_sideways_scrolling,
    assert_poster,
    press,
    saved,
    settled,
    status,
)
from inside_examples import traced

from clipxai.view import Tracing
from clipxai.view.number import signed

FOUND = traced()


def test_a_layer_and_a_cell_are_told(visit: Callable):
    page = visit(saved(Tracing(FOUND)))
    settled(page)
    assert status(page) == "layer 0: most at row 2, column 2, −0.250"
    press(page, "]", "]")
    assert status(page) == "layer 2: most at row 2, column 2, −0.063"
    page.locator("[data-cell='3']").hover()
    settled(page)
    assert status(page) == "layer 3, class token: −0.500"
    page.locator(".film").click(position={"x": 5, "y": 5})
    page.mouse.move(2, 2)
    page.get_by_role("button", name="a clock").click()
    settled(page)
    best = abs(FOUND.change[:, 1:, 1]).max(1).argmax()
    assert status(page).startswith(f"layer {best}: most at row")


def test_words(visit: Callable):
    page = visit(saved(Tracing(traced("words"))))
    settled(page)
    assert status(page) == "layer 0, owl: −0.250" and page.locator(".film").count() == 0
    shown = page.locator("[data-cell]").all_inner_texts()
    assert shown == [signed(float(value)) for value in traced("words").change.ravel()]


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 800, 640), (1024, 640, 500)])
def test_one_screen(visit: Callable, width: int, height: int, most: int):
    for found in (FOUND, traced("words")):
        page = visit(saved(Tracing(found)))
        page.set_viewport_size({"width": width, "height": height})
        settled(page)
        assert page.locator(".figure").bounding_box()["height"] <= most


def test_narrow_windows_and_no_scripts(visit: Callable):
    page = visit(saved(Tracing(FOUND)))
    page.locator(".verdict").wait_for()
    assert_accessible(page)
    page.set_viewport_size({"width": 420, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)
    assert_poster(visit(saved(Tracing(FOUND), poster=True), java_script_enabled=False))
