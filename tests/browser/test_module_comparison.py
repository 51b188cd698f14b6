"""Does the saved page of modules do what its help line promises, in a real browser without
network?
"""

from collections.abc import Callable

import numpy as np
from browsing import (
    assert_no_sideways_scrolling,
    assert_poster,
    point_at,
    press,
    readouts,
    saved,
    settled,
    status,
    titles,
)
from inside_examples import TEXTS, contributions, with_selection
from view_examples import HOSTILE

from clipxai.view import ModuleComparison
from clipxai.view.html import fragment
from clipxai.view.module_comparison.sentences import proof, selecting
from clipxai.view.number import number, two_digits
from clipxai.view.payload import unpack

PARTS = with_selection(contributions())  # the mask of the first text is known
VIEWER = ModuleComparison(PARTS, layer=3)
PAGE = saved(VIEWER)
ROW, COLUMN = 6, 9
AT = ROW * 14 + COLUMN
GUTTER = 118  # pixels left of the columns, as in lanes.js


def signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def unfold(page: object) -> None:
    """Open the lanes below the maps."""
    page.locator("summary", has_text="Sum so far").click()
    page.locator(".lower text").first.wait_for()
    settled(page)


def over_layer(page: object, layer: int) -> None:
    """Move to a layer's column of bars."""
    box = page.locator(".chart").bounding_box()
    page.mouse.move(box["x"] + GUTTER + (layer + 1.5) * (box["width"] - GUTTER) / 6, box["y"] + 30)
    settled(page)


def expected(layer: int, text: int = 0) -> list[str]:
    """What the three maps have to say of the patch."""
    arrays = unpack(VIEWER.payload())
    attention, ffn = arrays["attention"][layer, text], arrays["ffn"][layer, text]
    maps = [attention, ffn, attention - ffn]
    return [f"{number(float(m[AT]))}, rank {int((m > m[AT]).sum()) + 1} of 196" for m in maps]


def test_first_state_has_every_layers_numbers_and_the_closure(visit: Callable):
    page = visit(PAGE)
    unfold(page)
    words = page.locator(".lanes text").all_text_contents()
    for layer in range(4):
        assert (
            signed(PARTS.attention[layer, 0, 0]) in words
            and signed(PARTS.ffn[layer, 0, 0]) in words
        )
    assert (
        proof(VIEWER.shares, 0) in words
        and signed(PARTS.embedding[0, 0]) in words
        and signed(PARTS.bias[0, 0]) in words
    )
    assert titles(page) == ["layer 3: attention", "layer 3: FFN", "attention − FFN"]
    bars = page.locator(".numbers").all_inner_texts()
    reach = number(VIEWER.shares.scale(0).high)
    assert [bar.split() for bar in bars] == [[f"−{reach}", "0", reach]] * 3, (
        "one scale for all three maps"
    )
    assert page.locator(".lens canvas").count() == 5


def test_all_parts_have_one_scale_also_those_that_are_folded(visit: Callable):
    page = visit(PAGE)
    unfold(page)
    bars = "rects => rects.map(r => Number(r.getAttribute('height')))"
    upper, lower = (
        page.locator(f".{name} rect:is(.plus, .minus)").evaluate_all(bars)
        for name in ("chart", "lower")
    )
    parts = [*PARTS.attention[:, 0, 0], *PARTS.ffn[:, 0, 0]]
    tall = np.array(upper) / np.abs(parts)
    folded = np.array(lower[:2]) / np.abs([PARTS.embedding[0, 0], PARTS.bias[0, 0]])
    seen = np.array(lower[:2]) > 1  # what is smaller is a line all the same
    heights = [
        page.locator(f".{name}").evaluate("e => e.clientHeight") for name in ("chart", "lower")
    ]
    lanes = [2, 4]
    rooms = [height / count for height, count in zip(heights, lanes)]
    assert seen.any()
    np.testing.assert_allclose(folded[seen] / rooms[1], np.median(tall) / rooms[0], rtol=0.2)


def test_selection_ratios_have_their_lane_where_the_mask_is_known(visit: Callable):
    page = visit(PAGE)
    unfold(page)
    ratio = PARTS.selection[TEXTS[0]].ratio
    words = page.locator(".lanes text").all_text_contents()
    for value in (*ratio["qk"], *ratio["vv"]):
        assert two_digits(float(value)) in words
    assert {"selection ratio", "q-k", "v-v"} <= set(words) and page.locator(
        ".lanes .level"
    ).count() == 1
    told = (
        f"layer 1; selection ratio q-k {two_digits(float(ratio['qk'][1]))}, v-v "
        f"{two_digits(float(ratio['vv'][1]))}; chance 0.10"
    )
    assert page.locator(".lanes title").nth(1).text_content().startswith(told)
    assert selecting(VIEWER.shares, 0) in page.locator(".caption").text_content()
    page.locator(".chip", has_text=TEXTS[1]).click()
    settled(page)
    assert "selection ratio" not in page.locator(".lanes text").all_text_contents()
    assert "Selection ratio" not in page.locator(".caption").text_content()


