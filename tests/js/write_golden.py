"""Write `golden.json`: what Python says the browser's code has to return. Run this file after a
change of format.
"""

import json
import sys
import zlib
from pathlib import Path

import numpy as np

from clipxai.results.explanation import Explanation, Grid
from clipxai.view.head_grid import sentences as head_grid
from clipxai.view.layer_attention import sentences as layer_attention
from clipxai.view.method_comparison import sentences as method_comparison
from clipxai.view.module_comparison import sentences as module_comparison
from clipxai.view.module_comparison.content import ModuleShares
from clipxai.view.number import WAYS, fill
from clipxai.view.payload import pack, unpack
from clipxai.view.region_map import sentences as region_map
from clipxai.view.scales import Scale
from clipxai.view.sentences import NEAR_CHANCE, REMARKS, page_words
from clipxai.view.token_map import sentences as token_map

sys.path.insert(0, str(Path(__file__).parents[1] / "view"))  # the examples of tests/view
from attention_examples import attention_example
from inside_examples import contributions

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
    0.0005,
    -0.0004,
    0.125,
    2.5,
    -0.0,
)
# sentence, values: places of all kinds, and what looks like one
FILLS = (
    ("layer {layer}, head {head}: {share:signed}", {"layer": 3, "head": 11, "share": -0.03125}),
    ("{a:number} {a:two_digits} {a:tenth} {a:signed} {a}", {"a": 0.25}),
    ("“{word}” {value:number}", {"word": "{value:number} \\1 $& {word}", "value": -1.5}),
    ("{unknown} {a:unheard} {} {a", {"a": 1}),
    ("{a:number} of {b:number}", {"a": float("inf"), "b": 0}),
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
        "onto": [_onto(rng, grid, size, holes) for holes in (0, 0.3) for grid, size in GRIDS],
        "colours": [_colours(Scale(-0.2, 0.7, "viridis")), _colours(Scale(-1, 1, "viridis"))],
        "points": [
            _points(rng, grid, threshold, holes)
            for holes in (0, 0.3)
            for grid, _ in GRIDS
            if grid.patches > 1
            for threshold in (0.5, 0.8)
        ],
        "numbers": {
            name: [[value, write(value)] for value in NUMBERS] for name, write in WAYS.items()
        },
        "fills": [
            [sentence, _finite(values), fill(sentence, **values)] for sentence, values in FILLS
        ],
        "near_chance": NEAR_CHANCE,
        "words": _words(),
    }


def _words() -> dict:
    """The sentences of every page that the tests for node read, and what stands on blank maps."""
    maps = attention_example(2, 1, (2, 3), ("qk", "vv"), sinks=(2,))
    pooled = attention_example(2, 1, (2, 3), ("qk", "vv"), whole="[pool]")
    modules = ModuleShares(contributions(), [0])
    own = {
        "head_grid": head_grid.WORDS,
        "left_out": token_map.LEFT,
        "layer_attention": layer_attention.words(maps),
        "layer_attention_pool": layer_attention.words(pooled),
        "method_comparison": method_comparison.WORDS,
        "module_comparison": module_comparison.words_of(modules),
        "region_map": region_map.words("height"),
        "token_map": token_map.WORDS,
    }
    words = {room: page_words((10, 20), sentences) for room, sentences in own.items()}
    return {**words, "matrix": token_map.MATRIX, "remarks": list(REMARKS)}


def _finite(values: dict) -> dict:
    """JSON has no infinity: None becomes NaN there, which is written the same way."""
    return {
        name: None if isinstance(value, float) and not np.isfinite(value) else value
        for name, value in values.items()
    }


def _scores(rng: np.random.Generator, grid: Grid, holes: float) -> np.ndarray:
    """A map of which a share is not known."""
    scores = rng.standard_normal((grid.height, grid.width)).astype(np.float32)
    return np.where(rng.random(scores.shape) < holes, np.float32(np.nan), scores)


def _onto(rng: np.random.Generator, grid: Grid, size: tuple[int, int], holes: float) -> dict:
    scores = _scores(rng, grid, holes)
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


def _points(rng: np.random.Generator, grid: Grid, threshold: float, holes: float) -> dict:
    scores = _scores(rng, grid, holes)
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
