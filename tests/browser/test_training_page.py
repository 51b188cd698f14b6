"""Does one slider move the mark and the maps, by pointer and by keys?"""

from browsing import assert_no_sideways_scrolling, press, readouts, saved, settled, status
from view_examples import MASKS, example

from clipxai.view import TrainingSteps
from clipxai.view.number import number

RAW = [example("clip", seed=n, sign=sign) for n, sign in enumerate((1.0, -1.0, 1.0))]
VIEWER = TrainingSteps({"raw": RAW}, [0, 40, 80], {"loss": [3.0, 2.0, 1.0]}, truth=MASKS)


def shown(page: object) -> tuple[str, str, str, float]:
    """The step by the slider, its story, the value of the curve, and where the mark is."""
    settled(page)
    mark = page.locator(".curves line").nth(1)
    return (
        page.locator(".scrub output").inner_text(),
        page.locator(".story").inner_text(),
        page.locator(".legend").inner_text().strip(),
        float(mark.get_attribute("x1")),
    )


def test_slider_keys_and_chart_choose_the_step(visit):
    page = visit(saved(VIEWER))
    stories = VIEWER.payload().header["stories"]
    last = shown(page)
    assert last[:3] == ("step 80", stories[2], "loss 1")
    press(page, "[")
    middle = shown(page)
    assert middle[:3] == ("step 40", stories[1], "loss 2") and middle[3] < last[3]
    assert readouts(page)[0].startswith("upside down")
    page.locator(".scrub input").fill("0")
    first = shown(page)
    assert first[:3] == ("step 0", stories[0], "loss 3")
    assert abs(middle[3] - (first[3] + last[3]) / 2) < 1
    press(page, "ArrowDown")
    assert number(float(RAW[0].scores[0, 7, 7])) in status(page), "the map is that of the step"
    page.locator(".curves").click(position={"x": last[3] - 2, "y": 50})
    assert shown(page)[0] == "step 80"
    assert_no_sideways_scrolling(page)
