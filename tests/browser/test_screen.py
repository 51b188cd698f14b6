"""Is every figure seen at once, and read from the back row? Heights, letters and controls, as a
browser lays them out in JupyterLab's width and in lecture mode.
"""

from collections.abc import Callable
from itertools import pairwise

import pytest
from attention_examples import attention_example
from browsing import assert_accessible, press, saved, settled
from inside_examples import (
    contributions,
    effects,
    head_contributions,
    left_out,
    with_selection,
    word_relevance,
)
from surgery_examples import surgery_steps
from view_examples import MASKS, SCENE, contrast, example

import clipxai as cx
from clipxai import view

METHODS = [example(name, seed=n) for n, name in enumerate("abcdefgh")]
SEGMENTED = cx.segment(example("clip"), threshold=0.5, of="map")


NAMED = "clip_surgery legrad decomposition gem maskclip rollout grad_cam clip".split()
JURY = [example(name, seed=n) for n, name in enumerate(NAMED)]
STAMP = view.BlindRanking(JURY, MASKS).ballot.stamp


def left_half(image, points, labels, box):
    return [SCENE.mask("owl"), ~SCENE.mask("owl")], [0.9, 0.3]


# three words are pinned, of sixteen chips in two lines
SAID = {name: SCENE.mask(name) for name in ("owl", "clock")}
SENTENCE = cx.record(
    cx.load(), SCENE.image, "a photo of an owl and a clock on a table in the snow by a wall."
)

SHOWN = {
    "two methods": view.MethodComparison(METHODS[:2], mask=MASKS),
    "five methods": view.MethodComparison(METHODS[:5], mask=MASKS),
    "eight methods": view.MethodComparison(METHODS, mask=MASKS),
    "attention": view.LayerAttentionViewer(attention_example(8, 4, (14, 14), sinks=(7,))),
    "modules": view.ModuleComparison(with_selection(contributions(layers=8))),
    "heads": view.HeadGrid(head_contributions(), truth={"an owl": MASKS["an owl"]}),
    "words": view.TokenMap(left_out()),
    "words of a sentence": view.TokenMap(cx.token_scores(SENTENCE), truth=SAID),
    "relevance": view.WordRanking(word_relevance()),
    "contrast": view.ContrastMap(contrast()),
    "effects": view.EffectGrid(effects()),
    "labels": view.LabelRanking(example("decomposition")),
    "surgery": view.SurgeryWalk(surgery_steps(), truth=MASKS),
    "regions": view.RegionMap(SEGMENTED, truth=MASKS),
    "prediction": view.Prediction(attention_example(8, 4, (14, 14)), patch=(4, 3), layer=2),
    "training": view.TrainingSteps(
        {"raw": METHODS[:3], "v-v path": METHODS[3:6]},
        [0, 40, 80],
        {"loss": [3.0, 2.0, 1.0], "top-1": [10.0, 20.0, 60.0]},
        truth=MASKS,
    ),
    "blind ranking": view.BlindRanking(JURY, MASKS),
    "votes of a class": view.BlindRanking(JURY, MASKS, votes=["ABCDEFGH-" + STAMP] * 3),
    "steps": view.MaskSteps(cx.refine(example("clip"), left_half), truth=MASKS),
}
# window, width of a notebook's output in it, and most pixels of a figure; beside JupyterLab's file
# browser, with which it opens, 572 pixels are left of a projector's 1024
SIZES = (((1280, 800), 980, 640), ((1024, 640), 572, 500), ((1024, 640), 992, 500))
MEASURED = """() => {
  const root = document.querySelector('.clipxai-figure').shadowRoot.querySelector('.figure');
  const seen = node => node.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true,
    visibilityProperty: true });
  const letters = [], walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode());) {
    const node = text.parentElement, style = getComputedStyle(node);
    if (!text.data.trim() || !seen(node) || node.closest('style, title, option')) continue;
    if (style.color === 'rgba(0, 0, 0, 0)') continue;
    letters.push([parseFloat(style.fontSize) * node.currentCSSZoom, text.data]);
  }
  const controls = [...root.querySelectorAll('button, select, input, summary')].filter(seen);
  const high = controls.map(node => [(node.closest('label') ?? node).getBoundingClientRect().height,
    node.outerHTML]);
  const least = pairs => pairs.reduce((a, b) => (b[0] < a[0] ? b : a));
  const { width, height } = root.getBoundingClientRect();
  const end = root.lastElementChild.getBoundingClientRect().bottom;
  const spills = n => n.scrollWidth > n.clientWidth || n.scrollHeight > n.clientHeight + 1;
  const cut = [...root.querySelectorAll('.way, figcaption *')].filter(n => seen(n) && spills(n));
  return { width, height, end, cut: cut.length, letters: least(letters), controls: least(high),
    sideways: document.documentElement.scrollWidth - window.innerWidth };
}"""


