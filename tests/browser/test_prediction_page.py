"""Can a reader paint with the mouse and the keys, and is what is revealed scored as Python does?"""

import numpy as np
from attention_examples import attention_example
from browsing import assert_no_sideways_scrolling, centre, press, saved, settled, status
from view_examples import example

from clipxai.view import Prediction

E = example("clip_surgery")


def story(page: object) -> str:
    settled(page)
    return page.locator(".story").inner_text()


def test_paint_reveal_and_score(visit):
    viewer = Prediction(E)
    page = visit(saved(viewer))
    assert "covered" in page.locator(".panel").nth(1).inner_text()
    assert status(page).startswith("Click patches to paint them"), "before anybody asks for help"
    page.mouse.move(*centre(page, 0, 2, 3))
    page.mouse.down()
    page.mouse.move(*centre(page, 0, 2, 6), steps=6)
    page.mouse.up()
    page.mouse.click(*centre(page, 0, 9, 9))
    page.mouse.click(*centre(page, 0, 2, 4))
    press(page, "ArrowDown", "Space")
    painted = [14 * row + column for row, column in ((2, 3), (2, 5), (2, 6), (9, 9), (3, 4))]
    assert "patches painted: 5" in page.locator(".canvas").inner_text()
    assert status(page) == "row 3, column 4: painted"
    page.get_by_role("button", name="reveal").click()
    hits, chance = viewer.question.hits(painted)
    assert story(page) == (
        f"{hits} of your 5 patches are among the 5 highest; guessing gives {chance:.1f}."
    )
    page.mouse.click(*centre(page, 0, 0, 0))
    assert "patches painted: 5" in page.locator(".canvas").inner_text(), "revealed is revealed"
    page.get_by_role("button", name="again").click()
    settled(page)
    assert "patches painted: 0" in page.locator(".canvas").inner_text()
    page.get_by_role("button", name="reveal").click()
    assert story(page).startswith("You painted nothing")
    assert_no_sideways_scrolling(page)


def test_attention_tells_the_share_and_the_patch_itself_is_not_painted(visit):
    maps = attention_example(8, 4, (14, 14))
    page = visit(saved(Prediction(maps, patch=(4, 3), layer=2)))
    for row, column in ((4, 3), (5, 3), (5, 4)):
        page.mouse.click(*centre(page, 0, row, column))
    page.get_by_role("button", name="reveal").click()
    weights = np.delete(maps.mean["qk"][2, 1 + 4 * 14 + 3, 1:].astype(float), 4 * 14 + 3)
    share = weights[[5 * 14 + 3 - 1, 5 * 14 + 4 - 1]].sum() / weights.sum()
    told = story(page)
    assert " of your 2 patches" in told and f"They get {100 * share:.1f} % of" in told
    assert f"evenly it would be {100 * 2 / 195:.1f} %." in told
