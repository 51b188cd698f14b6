"""Does the model as one picture fit on a screen, open in place, and follow patch and word?"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from browsing import (
    assert_a_frame_is_enough,
    assert_accessible,
    assert_no_sideways_scrolling,
    assert_poster,
    point_at,
    press,
    saved,
    settled,
)
from overview_examples import overview
from view_examples import MASKS, TEXTS

from clipxai.view import ModelOverview

FOUND = overview()
VIEWER = ModelOverview(FOUND)
# width and height of a window, what JupyterLab leaves a cell of its width, most height; and a page
SCREENS = [(1280, 800, 980, 640), (1024, 640, 724, 500), (1024, 640, 992, 500)]
BESIDE_CHOICES = (1024, 640, 590, 500)  # the width that the Explorer leaves
BESIDE_FILES = (1024, 640, 572, 500)  # and JupyterLab's file browser
MEASURE = """root => {
    const seen = [...root.querySelectorAll('*')].filter(node => node.getClientRects().length);
    const said = seen.filter(node => [...node.childNodes].some(
        child => child.nodeType === 3 && child.textContent.trim()) && node.tagName !== 'STYLE');
    const pressed = seen.filter(node => node.matches('button, input'));
    const boxOf = node => node.getBoundingClientRect();
    const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1
        || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
    const boxes = seen.filter(node => node.matches('.boxes .box')).map(boxOf);
    const labels = seen.filter(node => node.matches('.boxes .label:not(.tower)'));
    const covers = labels.filter(label => boxes.some(box => !apart(boxOf(label), box)));
    const sides = pressed.map(node => (node.closest('label') ?? node).getBoundingClientRect());
    return {
        height: root.getBoundingClientRect().height,
        covers: covers.map(label => label.textContent),
        wide: Math.max(...[root, root.querySelector('.wide')].map(
            node => node.scrollWidth - node.clientWidth)),
        text: Math.min(...said.map(node => parseFloat(getComputedStyle(node).fontSize))),
        control: Math.min(...sides.map(box => Math.min(box.width, box.height))),
    };
}"""


def drawer(page: object) -> str:
    """What the open box is called and says."""
    settled(page)
    return " | ".join(page.locator(".head-line > *").all_inner_texts())


def code(page: object) -> str:
    settled(page)
    return page.locator(".show-me code").inner_text()


def fitted(page: object, width: int, height: int, cell: int) -> object:
    page.set_viewport_size({"width": width, "height": height})
    style = f"body {{ width: {cell}px; max-width: none; margin: 0 auto; padding: 0 }}"
    page.add_style_tag(content=style)
    settled(page)
    return page.locator(".figure")


@pytest.mark.parametrize(
    ("width", "height", "cell", "most"), [*SCREENS, BESIDE_CHOICES, BESIDE_FILES]
)
def test_every_box_fits_on_one_screen(
    visit: Callable, width: int, height: int, cell: int, most: int
):
    long = replace(FOUND, texts=("WWW MMM " * 20, "an owl"))
    for viewer in (VIEWER, ModelOverview(long)):
        page = visit(saved(viewer))
        figure = fitted(page, width, height, cell)
        for box in ("attention", "ffn", "stream", "rail", "image", "joint", "text"):
            page.locator(f".boxes .{box}").last.click()
            settled(page)
            found = figure.evaluate(MEASURE)
            assert found["height"] <= most and found["wide"] <= 0, (box, found)
            assert found["text"] >= 12 and found["control"] >= 24, (box, found)
            assert not found["covers"], "a name lies on no map"


def test_it_opens_on_the_story_and_follows_a_patch(visit: Callable):
    page = visit(saved(VIEWER))
    assert page.locator(".opening").inner_text() == VIEWER.payload().header["openings"][0]
    assert drawer(page).startswith("Layer 2, attention | adds +0.250 to the cosine of the whole")
    assert "HeadGrid" in code(page) and "head=(2, 1)" in code(page)
    point_at(page, 0, 4, 9)
    share = f"{FOUND.shares.attention[2, 0, 1 + 4 * 14 + 9]:+.3f}".replace("-", "−")
    assert f"adds {share} to the cosine of row 4, column 9" in drawer(page)
    assert "query=(4, 9)" in code(page)
    cosine = f"{FOUND.lens[-1, 0, 1 + 4 * 14 + 9]:.2f}".replace("-", "−")
    assert page.locator(".cosine").inner_text() == cosine


def test_switch_by_switch(visit: Callable):
    page = visit(saved(VIEWER))
    names = ["v-v attention", "reads the original", "no FFN", "− empty text"]
    kinds = page.locator(".boxes .kind")
    assert kinds.all_inner_texts() == ["v-v", "v-v"]
    for name in names:
        page.get_by_label(name).uncheck()
    settled(page)
    assert kinds.all_inner_texts() == ["q-k + F", "q-k + F"]
    assert 'attention="qk", dual_path=False, ffn=True' in code(page)
    # of a copy: reading a canvas twice is complained of
    pixels = """canvas => {
        const copy = document.createElement('canvas').getContext(
            '2d', { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        return [...copy.getImageData(0, 0, 14, 14).data];
    }"""
    own, second = (
        page.locator(f".boxes .{box} canvas").last.evaluate(pixels) for box in ("stream", "rail")
    )
    assert np.abs(np.subtract(own, second)).max() < 9, "the model's own map, but for rounding"
    page.get_by_label(names[0]).check()
    settled(page)
    assert page.locator(".boxes .rail canvas").last.evaluate(pixels) != second


def test_what_a_text_names_is_outlined_on_both_last_maps(visit: Callable):
    edges = "canvas => [canvas.hidden, canvas.width]"
    page = visit(saved(ModelOverview(FOUND, truth={TEXTS[0]: MASKS[TEXTS[0]]})))
    drawn = page.locator(".boxes canvas.outlines")
    assert drawn.count() == 2 and "The raw map is" in page.locator(".opening").inner_text()
    for text, hidden in ((1, True), (0, False)):
        page.locator(".chips button").nth(text).click()
        settled(page)
        for canvas in drawn.all():
            found = canvas.evaluate(edges)
            assert found[0] is hidden and (hidden or found[1] > 40)
    page.locator(".boxes .rail").last.click()
    settled(page)
    assert page.locator(".large canvas").count() >= 2
    page.locator(".boxes .attention").first.click()
    below = page.get_by_label("no FFN").bounding_box()
    page.get_by_label("no FFN").uncheck()
    settled(page)
    said = page.locator(".opening span:visible").all_inner_texts()
    assert page.get_by_label("no FFN").bounding_box() == below and drawer(page).startswith(
        "The second rail at layer 2"
    ), "nothing jumps, and there is no second rail before block 2"
    assert "The raw map" not in " ".join(said), "of other switches"
    page = visit(saved(VIEWER))
    assert not page.locator("canvas.outlines").count()


def test_boxes_are_reached_and_opened_by_keys(visit: Callable):
    page = visit(saved(VIEWER))
    page.locator(".boxes [aria-expanded='true']").wait_for()
    assert_accessible(page)
    page.locator(".boxes [aria-expanded='true']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert drawer(page).startswith("Layer 2, FFN | ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert drawer(page).startswith("The stream after layer 2 | ")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert drawer(page).startswith("The second rail at layer 2 | ")
    press(page, "]", "Escape")
    assert drawer(page).startswith("The second rail at layer 3 | ")
    press(page, "ArrowDown", " ")
    assert "row 7, column 7" in drawer(page), "the middle, and kept"
    word = page.get_by_role("button", name="owl", exact=True)
    word.click()
    assert drawer(page).startswith("How “an owl” is read")
    assert page.locator(".reading th[aria-current='true']").inner_text() == "owl"


def test_many_blocks_are_seen_through_a_fish_eye(visit: Callable):
    """Twenty-four of them; a group opens where it is clicked."""
    many = {name: getattr(FOUND.shares, name).repeat(6, axis=0) for name in vars(FOUND.shares)}
    rows = {
        name: replace(old, **{part: value.repeat(6, axis=0) for part, value in vars(old).items()})
        for name in ("class_rows", "patch_rows")
        for old in [getattr(FOUND, name)]
    }
    deep = replace(
        FOUND,
        layers=24,
        lens=FOUND.lens[[0, *range(4), *[4] * 20]],
        shares=replace(FOUND.shares, **many),
        **rows,
    )
    page = visit(saved(ModelOverview(deep)))
    fitted(page, *SCREENS[0][:3])
    ticks = page.locator(".boxes .tick").all_inner_texts()
    assert len(ticks) < 12 and "12" in ticks and "18–23" not in ticks
    page.locator(".boxes .attention").last.click()
    settled(page)
    after = page.locator(".boxes .tick").all_inner_texts()
    assert len(after) < 12 and {"22", "23"} <= {*after} - {*ticks}, "the rail is a group"


def test_hovering_takes_a_frame_at_most(visit: Callable, capsys: pytest.CaptureFixture):
    page = visit(saved(VIEWER))
    assert_a_frame_is_enough(page, "model overview", capsys)


def test_narrow_windows_colours_forced_and_no_scripts(visit: Callable):
    page = visit(saved(VIEWER), forced_colors="active")
    settled(page)
    open_box = page.locator(".boxes [aria-expanded='true']").first
    assert "solid" in open_box.evaluate("box => getComputedStyle(box).outlineStyle")
    assert_no_sideways_scrolling(page, 420)
    assert_poster(visit(saved(VIEWER, poster=True), java_script_enabled=False))
