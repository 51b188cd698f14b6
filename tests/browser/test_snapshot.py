"""Is the picture that a page saves the one that is on the screen?"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from attention_examples import attention_example
from browsing import saved, settled
from inside_examples import contributions, head_contributions, token_scores
from surgery_examples import surgery_steps
from view_examples import HOSTILE, MASKS, example

from clipxai.view import (
    HeadGrid,
    LayerAttentionViewer,
    MethodComparison,
    ModuleComparison,
    SurgeryWalk,
    TokenMap,
    Viewer,
)

METHODS = [example(name, seed=n) for n, name in enumerate(("clip", "clip_surgery"))]
SVG = "{http://www.w3.org/2000/svg}"
OPTIONS = {
    "colours": lambda page: page.get_by_label("colours").select_option(index=1),
    "overlay": lambda page: page.get_by_label("overlay").select_option(label="mask"),
    "threshold": lambda page: page.get_by_label("threshold").fill("80"),
    "points": lambda page: page.get_by_label("overlay").select_option(label="points for SAM"),
    "opacity": lambda page: page.get_by_label("map opacity").fill("10"),
    "pin": lambda page: page.locator(".picture").nth(1).click(position={"x": 40, "y": 60}),
    "text": lambda page: page.locator(".chip", has_text="a clock").click(),
}


def downloaded(page: object, kind: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name=kind).click()
    download.value.save_as(folder / f"taken.{kind.lower()}")
    return folder / f"taken.{kind.lower()}"


def picture(page: object, folder: Path) -> np.ndarray:
    return cv2.imread(str(downloaded(page, "PNG", folder))).astype(int)


def test_every_choice_changes_the_picture(visit: Callable, tmp_path: Path):
    page = visit(saved(MethodComparison(METHODS[:1], mask=MASKS)))
    page.set_viewport_size({"width": 640, "height": 900})  # a small figure is soon compressed
    page.locator(".more").click()
    settled(page)
    seen = [picture(page, tmp_path)]
    for name, choose in OPTIONS.items():
        choose(page)
        seen.append(picture(page, tmp_path))
        assert seen[-1].shape != seen[-2].shape or np.abs(seen[-1] - seen[-2]).max() > 60, name
    page.get_by_label("smooth").hover()
    assert np.array_equal(picture(page, tmp_path), seen[-1]), "nothing was chosen"


@pytest.mark.parametrize(
    ("viewer", "scheme"),
    [
        (MethodComparison(METHODS, mask=MASKS), "light"),
        (LayerAttentionViewer(attention_example(sinks=(7,))), "dark"),
        (ModuleComparison(contributions()), "light"),
        (TokenMap(token_scores()), "dark"),
        (SurgeryWalk(surgery_steps()), "light"),
    ],
    ids=lambda value: getattr(value, "module", value),
)
def test_the_picture_is_what_the_screen_shows(
    visit: Callable, tmp_path: Path, viewer: Viewer, scheme: str
):
    page = visit(saved(viewer), color_scheme=scheme)
    page.locator(".stage").wait_for()
    settled(page)
    taken = picture(page, tmp_path)
    # of a walk the diagram, which has parts that are not there yet
    area = page.locator(".board, .stage").first.bounding_box()
    screen = cv2.imdecode(
        np.frombuffer(page.screenshot(clip=area, full_page=True), np.uint8), cv2.IMREAD_COLOR
    )
    controls = page.locator(".controls").bounding_box()
    left = 2 * (12 + area["x"] - page.locator(".figure").bounding_box()["x"])
    top = 2 * (34 + area["y"] - controls["y"] - controls["height"])
    same = taken[
        round(top) : round(top) + 2 * screen.shape[0],
        round(left) : round(left) + 2 * screen.shape[1],
    ]
    same = cv2.resize(same.astype(np.uint8), screen.shape[1::-1], interpolation=cv2.INTER_AREA)
    apart = np.abs(cv2.blur(same, (9, 9)).astype(int) - cv2.blur(screen, (9, 9))).max(-1)
    assert (apart > 40).mean() < 0.003 and apart.mean() < 3, (
        "edges lie a little otherwise, and nothing else"
    )


def test_an_svg_has_title_bar_numbers_and_caption_and_needs_nothing_else(
    visit: Callable, tmp_path: Path
):
    viewer = MethodComparison(example(texts=(HOSTILE,)))
    page = visit(saved(viewer))
    page.get_by_label("overlay").select_option(label="points for SAM")
    page.locator("summary", has_text="what it means").click()
    root = ElementTree.parse(downloaded(page, "SVG", tmp_path)).getroot()
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words[0] == viewer.summary and HOSTILE in words
    assert page.locator(".numbers span").first.inner_text() in words
    assert "".join(page.locator(".caption p").first.text_content().split()) in "".join(
        "".join(words).split()
    )
    assert {"font-family"} <= set.intersection(
        *(set(text.keys()) for text in root.iter(f"{SVG}text"))
    )
    links = [image.get("href") for image in root.iter(f"{SVG}image")]
    assert len(links) == 7 and all(link.startswith("data:image/") for link in links), (
        "two photos, map, overlay, two of marks, bar"
    )


def test_charts_and_frames_are_in_the_picture(visit: Callable, tmp_path: Path):
    page = visit(saved(ModuleComparison(contributions())))
    chart = ElementTree.parse(downloaded(page, "SVG", tmp_path)).getroot().find(f"{SVG}svg")
    assert page.locator(".chart text").all_text_contents() == [
        text.text for text in chart.iter(f"{SVG}text")
    ]
    assert all("font-family" in text.get("style") for text in chart.iter(f"{SVG}text")), (
        "else they are set in another font"
    )
    page = visit(saved(HeadGrid(head_contributions())))
    framed = [
        rect
        for rect in ElementTree.parse(downloaded(page, "SVG", tmp_path)).getroot()
        if rect.get("stroke") == "rgb(232, 89, 12)"
    ]
    assert len(framed) == 1, "the chosen head"
