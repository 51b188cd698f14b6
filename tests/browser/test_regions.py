"""Does a saved segmentation do what its help line promises, in a real browser without network?"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browsing import (
    assert_damage_leaves_the_poster,
    assert_no_sideways_scrolling,
    press,
    saved,
    settled,
    status,
)

import clipxai as cx

TEXTS = ("dog", "<b>cat</b>", "grass")
SIDE = 56


@pytest.fixture(scope="module")
def regions():
    """Three upright stripes, of which the dog's left half is in truth the cat's."""
    scores = np.zeros((3, 1, 3), np.float32)
    scores[[0, 1, 2], 0, [0, 1, 2]] = 1
    grid = cx.Grid(1, 3, (SIDE, SIDE), (0, 0, SIDE, SIDE))
    e = cx.Explanation(
        scores,
        TEXTS,
        "clip",
        grid,
        "cosine",
        np.full((SIDE, SIDE, 3), 200, np.uint8),
        np.zeros(3, np.float32),
    )
    truth = np.zeros((SIDE, SIDE), bool)
    truth[:, :10] = True
    return cx.view.RegionMap(cx.segment(e, threshold=0.5, of="map"), truth={TEXTS[1]: truth})


def point_at(page, panel, x, y):
    box = page.locator(".picture").nth(panel).bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    settled(page)


def opacities(page, panel):
    """Of the pixels in the middle row of a panel's classes."""
    return (
        page.locator(".panel:not(.photo)")
        .nth(panel)
        .locator("canvas")
        .first.evaluate(
            "c => [...c.getContext('2d').getImageData(0, c.height >> 1, c.width, "
            "1).data].filter((_, i) => i % 4 === 3)"
        )
    )


def test_pixels_classes_and_truth(visit: Callable, regions):
    page = visit(saved(regions))
    settled(page)
    for x, name in ((0.1, "dog"), (0.5, "<b>cat</b>"), (0.9, "grass")):
        point_at(page, 1, x, 0.5)
        assert status(page).startswith(f"{name}; best height")
    point_at(page, 2, 0.1, 0.5)  # the truth's panel says the same of the same pixel
    assert status(page) == "dog; best height 1; in truth <b>cat</b>"
    keys = page.locator(".key button")
    assert keys.all_inner_texts()[0] == "all classes" and any(
        "IoU" in text for text in keys.all_inner_texts()
    )
    keys.filter(has_text="grass").click()
    settled(page)
    mine = regions.regions.segmentation.labels[SIDE // 2] == 3
    assert [n for n, opacity in enumerate(opacities(page, 0)) if opacity == 153] == np.flatnonzero(
        mine
    ).tolist()


def test_keys_move_pin_and_unpin(visit: Callable, regions):
    page = visit(saved(regions))
    settled(page)
    press(page, "ArrowRight", *["ArrowLeft"] * 12, " ")
    assert status(page).startswith("dog")
    press(page, "Escape")
    assert status(page).strip() == ""
    press(page, "?")
    settled(page)
    assert page.locator(".help").is_visible()


def test_damaged_numbers_leave_the_poster_and_say_why(browser: object, regions, tmp_path: Path):
    assert_damage_leaves_the_poster(browser, saved(regions, poster=True), tmp_path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_narrow_windows(visit: Callable, regions, scheme):
    page = visit(saved(regions), color_scheme=scheme)
    page.set_viewport_size({"width": 380, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)
    background = page.locator(".figure").evaluate("node => getComputedStyle(node).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
