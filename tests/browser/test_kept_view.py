"""Does a saved page keep its reader's choices in its address, and begin as it was saved? What is
drawn over the maps?
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pytest
from attention_examples import attention_example
from browsing import readouts, saved, settled, wait_until
from view_examples import example

import clipxai as cx
from clipxai.view import LayerAttentionViewer, MethodComparison
from clipxai.view.html import fragment
from clipxai.view.html import page as page_of

METHODS = [example(name, seed=n) for n, name in enumerate(("clip", "clip_surgery"))]
OWL, BOTH = MethodComparison(METHODS, texts=[0]), MethodComparison(METHODS)


def kept(page: object) -> dict:
    page.wait_for_timeout(400)  # the address is not written all the time
    return json.loads(unquote(page.evaluate("location.hash")[1:]))


def overlay_at(page: object, points: list[tuple[float, float]]) -> list[list[int]]:
    """What is drawn over the first map at points (x, y) of the image of 112 pixels: red, green,
    blue, opacity of each.
    """
    read = """(c, points) => {
        const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
        const scaled = (value, size) => Math.floor(value / 112 * size);
        const at = ([x, y]) => 4 * (scaled(y, c.height) * c.width + scaled(x, c.width));
        return points.map(point => [...data.slice(at(point), at(point) + 4)]);
    }"""
    return page.locator(".panel:not(.photo) canvas.layer").nth(1).evaluate(read, points)


def test_choices_go_into_the_address_and_come_back(visit: Callable):
    page = visit(saved(BOTH))
    settled(page)
    assert page.evaluate("location.hash") == "", "nothing was chosen yet"
    page.locator(".panel:not(.photo) .picture").first.hover()
    assert page.evaluate("location.hash") == "", "hovering is no choice"
    page.locator("select").first.select_option(index=1)
    page.locator(".chip", has_text="a clock").click()
    page.locator(".stage").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    assert kept(page)["text"] == "a clock" and kept(page)["pinned"]["row"] in range(14)
    before = readouts(page)
    # before the address is written, too
    page.locator("select").first.select_option(index=0)
    page.locator("select").first.select_option(index=1)
    copy_link(page)
    wait_until(page, "window.copied === location.href")  # which is written a little later
    page.reload()
    assert page.locator("select").first.evaluate("s => s.selectedIndex") == 1
    assert page.locator(".chip[aria-pressed='true']").inner_text() == "a clock"
    assert readouts(page) == before


def copy_link(page: object) -> None:
    """What "copy link" puts onto the clipboard is then `window.copied`."""
    put = "async (text) => { window.copied = text; }"
    page.evaluate(f"() => {{ navigator.clipboard.writeText = {put}; }}")
    page.get_by_role("button", name="copy link").click()
    page.get_by_text("copied", exact=True).wait_for()


def test_a_link_is_offered_where_there_is_an_address(visit: Callable):
    """A page may not write to the clipboard: its address has the link."""
    page = visit(saved(OWL))
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="copy link").click()
    page.get_by_text("it is the page's address").first.wait_for()
    part = visit(f"<!doctype html><meta charset=utf-8>{fragment(OWL)}")
    settled(part)
    assert part.locator(".copy-link").count() == 1
    assert not part.locator(".copy-link").is_visible(), "a notebook has no address of the figure"


def test_a_broken_address_is_ignored(visit: Callable, tmp_path: Path):
    page = visit(saved(BOTH))
    for broken in (
        "#%",
        "#{",
        f"#{quote(json.dumps({'text': '<b>', 'scaling': 99, 'pinned': {'grid': 5}}))}",
    ):
        page.goto("about:blank")
        page.goto((tmp_path / "page.html").as_uri() + broken)
        settled(page)
        assert page.locator(".panel:not(.photo)").count() == 2


def test_a_page_begins_with_the_view_it_was_saved_with(visit: Callable):
    page = visit(page_of(BOTH, {"text": "a clock", "alpha": 0.25, "smooth": False}))
    settled(page)
    assert page.locator(".chip[aria-pressed='true']").inner_text() == "a clock"
    assert page.locator("input[type=range]").last.input_value() == "25"
    assert not page.locator("input[type=checkbox]").is_checked()


def test_layer_head_and_switches_of_attention_are_kept(visit: Callable):
    viewer = LayerAttentionViewer(attention_example(sinks=(7, 20)))
    view = {
        "layer": 0,
        "kind": "vv",
        "own": True,
        "withoutSelf": False,
        "pinned": {"grid": 0, "row": 1, "column": 2},
    }
    page = visit(page_of(viewer, view))
    page.locator(".stage").first.wait_for()
    settled(page)
    assert "row 1, column 2 (pinned" in page.locator("output.status").inner_text()
    assert "layer 0" in page.locator(".panel:not(.photo):visible figcaption span").inner_text()
    assert not page.get_by_label("the query itself").is_checked()


def scored(change: Callable) -> MethodComparison:
    """The owl's map with other scores."""
    scores = METHODS[0].scores.copy()
    change(scores)
    return MethodComparison(replace(METHODS[0], scores=scores), texts=[0])


