"""Does a click on two labels open what speaks for which?"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from browsing import (
    assert_no_sideways_scrolling,
    assert_poster,
    point_at,
    press,
    saved,
    settled,
    status,
)
from view_examples import example

from clipxai.view import LabelRanking
from clipxai.view.number import number

THREE = example("decomposition", texts=("an owl", "a clock", "a bus"))
VIEWER = LabelRanking(replace(THREE, presence=np.array([0.3, 0.2, 0.1], np.float32)))
MAPS = VIEWER.labels.maps().reshape(3, 14, 14)


def title(page) -> str:
    return page.locator(".panel figcaption b").nth(1).inner_text()


def read(page, row: int, column: int) -> str:
    point_at(page, 1, row, column)
    return status(page)


def test_two_labels_are_a_contrast_and_one_is_a_map(visit: Callable):
    page = visit(saved(VIEWER))
    settled(page)
    assert title(page) == "an owl rather than a clock"
    row, column = map(int, np.unravel_index((MAPS[0] - MAPS[1]).argmin(), (14, 14)))
    value = number(float(MAPS[0, row, column] - MAPS[1, row, column]))
    told = f"row {row}, column {column}: {value}, for “a clock”"
    assert read(page, row, column) == told
    chips, rows = page.locator(".chip.word"), page.locator(".row")
    rows.nth(2).click()  # the third takes the place of the older
    assert title(page) == "a clock rather than a bus"
    value = number(float(MAPS[1, row, column] - MAPS[2, row, column]))
    assert f": {value}, for “" in read(page, row, column)
    chips.nth(1).click()  # lets it go
    assert title(page) == "a bus"
    value = number(float(MAPS[2, row, column]))
    assert read(page, row, column) == f"row {row}, column {column}: {value}, “a bus”"
    assert [chip.get_attribute("aria-pressed") for chip in chips.all()] == [
        "false",
        "false",
        "true",
    ]
    chips.nth(2).click()
    assert title(page) == "no label chosen"
    assert read(page, row, column) == "Click two labels to see what speaks for which."


def test_verdict_keys_and_narrow_windows(visit: Callable):
    page = visit(saved(VIEWER))
    assert page.locator(".verdict").inner_text().startswith("“an owl” comes first, with 100.0 %")
    press(page, "ArrowDown", "Space", "Escape")
    page.set_viewport_size({"width": 420, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)


def test_without_scripts_the_poster_is_seen(visit: Callable):
    assert_poster(visit(saved(VIEWER, poster=True), java_script_enabled=False))
