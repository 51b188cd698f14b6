"""Does the Explorer do what it promises in a real JupyterLab, from the first run of its lesson to
the notebook opened again next week?

One page lives through all tests of this file, in their order.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import nbformat
import numpy as np
import pytest

LESSON = Path(__file__).parents[3] / "notebooks" / "04_explorer.ipynb"
SIZE = {"width": 1500, "height": 1000}
PATIENCE = 120_000  # milliseconds a busy machine may take
SLOW_METHOD = """
import time
import torch
from clipxai.explainers.table import METHODS, Method
from clipxai.explainers.similarity import similarity

def slow(trace):
    for _ in range(2000):
        time.sleep(0.05), torch.ones(1) + 1  # between any two operations somebody may cancel
    return similarity(trace, "clip")

METHODS["slow"] = Method("slow", slow, "nothing, for a long time", "this test")
"""
COUNTED = """
from clipxai.app import MaskEditor

def counted(image, points, labels, box):
    mask = np.zeros((1, *image.shape[:2]))
    mask[0, : 10 * len(points)] = 1  # ten rows for every point
    return mask, [1.0]

import numpy as np
cat = cx.scenes.compose(["cat"], seed=3)
MaskEditor(cx.explain(cx.record(cx.load(), cat.image, "a cat")), counted)
"""
HOVER = """async () => {
    const stage = document.querySelector('.clipxai-explorer .clipxai-stage');
    const shadow = [...stage.querySelectorAll('*')].find(node => node.shadowRoot).shadowRoot;
    const picture = shadow.querySelectorAll('.picture')[1], said = new Set();
    const box = picture.getBoundingClientRect();
    for (let n = 0; n < 200; n++) {
        const column = n % 14, row = Math.floor(n / 14) % 14;
        const at = {
            clientX: box.x + (column + .5) * box.width / 14,
            clientY: box.y + (row + .5) * box.height / 14,
        };
        picture.dispatchEvent(new PointerEvent('pointermove', at));
        await new Promise(requestAnimationFrame);
        said.add(shadow.querySelector('.readout').textContent);
    }
    return said.size;
}"""
DRAWN = (
    "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter(v => v > 0).length"
)


# where all that can be chosen, and the maps, end; pixels below the top of what is seen of the
# notebook, to which the explorer was scrolled
ENDS = """() => {
    const seen = document.querySelector('.jp-WindowedPanel-outer');
    const top = () => seen.getBoundingClientRect().top;
    const here = document.querySelector('.clipxai-explorer');
    seen.scrollTop += here.getBoundingClientRect().top - top();
    const { shadowRoot } = [...here.querySelectorAll('*')].find(node => node.shadowRoot);
    const ends = nodes => [...nodes].filter(node => node.getClientRects().length)
        .map(node => node.getBoundingClientRect().bottom - top());
    return {
        seen: seen.clientHeight,
        choices: ends(here.querySelectorAll('button, select, input, textarea')),
        maps: ends(shadowRoot.querySelectorAll('.panel:not(.photo) .picture')),
    };
}"""


def _of_widgets(frames: list[str | bytes]) -> list[bytes]:
    """Without JupyterLab's own talk with the kernel, which is not ours."""
    raw = [frame if isinstance(frame, bytes) else frame.encode() for frame in frames]
    return [frame for frame in raw if b"comm_msg" in frame]


