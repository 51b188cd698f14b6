"""How much better than a map cut at one half is a refined mask, on scenes that chose no threshold?

    python benchmarks/refinement.py [METHOD …]

Scenes 500 to 999 of Emoji World's test split, drawn and read at 224 pixels; every object is asked
for as "a photo of a dog", and the objects of a scene compete. IoU over (scene, object) pairs.
"""

import sys

import numpy as np
import torch

import clipxai as cx
from clipxai.measure.meters import RefinedMeter
from clipxai.measure.refined import refined
from clipxai.scenes import noun, sample

SIDE, SCENES, METHODS = 224, range(500, 1000), ("clip_surgery", "decomposition")


def main() -> None:
    """Print a line for every method."""
    torch.set_num_threads(1)
    model, methods = cx.load(), sys.argv[1:] or METHODS
    meters = {method: RefinedMeter() for method in methods}
    for seed in SCENES:
        scene = sample(seed, size=SIDE)
        texts = [f"a photo of {noun(name)}" for name in scene.objects]
        trace = cx.record(model, scene.image, texts, size=SIDE)
        for method, meter in meters.items():
            rows = refined(cx.explain(trace, method), len(texts), scene.masks, None)
            meter.update(np.insert(np.array(rows), 0, seed, axis=1))
    for method, meter in meters.items():
        found = meter.compute()
        print(method, {name: round(value, 1) for name, value in found.items()}, flush=True)


if __name__ == "__main__":
    main()
