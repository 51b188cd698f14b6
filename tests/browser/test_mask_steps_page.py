"""Does the page of a refinement do what its help line promises, in a browser without network?"""

import numpy as np
import pytest
from browsing import assert_no_sideways_scrolling, saved, settled, status

import clipxai as cx

SIDE = 56


@pytest.fixture(scope="module")
def steps():
    """The map has the left quarter, the mask the left half, the truth the three left quarters."""
    grid = cx.Grid(1, 4, (SIDE, SIDE), (0, 0, SIDE, SIDE))
    image = np.full((SIDE, SIDE, 3), 200, np.uint8)
    scores = np.array([[[1, 0, 0, 0]], [[0, 0, 0, 1]]], np.float32)
    none = np.zeros(2, np.float32)
    e = cx.Explanation(scores, ("<b>dog</b>", "cat"), "clip", grid, "cosine", image, none)
    columns = np.tile(np.arange(SIDE), (SIDE, 1))

    def sam(image, points, labels, box):
        return [columns < SIDE / 2, columns >= SIDE / 2], [0.9, 0.3]

    truth = {"<b>dog</b>": columns < 0.75 * SIDE}
    return cx.view.MaskSteps(cx.refine(e, sam), truth=truth)


def point_at(page, x):
    box = page.locator(".picture").nth(1).bounding_box()
    page.mouse.move(box["x"] + x * box["width"], box["y"] + 0.5 * box["height"])
    settled(page)


def test_texts_masks_and_pixels(visit, steps):
    page = visit(saved(steps))
    settled(page)
    for x, words in (
        (0.05, "in both masks; in truth the thing"),
        (0.4, "gained by refinement; in truth the thing"),
        (0.6, "in neither mask; in truth the thing"),
        (0.9, "in neither mask; in truth not the thing"),
    ):
        point_at(page, x)
        assert status(page) == words
    page.get_by_role("button", name="mask 2").click()
    point_at(page, 0.05)
    assert status(page) == "lost by refinement; in truth the thing"
    assert "IoU 0.25" in page.locator(".panel").nth(2).inner_text()
    page.get_by_role("button", name="cat").click()
    point_at(page, 0.9)
    assert status(page) == "in both masks"
    assert not page.get_by_role("button", name="click: look").is_visible(), "no kernel answers"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_narrow_windows(visit, steps, scheme):
    page = visit(saved(steps), color_scheme=scheme)
    page.set_viewport_size({"width": 380, "height": 800})
    settled(page)
    assert_no_sideways_scrolling(page)