class Page:
    """The open notebook, and what a reader does with it."""

    def __init__(self, page: object, url: str) -> None:
        self.page, self.url, self.complaints = page, url, []
        self.sent, self.received = [], []  # frames of the page, of the kernel
        page.set_default_timeout(PATIENCE)
        page.on(
            "console",
            lambda message: message.type == "error" and self.complaints.append(message.text),
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", self._watch)

    def _watch(self, socket: object) -> None:
        if "/channels" in socket.url:  # to and from a kernel
            socket.on("framesent", lambda frame: self.sent.append(frame))
            socket.on("framereceived", lambda frame: self.received.append(frame))

    def asked(self) -> list[bytes]:
        """Messages of widgets to the kernel so far."""
        return _of_widgets(self.sent)

    def spoken(self) -> int:
        """Messages between widgets and kernel so far, either way."""
        return len(self.asked()) + len(_of_widgets(self.received))

    def quiet(self) -> int:
        """The same, once nobody has spoken for a second."""
        before = -1
        while before != self.spoken():
            before = self.spoken()
            self.page.wait_for_timeout(1000)
        return before

    def open(self, name: str) -> None:
        self.page.goto(f"{self.url}/lab/tree/{name}?reset")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()

    def menu(self, name: str, item: str) -> None:
        self.page.locator(f".lm-MenuBar-itemLabel:text-is('{name}')").click()
        self.page.locator(
            f".lm-Menu-item:has(.lm-Menu-itemLabel:text-matches('^{item}'))"
        ).first.click()

    def run_all(self) -> None:
        idle = self.page.get_by_text("Python 3 (ipykernel) | Idle")
        idle.wait_for()
        self.menu("Run", "Run All Cells")
        failed = self.page.locator("[data-mime-type='application/vnd.jupyter.error']")
        self.page.locator(".clipxai-explorer .clipxai-stage .picture").or_(failed).first.wait_for()
        assert failed.count() == 0, failed.first.inner_text()
        idle.wait_for()

    @property
    def message(self) -> object:
        return self.page.locator(".clipxai-message").first

    def says(self, words: str) -> None:
        self.page.locator(
            f".clipxai-message:has-text({json.dumps(words, ensure_ascii=False)})"
        ).first.wait_for()

    @property
    def titles(self) -> list[str]:
        """The texts of the figure: of its chips, or of its first sentence where there is one."""
        chips = self.page.locator(".clipxai-stage .chips .chip").all_inner_texts()
        story = self.page.locator(".clipxai-stage .story").all_inner_texts()
        return chips[1:] or re.findall("“(.*?)”", "".join(story))[:1]

    def shows(self, *titles: str) -> None:
        """Wait until the figure is of these texts, with a map of either method."""
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            if self.titles == list(titles):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"expected {titles}, found {self.titles}")

    def type(self, text: str) -> None:
        box = self.page.locator(".clipxai-panel textarea")
        box.click()
        box.press("Control+a")
        box.press_sequentially(text, delay=15)

    def choose(self, label: str, value: str) -> None:
        self.page.locator(
            f".clipxai-explorer .widget-dropdown:has(label:text-is('{label}')) select"
        ).select_option(label=value)

    def press(self, label: str) -> None:
        self.page.locator(f".clipxai-explorer button:has-text('{label}')").first.click()


@pytest.fixture(scope="module")
def page(browser: object, lab: object) -> Iterator[Page]:
    """The lesson, run once; a method that takes minutes is added to try Cancel on."""
    lesson = nbformat.read(LESSON, as_version=4)
    for cell in lesson.cells:
        cell.update({"outputs": [], "execution_count": None} if cell.cell_type == "code" else {})
    lesson.cells = [*lesson.cells[:1], nbformat.v4.new_code_cell(SLOW_METHOD), *lesson.cells[1:4]]
    lesson.cells += [nbformat.v4.new_code_cell(COUNTED)]
    lesson.cells += [nbformat.v4.new_markdown_cell("\n\n".join(["far below"] * 60))]
    nbformat.write(lesson, lab.folder / "lesson.ipynb")
    context = browser.new_context(viewport=SIZE)
    opened = Page(context.new_page(), lab.url)
    opened.open("lesson.ipynb")
    opened.run_all()
    yield opened
    context.close()


def test_the_lesson_shows_the_explorer(page: Page):
    page.shows("a cat", "a guitar")
    assert "cx.explain(trace, 'clip_surgery')" in page.message.inner_text()
    assert page.page.locator(".clipxai-figure").first.is_hidden(), (
        "the sleeping copy is for readers without a kernel"
    )
    assert page.complaints == []


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 640)])
def test_choices_and_two_maps_are_on_one_screen(page: Page, width: int, height: int):
    """The file browser stands beside them; on the smaller screen the choices lie below."""
    page.page.set_viewport_size({"width": width, "height": height})
    page.page.wait_for_timeout(500)
    ends = page.page.evaluate(ENDS)
    page.page.set_viewport_size(SIZE)
    assert len(ends["choices"]) > 15 and sorted(ends["maps"])[1] <= ends["seen"]
    assert width == 1024 or max(ends["choices"]) <= ends["seen"]


def test_hovering_asks_the_kernel_nothing(page: Page):
    """What the kernel says late, of its own, is no answer to hovering."""
    before = page.quiet() and len(page.asked())
    assert page.page.evaluate(HOVER) > 50, "the maps answer"
    page.page.wait_for_timeout(300)
    assert before > 0 and page.asked()[before:] == []


def box_of(thing: object) -> dict[str, float]:
    """Where a thing is; the moment in which its node is made anew has none."""
    for _ in range(50):
        if box := thing.bounding_box():
            return box
        thing.page.wait_for_timeout(20)
    raise AssertionError("it is nowhere")


