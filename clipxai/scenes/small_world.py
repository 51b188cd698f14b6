"""Which part of Emoji World can be learned in minutes? A few objects on a few backgrounds."""

from dataclasses import dataclass

import numpy as np

from .compose import Scene, compose

MOST_OBJECTS = 3  # in a scene


@dataclass(frozen=True)
class SmallWorld:
    """A few of the objects on a few of the backgrounds: few enough to be learned in minutes.

    Attributes
    ----------
    objects : three or more of `clipxai.scenes.class_names()`
    backgrounds : some of `clipxai.scenes.backgrounds()`
    """

    objects: tuple[str, ...]
    backgrounds: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.objects) < MOST_OBJECTS:
            raise ValueError(
                f"a scene may show {MOST_OBJECTS} different objects, but this world has "
                f"{len(self.objects)}; name more"
            )

    def sample(self, seed: int, split: str = "test", size: int = 112) -> Scene:
        """A random scene of this world with one, two or three things.

        Parameters
        ----------
        seed : the same gives the same scene
        split : "train" or "test", which never share one
        size : side of the image in pixels

        Returns
        -------
        A `Scene`

        Raises
        ------
        ValueError : another split

        Examples
        --------
        >>> SmallWorld(("dog", "cat", "owl"), ("grass",)).sample(2).caption
        'a scene with an owl, a cat and a dog in a grass field'
        """
        if split not in ("train", "test"):
            raise ValueError(f"split must be 'train' or 'test', not {split!r}")
        own = 2 * seed + (split == "test")  # even for training, odd for testing
        rng = np.random.default_rng(own)
        count = rng.choice([1, 2, MOST_OBJECTS], p=[0.45, 0.35, 0.20])
        named = [str(name) for name in rng.choice(self.objects, count, replace=False)]
        return compose(named, str(rng.choice(self.backgrounds)), own, size)
