"""Do the figures of an executed notebook still answer after `jupyter nbconvert --to html`?"""

from pathlib import Path

import nbformat
import pytest
from browsing import settled

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")
def test_figures_answer_in_a_converted_notebook(browser: object, tmp_path: Path, path: Path):
    nbconvert = pytest.importorskip("nbconvert")
    exporter = nbconvert.HTMLExporter(
        require_js_url="", mathjax_url="", mermaid_js_url="", jquery_url=""
    )
    text, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    (tmp_path / "lesson.html").write_text(text, encoding="utf-8")
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page, errors = context.new_page(), []
    page.set_default_timeout(120_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            message.type == "error" and "net::" not in message.text and errors.append(message.text)
        ),
    )
    page.goto((tmp_path / "lesson.html").as_uri())
    figures = page.locator(".clipxai-figure")
    assert figures.count() > 0
    for n in range(figures.count()):
        figure = figures.nth(n)
        figure.locator(".stage").first.wait_for()
        figure.scroll_into_view_if_needed()
        told = figure.locator(".figure")
        before = told.inner_text()
        # a grid of effects has one picture, which does not answer, and cells
        if figure.get_attribute("data-viewer") == "model_overview":  # whose boxes are opened
            figure.locator(".box").first.click()
        else:
            asked = figure.locator("[data-cell], .picture, .word")
            asked.nth(1).hover(position={"x": 21, "y": 13})
        settled(page)
        assert told.inner_text() != before, f"figure {n} does not answer"
    for link in page.locator('a[href^="#clipxai:"]').all():
        link.evaluate("link => link.click()")  # some lie in a fold
        assert link.get_attribute("aria-disabled") is None, link.get_attribute("href")
    assert "#" not in page.url, "a figure followed every link of the prose"
    assert errors == []
    context.close()