def test_things_are_moved_on_the_picture(page: Page):
    """With the mouse a cutout is seen at once, with the keyboard as well; the texts follow."""
    thing = page.page.locator(".clipxai-editor .thing")
    start = box_of(thing.first)
    page.page.mouse.move(start["x"] + 20, start["y"] + 20)
    page.page.mouse.down()
    page.page.mouse.move(start["x"] - 20, start["y"] + 60, steps=5)
    assert thing.first.locator("img").is_visible()
    moved = box_of(thing.first)
    assert abs(moved["x"] - start["x"] + 40) < 2 and abs(moved["y"] - start["y"] - 40) < 2
    before = page.spoken()
    page.page.mouse.up()
    page.says("the image went through the model")
    page.page.locator(".clipxai-editor .scene:not([data-moving])").wait_for()
    assert page.spoken() > before and not thing.first.locator("img").is_visible()
    thing.nth(1).focus()
    before = box_of(thing.nth(1))
    for key in ("Shift+ArrowDown", "+", "ArrowLeft"):
        page.page.keyboard.press(key)
    after = box_of(thing.nth(1))
    assert after["y"] > before["y"] and after["width"] > before["width"]
    page.page.locator(".clipxai-editor .scene:not([data-moving])").wait_for()
    assert abs(box_of(thing.nth(1))["y"] - after["y"]) < 1
    page.page.keyboard.press("Delete")
    page.shows("a cat")


def test_a_thing_is_found_among_pictures(page: Page):
    page.press("add")
    page.page.keyboard.type("guit")
    assert page.page.locator(".clipxai-editor .grid button:visible").count() == 1
    page.page.keyboard.press("Enter")
    page.shows("a cat", "a guitar")
    assert page.page.locator(".clipxai-editor .picker").is_hidden() and page.complaints == []


def test_parts_are_silenced_and_heard_again(page: Page):
    """With the mouse; patches are painted over."""
    page.press("silence")
    page.page.get_by_role("button", name="head 3 of layer 6").click()
    page.says("cx.explain(cx.ablate(trace, heads={6: [3]}), 'clip_surgery')")
    box = page.page.get_by_role("group", name="patches of the image").bounding_box()
    page.page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 30, box["y"] + 4, steps=8)
    page.page.mouse.up()
    page.says("heads={6: [3]}, patches=[0, 1, 2]")
    assert page.page.locator(".clipxai-silencer [aria-pressed=true]").count() == 4
    page.press("hear everything again")
    page.says("cx.explain(trace, 'clip_surgery')")
    assert page.page.locator(".clipxai-silencer [aria-pressed=true]").count() == 0
    page.press("silence")
    page.page.locator(".clipxai-silencer").wait_for(state="hidden")


def test_typing_and_flipping_are_answered_from_the_recording(page: Page):
    page.type("an owl\na pizza")
    page.shows("an owl", "a pizza")
    page.says("the image was not recorded again")
    page.choose("attention", "qk")
    page.says("attention='qk'")
    page.choose("subtract", "what the texts share")
    page.says("redundant='labels'")
    page.page.locator(".clipxai-explorer label:has-text('keep the FFN') input").check()
    page.says("ffn=True")
    page.says("the image was not recorded again")
    assert "(redundant=labels, attention=qk, ffn=True)" in page.page.locator(
        ".clipxai-stage figcaption"
    ).nth(2).get_attribute("title")


def test_what_is_typed_never_becomes_markup(page: Page):
    page.type("<img src=x onerror=alert(1)>")
    page.shows("<img src=x onerror=alert(1)>")
    assert page.page.locator("img[src=x]").count() == 0


def test_a_mistake_is_told_in_words_and_the_figure_stays(page: Page):
    page.type("an owl")
    page.shows("an owl")
    page.page.locator(".clipxai-panel textarea").fill("")
    page.says("there is no text to look for")
    assert page.message.locator("[role=alert]").count() == 1 and page.titles == ["an owl"]
    page.type("a clock")
    page.shows("a clock")


def test_a_readers_view_outlives_new_data(page: Page):
    page.page.locator(".clipxai-stage .more").click()
    slider = page.page.locator(".clipxai-stage label:has-text('map opacity') input")
    slider.fill("20")
    page.type("a star")
    page.shows("a star")
    assert slider.input_value() == "20"
    slider.fill("60")


def test_a_slow_method_can_be_cancelled_and_newer_wishes_win(page: Page):
    page.choose("method", "slow")
    page.says("slow …")
    assert page.page.locator(".clipxai-panel .progress").is_visible()
    page.press("Cancel")
    page.says("Cancelled")
    assert page.titles == ["a star"]
    page.press("Run")
    page.says("slow …")
    page.choose("method", "clip_surgery")  # nobody cancels: the newer wish does
    page.says("cx.explain(trace, 'clip_surgery')")


