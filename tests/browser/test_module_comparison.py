"""Does the saved page of modules do what its help line promises, in a real browser without network?"""

from collections.abc import Callable

import numpy as np
from inside_examples import TEXTS, contributions
from view_examples import HOSTILE

from clipxai.view import ModuleComparison
from clipxai.view.html import fragment, page
from clipxai.view.payload import unpack
from clipxai.view.scales import number

PARTS = contributions()
VIEWER = ModuleComparison(PARTS)
PAGE = page(VIEWER)
ROW, COLUMN = 6, 9
AT = ROW * 14 + COLUMN
GUTTER = 118  # pixels left of the columns, as in lanes.js


def settled(page: object) -> None:
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def over_layer(page: object, layer: int) -> None:
    """Move to a layer's column of bars."""
    box = page.locator(".chart").bounding_box()
    page.mouse.move(box["x"] + GUTTER + (layer + 1.5) * (box["width"] - GUTTER) / 6, box["y"] + 30)
    settled(page)


def point_at(page: object, panel: int, row: int = ROW, column: int = COLUMN) -> None:
    page.locator(".picture").nth(panel).scroll_into_view_if_needed()
    box = page.locator(".picture").nth(panel).bounding_box()
    page.mouse.move(box["x"] + (column + 0.5) * box["width"] / 14, box["y"] + (row + 0.5) * box["height"] / 14)
    settled(page)


def titles(page: object) -> list[str]:
    settled(page)
    return page.locator("figure:not(.photo) b").all_inner_texts()


def status(page: object) -> str:
    settled(page)
    return page.locator(".status").inner_text()


def readouts(layer: int, text: int = 0) -> list[str]:
    """What the three maps have to say of the patch."""
    arrays = unpack(VIEWER.payload())
    attention, ffn = arrays["attention"][layer, text], arrays["ffn"][layer, text]
    maps = [attention, ffn, attention - ffn]
    return [f"{number(float(m[AT]))}, rank {int((m > m[AT]).sum()) + 1} of 196" for m in maps]


def test_first_state_has_every_layers_numbers_and_the_closure(visit: Callable):
    page = visit(PAGE)
    words = page.locator(".chart text").all_text_contents()
    for layer in range(4):
        assert signed(PARTS.attention[layer, 0, 0]) in words and signed(PARTS.ffn[layer, 0, 0]) in words
    assert VIEWER.closure(0) in words and signed(PARTS.embedding[0, 0]) in words and signed(PARTS.bias[0, 0]) in words
    assert titles(page) == ["layer 3: attention", "layer 3: FFN", "attention − FFN"]
    bars = page.locator(".numbers").all_inner_texts()
    reach = number(VIEWER.scale(0).high)
    assert [bar.split() for bar in bars] == [[f"−{reach}", "0", reach]] * 3, "one scale for all three maps"
    assert page.locator(".lens canvas").count() == 5


def test_hover_previews_a_layer_and_click_keeps_it(visit: Callable):
    page = visit(PAGE)
    over_layer(page, 1)
    assert titles(page)[0] == "layer 1: attention"
    expected = f"layer 1, class token: attention {signed(PARTS.attention[1, 0, 0])}, FFN {signed(PARTS.ffn[1, 0, 0])}"
    assert status(page).startswith(f"{expected}; sum so far {number(float(np.float32(VIEWER.cumulative(0)[2])))}")
    page.mouse.move(2, 2)
    assert titles(page)[0] == "layer 3: attention"
    over_layer(page, 0)
    page.mouse.down(), page.mouse.up(), page.mouse.move(2, 2)
    assert titles(page)[0] == "layer 0: attention"
    page.locator(".lens button").nth(3).click()
    page.mouse.move(2, 2)
    assert titles(page)[0] == "layer 2: attention"
    assert page.locator(".lens [data-lit]").inner_text() == "layer 2"