def opened(visit: Callable, name: str) -> object:
    page = visit(saved(SHOWN[name]))
    page.add_style_tag(content="body { margin: 8px !important; padding: 0 !important }")
    return page


def measured(page: object, window: tuple[int, int], width: int | None) -> dict:
    page.set_viewport_size(dict(zip(("width", "height"), window, strict=True)))
    if width:
        page.evaluate(f"document.body.style.width = '{width}px'")
    settled(page)
    settled(page)
    return page.evaluate(MEASURED)


def test_every_viewer_is_measured():
    known = {getattr(view, name) for name in view.__all__ if hasattr(getattr(view, name), "module")}
    own_pages = {view.ModelOverview, view.Tracing}  # in the tests of their pages
    assert {type(shown) for shown in SHOWN.values()} | own_pages == known


@pytest.mark.parametrize("name", SHOWN)
def test_a_figure_is_seen_at_once_and_from_the_back_row(visit: Callable, name: str):
    page = opened(visit, name)
    page.locator(".story:not([hidden]), .verdict").first.wait_for()
    assert_accessible(page)
    for window, width, most in SIZES:
        found = measured(page, window, width)
        assert 150 < found["height"] <= most, window
        assert found["letters"][0] >= 12, found["letters"]
        assert found["controls"][0] >= 24, found["controls"]
        assert found["sideways"] <= 0 and not found["cut"], "verdict, title and line below it"
        if name == "prediction":
            page.locator(".canvas .picture").click(position={"x": 40, "y": 40})
            page.locator(".main").click()
            revealed = measured(page, window, width)
            assert "of your 1 patches" in page.locator(".story").inner_text()
            assert revealed["height"] <= most, "what is said after revealing is longer"
            page.locator(".main").click()
    assert page.locator(".story:not([hidden]), .verdict").first.inner_text().endswith(".")
    picture = page.locator(".picture:visible")
    side = picture.first.bounding_box()["width"] if picture.count() else 0
    press(page, "f")
    found = measured(page, (1920, 1080), None)
    assert (found["width"], found["height"]) == (1920, 1080) and found["end"] <= 1080
    assert found["letters"][0] >= 20, found["letters"]
    assert picture.first.bounding_box()["width"] > 1.5 * side
    press(page, "Escape")
    assert measured(page, *SIZES[0][:2])["height"] <= SIZES[0][2]


def test_a_messenger_is_seen_at_once_too(visit: Callable):
    page = opened(visit, "heads")
    picture = page.locator(".picture").first
    for window, width, most in SIZES:
        measured(page, window, width)
        tall = picture.bounding_box()["height"]
        assert tall >= 120, "and no stamps"
        press(page, "m")
        found = measured(page, window, width)
        assert picture.bounding_box()["height"] > tall, "two rows of the grid make way"
        assert page.locator(".gathers").is_visible() and 150 < found["height"] <= most, window
        assert found["letters"][0] >= 12 and found["sideways"] <= 0
        press(page, "m")