def test_an_uploaded_image_is_looked_at(page: Page, tmp_path: Path):
    wide = np.full((60, 120, 3), 200, np.uint8)
    cv2.imwrite(str(tmp_path / "wide.png"), wide)
    page.press("upload")
    page.says("choose an image to upload")
    with page.page.expect_file_chooser() as chooser:
        page.press("choose an image")
    chooser.value.set_files(tmp_path / "wide.png")
    page.says("the image went through the model")
    assert "120 × 60 pixels" in page.page.locator(".clipxai-stage .photo").first.text_content()
    page.press("compose")
    page.says("the image went through the model")


@pytest.mark.parametrize(
    ("view", "there"),
    [
        ("attention", ".layer_attention"),
        ("attention or FFN", ".module_comparison"),
        ("words", ".token_map"),
    ],
)
def test_every_view_opens(page: Page, view: str, there: str):
    page.page.locator(f".clipxai-main .widget-toggle-button:text-is('{view}')").click()
    page.page.locator(f".clipxai-stage {there} .picture").first.wait_for()
    assert page.complaints == []


def test_a_click_corrects_a_mask(page: Page):
    """Each click is a point, of which the kernel makes a mask; one on a point takes it away."""
    figure = page.page.locator(".mask_steps")
    figure.scroll_into_view_if_needed()
    refined = figure.locator(".panel").last
    first = refined.inner_text().splitlines()[1]
    figure.get_by_role("button", name="click: it is not here").click()
    figure.locator(".picture").first.click(position={"x": 9, "y": 9})
    refined.filter(has_not_text=first).wait_for()
    figure.locator(".picture").first.click(position={"x": 9, "y": 9})
    refined.filter(has_text=first).wait_for()
    assert page.complaints == []


def test_maps_are_still_drawn_after_scrolling_away_and_back(page: Page):
    page.page.locator(".clipxai-main .widget-toggle-button:text-is('methods')").click()
    maps = page.page.locator(".clipxai-stage canvas.map")
    maps.first.wait_for()
    page.page.get_by_text("far below").last.scroll_into_view_if_needed()
    page.page.wait_for_timeout(500)
    page.page.locator(".clipxai-explorer").scroll_into_view_if_needed()
    page.page.wait_for_timeout(500)
    assert maps.first.evaluate(DRAWN) > 10_000


def test_a_file_is_written_with_what_is_seen(page: Page, lab: object):
    page.press("Save")
    page.says("saved explored.html")
    assert "a star" in (lab.folder / "explored.html").read_text()
    picture = page.page.locator(".clipxai-stage").get_by_role("button", name="PNG")
    if not picture.is_visible():
        page.page.locator(".clipxai-stage .more").click()
    with page.page.expect_download() as download:
        picture.click()
    assert (
        download.value.suggested_filename.endswith("star.png")
        and download.value.path().stat().st_size > 50_000
    )


def test_after_a_restart_the_figure_still_answers_and_the_cell_wakes_the_rest(page: Page):
    page.press("Keep in the notebook")
    page.says("Kept")
    page.menu("File", "Save Notebook")
    page.menu("Kernel", "Restart Kernel…")
    page.page.locator(".jp-Dialog button:has-text('Restart')").click()
    page.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    assert page.page.evaluate(HOVER) > 50
    page.complaints.clear()
    page.run_all()
    page.shows("a cat", "a guitar")
    assert page.complaints == []


def opened(browser: object, lab: object, name: str) -> Page:
    page = Page(browser.new_page(viewport={"width": 1500, "height": 1000}), lab.url)
    page.open(name)
    return page


def test_reopened_in_trust_the_copy_answers(page: Page, browser: object, lab: object):
    saved = nbformat.read(lab.folder / "lesson.ipynb", as_version=4)
    assert "widgets" not in saved.metadata, "no data of widgets bloats the notebook"
    again = opened(browser, lab, "lesson.ipynb")
    copy = again.page.locator(".clipxai-figure")
    copy.locator(".stage").first.wait_for()
    copy.locator(".picture").nth(1).hover()
    assert "rank" in copy.locator(".readout").first.inner_text()
    assert again.page.get_by_text("run the cell to wake it").first.is_visible()
    again.page.close()


def test_reopened_without_trust_there_is_the_picture(page: Page, browser: object, lab: object):
    changed = nbformat.read(lab.folder / "lesson.ipynb", as_version=4)
    changed.cells[2].source += "  # a stranger was here"
    changed.metadata.pop("signature", None)
    for cell in changed.cells:
        cell.metadata.pop("trusted", None)
    nbformat.write(changed, lab.folder / "stranger.ipynb")
    again = opened(browser, lab, "stranger.ipynb")
    again.page.locator(".clipxai-figure > img, .jp-RenderedImage img").first.wait_for()
    assert again.page.locator(".stage").count() == 0
    assert again.complaints == []
    again.page.close()
