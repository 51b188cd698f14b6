"""How is a scene of Emoji World made? One to three glyphs on a texture, with an exact mask for each
and a caption.

Everything follows from the seed; a scene drawn at another `size` is the same scene, finer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

import cv2
import numpy as np

from ..checks import Seed, Side, of_its_kinds
from .captions import caption
from .naming import masks_of
from .sprites import SPRITE, WORLD, sheet
from .textures import TEXTURES

# first entry of the seed, so that no split can meet another
SPLITS = {"train": 0, "test": 1, "composed": 2}
PLACING_TRIES = 30
ALLOWED_OVERLAP = 0.12  # of the smaller object's box


@dataclass(frozen=True, eq=False)
class Scene:
    """A captioned picture whose ground truth is known.

    Attributes
    ----------
    image : (size, size, 3) uint8, red-green-blue
    caption : what one would say of it
    objects : class names, each once
    masks : (len(objects), size, size) bool, the visible pixels of each class
    background : name of the texture
    seed : what it was made from
    recipe : how to draw it again
    places : centre (y, x) and side of each thing that is drawn, in that order; `compose` takes them
        as `at`
    """

    image: np.ndarray
    caption: str
    objects: tuple[str, ...]
    masks: np.ndarray
    background: str
    seed: int
    recipe: "Recipe | None" = field(default=None, repr=False)
    places: "tuple[Box, ...]" = ()

    def _repr_jpeg_(self) -> bytes:
        """The picture, for a notebook: its noise would take eight times as much as a PNG."""
        picture = cv2.cvtColor(self.image, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()

    def __repr__(self) -> str:
        return f"<Scene {self.seed}: {self.caption!r}>"

    def mask(self, name: str) -> np.ndarray:
        """Where an object is, by its class.

        Parameters
        ----------
        name : one of `objects`

        Returns
        -------
        (size, size) bool: its visible pixels

        Raises
        ------
        ValueError : a name that is not in the scene

        Examples
        --------
        >>> int(compose(["dog", "bicycle"], background="grass").mask("dog").sum())
        562
        """
        if name not in self.objects:
            raise ValueError(f"no {name!r} in this scene; it shows: {', '.join(self.objects)}")
        return self.masks[self.objects.index(name)]

    def truth(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Where the things are that texts name; a text that names none of them has no mask.

        Parameters
        ----------
        texts : what is asked about

        Returns
        -------
        text -> (size, size) bool; of several things that it names, all of them

        Examples
        --------
        >>> scene = compose(["dog", "bicycle"], background="grass")
        >>> list(scene.truth(["a photo of a dog", "two dogs", "a cat"]))
        ['a photo of a dog', 'two dogs']
        """
        return masks_of(texts, dict(zip(self.objects, self.masks)))

    def without(self, name: str) -> "Scene":
        """The same scene to the last random draw, with one thing not drawn.

        Background, places, turns, light, blur and grain stay; what the thing hid is seen. All of a
        class goes. `objects` and `masks` are those of what is left, perhaps none; the caption says
        the same without the thing, and where it names no other, where one is.

        Parameters
        ----------
        name : one of `objects`

        Returns
        -------
        A `Scene`

        Raises
        ------
        ValueError : a name that is not in the scene; a scene that was not drawn here

        Examples
        --------
        >>> compose(["dog", "bicycle"], background="grass").without("dog").objects
        ('bicycle',)
        """
        if self.recipe is None:
            raise ValueError("this scene was not drawn by compose or sample: it has no recipe")
        self.mask(name)  # says what there is
        return _render(replace(self.recipe, hidden=self.recipe.hidden | {name}))


def class_names() -> list[str]:
    """The 110 objects.

    Examples
    --------
    >>> class_names()[:3]
    ['dog', 'cat', 'horse']
    """
    return list(WORLD["objects"])


def backgrounds() -> list[str]:
    """The 12 backgrounds.

    Examples
    --------
    >>> backgrounds()[:3]
    ['grass', 'water', 'sky']
    """
    return list(WORLD["backgrounds"])


