"""Write `golden.json`: what Python says the browser's code has to return. Run this file after a
change of format.
"""

import json
import zlib
from pathlib import Path

import numpy as np

from clipxai.results.explanation import Explanation, Grid
from clipxai.view.number import number
from clipxai.view.payload import pack, unpack
from clipxai.view.scales import Scale

PATH = Path(__file__).with_name("golden.json")


NUMBERS = (
    0.0,
    0.03124,
    -0.5,
    12.345,
    123.4,
    0.00012345,
    999.7,
    1e-7,
    -2.5e-5,
    123456.0,
    0.0999949,
    0.3125,
    -0.0625,
)
GRIDS = (
    (Grid(3, 4, (30, 40), (0, 0, 30, 40)), (9, 11)),
    (Grid(4, 4, (60, 100), (0, 20, 60, 80)), (15, 25)),
    (Grid(1, 1, (5, 5), (0, 0, 5, 5)), (3, 3)),
    (Grid(7, 5, (50, 33), (8.5, 0, 41.5, 33)), (40, 20)),
)


def golden() -> dict:
    """All golden vectors as JSON types; NaN is null."""
    rng = np.random.default_rng(7)
    signed = rng.standard_normal((2, 6)).astype(np.float32)
    signed[1, 2] = np.nan
    attention = rng.random((3, 5)).astype(np.float32) ** 4
    attention[2, 1] = np.nan
    table = rng.integers(0, 256, 7, dtype=np.uint8)
    payload = pack(
        {},
        {
            "bytes": (table, "u8"),
            "maps": (signed, "u16"),
            "rows": (attention, "u8sqrt"),
            "exact": (signed, "f32"),
        },
    )
    alike = np.tile(rng.random((2, 1, 8)) ** 4, (1, 5, 1)) + 0.01 * rng.random((2, 5, 8))
    deflated = pack(
        {}, {"alike": (alike.astype(np.float32), "sqrt23"), "bytes": (table, "u8")}, deflate=True
    )
    assert any(
        np.frombuffer(zlib.decompress(deflated.blob), np.uint8)[
            deflated.header["arrays"]["alike"]["above"] :
        ][:10]
    )
    return {
        "deflated": {
            "payload": {"header": deflated.header, "blob": deflated.base64()},
            "alike": _plain(unpack(deflated)["alike"]),
        },
        "payload": {"header": payload.header, "blob": payload.base64()},
        "unpacked": {name: _plain(values) for name, values in unpack(payload).items()},
        "onto": [_onto(rng, grid, size) for grid, size in GRIDS],
        "colours": [_colours(Scale(-0.2, 0.7, "viridis")), _colours(Scale(-1, 1, "viridis"))],
        "points": [
            _points(rng, grid, threshold)
            for grid, _ in GRIDS
            if grid.patches > 1
            for threshold in (0.5, 0.8)
        ],
        "numbers": [[value, number(value)] for value in NUMBERS],
    }


def _onto(rng: np.random.Generator, grid: Grid, size: tuple[int, int]) -> dict:
    scores = rng.standard_normal((grid.height, grid.width)).astype(np.float32)
    words = {
        "height": grid.height,
        "width": grid.width,
        "box": grid.box,
        "image_size": grid.image_size,
    }
    return {
        "grid": words,
        "scores": _plain(scores),
        "size": size,
        "pixels": _plain(grid.onto_image(scores, size)),
    }


def _points(rng: np.random.Generator, grid: Grid, threshold: float) -> dict:
    scores = rng.standard_normal((grid.height, grid.width)).astype(np.float32)
    image = np.zeros((*grid.image_size, 3), np.uint8)
    e = Explanation(
        scores[None],
        ("a thing",),
        "clip",
        grid,
        "cosine similarity",
        image,
        np.zeros(1, np.float32),
    )
    points = [
        [float(x), float(y), int(label)]
        for (x, y), label in zip(*e.points(0, threshold), strict=True)
    ]
    words = {
        "height": grid.height,
        "width": grid.width,
        "box": grid.box,
        "image_size": grid.image_size,
    }
    return {"grid": words, "scores": _plain(scores), "threshold": threshold, "points": points}


def _colours(scale: Scale) -> dict:
    values = np.linspace(-1.2, 1.2, 37)
    indices = np.rint(scale.place(values) * 255).astype(int)
    return {
        "scale": {"low": scale.low, "high": scale.high},
        "values": values.tolist(),
        "indices": indices.tolist(),
    }


def _plain(values: np.ndarray) -> list:
    return [None if np.isnan(value) else float(value) for value in np.ravel(values)]


if __name__ == "__main__":
    PATH.write_text(json.dumps(golden(), indent=None) + "\n")
