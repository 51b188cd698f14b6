"""What stands on the stage? The sprites of Emoji World, and its twelve backgrounds as tiles."""

from functools import cache
from importlib.resources import files

import cv2
import numpy as np

from ..scenes.compose import backgrounds, class_names
from ..scenes.sprites import COLUMNS, SPRITE
from ..scenes.textures import TEXTURES
from ..view.payload import Header

TILE = 224  # pixels of a background's side: twice what the model reads
SEED, QUALITY = 3, 88


def pictures_header() -> Header:
    """Where sprites and backgrounds lie on their sheets."""
    return {
        "names": class_names(),
        "sprite": SPRITE,
        "columns": COLUMNS,
        "backgrounds": backgrounds(),
        "tile": TILE,
    }


def sprites() -> np.ndarray:
    """The sheet of sprites, an encoded picture, as bytes (n,) uint8."""
    return np.frombuffer((files("clipxai.scenes") / "sprites.webp").read_bytes(), np.uint8)


@cache
def tiles() -> np.ndarray:
    """The backgrounds beside one another, an encoded picture, as bytes (n,) uint8."""
    drawn = [
        TEXTURES[name](np.random.default_rng([SEED, n]), TILE)
        for n, name in enumerate(backgrounds())
    ]
    sheet = np.clip(np.concatenate(drawn, axis=1), 0, 1) * 255 + 0.5
    bgr = np.ascontiguousarray(sheet.astype(np.uint8)[..., ::-1])
    return cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].ravel()