def test_folds_close_for_a_lecture_and_what_is_pinned_stays(visit: Callable):
    page = opened(visit, "two methods")
    page.set_viewport_size({"width": 1000, "height": 800})
    press(page, "ArrowDown", "Space")
    folds = page.locator("details")
    folds.first.locator("summary").click()
    assert page.locator(".caption p").first.is_visible()
    tall = page.locator(".picture").first.bounding_box()["height"]
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("f")  # a page of one figure need not be told which
    settled(page)
    assert page.locator("details[open]").count() == 0
    assert page.locator(".figure").evaluate("f => f.matches(':popover-open')")
    focus = "document.querySelector('.clipxai-figure').shadowRoot.activeElement?.className"
    assert page.evaluate(focus) == "stage", "the next key is for the figure"
    page.keyboard.press("Escape")
    settled(page)
    assert not page.locator(".figure").evaluate("f => f.matches(':popover-open')")
    assert page.locator(".status").inner_text().startswith("pinned: row 7, column 7")
    assert abs(page.locator(".picture").first.bounding_box()["height"] - tall) <= 1


def test_the_choice_of_colours_is_remembered_in_all_figures(visit: Callable):
    page = opened(visit, "two methods")
    highest = METHODS[0].scores[0].argmax()
    at = (
        f"c => [...c.getContext('2d').getImageData({highest % 14 + 0.5} * c.width / 14, "
        f"{highest // 14 + 0.5} * c.height / 14, 1, 1).data]"
    )
    page.get_by_label("smooth").uncheck()
    for name, colour in (("grey", [255, 255, 255]), ("cividis", [254, 232, 56])):
        page.get_by_label("palette").select_option(label=name)
        settled(page)
        assert page.locator(".map").first.evaluate(at) == [*colour, 255]
        assert not page.get_by_label("smooth").is_checked(), "other choices stay"
    page.wait_for_timeout(500)  # a busy browser writes what it keeps a moment later
    page.reload()
    assert page.get_by_label("palette").evaluate("s => s.value") == "cividis"


def test_paper_has_no_toolbars_and_forced_colours_show_what_is_chosen(visit: Callable):
    page = opened(visit, "two methods")
    page.emulate_media(media="print")
    assert page.locator(".controls").is_hidden() and page.locator(".caption p").first.is_visible()
    page.emulate_media(media="screen", forced_colors="active")
    grounds = page.locator(".chip").evaluate_all(
        "chips => chips.map(chip => getComputedStyle(chip).backgroundColor)"
    )
    chosen = page.locator(".chip[aria-pressed='true']").count()
    assert chosen == 1 and sorted(map(grounds.count, set(grounds))) == [1, len(grounds) - 1]


@pytest.mark.parametrize("name", ["relevance", "labels"])
def test_forced_colours_leave_the_bars_to_be_seen(visit: Callable, name: str):
    page = opened(visit, name)
    page.emulate_media(forced_colors="active")
    of = "node => getComputedStyle(node).backgroundColor"
    ground = page.locator("body").evaluate(
        "body => { body.style.background = 'Canvas'; "
        "return getComputedStyle(body).backgroundColor; }"
    )
    bars = [bar.evaluate(of) for bar in page.locator(".track i").all()]
    zeros = [zero.evaluate(of) for zero in page.locator(".track u").all()]
    assert bars and ground not in {*bars, *zeros}


@pytest.mark.parametrize("name", ["attention", "modules", "heads", "regions"])
def test_panels_stand_beside_one_another_in_a_narrow_explorer(visit: Callable, name: str):
    page = opened(visit, name)
    measured(page, (1024, 640), 572)  # what the choices leave of a projector
    boxes = [picture.bounding_box() for picture in page.locator(".stage .picture:visible").all()]
    ends = [(box["x"], box["x"] + box["width"]) for box in boxes[:3]]
    assert len(ends) == 3 and all(end <= x for (_, end), (x, _) in pairwise(ends))
    if name == "attention":
        assert boxes[0]["width"] >= 120, "what a student looks at is no stamp"
