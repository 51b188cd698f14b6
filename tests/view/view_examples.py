"""Explanations whose numbers are known, made with numpy alone."""

from dataclasses import fields, replace

import numpy as np

from clipxai.results.explanation import Explanation, Grid
from clipxai.scenes import compose

HOSTILE = "</script><img src=x onerror=alert(1)>"
SCENE = compose(["owl", "clock"], "forest", seed=3, size=112)
TEXTS = ("an owl", "a clock")
MASKS = {"an owl": SCENE.mask("owl"), "a clock": SCENE.mask("clock")}


def example(
    method: str = "clip_surgery",
    texts: tuple[str, ...] = TEXTS,
    grid: int = 14,
    seed: int = 0,
    sign: float = 1.0,
    **more: object,
) -> Explanation:
    """Scores that are high (or low, with sign=-1) on the owl and the clock in turn, plus noise from
    the seed.
    """
    rng = np.random.default_rng(seed)
    patch = SCENE.image.shape[0] // grid
    cover = (
        SCENE.masks[:, : grid * patch, : grid * patch]
        .reshape(2, grid, patch, grid, patch)
        .mean(axis=(2, 4))
    )
    scores = np.stack(
        [
            sign * 0.1 * cover[n % 2] + 0.01 * rng.standard_normal((grid, grid))
            for n in range(len(texts))
        ]
    )
    H, W = SCENE.image.shape[:2]
    defaults = {
        "grid": Grid(grid, grid, (H, W), (0, 0, H, W)),
        "unit": "cosine similarity",
        "image": SCENE.image,
        "presence": np.linspace(0.3, -0.1, len(texts)).astype(np.float32),
    }
    return Explanation(scores.astype(np.float32), texts, method, **{**defaults, **more})


def contrast(method: str = "decomposition") -> Explanation:
    """The owl speaks for its text, the clock for the other, which fits better."""
    owl, clock = example().scores
    presence = np.array([-0.125], np.float32)
    names = {"texts": ("an owl rather than a clock",), "sides": TEXTS, "unit": "share (made up)"}
    return replace(example(method), scores=owl[None] - clock, presence=presence, **names)


def cropped(height: int = 60, width: int = 100) -> Explanation:
    """A map that covers only the middle square of a wide image."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    left = (width - height) / 2
    grid = Grid(4, 4, (height, width), (0, left, height, left + height))
    scores = np.linspace(0, 1, 16, dtype=np.float32).reshape(1, 4, 4)
    return Explanation(
        scores, ("a thing",), "clip", grid, "cosine similarity", image, np.array([0.25], np.float32)
    )


def texts_of(figure: object) -> list[str]:
    """All that is written in a matplotlib figure."""
    return [
        text.get_text()
        for text in (*figure.texts, *(t for area in figure.axes for t in area.texts))
    ]


def damaged(found):
    """A fresh example that a test may write into, as no other owner can."""
    for part in fields(found):
        value = getattr(found, part.name)
        for array in value.values() if isinstance(value, dict) else [value]:
            if isinstance(array, np.ndarray):
                array.flags.writeable = True
    return found
