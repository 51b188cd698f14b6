"""Where do the objects of Emoji World come from? From one sheet of glyphs, drawn once from the Noto
Color Emoji font.

The sheet ships with the package (licence beside it); `python -m clipxai.scenes.sprites FONT.ttf`
draws it anew.
"""

import argparse
import json
import math
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np

HERE = files("clipxai.scenes")
WORLD: dict[str, dict] = json.loads((HERE / "world.json").read_text(encoding="utf-8"))
SPRITE = 96  # pixels of a sprite's side on the sheet
COLUMNS = 11
FONT_SIZE = 109  # the one bitmap size of the font


@lru_cache
def sheet() -> dict[str, np.ndarray]:
    """Every object's sprite, (96, 96, 4) float32 in 0…1: red, green, blue multiplied by alpha, and
    alpha.
    """
    encoded = np.frombuffer((HERE / "sprites.webp").read_bytes(), np.uint8)
    bgra = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    rgba = cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA).astype(np.float32) / 255
    # multiplied by alpha, so that turning and scaling do not mix in colours of clear pixels
    rgba[..., :3] *= rgba[..., 3:]
    places = (divmod(n, COLUMNS) for n in range(len(WORLD["objects"])))
    cells = (rgba[r * SPRITE : (r + 1) * SPRITE, c * SPRITE : (c + 1) * SPRITE] for r, c in places)
    return dict(zip(WORLD["objects"], cells))


def draw_sheet(font_path: str, out: Path) -> None:
    """Draw every object's glyph, cropped to what is opaque and fitted into its cell, and write the
    sheet losslessly.
    """
    from PIL import Image, ImageDraw, ImageFont  # only here: the sheet ships with the package

    font = ImageFont.truetype(font_path, FONT_SIZE)
    rows = math.ceil(len(WORLD["objects"]) / COLUMNS)
    drawn = Image.new("RGBA", (COLUMNS * SPRITE, rows * SPRITE))
    for n, (name, glyph) in enumerate(WORLD["objects"].items()):
        canvas = Image.new("RGBA", (2 * FONT_SIZE, 2 * FONT_SIZE))
        ImageDraw.Draw(canvas).text((20, 20), glyph, font=font, embedded_color=True)
        box = canvas.getchannel("A").getbbox()
        if box is None:
            raise ValueError(f"the font has no glyph for {name!r} ({glyph}): {font_path}")
        sprite = canvas.crop(box)
        scale = SPRITE / max(sprite.size)
        size = (max(1, round(sprite.width * scale)), max(1, round(sprite.height * scale)))
        sprite = sprite.resize(size, Image.Resampling.LANCZOS)
        row, column = divmod(n, COLUMNS)
        corner = (
            column * SPRITE + (SPRITE - sprite.width) // 2,
            row * SPRITE + (SPRITE - sprite.height) // 2,
        )
        drawn.paste(sprite, corner)
    drawn.save(out, lossless=True, quality=100, method=6)


def main() -> None:
    """Draw the sheet of this package anew."""
    parser = argparse.ArgumentParser("python -m clipxai.scenes.sprites", description=__doc__)
    parser.add_argument("font", help="path of Noto Color Emoji, with bitmaps")
    draw_sheet(parser.parse_args().font, Path(__file__).with_name("sprites.webp"))


if __name__ == "__main__":
    main()