def test_hovering_a_patch_reads_all_maps_and_marks_its_parts(visit: Callable):
    page = visit(PAGE)
    for panel in range(4):
        point_at(page, panel)
        assert page.locator(".readout").all_inner_texts() == readouts(3)
    assert f"layer 3, row {ROW}, column {COLUMN}: attention {signed(PARTS.attention[3, 0, 1 + AT])}" in status(page)
    words = page.locator(".chart text").all_text_contents()
    assert signed(PARTS.attention[1, 0, 1 + AT]) in words and signed(PARTS.embedding[0, 1 + AT]) in words
    assert f"marks: row {ROW}, column {COLUMN}, whose cosine is {number(float(PARTS.similarity[0, 1 + AT]))}" in words
    assert page.locator(".chart .patch").count() == 10


def test_keyboard_alone_is_enough(visit: Callable):
    page = visit(PAGE)
    page.locator(".stage").focus()
    for key in ("[", "[", "]", "]", "]", "[", "ArrowDown", "ArrowLeft", " "):
        page.keyboard.press(key)
    assert titles(page)[0] == "layer 2: attention"
    assert status(page).startswith("layer 2, row 7, column 6 (pinned, Esc lets go)")
    page.wait_for_timeout(400)
    assert page.locator(".spoken").text_content().startswith("layer 2, row 7, column 6")
    page.keyboard.press("?")
    settled(page)
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert "class token" in status(page) and page.locator(".help").is_hidden()


def test_texts_and_scales(visit: Callable):
    page = visit(PAGE)
    page.locator(".chip", has_text=TEXTS[1]).click()
    settled(page)
    assert VIEWER.closure(1) in page.locator(".chart text").all_text_contents()
    point_at(page, 1)
    assert page.locator(".readout").all_inner_texts() == readouts(3, text=1)
    page.locator("select").select_option(index=1)
    settled(page)
    reach = number(VIEWER.scale(1, 3).high)
    assert [bar.split()[-1] for bar in page.locator(".numbers").all_inner_texts()] == [reach] * 3
    assert f"this layer's scale, from −{reach} to {reach}" in page.locator(".caption").inner_text()
    page.locator("summary").click()
    page.locator("tbody tr").first.wait_for()  # the table is made once the browser has told of the opening
    row = page.locator("tbody tr").nth(2).locator("td").all_inner_texts()
    assert row[:3] == ["layer 2", signed(PARTS.attention[2, 1, 0]), signed(PARTS.ffn[2, 1, 0])]


def test_two_figures_and_hostile_text(visit: Callable):
    hostile = ModuleComparison(contributions(texts=(HOSTILE,)))
    page = visit(f"<!doctype html><body>{fragment(VIEWER)}{fragment(hostile)}</body>")
    assert page.locator(".stage").count() == 2 and page.locator("img[src=x]").count() == 0
    second = page.locator(".clipxai-figure").nth(1)
    assert second.locator(".chip").inner_text() == HOSTILE
    second.locator(".stage").focus()
    page.keyboard.press("[")
    settled(page)
    assert [n.locator("figure b").nth(1).inner_text() for n in page.locator(".clipxai-figure").all()] == [
        "layer 3: attention",
        "layer 2: attention",
    ]


def test_without_scripts_the_poster_is_there(visit: Callable):
    page = visit(PAGE, java_script_enabled=False)
    poster = page.locator(".clipxai-figure > img")
    assert poster.is_visible() and poster.bounding_box()["width"] > 600


def test_a_deep_model_on_a_narrow_page_does_not_scroll_sideways(visit: Callable):
    page = visit(page_of(contributions(layers=24)))
    page.set_viewport_size({"width": 380, "height": 800})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 380


def page_of(parts: object) -> str:
    return page(ModuleComparison(parts))


def test_layers_follow_the_pointer_at_once(visit: Callable):
    page = visit(PAGE)
    settled(page)
    times = page.evaluate("""async () => {
        const shadow = document.querySelector('.clipxai-figure').shadowRoot;
        const chart = shadow.querySelector('.chart'), box = chart.getBoundingClientRect(), worked = [];
        for (let n = 0; n < 60; n++) {
            await new Promise(done => requestAnimationFrame(done));
            const at = { clientX: box.x + 118 + (1.5 + n % 4) * (box.width - 118) / 6, clientY: box.y + 30 };
            const start = performance.now();
            chart.dispatchEvent(new PointerEvent('pointermove', at));
            worked.push(performance.now() - start);
        }
        return worked;
    }""")
    assert np.median(times) < 50
