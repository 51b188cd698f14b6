"""Steps of the surgery whose maps are known, made with numpy alone."""

import numpy as np
from view_examples import SCENE, TEXTS, example

from clipxai.results.explanation import Grid
from clipxai.results.findings import Picture, SurgerySteps
from clipxai.results.findings.surgery_steps import PARTS

SIGNS = (-1.0, -1.0, 0.5, 0.7, 1.0)
H, W = SCENE.image.shape[:2]


def surgery_steps(
    parts: tuple[str, ...] = PARTS, layers: int = 8, blocks: int = 6, texts: tuple[str, ...] = TEXTS
) -> SurgerySteps:
    """Upside down at first, then more and more the right way up; the second path keeps the map."""
    signs = dict(zip(PARTS, SIGNS, strict=True))
    seeds = {"raw": 0, "path": 0, "attention": 1, "ffn": 2, "empty": 3}
    maps = [example("clip", texts, seed=seeds[part], sign=signs[part]) for part in parts]
    picture = Picture(SCENE.image, Grid(14, 14, (H, W), (0, 0, H, W)), {"model": "made up"})
    return SurgerySteps(picture, texts, parts, tuple(maps), layers, blocks, "path" in parts)


def contrast(heat: np.ndarray, mask: np.ndarray) -> float:
    """In hundredths, from the definition."""
    return 100 * float(heat[mask].mean() - heat[~mask].mean())