def test_hover_previews_a_layer_and_click_keeps_it(visit: Callable):
    page = visit(PAGE)
    over_layer(page, 1)
    assert titles(page)[0] == "layer 1: attention"
    expected = (
        f"layer 1, class token: attention {signed(PARTS.attention[1, 0, 0])}, FFN "
        f"{signed(PARTS.ffn[1, 0, 0])}"
    )
    assert status(page).startswith(
        f"{expected}; sum so far {number(float(np.float32(VIEWER.shares.cumulative(0)[2])))}"
    )
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
    unfold(page)
    for panel in range(4):
        point_at(page, panel, ROW, COLUMN)
        assert readouts(page) == expected(3)
    adds = signed(PARTS.attention[3, 0, 1 + AT])
    assert f"layer 3, row {ROW}, column {COLUMN}: attention adds {adds}" in status(page)
    words = page.locator(".lanes text").all_text_contents()
    assert (
        signed(PARTS.attention[1, 0, 1 + AT]) in words
        and signed(PARTS.embedding[0, 1 + AT]) in words
    )
    assert (
        f"marks: row {ROW}, column {COLUMN}, whose cosine is "
        f"{number(float(PARTS.similarity[0, 1 + AT]))}" in words
    )
    assert page.locator(".lanes .patch").count() == 10


def test_keyboard_alone_is_enough(visit: Callable):
    page = visit(PAGE)
    press(page, "[", "[", "]", "]", "]", "[", "ArrowDown", "ArrowLeft", " ")
    assert titles(page)[0] == "layer 2: attention"
    assert status(page).startswith("layer 2, row 7, column 6 (pinned, Esc unpins)")
    page.wait_for_timeout(400)
    assert page.locator(".spoken").text_content().startswith("layer 2, row 7, column 6")
    page.keyboard.press("?")
    settled(page)
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert "class token" in status(page) and page.locator(".help").is_hidden()


def test_texts_and_scales(visit: Callable):
    page = visit(PAGE)
    unfold(page)
    page.locator(".chip", has_text=TEXTS[1]).click()
    settled(page)
    assert proof(VIEWER.shares, 1) in page.locator(".lanes text").all_text_contents()
    point_at(page, 1, ROW, COLUMN)
    assert readouts(page) == expected(3, text=1)
    page.locator("select").first.select_option(index=1)
    settled(page)
    reach = number(VIEWER.shares.scale(1, 3).high)
    assert [bar.split()[-1] for bar in page.locator(".numbers").all_inner_texts()] == [reach] * 3
    assert (
        f"this layer's scale, from −{reach} to {reach}" in page.locator(".caption").text_content()
    )
    page.locator("summary", has_text="Table").click()
    # the table is made once the browser has told of the opening
    page.locator("tbody tr").first.wait_for()
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
    assert [
        n.locator("figure b").nth(1).inner_text() for n in page.locator(".clipxai-figure").all()
    ] == [
        "layer 3: attention",
        f"layer {hostile.layer - 1}: attention",
    ]


def test_without_scripts_the_poster_is_there(visit: Callable):
    page = visit(saved(VIEWER, poster=True), java_script_enabled=False)
    assert_poster(page)


def test_a_deep_model_on_a_narrow_page_does_not_scroll_sideways(visit: Callable):
    page = visit(saved(ModuleComparison(contributions(layers=24))))
    assert_no_sideways_scrolling(page)


def test_layers_follow_the_pointer_at_once(visit: Callable):
    page = visit(PAGE)
    settled(page)
    times = page.evaluate("""async () => {
        const shadow = document.querySelector('.clipxai-figure').shadowRoot;
        const chart = shadow.querySelector('.chart'), worked = [];
        const box = chart.getBoundingClientRect();
        for (let n = 0; n < 60; n++) {
            await new Promise(done => requestAnimationFrame(done));
            const across = (1.5 + n % 4) * (box.width - 118) / 6;
            const at = { clientX: box.x + 118 + across, clientY: box.y + 30 };
            const start = performance.now();
            chart.dispatchEvent(new PointerEvent('pointermove', at));
            worked.push(performance.now() - start);
        }
        return worked;
    }""")
    assert np.median(times) < 50
