"""How long does the default refinement of one text take at 512 x 512?

    python benchmarks/refinement_cost.py

Scenes of two things at 512 pixels, maps by CLIP Surgery at 224; the median of `REPEATS` rounds over
`SCENES` scenes, a text, on the clock, and of processor time, which other work on the machine does
not change.
"""

import time

import cv2
import numpy as np
import torch

import clipxai as cx
from clipxai.scenes import noun, sample

SCENES, REPEATS, CORES = 10, 3, 2


def main() -> None:
    """Print both times."""
    torch.set_num_threads(CORES)
    cv2.setNumThreads(CORES)
    model, asked, seed = cx.load(), [], 0
    while len(asked) < SCENES:
        scene, seed = sample(seed, size=512), seed + 1
        if len(scene.objects) == 2:
            texts = [f"a photo of {noun(name)}" for name in scene.objects]
            trace = cx.record(model, scene.image, texts, size=224)
            asked.append(cx.explain(trace, "clip_surgery"))
    spent = []
    for _ in range(REPEATS):
        for e in asked:
            clock, processor = time.perf_counter(), time.process_time()
            cx.refine(e)
            spent.append((time.perf_counter() - clock, time.process_time() - processor))
    clock, processor = 1e3 * np.median(spent, axis=0) / 2
    print(f"{clock:.0f} ms a text by the clock, {processor:.0f} ms of processor time")


if __name__ == "__main__":
    main()
