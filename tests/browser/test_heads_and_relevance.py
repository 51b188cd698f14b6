"""Do the saved pages of heads and of word relevance do what their help lines promise, in a real
browser without network?
"""

from collections.abc import Callable

import pytest
from browsing import (
    assert_accessible,
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
from inside_examples import TEXTS, head_contributions, word_relevance
from view_examples import MASKS

from clipxai.view import HeadGrid, WordRanking
from clipxai.view.head_grid.sentences import proof
from clipxai.view.number import number, percent, signed

HEADS = HeadGrid(head_contributions())  # 4 layers of 3 heads
OWL = HeadGrid(head_contributions(), truth={TEXTS[0]: MASKS[TEXTS[0]]})
WORDS = WordRanking(word_relevance())
ROW, COLUMN = 6, 9
AT = ROW * 14 + COLUMN


def share(layer: int, head: int, text: int = 0) -> str:
    return signed(float(HEADS.shares.cells(text)[head, layer]))


def test_the_grid_has_every_share_and_the_closure_stands_below(visit: Callable):
    page = visit(saved(HEADS))
    settled(page)
    cells = page.locator(".grid span:not(.name):not(.tick)").all_inner_texts()
    assert [cell for cell in cells if cell] == [
        signed(float(value)) for value in HEADS.shares.cells(0).ravel()
    ]
    assert page.locator(".closure").text_content() == proof(HEADS.shares, 0)
    assert titles(page) == ["layer 2, head 1", "all heads together"]
    assert [line.split()[-1] for line in page.locator(".numbers").all_inner_texts()] == [
        number(s.high) for s in HEADS.shares.scales(0)
    ]


def test_hover_previews_a_head_and_click_keeps_it(visit: Callable):
    page = visit(saved(HEADS))
    cell = page.locator(".grid [data-head='3']")  # layer 1, head 0
    cell.hover()
    assert titles(page)[0] == "layer 1, head 0"
    assert status(page).startswith(f"layer 1, head 0: adds {share(1, 0)} to the cosine")
    page.mouse.move(2, 2)
    assert titles(page)[0] == "layer 2, head 1"
    cell.click()
    page.mouse.move(2, 2)
    point_at(page, 1, ROW, COLUMN)
    one, every = (float(values[AT]) for values in HEADS.shares.maps(0, 1, 0))
    told = [float(line.split(",")[0].replace("−", "-")) for line in readouts(page)]
    assert told == pytest.approx([one, every], abs=1e-6)
    assert (
        status(page)
        == f"layer 1, head 0: {number(one)} from row {ROW}, column {COLUMN}, of its {share(1, 0)}"
    )
    assert page.locator(".grid [data-shown]").all_inner_texts() == [share(1, 0)]


def test_keys_texts_and_table_of_heads(visit: Callable):
    page = visit(saved(HEADS), color_scheme="dark")
    press(page, "[", "{", "]", "]", "]", "ArrowUp", " ")
    assert titles(page)[0] == "layer 3, head 0" and "(pinned, Esc unpins)" in status(page)
    page.wait_for_timeout(400)
    assert page.locator(".spoken").text_content().startswith("layer 3, head 0: ")
    press(page, "Escape", "?")
    assert page.locator(".help").is_visible()
    page.locator(".chip", has_text=TEXTS[1]).click()
    settled(page)
    assert page.locator(".closure").text_content() == proof(HEADS.shares, 1) and share(
        3, 0, text=1
    ) in status(page)
    page.locator("summary", has_text="Table").click()
    page.locator("tbody tr").first.wait_for()
    assert page.locator("tbody tr").first.locator("td").all_inner_texts()[:3] == [
        "2",
        "1",
        share(2, 1, text=1),
    ]


INK = """canvas => {
  const { width, height } = canvas;
  const copy = new OffscreenCanvas(width, height).getContext('2d');
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, width, height);
  const inked = { red: 0, blue: 0 };
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 250) continue;
    if (data[i] > data[i + 2] + 80) inked.red++;
    if (data[i + 2] > data[i] + 80) inked.blue++;
  }
  return inked;
}"""


def test_the_messenger_has_arrows_and_what_its_layer_wrote(visit: Callable):
    """On the page, by keys alone: head 1 of layer 2 fetched more than it lost nearly everywhere."""
    page = visit(saved(OWL))
    settled(page)
    arrows = page.locator(".photo canvas").last
    assert arrows.evaluate(INK) == {"red": 0, "blue": 0} and page.locator(".gathers").is_hidden()
    press(page, "m")
    settled(page)
    assert titles(page) == ["layer 2, head 1", "written by layer 2"]
    parts = OWL.contributions
    fetched, wrote = parts.heads[2, 1, 0, 1:], parts.written_on(0, MASKS[TEXTS[0]])[2]
    on_it = OWL.shares.message(0, MASKS[TEXTS[0]]).fetched[2, 1]
    told = page.locator(".story").inner_text()
    assert told == (
        f"For “{TEXTS[0]}”, head 1 of layer 2 brought [class] {signed(float(fetched.sum()))} from "
        f"patches, {signed(float(on_it))} of it on the outline; its layer's attention wrote "
        f"{signed(float(wrote[0]))} into a patch there, {signed(float(wrote[1]))} into others "
        "(means)."
    )
    most = sorted(fetched.tolist(), key=abs)[-8:]
    assert page.locator(".photo figcaption span").inner_text().startswith(signed(sum(most)))
    ink = arrows.evaluate(INK)
    assert min(most) > 0 and ink["red"] > 500 and not ink["blue"]
    assert page.locator(".gathers").inner_text() == "[class]"
    point_at(page, 2, ROW, COLUMN)
    assert status(page).endswith(
        f"; layer 2 wrote {number(float(parts.written[2, 0, AT]))} into it"
    )
    page.mouse.move(2, 2)
    page.locator(".chip", has_text=TEXTS[1]).click()
    settled(page)
    assert "outline" not in page.locator(".story").inner_text()
    assert_accessible(page)
    assert_no_sideways_scrolling(page)
    press(page, "m")
    assert titles(page)[1] == "all heads together" and page.locator(".gathers").is_hidden()


def test_words_have_their_numbers_and_colours(visit: Callable):
    page = visit(saved(WORDS))
    settled(page)
    assert page.locator(".word small").all_inner_texts()[1:-1] == [
        percent(float(share)) for share in WORDS.words.shares[1:-1]
    ]
    assert not "".join(page.locator(".word small").all_inner_texts()[::6]).strip()
    assert page.locator(".row span:first-child").all_inner_texts() == [
        "owl",
        "an (1)",
        "an (4)",
        "oak",
        "by",
    ]
    colours = page.locator(".word").evaluate_all(
        "all => all.map(c => getComputedStyle(c).backgroundColor.match(/\\d+/g).map(Number))"
    )
    red, blue = colours[2], colours[3]  # owl and by
    assert red[0] > 2 * red[2] and blue[2] > 1.2 * blue[0]
    assert colours[-1] == red, "[end] exceeds the scale"
    assert status(page) == "“owl”: 50.0 %; 0.5, rank 1 of 5, the sum of o + wl"
    assert "zero in the middle" in page.locator(".caption").text_content()


def test_hover_click_and_keys_choose_a_word(visit: Callable):
    page = visit(saved(WORDS), color_scheme="dark")
    page.locator(".row").last.hover()
    assert status(page).startswith("“by”: −25.0 %; −0.25, rank 5 of 5")
    page.mouse.move(2, 2)
    assert status(page).startswith("“owl”")
    page.locator(".word").nth(5).click()
    page.mouse.move(2, 2)
    assert status(page).startswith("“oak”: −5.0 %; −0.05") and page.locator(
        "[aria-current='true']"
    ).inner_text().startswith("oak")
    press(page, "]")
    assert status(page) == "“[end]”: 1"
    press(page, "[", "[", "?")
    assert status(page).startswith("“an (4)”: 10.0 %; 0.1") and page.locator(".help").is_visible()


@pytest.mark.parametrize("viewer", [HEADS, WORDS], ids=lambda viewer: viewer.module)
def test_narrow_pages_and_pages_without_scripts(visit: Callable, viewer: object):
    assert_no_sideways_scrolling(visit(saved(viewer)))
    assert_poster(visit(saved(viewer, poster=True), java_script_enabled=False))
