"""Does the saved page of a comparison do what its help line promises, in a real browser without
network?
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from browsing import (
    assert_a_frame_is_enough,
    assert_no_sideways_scrolling,
    assert_poster,
    centre,
    press,
    readouts,
    saved,
    settled,
    titles,
    wait_until,
)
from view_examples import HOSTILE, MASKS, TEXTS, cropped, example

from clipxai.view import MethodComparison
from clipxai.view.html import fragment
from clipxai.view.number import number

ROW, COLUMN = 6, 9
METHODS = [example(name, seed=n) for n, name in enumerate(("clip", "clip_surgery", "gem"))]
OWL, BOTH, WITH_MASKS = (
    MethodComparison(METHODS, texts=[0]),
    MethodComparison(METHODS),
    MethodComparison(METHODS, mask=MASKS),
)


def expected(row: int, column: int, text: int = 0) -> list[str]:
    """What every panel of a text has to say of a patch, from the explanations themselves."""
    maps = [e.scores[text] for e in METHODS]
    return [
        f"{number(float(s[row, column]))}, rank {int((s > s[row, column]).sum()) + 1} of 196"
        for s in maps
    ]


def test_hover_shows_every_panels_own_number(visit: Callable):
    page = visit(saved(OWL))
    for panel in range(4):  # the photo as well
        page.mouse.move(*centre(page, panel, ROW, COLUMN - panel))
        assert readouts(page) == expected(ROW, COLUMN - panel)
    assert page.locator(".status").inner_text() == f"row {ROW}, column {COLUMN - 3}"
    page.mouse.move(2, 2)
    assert [line.strip() for line in readouts(page)] == ["", "", ""]


def test_click_pins_and_escape_lets_go(visit: Callable):
    page = visit(saved(OWL))
    page.mouse.click(*centre(page, 1, ROW, COLUMN))
    page.mouse.move(2, 2)
    assert readouts(page) == expected(ROW, COLUMN)
    assert page.locator(".status").inner_text().startswith(f"pinned: row {ROW}, column {COLUMN}")
    page.mouse.move(*centre(page, 2, 0, 0))
    assert readouts(page) == expected(0, 0), "hover previews over a pinned patch"
    press(page, "Escape")
    assert readouts(page)[0].strip() == ""


def test_keyboard_alone_is_enough(visit: Callable):
    page = visit(saved(OWL))
    # the first one lands in the middle, 7, 7
    press(page, "ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowUp", " ")
    assert readouts(page) == expected(5, 5)
    assert "pinned" in page.locator(".status").inner_text()
    page.wait_for_timeout(400)  # screen readers hear of it once the reader rests
    assert (
        page.locator(".spoken")
        .text_content()
        .startswith(f"row 5 column 5; an owl by clip: {expected(5, 5)[0]}")
    )
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".help").is_hidden()


def test_chips_choose_a_text_and_are_one_tab_stop(visit: Callable):
    page = visit(saved(BOTH))
    assert page.locator(".panel:not(.photo)").count() == 3, "one text at a time"
    page.locator(".chip").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert titles(page) == ["raw CLIP", "CLIP Surgery", "GEM"]
    assert page.locator(".chip[tabindex='0']").all_inner_texts() == [TEXTS[1]]
    page.mouse.move(*centre(page, 1, ROW, COLUMN))
    assert readouts(page) == expected(ROW, COLUMN, text=1)


def test_one_scale_for_all_gives_all_bars_the_same_numbers(visit: Callable):
    page = visit(saved(OWL))
    settled(page)
    own = page.locator(".numbers").all_inner_texts()
    assert len(set(own)) == 3 and own[0].split()[0] == number(float(METHODS[0].scores[0].min()))
    page.get_by_label("colours").select_option(label="one scale for all")
    settled(page)
    shared = page.locator(".numbers").all_inner_texts()
    low, high = (float(f([f(e.scores[0]) for e in METHODS])) for f in (np.min, np.max))
    assert (
        low < 0
        and [line.split() for line in shared]
        == [[number(value) for value in (low, (low + high) / 2, high)]] * 3
    )
    assert "so colours compare across maps" in page.locator(".caption").text_content()


def test_map_is_painted_in_matplotlibs_colours_and_opacity_follows_the_slider(visit: Callable):
    page = visit(saved(OWL))
    page.locator("input[type=checkbox]").uncheck()
    settled(page)
    row, column = np.unravel_index(METHODS[0].scores[0].argmax(), (14, 14))
    at = (
        f"c => [...c.getContext('2d').getImageData({column + 0.5} * c.width / 14, {row + 0.5} * "
        "c.height / 14, 1, 1).data]"
    )
    assert page.locator(".map").first.evaluate(at) == [253, 231, 37, 255]  # viridis' last colour
    page.get_by_label("map opacity").fill("0")
    assert page.locator(".map").first.evaluate("c => getComputedStyle(c).opacity") == "0"


def test_table_lists_the_highest_patches(visit: Callable):
    page = visit(saved(OWL))
    page.locator("summary", has_text="Table").click()
    scores = METHODS[0].scores[0]
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    values = [number(float(e.scores[0][row, column])) for e in METHODS]
    # the table is made once the browser has told of the opening
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").count() == 10
    assert page.locator("tbody tr").first.locator("td").all_inner_texts() == [
        "1",
        str(row),
        str(column),
        *values,
    ]


def test_two_figures_and_a_repeated_output_live_side_by_side(visit: Callable):
    one, other = fragment(OWL), fragment(MethodComparison(METHODS, texts=[1]))
    page = visit(f"<!doctype html><body>{one}{other}{one}</body>")
    assert page.locator(".clipxai-figure").count() == page.locator(".stage").count() == 3
    page.mouse.move(*centre(page, 5, ROW, COLUMN))  # the second figure's first map
    told = readouts(page)
    assert told[3:6] == expected(ROW, COLUMN, text=1)
    assert [line.strip() for line in (*told[:3], *told[6:])] == [""] * 6


def test_an_output_that_arrives_later_leaves_the_others_alone(visit: Callable):
    text = fragment(OWL)
    page = visit(f"<!doctype html><body>{text}</body>")
    page.mouse.click(*centre(page, 1, ROW, COLUMN))
    page.mouse.move(2, 2)
    page.evaluate(
        """text => {  // as JupyterLab does: insert the markup, then run its scripts anew
        const output = document.createElement('div');
        output.innerHTML = text;
        document.body.append(output);
        const script = output.querySelector(':scope > script');
        const copy = document.createElement('script');
        copy.textContent = script.textContent;
        script.replaceWith(copy);
    }""",
        text,
    )
    assert page.locator(".stage").count() == 2
    assert readouts(page)[:3] == expected(ROW, COLUMN), (
        "the pinned patch of the first figure was lost"
    )


def test_prompt_that_looks_like_markup_is_shown_as_it_is(visit: Callable):
    page = visit(saved(MethodComparison(example(texts=(HOSTILE,)))))
    assert page.locator(".panel:not(.photo) b").inner_text() == HOSTILE
    assert page.title().endswith(f"{HOSTILE!r}")
    assert page.locator("img[src=x]").count() == 0


def test_the_empty_text_has_a_title_everywhere(visit: Callable):
    page = visit(saved(MethodComparison(example(texts=("", "an owl")))))
    assert page.locator(".chip").all_inner_texts() == ["all texts", "(empty text)", "an owl"]
    page.locator(".chip", has_text="(empty text)").click()
    assert page.locator(".panel:not(.photo) b").inner_text() == "(empty text)"
    page.locator("summary", has_text="Table").click()
    page.locator("tbody tr").first.wait_for()
    assert (
        page.locator("table caption").inner_text()
        == "Highest patches of “(empty text)” by clip_surgery"
    )
    assert page.locator("th").all_inner_texts()[-1] == "(empty text) · clip_surgery"


def test_without_scripts_the_poster_is_there(visit: Callable):
    page = visit(saved(BOTH, poster=True), java_script_enabled=False)
    assert_poster(page)


def test_with_scripts_the_poster_makes_way(visit: Callable):
    page = visit(saved(BOTH, poster=True))
    assert page.locator(".clipxai-figure > img").is_hidden() and page.locator(".stage").is_visible()


def test_a_viewer_that_fails_leaves_the_poster_and_says_why(browser: object, tmp_path: Path):
    broken = saved(BOTH, poster=True).replace('"schema": 1', '"schema": 99')
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto((tmp_path / "broken.html").as_uri())
    assert page.locator(".clipxai-figure > img").is_visible()
    assert "payload schema 99" in said[0]
    page.close()


@contextmanager
def brightness(page: object) -> Iterator[Callable[[], int]]:
    colour = (
        "f => getComputedStyle(f).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((sum, n) => "
        "sum + Number(n), 0)"
    )
    yield lambda: page.locator(".figure").evaluate(colour)


def test_theme_follows_the_system_and_then_the_page(visit: Callable):
    page = visit(saved(BOTH), color_scheme="dark")
    with brightness(page) as shade:
        assert shade() < 200
        # JupyterLab in its light theme on a dark desktop
        page.evaluate("document.body.dataset.jpThemeLight = 'true'")
        wait_until(
            page,
            "document.querySelector('.clipxai-figure').shadowRoot"
            ".querySelector('.figure').dataset.theme === 'light'",
        )
        assert shade() > 600


def test_grids_of_different_size_share_the_cross_hair(visit: Callable):
    fine, coarse = example("fine"), example("coarse", grid=7)
    page = visit(saved(MethodComparison([fine, coarse], texts=[0])))
    page.mouse.move(*centre(page, 1, 9, 4))
    assert [line.split(",")[0] for line in readouts(page)] == [
        number(float(fine.scores[0, 9, 4])),
        number(float(coarse.scores[0, 4, 2])),
    ]


def test_outside_of_a_crop_there_is_nothing_to_read(visit: Callable):
    page = visit(saved(MethodComparison(cropped())))
    box = page.locator(".picture").nth(1).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 20)
    assert readouts(page)[0].strip() == ""
    page.mouse.move(box["x"] + box["width"] * 0.21, box["y"] + 2)
    assert readouts(page)[0] == "0, rank 16 of 16"
    row = page.locator(".map").evaluate(
        "c => [...c.getContext('2d').getImageData(0, c.height / 2, c.width, 1).data]"
    )
    alpha = row[3::4]
    assert [alpha[int(len(alpha) * x)] for x in (0.1, 0.19, 0.21, 0.5, 0.79, 0.81)] == [
        0,
        0,
        255,
        255,
        255,
        0,
    ]


def test_true_mask_and_its_badges_are_shown(visit: Callable):
    page = visit(saved(WITH_MASKS))
    merits = WITH_MASKS.panels[0].merits
    contrast = f"{100 * merits['contrast']:+.0f}".replace("-", "−")
    assert readouts(page)[0] == f"right way up {contrast}"
    page.locator("summary", has_text="Numbers").click()
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").first.locator("td").all_inner_texts()[:3] == [
        "an owl · clip",
        f"{merits['presence']:.2f}",
        f"{merits['IoU']:.2f}",
    ]
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert page.locator(".layer:not(.map)").nth(1).evaluate(drawn)


def test_verdicts_are_whole_and_pictures_level_in_narrow_columns(visit: Callable):
    page = visit(saved(WITH_MASKS))
    page.set_viewport_size({"width": 700, "height": 800})
    settled(page)
    verdicts = page.locator(".panel:not(.photo) .readout")
    assert verdicts.count() == 3
    assert verdicts.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    page.locator(".chip", has_text="all texts").click()
    settled(page)
    assert page.locator(".photo").count() == 1
    tops = [picture.bounding_box()["y"] for picture in page.locator(".picture").all()]
    assert np.ptp(tops[:4]) < 1 and np.ptp(tops[4:]) < 1 and tops[4] > tops[0] + 100


def test_each_text_keeps_its_row_in_narrow_columns(visit: Callable):
    """A map beside another of its text; down to where a picture would be a stamp."""
    pair = MethodComparison(METHODS[:2])
    for width, columns in ((600, 3), (380, 1)):
        page = visit(saved(pair))
        page.set_viewport_size({"width": width, "height": 800})
        page.locator(".chip", has_text="all texts").click()
        settled(page)
        boxes = [panel.bounding_box() for panel in page.locator(".picture").all()]
        tops = [round(box["y"]) for box in boxes]
        assert tops == sorted(tops)
        assert [tops.count(top) for top in dict.fromkeys(tops)] == (
            [3, 2] if columns == 3 else [1] * 5
        )
        assert min(box["width"] for box in boxes) > 150


def test_a_narrow_page_does_not_scroll_sideways(visit: Callable):
    page = visit(saved(BOTH))
    assert_no_sideways_scrolling(page)


def test_hover_is_answered_at_once(visit: Callable, capsys: pytest.CaptureFixture):
    text = saved(OWL)
    page = visit(text)
    settled(page)
    assert_a_frame_is_enough(page, f"comparison, page of {len(text) / 1000:.0f} kB", capsys)


def test_a_cut_map_tells_its_overlap_with_the_truth(visit: Callable):
    """By a link or the options; the slider is at hand, and the IoU is that of the mask there."""
    page = visit(saved(MethodComparison([example("clip")], texts=[0], mask=MASKS)))
    page.set_viewport_size({"width": 900, "height": 700})
    assert page.get_by_label("threshold").is_hidden()
    assert readouts(page)[0].startswith("right way up")
    page.get_by_role("button", name="options").click()
    page.get_by_label("overlay").select_option(label="mask")
    page.get_by_role("button", name="options").click()
    for threshold in (50, 29, 80, 100):
        page.get_by_label("threshold").fill(str(threshold))
        mask, truth = example("clip").mask(0, threshold / 100), MASKS["an owl"]
        iou = (mask & truth).sum() / (mask | truth).sum()
        assert readouts(page) == [f"IoU {iou:.2f}"]
