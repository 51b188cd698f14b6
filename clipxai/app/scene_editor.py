"""Which things are in the scene, and where? A widget in which they are dragged on the picture.

The browser moves cutouts at once; here is what they are cut from.
"""

from collections.abc import Sequence
from functools import cache
from threading import RLock
from typing import Any

import anywidget
import cv2
import numpy as np
import traitlets

from ..scenes import Scene, class_names
from ..scenes.sprites import COLUMNS, sheet
from ..view.html import join
from .pictures import data_url

MOST = 3  # things in a scene
ZOOM = 1.4  # a turned sprite reaches beyond its square
CELL, MARGIN = 44, 2  # pixels of a cell of the grid to choose from, and clear ones around
WORDS = {
    "picture": "the scene",
    "thing": "{name}; arrow keys move it, plus and minus resize it, d doubles it, Delete removes "
    "it, Enter exchanges it",
    "keys": "drag to move; keys: arrows, + and −, d to double, Delete, Enter to exchange",
    "resize": "drag to resize",
    "add": "add",
    "add_tip": "put another thing into the scene",
    "exchange": "exchange",
    "exchange_tip": "put something else in place of the chosen thing",
    "double": "double",
    "double_tip": "the chosen thing once more",
    "remove": "remove",
    "remove_tip": "take the chosen thing out of the scene",
    "search": f"search {len(class_names())} things",
    "close": "close",
    "nothing": "Emoji World has no such thing.",
}


class SceneEditor(anywidget.AnyWidget):
    """The things of a scene, in the order they are drawn.

    Attributes
    ----------
    things : a list of name, and centre (y, x) and side as shares of the picture
    settled : whether they stand where somebody put them; else the seed decides
    lock : for who reads `things` and shows their scene; what the browser tells meanwhile waits
    """

    _esm = f"{join('../app/scene_editor')}\nexport default viewer;\n"
    things = traitlets.List(traitlets.Dict()).tag(sync=True)
    pictures = traitlets.Dict().tag(sync=True)
    world = traitlets.Dict().tag(sync=True)
    words = traitlets.Dict(WORDS).tag(sync=True)
    most = traitlets.Int(MOST).tag(sync=True)

    def __init__(self, names: Sequence[str]) -> None:
        self.settled, self.lock = False, RLock()
        self._shown: Scene | None = None
        self._empty: tuple[tuple, str] | None = None
        world = {"names": class_names(), "sheet": _sheet_url(), "columns": COLUMNS}
        super().__init__(world=world, things=[{"name": name} for name in names])
        self.observe(self._on_things, "things")

    @property
    def names(self) -> list[str]:
        """Class names; one that is there twice is named twice."""
        return [thing["name"] for thing in self.things]

    @property
    def at(self) -> list[tuple[float, float, float]] | None:
        """Where they are, as `compose` takes it; None if the seed decides."""
        if not self.settled:
            return None
        return [(thing["y"], thing["x"], thing["side"]) for thing in self.things]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """As the browser tells of it; JupyterLab may do so in a thread of its own."""
        with self.lock:  # else the scene that is just being shown would take it back
            super().set_state(sync_data)

    def _on_things(self, change: dict[str, Any]) -> None:
        """Who only exchanges a thing leaves all places to the seed."""
        if _places(change["old"]) != _places(change["new"]):
            self.settled = True

    def show(self, scene: Scene) -> None:
        """Show a scene that was composed of these things."""
        if scene is self._shown:
            return
        self._shown = scene
        settled = self.settled
        places = [
            {"name": name, "y": box.y, "x": box.x, "side": box.side}
            for name, box in zip(self.names, scene.places, strict=True)
        ]
        pictures = {
            "picture": data_url(scene.image),
            "empty": self._without_things(scene),
            "cutouts": [_cutout(scene, **place) for place in places],
            "zoom": ZOOM,
        }
        with self.hold_sync():
            self.things = places
            self.pictures = pictures
        self.settled = settled

    def _without_things(self, scene: Scene) -> str:
        """It is the same wherever they are, so it is drawn once."""
        told = (tuple(self.names), scene.background, scene.seed, len(scene.image))
        if self._empty is None or self._empty[0] != told:
            for name in scene.objects:
                scene = scene.without(name)
            self._empty = told, data_url(scene.image)
        return self._empty[1]


def _places(things: Sequence[dict[str, Any]]) -> list[tuple]:
    return [tuple(thing.get(way) for way in ("y", "x", "side")) for thing in things]


def _cutout(scene: Scene, name: str, y: float, x: float, side: float) -> str:
    """What is seen of a thing, on clear ground, in a square `ZOOM` times as wide as it."""
    size = len(scene.image)
    wide = max(2, round(ZOOM * side * size))
    alpha = 255 * scene.mask(name).astype(np.uint8)
    whole = np.dstack([scene.image, alpha])
    # beyond the picture's edge all is clear
    shift = np.float32([[1, 0, wide / 2 - x * size], [0, 1, wide / 2 - y * size]])
    return data_url(cv2.warpAffine(whole, shift, (wide, wide), flags=cv2.INTER_NEAREST))


@cache
def _sheet_url() -> str:
    """All things in rows, small."""
    cells = []
    for sprite in sheet().values():
        side = CELL - 2 * MARGIN
        small = cv2.resize(sprite, (side, side), interpolation=cv2.INTER_AREA)
        small[..., :3] /= np.maximum(small[..., 3:], 1e-3)  # as pages expect it
        drawn = (255 * np.clip(small, 0, 1) + 0.5).astype(np.uint8)
        cells.append(np.pad(drawn, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))))
    blank = np.zeros_like(cells[0])
    cells += [blank] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[n : n + COLUMNS]) for n in range(0, len(cells), COLUMNS)]
    return data_url(np.vstack(rows))
