"""What do files and explaining add to the model's own time, and what memory does a large photograph
take? ViT-B/16 size, random weights.

    python benchmarks/folder_throughput.py [--images 64] [--beside [--photos]]

Bars: throughput >= 0.95 of the plain forward pass; photograph <= 1.5 GB.

A folder of JPEGs (640x480) times 10 texts through `explain_each`, from disk to maps, in turns with
the plain forward pass: the same batches, pixels ready in memory, nothing recorded. The photograph
(2048x1536) is explained at its own resolution, window by window.

With `--beside` instead: CLIP Surgery of the folder, its images read when the model needs them, and
by a thread beside it, against all cores reading a batch before the model runs, for this model and
the embedded one; `--photos` of 4000x3000 pixels, as telephones take them.
"""

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch
from side_by_side import compare
from surgery_cost import vit_b16

import clipxai as cx
from clipxai.many import batches
from clipxai.many.reading import Reading, reading_for

TEXTS = torch.tensor([[49406, 320, 1929 + n, 49407] for n in range(10)])
BATCH = 8
PEAK = """
import re, sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from folder_throughput import TEXTS, cx, vit_b16
# of this process alone: what getrusage calls the peak includes that of the parent
def memory(kind):
    return 1024 * int(re.search(kind + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
model, photo = vit_b16(), np.random.default_rng(0).integers(0, 256, (1536, 2048, 3), np.uint8)
cx.explain(cx.record(model, photo[:224, :224], TEXTS))  # whatever the first call of anything takes
now = memory("VmRSS")
e = cx.explain_windows(model, photo, TEXTS)
print(memory("VmHWM") - now, e.provenance["windows"])
"""


def photograph(seed: int, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """Smooth colours with some grain: about as many bytes a pixel as a photograph."""
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(
        rng.integers(0, 256, (12, 16, 3), np.uint8), size, interpolation=cv2.INTER_CUBIC
    )
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def write(folder: str, images: int, size: tuple[int, int] = (640, 480)) -> None:
    """A folder of JPEGs."""
    for n in range(images):
        cv2.imwrite(f"{folder}/{n:04}.jpg", photograph(n, size), [cv2.IMWRITE_JPEG_QUALITY, 92])


def reading(images: int, rounds: int, size: tuple[int, int]) -> None:
    """Print what it takes to read images in other ways, against reading a batch by all cores."""
    ways = {
        "when needed": Reading(BATCH, 1, beside=False),
        "beside": Reading(2 * BATCH, 1, beside=True),
    }
    with tempfile.TemporaryDirectory() as folder:
        write(folder, images, size)
        asked = {"ViT-B/16": (vit_b16(), TEXTS), "embedded": (cx.load(), ["a cat", "a dog"])}
        for name, (model, texts) in asked.items():

            def run(how: Reading | None, model: cx.CLIP = model, texts: object = texts) -> None:
                told = reading_for if how is None else lambda *_: how
                with mock.patch.object(batches, "reading_for", told):
                    for _ in cx.explain_each(model, folder, texts, batch=BATCH):
                        pass

            for way, how in ways.items():
                pairs = compare(partial(run, how), partial(run, None), rounds=rounds, warm_up=1)
                print(f"{name}: {way} against by all cores {pairs.ratio:.2f}", flush=True)


def main() -> None:
    """Print the throughput of two methods against the forward pass, and the memory of the
    photograph.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--photos", action="store_true")
    given = parser.parse_args()
    if given.beside:
        reading(given.images, given.rounds, (4000, 3000) if given.photos else (640, 480))
        return
    model = vit_b16()
    with tempfile.TemporaryDirectory() as folder:
        write(folder, given.images)
        pixels = model.preprocess(sorted(Path(folder).iterdir())).split(BATCH)

        def plain() -> None:
            texts = model.encode_text(TEXTS)
            for few in pixels:
                model.encode_image(few) @ texts.T

        def folders(method: str) -> None:
            for _ in cx.explain_each(model, folder, TEXTS, method, batch=BATCH):
                pass

        for method in ("clip", "clip_surgery"):
            pairs = compare(partial(folders, method), plain, rounds=given.rounds, warm_up=1)
            ours, theirs = given.images / pairs.a, given.images / pairs.b
            rates = f"{ours:.1f} images a second, plain forward {theirs:.1f}"
            print(f"{method}: {rates}, ratio {pairs.inverse:.2f}, bar 0.95", flush=True)
    peak, how = subprocess.run(
        [sys.executable, "-c", PEAK, str(Path(__file__).parent)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split(maxsplit=1)
    print(
        f"photograph of 2048x1536: {int(peak) / 1e9:.2f} GB above the loaded model (bar 1.5); "
        f"{how.strip()}"
    )


if __name__ == "__main__":
    main()
