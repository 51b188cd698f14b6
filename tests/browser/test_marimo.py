"""What do the viewers do in marimo, which hosts anywidgets in its own way and runs no script of an
output?
"""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import serving

PATIENCE = 120  # seconds a busy machine may take to start marimo, or to draw
EXAMPLES = str(Path(__file__).parents[1] / "view")
APP = """
import marimo

app = marimo.App()


@app.cell
def _():
    import clipxai as cx
    from clipxai.app.live import live
    from view_examples import example

    figure = cx.show([example("clip"), example("gem")])
    widget = live(figure.module)
    widget.show(figure.payload())
    widget
    return (figure,)


@app.cell
def _(figure):
    figure
    return
"""


@pytest.fixture(scope="module")
def marimo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an app with a live viewer and a figure; on this machine only, stopped at the
    end.
    """
    pytest.importorskip("marimo", reason="marimo is not installed (pip install 'clipxai[test]')")
    folder = tmp_path_factory.mktemp("marimo")
    (folder / "app.py").write_text(APP)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--headless", "--no-token", "--host=127.0.0.1", f"--port={port}"]
    command = [sys.executable, "-m", "marimo", "run", str(folder / "app.py"), *options]
    url, found = f"http://127.0.0.1:{port}", {**os.environ, "PYTHONPATH": EXAMPLES}
    with serving(command, f"{url}/health", folder / "log", PATIENCE, env=found):
        yield url


def test_a_live_viewer_answers_and_a_figure_shows_its_poster(browser: object, marimo: str):
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * PATIENCE)
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(marimo, wait_until="commit")
    canvas = page.locator("canvas.layer.map").first
    canvas.wait_for()
    assert (
        canvas.evaluate(
            "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, "
            "c.height).data.buffer)).size"
        )
        > 50
    )
    page.locator(".panel:not(.photo) .picture").first.hover()
    assert "rank" in page.locator(".panel:not(.photo) .readout").first.inner_text()
    poster = page.locator(".clipxai-figure > img")
    poster.wait_for()
    assert poster.bounding_box()["width"] > 500
    page.close()
    assert complaints == []
