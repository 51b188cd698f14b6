"""Does the playground run by itself: maps, dragging, words, heads, walks, with nothing fetched?"""

import json
from collections.abc import Callable, Iterator
from urllib.parse import unquote

import numpy as np
import pytest
from browsing import assert_accessible, assert_no_sideways_scrolling

import clipxai as cx
from clipxai.cli import main


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as the command writes it."""
    out = tmp_path_factory.mktemp("play") / "play.html"
    assert main(["playground", "--out", str(out)]) == 0
    assert out.stat().st_size < 9_000_000
    return out.read_text(encoding="utf-8")


@pytest.fixture
def page(written: str, visit: Callable) -> Iterator[object]:
    """The page with its first maps; `visit` fails the test at any message or request."""
    opened = visit(written)
    opened.locator(".way").first.wait_for()
    yield opened


def said(page: object, words: str) -> None:
    """Wait until the status line says that."""
    page.locator(".status", has_text=words).wait_for()


def view(page: object) -> dict:
    """What the address keeps."""
    page.wait_for_timeout(400)  # the address is not written all the time
    return json.loads(unquote(page.evaluate("location.hash")[1:]))


def test_it_says_what_torch_says_of_the_same_pixels(page: object):
    said(page, "contrast −53 at the cat")
    photo = page.locator(".picture img").first.get_attribute("src")
    trace = cx.record(cx.load(), photo_of(photo), ["a cat", "a bicycle", "a cat and a bicycle"])
    cosines = [text.split(" ")[0] for text in page.locator(".value").all_inner_texts()]
    expected = trace.similarity()[0, 0]
    assert [float(one.replace("−", "-")) for one in cosines] == pytest.approx(expected, abs=6e-4)
    surgery = cx.explain(trace, "clip_surgery").scores[0]
    lowest, _, highest = page.locator(".numbers").nth(1).locator("span").all_inner_texts()
    shown = [float(one.replace("−", "-")) for one in (lowest, highest)]
    assert shown == pytest.approx([surgery.min(), surgery.max()], rel=6e-3)
    shares = cx.head_contributions(trace).heads[:, :, 0, 1:].sum(-1)
    layer, head = np.unravel_index(shares.argmax(), shares.shape)
    told = page.locator(f".heads [title^='layer {layer}, head {head}:']").get_attribute("title")
    assert f"{shares[layer, head]:+.3f}" in told


def photo_of(url: str) -> bytes:
    """The picture of a data URL."""
    import base64

    return base64.b64decode(url.split(",")[1])


def test_drag_type_silence_remove_and_share_the_address(page: object):
    stage = page.locator("canvas.scene")
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.62 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.72 * box["height"], steps=4)
    page.mouse.up()
    cat = view(page)["things"][0]
    assert (cat["x"], cat["y"]) == pytest.approx((0.6, 0.72), abs=0.02)
    page.get_by_label("text 1").fill("an owl")
    said(page, "calls nothing on the stage by its name")
    page.get_by_role("button", name="add a thing").click()
    page.get_by_placeholder("search").fill("owl")
    page.keyboard.press("Enter")
    said(page, "the owl")
    before = page.locator(".value").first.inner_text()
    page.locator(".heads [title^='layer 6, head 3:']").click()  # it brings most
    page.get_by_role("button", name="silence this head").click()
    page.locator(".block.heads .said", has_text="1 silent: the cosine was").wait_for()
    assert page.locator(".value").first.inner_text() != before
    page.locator(".things tbody button").first.press("Enter")
    # the table is written anew: who has keys alone stays where they were
    page.locator(".things tbody button:focus[aria-pressed=true]").wait_for()
    page.locator(".tools button", has_text="×").press("Enter")
    page.locator("canvas.scene:focus").wait_for()
    kept = view(page)
    assert len(kept["things"]) == 2 and kept["silenced"] == [27] and kept["texts"][0] == "an owl"
    page.reload()
    page.locator(".heads button", has_text="×").wait_for()
    assert page.get_by_label("text 1").input_value() == "an owl"
    page.get_by_label("text 1").fill("dog " * 40)
    page.locator(".error", has_text="reads at most 32").wait_for()
    page.locator(".heads [title='layer 0, head 0: what it fetched is not known']").wait_for()
    assert not {*page.locator(".heads [title*=head]").all_inner_texts()} - {"", "×"}, (
        "no share is 0"
    )


def test_letters_that_are_typed_are_no_shortcuts(page: object):
    """f enlarges a figure and ? helps, but not who writes; of every field and list of the page."""
    text = page.get_by_label("text 1")
    text.press("Control+a")
    text.press_sequentially("a fish?")
    assert text.input_value() == "a fish?"
    page.get_by_role("button", name="add a thing").click()
    search = page.get_by_placeholder("search")
    search.press_sequentially("f?")
    assert search.input_value() == "f?"
    page.locator("select[title=background]").press("f")
    assert page.locator(".lecture").count() == page.locator(".help:visible").count() == 0
    page.get_by_label("smooth").press("f")
    page.locator(".lecture").wait_for()


def test_walks_say_what_is_seen_and_can_be_left(page: object):
    page.get_by_label("text 1").fill("a bicycle by night")
    said(page, "“a bicycle by night”")
    mine = view(page)
    page.get_by_role("button", name="Why is the map upside down?").click()
    walk = page.locator(".walk")
    walk.locator("p", has_text="Upside down.").wait_for()
    page.locator("select[title=background]").select_option("night sky")
    stage = page.locator("canvas.scene")
    stage.focus()
    for key in ("Enter", "Delete"):  # no cat: no sentence may speak of it
        page.keyboard.press(key)
    said(page, "calls nothing on the stage by its name")
    assert "cat" not in walk.locator("p").inner_text().replace("“a cat”", "")
    page.get_by_role("button", name="next").click()
    walk.locator("p", has_text="Nothing is subtracted yet.").wait_for()
    page.get_by_label("subtract").select_option("the empty text")
    walk.locator("p", has_text="Set the switches so").wait_for()
    forward = walk.get_by_role("button", name="next")
    while forward.get_attribute("aria-disabled") == "false":
        forward.press("Enter")
    assert forward.evaluate("button => button.matches(':focus')"), "the last step keeps it, too"
    page.get_by_role("button", name="leave the walk").click()
    walk.wait_for(state="hidden")
    assert view(page) == mine, "what was there before the walk"
    assert page.get_by_label("text 1").input_value() == "a bicycle by night"


CUT = """() => [...document.querySelector(".clipxai-figure").shadowRoot.querySelectorAll(".way")]
  .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length"""


def test_narrow_and_low_windows(page: object):
    assert_accessible(page)
    assert_no_sideways_scrolling(page, 390)
    for width in (390, 700):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(300)
        assert page.evaluate(CUT) == 0  # of a verdict, the number is what counts
    page.set_viewport_size({"width": 1024, "height": 640})
    page.locator(".things .said", has_text="Highest in the raw map: the bicycle, wrong").wait_for()
    lowest = page.locator(".things .said").bounding_box()
    assert lowest["y"] + lowest["height"] < 640  # a projector shows maps, texts, heads and things
    table = page.locator(".things td").all_inner_texts()
    assert float(table[0]) == pytest.approx(0.815, abs=0.002)  # as a drop, like its neighbours


def test_scales_are_as_wide_as_their_maps(page: object):
    page.set_viewport_size({"width": 1024, "height": 640})
    page.wait_for_timeout(400)
    for part in (".bar", ".numbers"):
        wide = page.locator(f".panel:not(.stagepanel) {part}").first.bounding_box()["width"]
        map_ = page.locator(".panel:not(.stagepanel) .picture").first.bounding_box()["width"]
        assert abs(wide - map_) < 1, part


def test_in_the_frame_of_a_notebook(visit: Callable):
    """There the address is the notebook's own, and stays."""
    page = visit(f"<!doctype html>{cx.playground()._repr_html_()}")
    frame = page.frame_locator("iframe")
    frame.locator(".way").first.wait_for()
    frame.get_by_label("text 1").fill("an owl")
    frame.locator(".status", has_text="calls nothing").wait_for()
    assert "#" not in page.url
