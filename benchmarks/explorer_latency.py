"""How long from a new text, a flipped switch, a silenced head or a thing that was moved to the map
on the screen? Kernel and browser by themselves, and memory over 500 texts.

    python benchmarks/explorer_latency.py

Bars, p95 of kernel + browser: text <= 80 ms, switch <= 60 ms, head <= 80 ms, thing <= 150 ms
(embedded model); <= 250 ms, <= 200 ms, <= 250 ms, none of things (ViT-B/16 sizes, random weights);
growth over 500 texts <= 30 MB.
"""

import asyncio
import base64
import gc
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright
from surgery_cost import vit_b16

import clipxai as cx
from clipxai.view import MethodComparison
from clipxai.view.html import module_source, stylesheet

ROUNDS, CHANGES = 40, 500
PAGE = """async ({ module, css, payloads }) => {
    const blob = new Blob([module], { type: 'text/javascript' });
    const viewer = (await import(URL.createObjectURL(blob))).default;
    const heard = {}, values = { css, view: {}, payload: payloads[0] };
    const on = (name, f) => { heard[name] = f; };
    const model = { get: name => values[name], set() {}, save_changes() {}, on, off() {} };
    const el = document.body.appendChild(document.createElement('div'));
    viewer.render({ model, el });
    const drawn = () => new Promise(done =>
      requestAnimationFrame(() => requestAnimationFrame(done)));
    window.show = async n => {
        await drawn();
        const start = performance.now();
        values.payload = payloads[n % payloads.length];
        heard['change:payload']();
        const work = performance.now() - start;
        await drawn();
        return work;
    };
}"""


def resident() -> float:
    """Memory of this process, MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * 4096 / 1e6


async def answered(explorer: cx.Explorer, change: Callable[[], None]) -> float:
    """Seconds from a change of a control until the data are on their way to the browser."""
    start = time.perf_counter()
    change()
    while explorer._latest.busy:
        await asyncio.sleep(0.0005)
    assert explorer.error is None, explorer.error
    return time.perf_counter() - start


async def kernel(model: cx.CLIP) -> tuple[dict[str, np.ndarray], float, list[dict]]:
    """Seconds of each kind of change, MB of growth, and two payloads."""
    explorer = cx.Explorer(model)
    c, payloads = explorer.controls, []

    def text(n: int) -> Callable[[], None]:
        def change() -> None:
            # after a rest, as somebody who pastes: keys in quick succession wait for a pause by
            # design
            explorer._typed = 0.0
            c.texts.value = f"an owl {n}\na clock"

        return change

    def flip(n: int) -> Callable[[], None]:
        return lambda: setattr(c.switches["blocks"], "value", n % 6)

    def silence(n: int) -> Callable[[], None]:
        return lambda: setattr(c.silencer, "off", {"heads": [[n % 8, n % 4]]})

    def move(n: int) -> Callable[[], None]:
        first, *others = c.scene.things
        things = [{**first, "x": 0.3 + 0.4 * n / ROUNDS}, *others]
        return lambda: setattr(c.scene, "things", things)

    seconds = {
        what: np.array([await answered(explorer, change(n)) for n in range(1, ROUNDS)])
        for what, change in (("text", text), ("switch", flip), ("head", silence))
    }
    c.silencer.forget()
    moved = [await answered(explorer, move(n)) for n in range(1, ROUNDS)]
    seconds["thing"] = np.array(moved)
    for n in range(2):
        await answered(explorer, text(1000 + n))
        sent = explorer._lives[MethodComparison.module].payload
        payloads.append({"header": sent["header"], "blob": base64.b64encode(sent["blob"]).decode()})
    for n in range(50):  # until caches are full
        await answered(explorer, text(n))
    before = resident()
    for n in range(CHANGES):
        await answered(explorer, text(n))
    return seconds, resident() - before, payloads


def browser(page: Page, payloads: list[dict]) -> tuple[np.ndarray, float]:
    """Milliseconds of work for new data, and MB of growth of the page."""
    page.set_content("<body></body>")
    page.evaluate(
        PAGE,
        {
            "module": module_source(MethodComparison.module),
            "css": stylesheet(),
            "payloads": payloads,
        },
    )
    times = page.evaluate(
        "async () => { const all = []; for (let n = 0; n < 60; n++) all.push(await show(n)); "
        "return all; }"
    )
    client = page.context.new_cdp_session(page)

    def heap() -> float:
        client.send("HeapProfiler.collectGarbage")
        return client.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    before = heap()
    page.evaluate(f"async () => {{ for (let n = 0; n < {CHANGES}; n++) await show(n); }}")
    return np.array(times[10:]), heap() - before


def main() -> None:
    """Print a few lines per model."""
    embedded, large = cx.load(), vit_b16()
    large.tokenizer = embedded.tokenizer
    cases = [
        ("embedded", (80, 60, 80, 150), asyncio.run(kernel(embedded))),
        ("ViT-B/16 sizes", (250, 200, 250, None), asyncio.run(kernel(large))),
    ]
    with sync_playwright() as playwright:  # which has an event loop of its own
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu"],
        )
        page = chromium.new_page(viewport={"width": 1100, "height": 900})
        for name, bars, (changes, grown, payloads) in cases:
            shown, page_grown = browser(page, payloads)
            drawing = np.percentile(shown, 95)
            for (what, seconds), bar in zip(changes.items(), bars, strict=True):
                p50, p95 = np.percentile(1e3 * seconds, (50, 95))
                total = f"{p95 + drawing:.0f} ms (bar {bar or 'none'})"
                print(
                    f"{name}: new {what} p50 {p50:.0f}, p95 {p95:.0f} ms in the kernel + "
                    f"{drawing:.0f} ms in the browser = {total}"
                )
            size = len(json.dumps(payloads[0])) / 1e3
            print(
                f"{name}: {CHANGES} texts: kernel {grown:+.1f} MB, page {page_grown:+.1f} MB (bar "
                f"30); {size:.0f} kB a message"
            )
        chromium.close()


if __name__ == "__main__":
    main()
