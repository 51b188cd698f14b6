"""What do the twelve backgrounds of Emoji World look like? Each a few octaves of noise between
colours, plus what makes it itself.

Every texture is `f(rng, size) -> (size, size, 3) float32 in 0…1`. Random draws never depend on
`size`, so one seed gives the same scene at any resolution.
"""

from collections.abc import Callable

import cv2
import numpy as np

Texture = Callable[[np.random.Generator, int], np.ndarray]


def noise(
    rng: np.random.Generator, size: int, rows: int, columns: int | None = None, octaves: int = 3
) -> np.ndarray:
    """Smooth noise (size, size) in 0…1: random grids, each twice as fine and half as strong as the
    one before.
    """
    columns = columns or rows
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        grid = rng.random((rows << octave, columns << octave), np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR) * 0.5**octave
    return total / (2 - 0.5 ** (octaves - 1))


def blend(
    amount: np.ndarray, low: tuple, high: tuple, rng: np.random.Generator, jitter: float = 0.06
) -> np.ndarray:
    """Colours between two ends (red, green, blue in 0…1), both shifted a little at random."""
    ends = np.array([low, high], np.float32) + rng.normal(0, jitter, (2, 3)).astype(np.float32)
    return ends[0] + amount[..., None] * (ends[1] - ends[0])


def axes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres as y (size, 1) and x (1, size) in 0…1."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[:, None], centres[None]


def grass(rng: np.random.Generator, size: int) -> np.ndarray:
    """Upright blades in two greens."""
    blades = 0.5 * noise(rng, size, 6) + 0.5 * noise(rng, size, 10, 40, 2)
    return blend(blades, (0.10, 0.32, 0.06), (0.50, 0.76, 0.26), rng)


def water(rng: np.random.Generator, size: int) -> np.ndarray:
    """Flat waves in two blues."""
    return blend(noise(rng, size, 16, 3), (0.03, 0.22, 0.48), (0.36, 0.70, 0.86), rng)


def sky(rng: np.random.Generator, size: int) -> np.ndarray:
    """Blue, paler towards the horizon, with some clouds."""
    y, _ = axes(size)
    clear = blend(
        np.broadcast_to(y, (size, size)), (0.30, 0.56, 0.92), (0.68, 0.86, 0.99), rng, 0.04
    )
    clouds = np.clip((noise(rng, size, 3, 2) - 0.58) * 4, 0, 0.9)[..., None]
    return clear * (1 - clouds) + 0.97 * clouds


def snow(rng: np.random.Generator, size: int) -> np.ndarray:
    """Nearly white, bluish in the hollows."""
    return blend(noise(rng, size, 4), (0.76, 0.82, 0.90), (0.98, 0.99, 1.0), rng, 0.02)


def sand(rng: np.random.Generator, size: int) -> np.ndarray:
    """Pale dunes with grains."""
    grains = 0.5 * noise(rng, size, 5, 2) + 0.5 * noise(rng, size, 56, octaves=1)
    return blend(grains, (0.72, 0.56, 0.34), (0.96, 0.86, 0.64), rng, 0.04)


def wood(rng: np.random.Generator, size: int) -> np.ndarray:
    """Boards with grain along them and dark seams."""
    y, _ = axes(size)
    planks = blend(noise(rng, size, 32, 2), (0.36, 0.20, 0.09), (0.72, 0.48, 0.26), rng)
    seam = ((y * rng.integers(3, 6) + rng.random()) % 1 < 0.05).astype(np.float32)[..., None]
    return planks * (1 - 0.6 * seam)


def road(rng: np.random.Generator, size: int) -> np.ndarray:
    """Asphalt with one dashed lane mark."""
    y, x = axes(size)
    asphalt = blend(
        0.4 * noise(rng, size, 4) + 0.6 * noise(rng, size, 56, octaves=1),
        (0.20, 0.20, 0.22),
        (0.46, 0.46, 0.48),
        rng,
        0.03,
    )
    place, phase = rng.uniform(0.25, 0.75), rng.random()
    mark = (np.abs(x - place - 0.15 * (y - 0.5)) < 0.025) & ((y * 3 + phase) % 1 < 0.6)
    asphalt[mark] = (0.93, 0.91, 0.80)
    return asphalt


