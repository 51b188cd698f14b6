"""Does the walk go from step to step, by button, list, key and by itself?"""

from browsing import assert_no_sideways_scrolling, press, readouts, saved, settled, status
from surgery_examples import surgery_steps
from view_examples import MASKS

from clipxai.view import SurgeryWalk
from clipxai.view.number import number

FOUND = surgery_steps()
VIEWER = SurgeryWalk(FOUND, truth=MASKS)
TOLD = VIEWER.payload().header["texts"]
PIXEL = """() => {
  const figure = document.querySelector('.clipxai-figure').shadowRoot;
  const canvas = [...figure.querySelectorAll('canvas.map')].find(node =>
    node.checkVisibility({ visibilityProperty: true }));
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i];
  return sum;
}"""


def focused(page: object) -> str:
    """What the button says that has the focus."""
    return page.evaluate(
        "document.querySelector('.clipxai-figure').shadowRoot.activeElement?.textContent ?? ''"
    )


def shown(page: object) -> dict:
    settled(page)
    return {
        "story": page.locator(".story").inner_text(),
        "pressed": page.locator('.step[aria-pressed="true"]').inner_text().split("\n")[0],
        "written": [one for one in page.locator(".step output").all_inner_texts() if one],
        "second": page.locator(".board g.second:not(.absent)").count(),
        "crossed": page.locator(".board g.gone").count(),
        "lit": page.locator(".board g.lit").count(),
    }


def test_pictures_keep_their_size_from_step_to_step(visit):
    """However it is chosen: also where the page is laid out anew at another step."""
    page = visit(saved(VIEWER))
    sides = set()
    for width in (1280, 620):
        page.set_viewport_size({"width": width, "height": 640})
        for step in range(5):
            page.locator(".step").nth(step).click()
            page.set_viewport_size({"width": width, "height": 641 - step % 2})
            settled(page)
            settled(page)
            sides.add((width, round(page.locator(".picture").nth(1).bounding_box()["width"])))
    assert len(sides) <= 4 and len({round(side, -1) for _, side in sides}) <= 2, sides


def test_buttons_list_and_keys_go_from_step_to_step(visit):
    page = visit(saved(VIEWER))
    first = shown(page)
    assert first["story"] == TOLD[0]["stories"][0] and first["second"] == first["lit"] == 0
    assert first["written"] == TOLD[0]["written"][:1], "what comes is not told yet"
    page.get_by_role("button", name="next step").click()
    path = shown(page)
    assert path["story"] == TOLD[0]["stories"][1] and path["second"] == path["lit"] == 12
    page.keyboard.press("]")
    assert shown(page)["story"] == TOLD[0]["stories"][2], "keys go on where a button was clicked"
    page.locator(".step").nth(3).click()
    cut = shown(page)
    assert cut["written"] == TOLD[0]["written"][:4] and cut["crossed"] == cut["lit"] == 6
    assert readouts(page)[0] == TOLD[0]["verdicts"][3]
    press(page, "]")
    last = shown(page)
    assert last["story"] == TOLD[0]["stories"][4] and last["lit"] == 1
    assert page.get_by_role("button", name="next step").is_disabled()
    page.locator(".step").nth(4).focus()
    page.keyboard.press("ArrowUp")
    assert focused(page).startswith("4"), "the list goes from top to bottom"
    page.keyboard.press("ArrowDown")
    assert focused(page).startswith("5")
    previous = page.get_by_role("button", name="previous step")
    previous.focus()
    for _ in range(5):
        page.keyboard.press("Enter")
    assert shown(page)["story"] == TOLD[0]["stories"][0] and previous.is_disabled()
    assert focused(page) == "◀", "which keeps the focus at the end"
    page.locator(".step").nth(4).click()
    settled(page)
    press(page, "ArrowDown")
    assert number(float(FOUND.maps[4].scores[0, 7, 7])) in status(page), "the map is the step's"
    page.get_by_role("button", name="a clock").click()
    assert shown(page)["story"] == TOLD[1]["stories"][4]
    assert_no_sideways_scrolling(page)
    board, lit = (page.locator(f".board{one}").bounding_box() for one in ("", " g.lit"))
    assert lit["x"] + lit["width"] <= board["x"] + board["width"], "what came is in view"
    assert page.locator(".board").get_attribute("tabindex") == "0", "keys move what is cut"


def test_maps_fade_and_play_ends_at_the_last_step(visit):
    page = visit(saved(VIEWER))
    settled(page)
    page.clock.install()
    sums = [page.evaluate(PIXEL)]
    page.locator(".step").nth(4).click()
    for wait in (250, 600):
        page.clock.run_for(wait)
        sums.append(page.evaluate(PIXEL))
    before, between, after = sums
    assert abs(before - between) > 1000 and abs(after - between) > 1000, "half of each"
    page.locator(".play").click()
    assert page.locator(".play").inner_text() == "stop"
    for step in range(5):
        assert shown(page)["story"] == TOLD[0]["stories"][step]
        page.clock.run_for(2300)
    assert page.locator(".play").inner_text() == "play"
    page.locator(".play").click()
    page.clock.run_for(2300)
    page.locator(".step").nth(3).click()
    page.clock.run_for(9000)
    assert shown(page)["story"] == TOLD[0]["stories"][3], "who chooses a step stops the play"
