"""What makes one scene differ from another? The factors that Emoji World varies, known exactly."""

from collections.abc import Iterable

import numpy as np

from .compose import Scene

COLOURS = {  # red, green, blue in 0…1; what the mean colour of a background is nearest to
    "green": (0.30, 0.50, 0.20),
    "blue": (0.30, 0.55, 0.80),
    "white": (0.90, 0.90, 0.92),
    "yellow": (0.85, 0.72, 0.50),
    "brown": (0.50, 0.33, 0.18),
    "grey": (0.50, 0.50, 0.50),
    "dark": (0.12, 0.12, 0.15),
    "red": (0.65, 0.30, 0.25),
}


def factors(scenes: Iterable[Scene]) -> dict[str, list[str]]:
    """What is varied, with its value in every scene.

    Parameters
    ----------
    scenes : from `compose` or `sample`

    Returns
    -------
    "object", the first; "background"; "colour", which of a few names the mean colour of the
    background is nearest to; "number" of things drawn; "place", the quarter of the image in which
    the middle of the first object lies

    Examples
    --------
    >>> from clipxai.scenes import compose
    >>> factors([compose(["dog", "bicycle"], background="grass")])["number"]
    ['2']
    """
    scenes = list(scenes)
    return {
        "object": [scene.objects[0] if scene.objects else "nothing" for scene in scenes],
        "background": [scene.background for scene in scenes],
        "colour": [_colour(scene) for scene in scenes],
        "number": [str(_number(scene)) for scene in scenes],
        "place": [_place(scene) for scene in scenes],
    }


def _number(scene: Scene) -> int:
    recipe = scene.recipe
    if recipe is None:
        return len(scene.objects)
    return sum(name not in recipe.hidden for name in recipe.named)


def _colour(scene: Scene) -> str:
    behind = scene.image[~scene.masks.any(0)] / 255
    mean = behind.mean(0) if len(behind) else scene.image.mean((0, 1)) / 255
    return min(COLOURS, key=lambda name: float(np.square(mean - COLOURS[name]).sum()))


def _place(scene: Scene) -> str:
    if not len(scene.masks) or not scene.masks[0].any():
        return "nowhere"
    y, x = (places.mean() / len(scene.image) for places in scene.masks[0].nonzero())
    return f"{'upper' if y < 0.5 else 'lower'} {'left' if x < 0.5 else 'right'}"
