"""How long does the playground take to its first maps, from a key or a drag to the maps it asks
for, and how long does a task block the page?

    python benchmarks/playground_latency.py

Bars: first maps 3 s; p95 of a new text 100 ms, of a thing that was dropped 500 ms; no block over
50 ms. All of it runs beside the page's two workers, which compute.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
from conftest import QUIET

from clipxai.cli import main

ROUNDS = 40
AT_REST = 2000  # milliseconds in which the page finds out what would be without each thing
WATCH = """() => {
    window.blocks = [];
    new PerformanceObserver(list => {
        for (const { startTime, duration } of list.getEntries()) blocks.push([startTime, duration]);
    }).observe({ type: 'longtask', buffered: true });
    window.deep = s => {
        const figure = document.querySelector('.clipxai-figure');
        return figure && figure.shadowRoot && figure.shadowRoot.querySelector(s);
    };
}"""
# what is said below the maps changes with them; the browser has painted at the second frame
ANSWERED = """async act => {
    const told = [...deep('.play').querySelectorAll('.numbers')];
    const before = told.map(node => node.textContent).join();
    const start = performance.now();
    act();
    while (told.map(node => node.textContent).join() === before) {
        if (performance.now() - start > 20000) throw new Error('no answer');
        await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""


def opened(page: Page, address: str) -> float:
    """Seconds from the address to the first maps."""
    page.add_init_script(f"({WATCH})()")
    start = time.perf_counter()
    page.goto(address)
    page.locator(".way").first.wait_for()
    return time.perf_counter() - start


def blocks(page: Page) -> list[float]:
    """Milliseconds of the tasks over 50 ms since this was asked last."""
    return [lasted for _, lasted in page.evaluate("blocks.splice(0)")]


def typed(page: Page, n: int) -> float:
    """Milliseconds from a text, as a whole, to its maps."""
    act = f"""() => {{
        const box = deep('input[type=text]');
        box.value = 'an owl {n}';
        box.dispatchEvent(new Event('input', {{ bubbles: true }}));
    }}"""
    return page.evaluate(f"({ANSWERED})({act})")


def moved(page: Page, n: int) -> float:
    """Milliseconds from a thing that is moved to the maps of the new picture."""
    key = ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp")[n % 4]
    act = f"""() => deep('canvas.scene').dispatchEvent(
        new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true }}))"""
    return page.evaluate(f"({ANSWERED})({act})")


def told(what: str, page: Page, milliseconds: list[float] | None = None) -> None:
    """One line: the median and the 95th percentile of answers, if any, and the longest block."""
    longest = max(blocks(page), default=0.0)
    said = f"longest block {longest:.0f} ms" if longest else "no block over 50 ms"
    if milliseconds is not None:
        p50, p95 = np.percentile(milliseconds, (50, 95))
        said = f"median {p50:.0f} ms, p95 {p95:.0f} ms; {said}"
    print(f"{what:24} {said}")


def run(browser: Browser, file: Path) -> None:
    """Open the page, use it, print what it took."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    print(f"first maps after {opened(page, file.as_uri()):.1f} s")
    told("opening", page)
    told("a text, pasted", page, [typed(page, n) for n in range(ROUNDS)])
    page.wait_for_timeout(AT_REST)
    told("then, at rest", page)
    box = page.locator("input[type=text]").first
    box.click()
    box.press_sequentially(" and a very long tail of words", delay=60)
    page.wait_for_timeout(AT_REST)
    told("typed key by key", page)
    page.locator("canvas.scene").press("Enter")
    told("a thing, moved", page, [moved(page, n) for n in range(ROUNDS)])
    page.wait_for_timeout(AT_REST)
    told("then, at rest", page)
    stage = page.locator("canvas.scene").bounding_box()
    left, y = stage["x"] + 0.3 * stage["width"], stage["y"] + 0.62 * stage["height"]
    page.mouse.move(left, y)
    page.mouse.down()
    for n in range(60):
        page.mouse.move(left + 0.005 * n * stage["width"], y)
        page.wait_for_timeout(16)
    page.mouse.up()
    page.wait_for_timeout(AT_REST)
    told("dragged", page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        written = Path(folder) / "play.html"
        assert main(["playground", "--out", str(written)]) == 0
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        run(browser, written)
        browser.close()
