"""A real browser for saved pages. Nothing is downloaded: where no chromium is installed, these
tests are skipped.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

for beside in ("js", "view"):  # tools of npm, the examples of tests/view
    sys.path.insert(0, str(Path(__file__).parents[1] / beside))

# the first has no windows of its own, and takes two fifths of the others' processor time
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
PATIENCE = 120_000  # milliseconds a busy machine may take to open a page
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update"
    " --disable-sync"
).split()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """One chromium for all tests."""
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed (pip install playwright)"
    )
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt-get install chromium-headless-shell)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield started
        started.close()


@pytest.fixture
def visit(browser: object, tmp_path: Path) -> Iterator[Callable]:
    """Open HTML from a file with the network cut; any console message, error or request but the
    file's own fails the test.
    """
    complaints: list[str] = []
    contexts = []

    def open_page(text: str, **context: object) -> object:
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        told = {"viewport": {"width": 1280, "height": 900}} | context
        contexts.append(browser.new_context(**told))
        contexts[-1].set_default_timeout(PATIENCE)
        page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append("a dialog opened"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:", "blob:"))
                or complaints.append(f"request: {request.url}")
            ),
        )
        contexts[-1].set_offline(True)
        page.goto((tmp_path / "page.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
