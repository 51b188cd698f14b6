"""How does the image of a viewer that looks inside travel into a page, with the grid of its patches?"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from ..given import number_of
from ..inside import Picture
from ..results import Explanation
from .comparison import PHOTO_SIDE, SMALL_PHOTO_SIDE, encode_photo
from .panels import Panel
from .payload import Arrays, Header, Step
from .scales import number


def picture_header(picture: Picture) -> Header:
    """The photo as a data URL, and its one patch grid, by the names that the browser's panels know."""
    grid = picture.grid
    described = {"height": grid.height, "width": grid.width, "box": list(map(float, grid.box)), "image_size": list(picture.image.shape[:2])}
    return {"photo": encode_photo(picture.image, PHOTO_SIDE), "grids": [described]}


def smaller_photo(picture: Picture) -> Step:
    """What a figure may give up to keep its budget: a fine photo."""
    sentence = f"To keep the figure small, the photo has at most {SMALL_PHOTO_SIDE} pixels a side."
    return sentence, partial(_shrink, picture)


def as_panel(picture: Picture, values: np.ndarray, name: str, unit: str) -> Panel:
    """Patch values (P,) as a panel, which knows what NaN and "no variation" are."""
    scores = values.reshape(1, picture.grid.height, picture.grid.width).astype(np.float32)
    return Panel(Explanation(scores, (name,), "", picture.grid, unit, picture.image, np.zeros(1, np.float32)), 0, 0)


def rows_of_texts(known: Sequence[str], texts: Sequence[int | str] | None) -> list[int]:
    """Numbers of the texts that were chosen, by number or as written; all for None.

    Raises
    ------
    ValueError : unknown text, or none
    IndexError : no text of that number
    """
    rows = [number_of(known, text, "text", "this figure") for text in (range(len(known)) if texts is None else texts)]
    if not rows:
        raise ValueError("there is nothing to draw: no text was chosen")
    return rows


def closure_of(total: float, cosine: float) -> str:
    """The proof that no part is missing, in words."""
    return f"parts add up to {number(total)}; difference {number(float(f'{abs(total - cosine):.0e}'))}"


def finite(values: np.ndarray) -> np.ndarray:
    """Values with NaN in place of infinities, as the coding for browsers has it."""
    return np.where(np.isfinite(values), values, np.nan)


def reach_of(values: np.ndarray) -> float:
    """The largest absolute value, for a scale with zero in the middle; 0 if nothing is finite."""
    known = values[np.isfinite(values)]
    return float(abs(known).max()) if known.size else 0.0


def _shrink(picture: Picture, header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    return {**header, "photo": encode_photo(picture.image, SMALL_PHOTO_SIDE, most_bytes=0)}, arrays