@of_its_kinds
def compose(
    objects: str | Sequence[str],
    background: str | None = None,
    seed: Seed = 0,
    size: Side = 112,
    at: Sequence[tuple[float, float, float]] | None = None,
) -> Scene:
    """A scene of your own.

    Parameters
    ----------
    objects : one to three class names (see `class_names`); one named twice is drawn twice
    background : one of `backgrounds`, or None for a random one
    seed : place, size, turn, light and caption follow from it
    size : side of the image in pixels
    at : (y, x, side) of each object, its centre and its side as shares of the image, 0…1; None
        leaves it to the seed, and all else is drawn the same

    Returns
    -------
    A `Scene`: image, caption, objects, masks

    Raises
    ------
    ValueError : unknown name, or not one to three objects; the message lists the nearest names;
        places that are not one for each object, or outside the image

    Examples
    --------
    >>> compose(["dog", "bicycle"], background="grass")
    <Scene 0: 'a picture of a dog and a bicycle in a grass field'>
    """
    named = [objects] if isinstance(objects, str) else list(objects)
    if not 1 <= len(named) <= 3:
        raise ValueError(f"a scene has one to three objects, not {len(named)}")
    for name in named:
        _check(name, class_names(), "object")
    rng = np.random.default_rng([SPLITS["composed"], seed])
    drawn = str(rng.choice(backgrounds()))  # also if it is told: what follows is the same then
    if background is not None:
        drawn = _check(background, backgrounds(), "background")
    boxes = None if at is None else _boxes(named, at)
    return _render(Recipe(rng.bit_generator.state, tuple(named), drawn, seed, size, boxes))


