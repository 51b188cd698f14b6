"""Can a reader rank maps by keys and by dragging, and does revealing end it with a true code?"""

from browsing import assert_accessible, assert_no_sideways_scrolling, saved, settled
from view_examples import MASKS, example

from clipxai.view import BlindRanking

MAPS = [
    example(name, seed=n, sign=sign)
    for n, (name, sign) in enumerate(
        (("gem", 1.0), ("legrad", 1.0), ("clip", -1.0), ("maskclip", 1.0))
    )
]
VIEWER = BlindRanking(MAPS, MASKS)


def titles(page: object) -> list[str]:
    settled(page)
    return page.locator(".card figcaption").all_inner_texts()


def letters(page: object) -> str:
    return "".join(title[-1] for title in titles(page))


def test_keys_drag_reveal_and_code(visit):
    page = visit(saved(VIEWER))
    assert letters(page) == "ABCD" and "Put the best first" in page.locator(".story").inner_text()
    assert not any(name in page.locator(".figure").inner_text() for name in VIEWER.ballot.names)
    page.get_by_role("button", name="map C: one place better").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # it is first, and stays it
    assert letters(page) == "CABD", "the button kept the focus"
    page.locator(".card").nth(0).drag_to(page.locator(".card").nth(3))
    assert letters(page) == "ABDC"
    assert "C is in place 4 of 4" in page.locator(".status").inner_text()
    page.get_by_role("button", name="reveal").click()
    settled(page)
    code = page.get_by_label("your code").input_value()
    assert code == f"ABDC-{VIEWER.ballot.stamp}"
    assert page.get_by_role("button", name="better").count() == 0
    (agree,) = BlindRanking(MAPS, MASKS, votes=code).ballot.agreements()
    assert page.locator(".story").inner_text().startswith(f"You put {agree} of 6 pairs")
    for title, letter in zip(titles(page), "ABDC"):
        assert title.endswith(VIEWER.ballot.names[VIEWER.ballot.letters.index(letter)])
    page.locator(".card").nth(0).drag_to(page.locator(".card").nth(3))
    assert page.get_by_label("your code").input_value() == code, "revealing ends the ranking"
    assert_accessible(page)
    assert_no_sideways_scrolling(page)


def test_a_finger_moves_a_map_by_its_title(visit):
    page = visit(saved(VIEWER), has_touch=True)
    assert letters(page) == "ABCD"
    boxes = [page.locator(".card").nth(n).bounding_box() for n in range(3)]
    start, end = ((box["x"] + 20, box["y"] + 8) for box in (boxes[0], boxes[2]))
    touch = page.context.new_cdp_session(page)
    for kind, points in (("Start", [start]), ("Move", [end]), ("End", [])):
        at = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
    assert letters(page) == "BCAD"
    assert page.locator("[data-over]").count() == 0


def test_votes_of_a_class_stand_below_their_maps(visit):
    codes = [f"{order}-{VIEWER.ballot.stamp}" for order in ("ABCD", "ABDC", "BACD")]
    viewer = BlindRanking(MAPS, MASKS, votes=codes)
    page = visit(saved(viewer))
    bars = page.locator(".votes").evaluate_all("all => all.map(bars => bars.ariaLabel)")
    assert bars[0] == "1: 2, 2: 1, 3: 0, 4: 0" and page.locator(".card").count() == 4
    assert page.get_by_role("button", name="reveal").count() == 0
    assert "3 rankings" in page.locator(".story").inner_text()
