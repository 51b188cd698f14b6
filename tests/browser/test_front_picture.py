"""The moving picture at the top of README is the viewer of today: made here, by moving the mouse
over a saved page.

pytest tests/browser/test_front_picture.py; cp screenshots/viewer.gif docs/    makes it anew
"""

from io import BytesIO
from pathlib import Path

import numpy as np
from browsing import point_at, saved, settled
from PIL import Image

import clipxai as cx

ROOT = Path(__file__).parents[2]
# wood, the cat, wood, the guitar
STOPS = [(9, 2), (9, 6), (10, 10), (7, 10), (4, 8), (5, 9), (2, 6), (4, 4), (5, 3), (6, 4)]


def test_readme_shows_what_the_viewer_does(visit, embedded):
    trace = cx.record(embedded, ROOT / "clipxai/data/samples/cat-guitar.png", ["a cat", "a guitar"])
    # of this size from the beginning: what is resized may be drawn in between
    window = {"width": 1000, "height": 880}
    page = visit(saved(cx.view.LayerAttentionViewer(cx.attention_maps(trace))), viewport=window)
    page.locator(".stage").first.wait_for()
    settled(page)
    frames = []
    for row, column in STOPS:
        point_at(page, 0, row, column)
        page.evaluate("scrollTo(0, 0)")
        frames.append(
            Image.open(BytesIO(page.screenshot()))
            .convert("RGB")
            .resize((800, 704), Image.Resampling.LANCZOS)
        )
    (ROOT / "screenshots").mkdir(exist_ok=True)
    palette = Image.fromarray(np.vstack(frames)[::3, ::3]).quantize(255, kmeans=1)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    small[0].save(
        ROOT / "screenshots/viewer.gif",
        save_all=True,
        append_images=small[1:],
        duration=900,
        loop=0,
    )
    with Image.open(ROOT / "docs/viewer.gif") as committed:
        assert committed.n_frames == len(STOPS)
        for n, frame in enumerate(frames):
            committed.seek(n)
            now, then = (
                np.asarray(picture.convert("RGB").resize((40, 35), Image.Resampling.BOX), float)
                for picture in (frame, committed)
            )
            assert np.abs(now - then).mean() < 6, (
                f"frame {n} of docs/viewer.gif is not what the viewer shows; make it anew"
            )
