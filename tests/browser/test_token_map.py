"""Does the saved page of words do what its help line promises, in a real browser without
network?
"""

from collections.abc import Callable

import numpy as np
from browsing import (
    assert_no_sideways_scrolling,
    assert_poster,
    point_at,
    press,
    saved,
    settled,
    status,
    titles,
)
from inside_examples import PATHS, left_out, token_scores
from view_examples import HOSTILE, example

from clipxai.view import MethodComparison, TokenMap
from clipxai.view.html import fragment
from clipxai.view.number import number
from clipxai.view.payload import unpack
from clipxai.view.scales import colour_table

SCORES = token_scores()
VIEWER = TokenMap(SCORES)
LABELS = [unit.label for unit in VIEWER.words.units]
PAGE = saved(VIEWER)
ROW, COLUMN = 6, 9
AT = ROW * 14 + COLUMN


def sent(path: int = 2) -> np.ndarray:
    """Maps of all words (W, P) as the browser has them, rounded by the coding."""
    values = unpack(VIEWER.payload())[f"scores{path}"].astype(np.float64)
    return np.stack([values[unit.start : unit.stop].mean(0) for unit in VIEWER.words.units]).astype(
        np.float32
    )


def test_first_state_shows_the_highest_words_and_the_ranking(visit: Callable):
    page = visit(PAGE)
    assert titles(page) == [LABELS[n] for n in VIEWER.shown]
    assert page.locator(".word").all_inner_texts() == [unit.name for unit in VIEWER.words.units]
    means = [float(value) for value in unpack(VIEWER.payload())["whole0"][2]]
    order = np.argsort(-np.array(means), kind="stable")
    assert page.locator(".row").first.inner_text().split() == [
        LABELS[order[0]],
        number(means[order[0]]),
    ]
    assert page.locator(".row span:first-child").all_inner_texts() == [LABELS[n] for n in order]
    assert (
        "one scale for all" in page.locator(".caption").text_content()
        and "mean of its pieces" in page.locator(".caption").text_content()
    )


def test_hovering_a_word_shows_its_map_and_leaving_brings_back_the_chosen(visit: Callable):
    page = visit(PAGE)
    page.locator(".word").nth(5).hover()
    assert titles(page)[0] == "oak"
    assert status(page).startswith("“oak”: ")
    page.mouse.move(2, 2)
    assert titles(page)[0] == LABELS[VIEWER.shown[0]]


def test_hovering_a_patch_colours_the_words_by_its_scores(visit: Callable):
    page = visit(PAGE)
    point_at(page, 1, ROW, COLUMN)
    values, (scale, *_) = sent()[:, AT], VIEWER.words.scales(PATHS[2], VIEWER.words.units)
    for n, value in enumerate(values):
        chip = page.locator(".word").nth(n)
        assert chip.get_attribute("title").startswith(
            f"{LABELS[n]}: {number(float(value))} at row {ROW}, column {COLUMN}"
        )
        shown = chip.evaluate("c => getComputedStyle(c).backgroundColor.match(/\\d+/g).map(Number)")
        expected = colour_table(scale.colours).astype(int)
        at = round(float(scale.place(value)) * 255)
        assert (
            min(
                abs(np.array(shown[:3]) - expected[k]).max()
                for k in (max(at - 1, 0), at, min(at + 1, 255))
            )
            == 0
        )
    assert page.locator(".word").nth(2).get_attribute("title").endswith("mean of the pieces o + wl")
    best = int(values.argmax())
    assert f"highest “{LABELS[best]}” {number(float(values[best]))}" in status(page)
    own = float(values[VIEWER.shown[0]])
    assert page.locator(".readout").first.inner_text().startswith(number(own))
    page.mouse.move(2, 2)
    settled(page)
    assert page.locator(".word").first.evaluate("c => c.style.background") == ""


def test_click_pins_words_and_patches_and_lets_go(visit: Callable):
    page = visit(PAGE)
    page.get_by_role("button", name="unpin all").click()
    assert len(titles(page)) == 1 and "no pinned words" in page.locator(".pinbar").inner_text()
    for n in (6, 1):
        page.locator(".word").nth(n).click()
    # large, then the pinned as they stand in the sentence
    assert titles(page) == ["an (1)", "an (1)", "[end]"]
    page.locator(".word").nth(1).click()
    assert titles(page)[1:] == ["[end]"]
    point_at(page, 0, ROW, COLUMN)
    page.mouse.down(), page.mouse.up(), page.mouse.move(2, 2)
    assert f"row {ROW}, column {COLUMN} (pinned, Esc unpins)" in status(page)
    press(page, "Escape")
    assert status(page).startswith("Move over")


