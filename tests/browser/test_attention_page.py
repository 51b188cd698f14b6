"""Does the saved page of the attention viewer do what its help line promises, in a real browser
without network?
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attention_examples import attention_example
from browsing import (
    assert_a_frame_is_enough,
    assert_damage_leaves_the_poster,
    assert_no_sideways_scrolling,
    assert_poster,
    saved,
    settled,
)
from view_examples import HOSTILE

from clipxai.results.findings import AttentionMaps
from clipxai.view import LayerAttentionViewer
from clipxai.view.html import fragment
from clipxai.view.layer_attention.content import hidden_of, top_of
from clipxai.view.layer_attention.sentences import colour_notes
from clipxai.view.number import number, tenth
from clipxai.view.scales import colour_table

SINKS = (7, 20)
MAPS = attention_example(sinks=SINKS)  # 3 layers, 2 heads, 5 × 6 patches
VIEWER = LayerAttentionViewer(MAPS, steps=255)


def open_figure(visit: Callable, text: str, **context: object) -> object:
    """A page whose figures are inflated and drawn."""
    page = visit(text, **context)
    page.locator(".stage").first.wait_for()
    settled(page)
    return page


def at(
    page: object, selector: str, row: int, column: int, rows: int = 5, columns: int = 6
) -> tuple[float, float]:
    """Where a cell of a picture or strip is on the screen."""
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / columns, box["y"] + (row + 0.5) * box[
        "height"
    ] / rows


def told(page: object) -> list[str]:
    settled(page)
    return page.locator(".readout").all_inner_texts()


def expected(query: int, token: int, layer: int, maps: AttentionMaps = MAPS) -> list[float]:
    return [float(mean[layer, query, token]) for mean in maps.mean.values()]


def assert_says(lines: list[str], place: str, values: list[float]) -> None:
    """Every map names the place and its own weight, in even gazes of 31 tokens, to a tenth."""
    assert len(lines) == len(values)
    for line, value in zip(lines, values):
        head = line.split("\n")[0]
        assert f"{place}: " in head and head.endswith("×")
        assert float(head.split(f"{place}: ")[1][:-1]) == pytest.approx(31 * value, abs=0.08)


def unfold(page: object) -> None:
    """Open what is folded below the strips: heads, statistics, rollout."""
    page.locator("summary", has_text="Heads").click()
    settled(page)


def test_first_state_is_the_posters(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    row, column = divmod(VIEWER.query - 1, 6)
    assert page.locator("output.status").inner_text() == f"query: row {row}, column {column}"
    top = top_of(
        [mean[:, VIEWER.query] for mean in MAPS.mean.values()], hidden_of(MAPS, VIEWER.query)
    )
    caption = page.locator(".caption").text_content()
    for note in colour_notes(MAPS, VIEWER.query, VIEWER.layer, top) + VIEWER.notes:
        assert note in caption
    numbers = page.locator(".numbers").all_inner_texts()
    assert numbers[0].split()[-1] == f"{tenth(31 * top)}×"
    highest = [mean[VIEWER.layer, VIEWER.query, 1:].max() for mean in MAPS.mean.values()]
    assert ["≥" in line for line in numbers] == [weight > top for weight in highest]
    assert max(highest) > top, "what the scale leaves out, here sinks, is said at its end"


def test_hovering_the_image_asks_that_patch_and_the_map_shows_its_colours(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    page.mouse.move(*at(page, ".photo .picture", 3, 2))
    query, layer = 1 + 3 * 6 + 2, VIEWER.layer
    settled(page)
    assert page.locator("output.status").inner_text() == "query: row 3, column 2"
    hidden = hidden_of(MAPS, query)
    top = top_of([mean[:, query] for mean in MAPS.mean.values()], hidden)
    for n, mean in enumerate(MAPS.mean.values()):
        row = mean[layer, query].copy()
        row[hidden] = 0
        token = int(row.argmax())
        pixels = (
            page.locator(".cells")
            .nth(n)
            .evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
        )
        shown = np.array(pixels).reshape(5, 6, 4)[divmod(token - 1, 6)][:3]
        place = int(np.rint(255 * np.sqrt(row[token] / top)))
        assert np.abs(shown - colour_table("viridis")[place].astype(int)).max() <= 6
    page.mouse.move(2, 2)
    settled(page)
    assert page.locator("output.status").inner_text() != "query: row 3, column 2", (
        "the first query returns"
    )


def test_hovering_a_map_reads_the_right_numbers(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    page.mouse.click(*at(page, ".photo .picture", 3, 2))
    query = 1 + 3 * 6 + 2
    # the second is a sink, the third the query itself
    for row, column in ((0, 4), (1, 1), (3, 2), (4, 5)):
        page.mouse.move(*at(page, ".panel:not(.photo):nth-of-type(2) .picture", row, column))
        assert_says(
            told(page),
            f"row {row}, column {column}",
            expected(query, 1 + 6 * row + column, VIEWER.layer),
        )
    assert "pinned" in page.locator("output.status").inner_text()


def test_class_chip_strip_and_head_choose(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    page.get_by_text("[class]", exact=True).first.hover()
    page.locator(".photo .chip").click()
    settled(page)
    assert page.locator("output.status").inner_text().startswith("query: [class] (pinned")
    page.mouse.click(*at(page, ".films .film >> nth=1", 0, 0, 1, 3))
    page.mouse.move(*at(page, ".panel:not(.photo):nth-of-type(2) .picture", 2, 2))
    assert_says(told(page), "row 2, column 2", expected(0, 15, 0))
    unfold(page)
    page.mouse.click(*at(page, ".heads .film >> nth=1", 1, 2, 2, 3))  # v-v, head 1, layer 2
    page.mouse.move(*at(page, ".panel:not(.photo):nth-of-type(2) .picture", 2, 2))
    assert_says(
        told(page), "row 2, column 2", [float(rows[2, 1, 15]) for rows in MAPS.class_rows.values()]
    )
    assert (
        "head 1 alone" in page.locator("output.status").inner_text()
        and "head 1 alone" in page.locator(".caption").text_content()
    )
    page.mouse.dblclick(*at(page, ".heads .film >> nth=1", 0, 0, 2, 3))
    settled(page)
    assert "alone" not in page.locator("output.status").inner_text()


def test_a_head_answers_for_a_patch_where_it_was_sent_and_says_so_where_not(visit: Callable):
    maps = attention_example(sinks=SINKS, headed=(1,))
    page = open_figure(visit, saved(LayerAttentionViewer(maps, steps=255)))
    page.mouse.click(*at(page, ".photo .picture", 3, 2))
    unfold(page)
    page.mouse.click(*at(page, ".heads .film >> nth=0", 1, 1, 2, 3))  # q-k, head 1, layer 1
    page.mouse.move(*at(page, ".panel:not(.photo):nth-of-type(2) .picture", 2, 2))
    query = 1 + 3 * 6 + 2
    assert_says(
        told(page),
        "row 2, column 2",
        [float(kind[1, query, 15]) for kind in maps.heads[1].values()],
    )
    assert (
        page.locator("output.status").inner_text()
        == "query: row 3, column 2, head 1 alone (pinned; Esc unpins)"
    )
    page.mouse.click(*at(page, ".films .film >> nth=0", 0, 2, 1, 3))  # layer 2 has none
    page.mouse.move(*at(page, ".panel:not(.photo):nth-of-type(2) .picture", 2, 2))
    assert_says(told(page), "row 2, column 2", expected(query, 15, 2, maps))
    assert "only in layer 1 of this figure" in page.locator(".caption").text_content()


def test_statistics_have_their_numbers(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    unfold(page)
    names = page.locator(".heads .names")
    assert names.first.inner_text().split() == ["H0", "H1"] and names.count() == 5
    assert page.locator(".heads .ticks").first.inner_text().split() == ["0", "1", "2"]
    told = page.locator(".merits > div > small:nth-child(2)").all_inner_texts()
    meanings = [one["meaning"] for one in VIEWER.payload().header["statistics"]]
    assert told == meanings, "what they are is there to be read, not only under the pointer"
    page.mouse.move(*at(page, ".merits .film >> nth=1", 1, 2, 2, 3))
    hint = page.locator(".hint").inner_text()
    assert hint.startswith("layer 2, head 1: ")
    for name, word in (
        ("entropy", "entropy"),
        ("distance", "mean distance"),
        ("on_class", "share on [class]"),
    ):
        assert f"{word} {number(float(getattr(MAPS, name)[2, 1]))}" in hint
    page.mouse.move(*at(page, ".films .film >> nth=2", 0, 1, 1, 3))
    assert page.locator(".hint").inner_text().startswith("layer 1, rollout: most on ")


def test_keyboard_alone_is_enough(visit: Callable):
    page = open_figure(visit, saved(LayerAttentionViewer(MAPS, query=(2, 2), layer=0)))
    page.locator(".stage").focus()
    for key in ("ArrowRight", "ArrowUp", "]", "]", "]", "[", " "):
        page.keyboard.press(key)
    settled(page)
    assert (
        page.locator("output.status").inner_text() == "query: row 1, column 3 (pinned; Esc unpins)"
    )
    assert "layer 1 " in page.locator(".panel:not(.photo) figcaption span").first.inner_text()
    page.wait_for_timeout(400)
    assert (
        page.locator(".spoken")
        .text_content()
        .startswith("query row 1, column 3, layer 1; q-k: most: row ")
    )
    page.keyboard.press("c")
    settled(page)
    assert page.locator("output.status").inner_text() == "query: [class]"
    page.keyboard.press("?")
    assert page.locator(".help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator(".help").is_hidden()
    settled(page)
    assert page.locator("output.status").inner_text() == "query: row 2, column 2"
    unfold(page)
    page.locator(".heads .film").first.focus()
    # the first one lands on layer 0, head 0
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    settled(page)
    assert page.locator("output.status").inner_text().startswith("query: [class], head 1 alone")


def test_scale_switches_change_the_scale_and_the_caption_not_the_numbers(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    rows = [mean[:, VIEWER.query] for mean in MAPS.mean.values()]
    before = told(page)
    page.get_by_label("sinks (2)").uncheck()
    settled(page)
    ends = [line.split()[-1] for line in page.locator(".numbers").all_inner_texts()]
    assert ends == [f"{tenth(31 * top_of(rows, [0, VIEWER.query]))}×"] * 2
    assert "the sinks" not in page.locator(".caption p").nth(1).text_content()
    page.get_by_label("colours").select_option(label="each map on its own scale")
    settled(page)
    ends = [line.split()[-1] for line in page.locator(".numbers").all_inner_texts()]
    for end, values in zip(ends, rows):
        assert float(end[:-1]) == pytest.approx(
            31 * top_of([values[VIEWER.layer]], [0, VIEWER.query]), rel=0.02, abs=0.06
        )
    assert "do not compare across maps" in page.locator(".caption").text_content()
    assert told(page) == before


def test_every_head_has_its_name_where_tiles_are_smallest_and_sinks_are_circled(visit: Callable):
    maps = attention_example(24, 16, (8, 8), sinks=(20,))
    page = open_figure(visit, saved(LayerAttentionViewer(maps)))
    page.set_viewport_size({"width": 1280, "height": 800})
    unfold(page)
    for film in page.locator(".heads .table").all():
        rows = [one.bounding_box() for one in film.locator(".names span").all()]
        apart = [low["y"] - high["y"] for high, low in zip(rows, rows[1:])]
        assert len(rows) == 16 and min(apart) >= 11.5, "letters of 12 pixels do not run together"
        canvas = film.locator("canvas").first.bounding_box()
        middle = rows[5]["y"] + rows[5]["height"] / 2 - canvas["y"]
        assert abs(middle / canvas["height"] * 16 - 5.5) < 0.25, "beside the tiles it names"
    assert page.locator(".beside small").inner_text() == "○ 1 of 1 sinks"
    drawn = """canvas => {
      const { width, height } = canvas, [x, y] = [4.5 * width / 8, 2.5 * height / 8];
      const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
      const ink = (x, y) => data[4 * (Math.round(y) * width + Math.round(x)) + 3];
      return [ink(x, y), ink(x + 0.3 * width / 8, y)];
    }"""
    middle, ring = page.locator(".photo .layer").evaluate(drawn)
    assert ring > 200 and middle < 200, "and what is in it stays to be seen"


def test_one_kind_only(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    page.locator(".controls .chip").nth(2).click()
    settled(page)
    assert page.locator(".panel:not(.photo):visible b").all_inner_texts() == ["v-v attention"]
    assert page.locator(".films .film:visible").count() == 1


def test_table_lists_what_it_looks_at_most(visit: Callable):
    page = open_figure(visit, saved(VIEWER))
    page.locator("summary", has_text="Table").click()
    order = np.argsort(-MAPS.mean["qk"][VIEWER.layer, VIEWER.query])
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").count() == 10
    first = int(order[0])
    name = "[class]" if first == 0 else "row {}, column {}".format(*divmod(first - 1, 6))
    assert page.locator("tbody tr").first.locator("td").nth(1).inner_text() == name


def test_one_layer_and_one_kind_as_of_a_resnet(visit: Callable):
    page = open_figure(visit, saved(LayerAttentionViewer(attention_example(1, 4, (4, 4), ("qk",)))))
    assert page.locator(".panel").count() == 2 and page.locator(".controls .chip").count() == 0
    page.mouse.move(*at(page, ".photo .picture", 0, 0, 4, 4))
    settled(page)
    assert page.locator("output.status").inner_text() == "query: row 0, column 0"


def test_two_figures_on_one_page(visit: Callable):
    one, other = (
        fragment(VIEWER),
        fragment(LayerAttentionViewer(attention_example(seed=1, model=HOSTILE), query=(4, 4))),
    )
    page = visit(f"<!doctype html><body>{one}{other}</body>")
    page.locator(".stage").nth(1).wait_for()
    settled(page)
    page.mouse.move(*at(page, ".photo .picture >> nth=0", 0, 0))
    settled(page)
    assert page.locator("output.status").all_inner_texts() == [
        "query: row 0, column 0",
        "query: row 4, column 4",
    ]
    assert HOSTILE in page.locator(".stage").nth(1).get_attribute("aria-label")
    assert page.locator("img[src=x]").count() == 0


def test_without_scripts_the_poster_is_there(visit: Callable):
    page = visit(saved(VIEWER, poster=True), java_script_enabled=False)
    assert_poster(page)


def test_damaged_numbers_leave_the_poster_and_say_why(browser: object, tmp_path: Path):
    assert_damage_leaves_the_poster(browser, saved(VIEWER, poster=True), tmp_path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_and_narrow_page(visit: Callable, scheme: str):
    page = open_figure(visit, saved(VIEWER), color_scheme=scheme)
    assert_no_sideways_scrolling(page)
    assert page.locator(".figure").get_attribute("data-theme") == scheme


def test_hover_is_answered_at_once_at_full_size(visit: Callable, capsys: pytest.CaptureFixture):
    text = saved(
        LayerAttentionViewer(attention_example(12, 12, (14, 14), sinks=(5, 100), headed=(11,)))
    )
    page = open_figure(visit, text)
    assert_a_frame_is_enough(
        page, f"attention at ViT-B/16, page of {len(text) / 1000:.0f} kB", capsys
    )


def test_the_outline_of_a_thing_lies_on_every_layer(visit: Callable):
    """A thing that covers the left half of the patches: its right edge is in the middle of each."""
    height, width = MAPS.picture.image.shape[:2]
    half = np.tile(np.arange(width) < width / 2, (height, 1))
    page = open_figure(visit, saved(LayerAttentionViewer(MAPS, truth={"a thing": half})))
    ink = """canvas => {
      const { width, height } = canvas, L = 3, gap = 2, cells = L * (6 + gap) - gap;
      const { data } = canvas.getContext('2d').getImageData(0, height >> 1, width, 1);
      const at = x => Math.round(x * width / cells);
      const has = x => [-2, -1, 0, 1].some(d => data[4 * (at(x) + d) + 3] > 0);
      return [0, 1, 2].map(l => [has(l * (6 + gap) + 3), has(l * (6 + gap) + 5)]);
    }"""
    drawn = page.locator(".films .outlines:visible").evaluate_all(f"all => all.map({ink})")
    assert drawn == [[[True, False]] * 3] * len(MAPS.mean)