def night_sky(rng: np.random.Generator, size: int) -> np.ndarray:
    """Dark blue with stars."""
    y, x = axes(size)
    dark = blend(
        0.6 * np.broadcast_to(y, (size, size)) + 0.4 * noise(rng, size, 3),
        (0.01, 0.01, 0.08),
        (0.12, 0.10, 0.32),
        rng,
        0.02,
    )
    star_y, star_x, radius = rng.random((rng.integers(25, 50), 3), np.float32).T
    sharp = 1 / (2 * (0.004 + 0.005 * radius) ** 2)
    # (size, stars) each
    down, across = np.exp(-sharp * (y - star_y) ** 2), np.exp(-sharp * (x.T - star_x) ** 2)
    return dark + 0.9 * (down @ across.T)[..., None]


def brick_wall(rng: np.random.Generator, size: int) -> np.ndarray:
    """Rows of bricks, every other one shifted, in light mortar."""
    y, x = axes(size)
    rows = rng.integers(8, 13)
    row = np.floor(y * rows)
    across = x * rows / 2.4 + 0.5 * (row % 2) + rng.random()
    shade = rng.random((16, 16), np.float32)[
        row.astype(int) % 16, np.floor(across).astype(int) % 16
    ]
    bricks = blend(
        0.6 * shade + 0.4 * noise(rng, size, 20, octaves=2),
        (0.48, 0.18, 0.12),
        (0.76, 0.38, 0.28),
        rng,
        0.04,
    )
    bricks[((y * rows) % 1 < 0.14) | (across % 1 < 0.06)] = (0.80, 0.76, 0.70)
    return bricks


def forest(rng: np.random.Generator, size: int) -> np.ndarray:
    """Dark leaves with a few trunks."""
    y, x = axes(size)
    leaves = blend(
        noise(rng, size, 9, octaves=3), (0.02, 0.13, 0.05), (0.20, 0.46, 0.16), rng, 0.03
    )
    for place, width in rng.random((rng.integers(4, 7), 2)):
        trunk = (np.abs(x - place - 0.02 * np.sin(9 * y)) < 0.012 + 0.022 * width) & (y > 0.12)
        leaves[trunk] = leaves[trunk] * 0.3 + np.array((0.26, 0.16, 0.08), np.float32)
    return leaves


def tiles(rng: np.random.Generator, size: int) -> np.ndarray:
    """A chequered floor with joints."""
    y, x = axes(size)
    count, hue = rng.integers(5, 9), rng.uniform(0, 1, 3) * 0.25
    row, column = np.floor(y * count).astype(int), np.floor(x * count).astype(int)
    shade = rng.random((9, 9), np.float32)[row, column] * 0.3 + 0.5 * ((row + column) % 2)
    squares = blend(shade, tuple(0.55 + hue), tuple(0.80 + hue * 0.7), rng, 0.03)
    squares[((y * count) % 1 < 0.09) | ((x * count) % 1 < 0.09)] = (0.36, 0.36, 0.38)
    return squares


def wall(rng: np.random.Generator, size: int) -> np.ndarray:
    """One warm or pale paint, with a skirting board."""
    y, _ = axes(size)
    paint = rng.uniform(0.5, 0.92, 3)
    paint[2] = min(paint[2], paint[0])  # never the blue of a sky
    plain = blend(
        noise(rng, size, 2, octaves=2), tuple(paint - 0.06), tuple(paint + 0.04), rng, 0.01
    )
    board = rng.uniform(0.86, 0.93)
    plain[(y > board)[:, 0]] = paint * 0.55
    return plain


TEXTURES: dict[str, Texture] = {
    "grass": grass,
    "water": water,
    "sky": sky,
    "snow": snow,
    "sand": sand,
    "wood": wood,
    "road": road,
    "night sky": night_sky,
    "brick wall": brick_wall,
    "forest": forest,
    "tiles": tiles,
    "wall": wall,
}