@of_its_kinds
def sample(seed: Seed, split: str = "test", size: Side = 112) -> Scene:
    """A random scene of one, two or three objects.

    45 % show one, 35 % two, 20 % three; 15 % of the single ones show two of the kind.

    Parameters
    ----------
    seed : the same gives the same scene
    split : "train" or "test", which never share one
    size : side of the image in pixels; the scene is the same, finer

    Returns
    -------
    A `Scene`: image, caption, objects, masks

    Raises
    ------
    ValueError : another split

    Examples
    --------
    >>> sample(3)
    <Scene 3: 'a picture of a piano'>
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', not {split!r}")
    rng = np.random.default_rng([SPLITS[split], seed])
    count = rng.choice([1, 2, 3], p=[0.45, 0.35, 0.20])
    named = [str(name) for name in rng.choice(class_names(), count, replace=False)]
    if count == 1 and rng.random() < 0.15:
        named *= 2
    background = str(rng.choice(backgrounds()))
    return _render(Recipe(rng.bit_generator.state, tuple(named), background, seed, size))


def _check(name: str, known: list[str], kind: str) -> str:
    if name not in known:
        near = get_close_matches(name, known, 3, 0.5) or known[:8]
        raise ValueError(
            f"unknown {kind} {name!r}; nearest: {', '.join(near)} (all {len(known)}: "
            "clipxai.scenes)"
        )
    return name


class Box(NamedTuple):
    """A square: its centre and its side, as shares of the image."""

    y: float
    x: float
    side: float


@dataclass(frozen=True)
class Recipe:
    """All that a scene follows from.

    Attributes
    ----------
    state : of the random generator, where drawing begins
    named : class names in the order they are drawn
    background, seed, size : as for `compose`
    at : places, or None for random ones
    hidden : classes that are not drawn, although all their random numbers are
    """

    state: Mapping[str, Any]
    named: tuple[str, ...]
    background: str
    seed: int
    size: int
    at: tuple[Box, ...] | None = None
    hidden: frozenset[str] = frozenset()


def _boxes(named: Sequence[str], at: Sequence[tuple[float, float, float]]) -> tuple[Box, ...]:
    if len(at) != len(named):
        raise ValueError(f"at= has {len(at)} places, but {len(named)} objects are drawn")
    boxes = tuple(Box(*place) for place in at)
    for box in boxes:
        if not (0 <= box.y <= 1 and 0 <= box.x <= 1 and 0 < box.side <= 1):
            raise ValueError(
                f"{tuple(box)} is no place: its centre y, x and its side are shares of the image, "
                "0 to 1"
            )
    return boxes


def _render(recipe: Recipe) -> Scene:
    rng = np.random.default_rng()
    rng.bit_generator.state = recipe.state
    named, size = recipe.named, recipe.size
    canvas = TEXTURES[recipe.background](rng, size)
    unique = list(dict.fromkeys(named))
    masks = np.zeros((len(unique), size, size), bool)
    boxes: list[Box] = []
    for n, name in enumerate(named):
        side = rng.uniform(0.35, 0.75) if len(named) == 1 else rng.uniform(0.28, 0.50)
        place = _place(rng, side, boxes)
        boxes.append(place if recipe.at is None else recipe.at[n])
        drawn = np.zeros_like(canvas) if name in recipe.hidden else canvas
        covered = _paste(rng, drawn, name, boxes[-1])
        if name not in recipe.hidden:
            masks[:, covered] = False  # what lies behind is no longer visible
            masks[unique.index(name), covered] = True
    doubled = len(named) > len(unique)
    said = caption(rng, unique, recipe.background, doubled=doubled, left_out=recipe.hidden)
    image = _photograph(rng, canvas)
    left = [n for n, name in enumerate(unique) if name not in recipe.hidden]
    objects = tuple(unique[n] for n in left)
    places = tuple(box for name, box in zip(named, boxes) if name not in recipe.hidden)
    return Scene(image, said, objects, masks[left], recipe.background, recipe.seed, recipe, places)


def _place(rng: np.random.Generator, side: float, others: list[Box]) -> Box:
    """The place that overlaps the others least, of a few tries."""
    margin = side * 0.5
    best, least = Box(0.5, 0.5, side), np.inf
    # all tries are drawn at once: what is drawn next does not depend on how many were needed
    for y, x in rng.uniform(margin, 1 - margin, (PLACING_TRIES, 2)):
        box = Box(y, x, side)
        overlap = max((_overlap(box, other) for other in others), default=0.0)
        if overlap < least:
            best, least = box, overlap
        if least <= ALLOWED_OVERLAP:
            break
    return best


def _overlap(a: Box, b: Box) -> float:
    """Shared area of two boxes as a share of the smaller."""
    reach, smaller = (a.side + b.side) / 2, min(a.side, b.side)
    down = min(max(reach - abs(a.y - b.y), 0), smaller)
    across = min(max(reach - abs(a.x - b.x), 0), smaller)
    return down * across / smaller**2


def _paste(rng: np.random.Generator, canvas: np.ndarray, name: str, box: Box) -> np.ndarray:
    """Draw one sprite, turned, perhaps flipped, a little recoloured; returns the pixels it covers
    (alpha of a half and more).
    """
    size = len(canvas)
    angle, flip = rng.normal(0, 10), rng.random() < 0.5
    gain, tint = rng.uniform(0.8, 1.2), rng.normal(1, 0.05, 3)
    side = max(2, round(box.side * size))
    smooth = cv2.INTER_AREA if side < SPRITE else cv2.INTER_CUBIC
    sprite = cv2.resize(sheet()[name], (side, side), interpolation=smooth)
    if flip:
        sprite = sprite[:, ::-1]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 1)
    turn[:, 2] += (box.x * size - side / 2, box.y * size - side / 2)
    # OpenCV reads no negative strides, which flipping makes
    sprite = np.ascontiguousarray(sprite)
    layer = cv2.warpAffine(sprite, turn, (size, size), flags=cv2.INTER_LINEAR)
    layer = np.clip(layer, 0, 1)  # bicubic overshoots at edges
    alpha = layer[..., 3:]
    # colours are multiplied by alpha, so none may be brighter than its alpha
    colour = np.minimum(layer[..., :3] * (gain * tint).astype(np.float32), alpha)
    canvas[:] = canvas * (1 - alpha) + colour
    return alpha[..., 0] >= 0.5


def _photograph(rng: np.random.Generator, canvas: np.ndarray) -> np.ndarray:
    """What a camera does: blur, exposure, sensor noise, eight bits."""
    size = len(canvas)
    blur, gain, grain = rng.uniform(0, 0.006) * size, rng.uniform(0.85, 1.15), rng.uniform(0, 0.03)
    if blur > 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), blur)
    # the only draw that depends on the size, so it is the last, and its generator its own
    specks = np.random.default_rng(rng.integers(1 << 31)).standard_normal(canvas.shape, np.float32)
    return (np.clip(canvas * gain + specks * grain, 0, 1) * 255 + 0.5).astype(np.uint8)