def test_keyboard_alone_is_enough(visit: Callable):
    page = visit(PAGE)
    # the first arrow lands in the middle, 7, 7
    press(page, "]", "]", "[", "ArrowDown", "ArrowUp", " ")
    n = VIEWER.shown[0] + 1
    assert titles(page)[0] == LABELS[n]
    assert status(page).startswith(
        f"row 6, column 7 (pinned, Esc unpins): “{LABELS[n]}” "
        f"{number(float(sent()[n, 6 * 14 + 7]))}"
    )
    page.wait_for_timeout(400)
    assert page.locator(".spoken").text_content().startswith("row 6, column 7")
    pinned = page.locator(".multiples .panel").count()
    page.keyboard.press("p")
    settled(page)
    assert abs(page.locator(".multiples .panel").count() - pinned) == 1
    page.keyboard.press("?")
    settled(page)
    assert page.locator(".help").is_visible()
    page.locator(".word[tabindex='0']").focus()
    page.keyboard.press("End")
    assert titles(page)[0] == "[end]", "the focused word is previewed"
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator(".word").last.get_attribute("aria-current") == "true"


def test_paths_scales_and_pieces(visit: Callable):
    page = visit(PAGE)
    page.get_by_label("path").select_option(label="token itself, raw")
    point_at(page, 1, ROW, COLUMN)
    first = VIEWER.shown[0]
    assert page.locator(".readout").first.inner_text().startswith(number(float(sent(0)[first, AT])))
    page.get_by_label("each map on its own scale").check()
    settled(page)
    own = VIEWER.words.maps("raw", VIEWER.words.units)[first]
    bar = page.locator(".numbers").first.inner_text().split()
    assert [bar[0], bar[2]] == [number(float(own.min())), number(float(own.max()))]
    assert "each map on its own scale" in page.locator(".caption").text_content()
    page.get_by_label("pieces of words").check()
    settled(page)
    assert page.locator(".word").all_inner_texts() == list(SCORES.tokens)
    assert titles(page)[0] == "o", "the first piece of the owl"


def test_the_texts_own_attention_is_there_on_request(visit: Callable):
    page = visit(PAGE)
    page.locator("summary", has_text="attention").click()
    canvas = page.locator(".matrix canvas[style]")  # drawn once the browser has told of the opening
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    side = (box["width"] - 86) / 8
    page.mouse.move(box["x"] + 86 + 1.5 * side, box["y"] + 86 + 7.5 * side)
    weight = float(unpack(VIEWER.payload())["attention"][2, 7, 1])
    assert (
        page.locator(".matrix output").inner_text()
        == f"layer 2: “[end]” reads {number(weight)} from “an”"
    )
    page.mouse.move(box["x"] + 86 + 7.5 * side, box["y"] + 86 + 1.5 * side)
    assert "cannot see" in page.locator(".matrix output").inner_text()
    page.locator("summary", has_text="Table").click()
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").count() == len(LABELS)


def test_two_figures_of_different_kinds_live_side_by_side(visit: Callable):
    other = TokenMap(SCORES, pinned=["oak"])
    page = visit(
        "<!doctype "
        f"html><body>{fragment(VIEWER)}{fragment(MethodComparison(example()))}"
        f"{fragment(other)}</body>"
    )
    figures = page.locator(".clipxai-figure")
    assert figures.count() == page.locator(".stage").count() == 3
    figures.nth(2).locator(".word").nth(1).hover()
    settled(page)
    assert figures.nth(2).locator("figure b").nth(1).inner_text() == "an (1)"
    assert figures.nth(0).locator("figure b").nth(1).inner_text() == "owl"


def test_words_that_look_like_markup_are_shown_as_they_are(visit: Callable):
    hostile = token_scores(((HOSTILE, 1, 2),), ("[start]", HOSTILE, "[end]"))
    page = visit(saved(TokenMap(hostile)))
    assert page.locator(".word").nth(1).inner_text() == HOSTILE
    assert page.locator("img[src=x]").count() == 0


def test_without_scripts_the_poster_is_there(visit: Callable):
    page = visit(saved(VIEWER, poster=True), java_script_enabled=False)
    assert_poster(page)


def test_a_narrow_page_does_not_scroll_sideways(visit: Callable):
    page = visit(PAGE)
    assert_no_sideways_scrolling(page)


def test_dark_page_keeps_words_readable(visit: Callable):
    page = visit(PAGE, color_scheme="dark")
    point_at(page, 1, ROW, COLUMN)
    assert set(page.locator(".word").evaluate_all("all => all.map(c => c.style.color)")) <= {
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
    }


def test_it_opens_on_leaving_the_word_out_and_tokens_are_a_choice_away(visit: Callable):
    viewer = TokenMap(left_out())
    page = visit(saved(viewer))
    assert titles(page) == ["owl", "oak"]
    assert page.locator(".ranking b").inner_text() == "words by what they add"
    page.locator(".word", has_text="oak").hover()
    assert status(page) == "“oak” adds 0.2 to the cosine of image and text"
    assert "minus that of the text without the word" in page.locator(".caption").text_content()
    page.get_by_label("path").select_option(label="token itself, raw")
    settled(page)
    assert page.locator(".ranking b").inner_text() == "words by the whole image"
    caption = page.locator(".caption").text_content()
    assert "never those after" in caption and "without the word" not in caption
