"""Which image is chosen in the Explorer? One that was given, a scene of one's own, a file, an
upload.
"""

from collections.abc import Mapping

import numpy as np

from ..scenes import Scene, compose
from .controls import Controls

SCENE_SIDE = 336  # pixels
Masks = Mapping[str, np.ndarray]  # of things in the image, by name


class ImageChoice:
    """The image that the controls choose, and the true masks of what is in it.

    The very same objects are returned as long as the same is chosen: the session records an image
    again only if it is another object.

    Parameters
    ----------
    controls : where it is chosen
    given : what the source "given" stands for, anything `record` takes, or a `Scene`
    """

    def __init__(self, controls: Controls, given: object = None) -> None:
        self._controls, self._given = controls, given
        self.forget()

    def forget(self) -> None:
        """Read the image anew when it is asked for: a file may have changed."""
        self._chosen: tuple | None = None
        self._image: object = None
        self._masks: Masks = {}
        self._scene: Scene | None = None

    def read(self) -> tuple[object, Masks, Scene | None]:
        """The image, its masks, and the scene that it was taken from, if it was.

        Raises
        ------
        ValueError : none is chosen, or a scene that cannot be composed
        """
        source = self._controls.source.value
        chosen = (source, *self._said(source))
        if chosen != self._chosen:
            image = self._read(source)
            self._image, self._masks, self._scene = image, {}, None
            if isinstance(image, Scene):
                self._image, self._masks = image.image, dict(zip(image.objects, image.masks))
                self._scene = image
            self._chosen = chosen  # last: what could not be read is tried again
        return self._image, self._masks, self._scene

    @property
    def code(self) -> tuple[str, str]:
        """The same in Python: a line, and what the image is called after it."""
        c, source = self._controls, self._controls.source.value
        if source == "scene":
            at = c.scene.at and [tuple(map(float, place)) for place in c.scene.at]
            told = f"{c.scene.names!r}, {c.background.value!r}, seed={c.seed.value}"
            where = f",\n    at={at}" if at else ""
            return f"scene = cx.scenes.compose({told}, size={SCENE_SIDE}{where})", "scene.image"
        if source == "file":
            return f"image = {c.path.value!r}", "image"
        if source == "given" and isinstance(self._given, Scene):
            return "scene = ...  # the scene that was given to the Explorer", "scene.image"
        whose = "uploaded" if source == "upload" else "given to the Explorer"
        return f"image = ...  # the picture that was {whose}", "image"

    def _said(self, source: str) -> tuple:
        """What the controls of a source say; the same means the same image."""
        c = self._controls
        if source == "scene":
            at = c.scene.at
            return (*c.scene.names, at and tuple(at), c.background.value, c.seed.value)
        if source == "file":
            return (c.path.value,)
        if source == "upload":
            return tuple((f["name"], f["size"], f["last_modified"]) for f in c.upload.value)
        return ()

    def _read(self, source: str) -> object:
        c = self._controls
        if source == "scene":
            things, background = c.scene.names, c.background.value
            return compose(things, background, c.seed.value, SCENE_SIDE, c.scene.at)
        if source == "upload":
            if not c.upload.value:
                raise ValueError("choose an image to upload")
            return bytes(c.upload.value[0]["content"])
        if source == "file":
            if not c.path.value:
                raise ValueError("type the path of an image")
            return c.path.value
        return self._given
