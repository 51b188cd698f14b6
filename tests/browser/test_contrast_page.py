"""Does the saved page of a contrast say for which text a patch speaks?"""

from collections.abc import Callable

import numpy as np
from browsing import (
    assert_no_sideways_scrolling,
    assert_poster,
    point_at,
    press,
    readouts,
    saved,
    settled,
    status,
)
from view_examples import contrast

from clipxai.view import ContrastMap
from clipxai.view.number import number

VIEWER = ContrastMap(contrast())
MAP = VIEWER.sides.values.reshape(14, 14)


def test_a_patch_says_for_whom_it_speaks(visit: Callable):
    page = visit(saved(VIEWER))
    for at, side in ((MAP.argmax(), "an owl"), (MAP.argmin(), "a clock")):
        row, column = map(int, np.unravel_index(at, MAP.shape))
        point_at(page, 1, row, column)
        value = number(float(MAP[row, column]))
        assert status(page) == f"row {row}, column {column}: {value}, for “{side}”"
        assert readouts(page)[0].startswith(value)


def test_names_parts_and_verdict_stand_there(visit: Callable):
    page = visit(saved(VIEWER))
    settled(page)
    assert page.locator(".ends span").all_inner_texts() == ["◀ a clock", "an owl ▶"]
    assert page.locator(".verdict").inner_text().startswith("“a clock” fits the whole image better")
    rows = page.locator(".row span:last-child").all_inner_texts()
    parts = sorted(map(float, VIEWER.sides.parts()), reverse=True)
    assert rows == [number(part) for part in parts]
    whole, *tracks = page.locator(".rows, .track").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect().width)"
    )
    assert all(track > 0.95 * whole for track in tracks), "bars take all the room there is"


def test_keys_and_narrow_windows(visit: Callable):
    page = visit(saved(VIEWER))
    press(page, "ArrowDown", "Space", "Escape")
    page.set_viewport_size({"width": 420, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)


def test_without_scripts_the_poster_is_seen(visit: Callable):
    assert_poster(visit(saved(VIEWER, poster=True), java_script_enabled=False))
