"""An overview whose numbers are known, made with numpy alone: four blocks, three heads."""

from dataclasses import replace

import numpy as np
from inside_examples import PICTURE, TEXTS

from clipxai.results.findings import Overview, Reading, Rows, SecondRail, Shares

LAYERS, HEADS, N = 4, 3, 197


def rows(*shape: int, kept: int, tokens: int = N, seed: int = 0) -> Rows:
    """Weights that fall by half from token to token."""
    rng = np.random.default_rng(seed)
    order = rng.random((*shape, tokens)).argsort(-1)[..., :kept].astype(np.uint16)
    weights = np.broadcast_to(0.5 ** np.arange(1, kept + 1), order.shape).astype(np.float32)
    level = rng.standard_normal(shape).astype(np.float32)
    return Rows(order, weights, level, np.full(shape, 3.5, np.float32))


def overview(seed: int = 0) -> Overview:
    """Block 2's attention adds most to the owl, by its head 1 from the patch in row 3, column 5."""
    rng = np.random.default_rng(seed)

    def values(*shape: int) -> np.ndarray:
        return (0.01 * rng.standard_normal(shape)).astype(np.float32)

    of_class = rows(LAYERS, HEADS, kept=8, seed=seed)
    tokens = of_class.tokens.copy()
    tokens[2, 1, 4] = 1 + 3 * 14 + 5
    attention, heads, fetched = values(4, 2, N), values(4, 3, 2), values(4, 3, 2, 8)
    attention[2, 0, 0], heads[2, 1, 0], fetched[2, 1, 0, 4] = 0.25, 0.2, 0.15
    lens = values(5, 2, N)
    lens[-1, :, 0] = 0.5, 0.25
    maps = values(8, 3, 2, 196)
    maps[0] = lens[2:, :, 1:]
    readings = tuple(
        Reading(("[start]", *text.split(), "[end]"), np.full((2, 4), 0.25, np.float32), values(3))
        for text in TEXTS
    )
    return Overview(
        PICTURE,
        TEXTS,
        "vision transformer with a class token",
        LAYERS,
        64,
        1,
        True,
        lens,
        replace(of_class, tokens=tokens),
        rows(LAYERS, HEADS, 196, kept=6, seed=seed + 1),
        np.ones((LAYERS, HEADS, N), np.float32),
        Shares(attention, values(4, 2, N), heads, fetched),
        SecondRail(
            ("attention", "dual_path", "ffn"), maps, values(8, 196), rows(2, 196, kept=6, seed=9)
        ),
        readings,
    )