def test_patches_that_are_not_known_are_hatched_and_no_region_of_any_mask(visit: Callable):
    viewer = scored(lambda scores: scores[0].__setitem__((6, slice(4, 6)), np.nan))
    page = visit(saved(viewer))
    settled(page)
    holes, beside = [(36, 52), (44, 52)], [(36, 60), (44, 60)]
    page.get_by_label("overlay").select_option(label="mask")
    page.get_by_label("threshold").fill("0")
    settled(page)
    shades = overlay_at(page, holes + beside)
    assert all(shade[3] == 255 and min(shade[:3]) > 100 for shade in shades[:2])
    assert not np.any(shades[2:]), "what is known reaches a threshold of 0"
    assert "Hatched" in page.locator(".caption").text_content()
    page.locator(".panel:not(.photo) .picture").hover(position={"x": 5, "y": 5})
    assert "of 194" in page.locator(".readout").inner_text()


@pytest.mark.parametrize(("overlay", "opacity"), [("mask", 190), ("points for SAM", 0)])
def test_a_flat_map_has_no_region_and_no_points(visit: Callable, overlay: str, opacity: int):
    page = visit(saved(scored(lambda scores: scores[0].fill(0.1))))
    settled(page)
    page.get_by_label("overlay").select_option(label=overlay)
    settled(page)
    shades = overlay_at(page, [(x, y) for x in (5, 50, 100) for y in (5, 50, 100)])
    assert {shade[3] for shade in shades} == {opacity}


@pytest.mark.parametrize("threshold", [0.5, 0.25])
def test_mask_overlay_dims_what_lies_below_the_threshold(visit: Callable, threshold: float):
    page = visit(saved(OWL))
    settled(page)
    page.get_by_label("overlay").select_option(label="mask")
    page.get_by_label("threshold").fill(str(round(100 * threshold)))
    settled(page)
    mask = METHODS[0].mask(0, threshold)
    inside, outside = np.argwhere(_core(mask)), np.argwhere(_core(~mask))
    assert len(inside) > 50 and len(outside) > 50
    shades = overlay_at(
        page, [(column + 0.5, row + 0.5) for row, column in (*inside.tolist(), *outside.tolist())]
    )
    dimmed = [opacity > 150 for *_, opacity in shades]
    assert not any(dimmed[: len(inside)]) and all(dimmed[len(inside) :])


@pytest.mark.parametrize("threshold", ["80", "70"])
def test_beside_the_points_stands_the_mask_that_was_made_from_them(visit: Callable, threshold: str):
    e = METHODS[0]

    def sam(image, points, labels, box):
        return [np.mgrid[:112, :112][1] < 56], None

    refined = cx.refine(e, sam)
    owl = refined.mask(e.texts[0])
    left, right = (bool(owl[:, columns].any()) for columns in (slice(56), slice(56, 112)))
    assert left and not right
    page = visit(saved(MethodComparison(e, texts=[0], refined=[refined], sure=0.8)))
    settled(page)
    page.get_by_label("overlay").select_option(label="points for SAM")
    settled(page)
    page.get_by_label("threshold").fill(threshold)
    settled(page)
    middles = [(column + 0.5, row + 0.5) for row, column in np.ndindex(112, 112)]
    dimmed = np.array([shade[3] == 190 for shade in overlay_at(page, middles)]).reshape(112, 112)
    if threshold == "80":
        assert not (dimmed & _core(owl)).any() and (dimmed & _core(~owl)).mean() > 0.3
    else:  # other points, of which it was not made
        assert not dimmed.any()
    assert "Masks of the points asked of sam" in page.locator(".caption").text_content()


def _core(mask: np.ndarray) -> np.ndarray:
    """Pixels whose neighbours up to three pixels away agree."""
    core = mask.copy()
    for down in range(-3, 4):
        for right in range(-3, 4):
            core &= np.roll(mask, (down, right), (0, 1))
    core[:4] = core[-4:] = core[:, :4] = core[:, -4:] = False
    return core


@pytest.mark.parametrize("threshold", [0.8, 0.6])
def test_points_lie_where_python_puts_them(visit: Callable, threshold: float):
    page = visit(saved(OWL))
    settled(page)
    page.get_by_label("overlay").select_option(label="points for SAM")
    page.get_by_label("threshold").fill(str(round(100 * threshold)))
    settled(page)
    xy, labels = METHODS[0].points(0, threshold)
    assert len(labels) >= 2
    shades = overlay_at(page, (xy - 0.9).tolist())  # within the disc, beside its sign
    for (x, y), label, shade in zip(xy, labels, shades, strict=True):
        assert shade[3] > 200 and (min(shade[:3]) > 180 if label else max(shade[:3]) < 80), (
            x,
            y,
            label,
            shade,
        )
