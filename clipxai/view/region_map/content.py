"""What does the figure show: which classes are named, in which colour, and how true are they?"""

import os.path
from collections.abc import Mapping
from colorsys import hls_to_rgb
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...tasks.segmentation import BACKGROUND, UNSEEN, Segmentation
from ..texts import one_line

# Okabe & Ito's colours, which colour-blind readers can tell apart (jfly.uni-koeln.de/color)
DISTINCT = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
GOLDEN = 0.618034  # of a turn of the colour circle: neighbours in a long list stay apart
UNCOLOURED = (190, 190, 190)  # in the key: background, and classes beyond MOST
MOST = 24  # classes that get a colour and a line in the key
Colour = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Regions:
    """A segmentation and the truth; a class goes by its number among `segmentation.classes`.

    Attributes
    ----------
    segmentation : what was made
    truth : (H, W) int16, the true class of every pixel, UNSEEN where it does not count; None if
        unknown
    """

    segmentation: Segmentation
    truth: np.ndarray | None

    @classmethod
    def of(cls, made: Segmentation, truth: Mapping[str, np.ndarray] | None) -> "Regions":
        """A segmentation, and true masks (H, W) bool by class if they are known.

        Raises
        ------
        ValueError : a class it does not have, a mask of another size
        """
        return cls(made, None if truth is None else _as_labels(made, truth))

    @property
    def panels(self) -> list[np.ndarray]:
        """Labels (H, W) that are drawn beside the image: the classes, and the truth if known."""
        labels = self.segmentation.labels
        return [labels] if self.truth is None else [labels, self.truth]

    @cached_property
    def prompt(self) -> str:
        """The words that all texts begin with: "a photo of" before every name says nothing."""
        texts = [one_line(name) for name in self.segmentation.classes if name != BACKGROUND]
        return os.path.commonprefix(texts).rpartition(" ")[0] if len(texts) > 1 else ""

    @cached_property
    def names(self) -> list[str]:
        """The classes without their `prompt`."""
        prompt = f"{self.prompt} " if self.prompt else ""
        return [one_line(name).removeprefix(prompt) for name in self.segmentation.classes]

    @cached_property
    def overlaps(self) -> dict[str, float]:
        """Class -> IoU with the truth, 0…1, of every true class; none where it is unknown."""
        if self.truth is None:
            return {}
        counted, found = self.truth != UNSEEN, {}
        for number in np.unique(self.truth[counted]):
            given, true = counted & (self.segmentation.labels == number), self.truth == number
            both, either = np.count_nonzero(given & true), np.count_nonzero(given | true)
            found[self.segmentation.classes[number]] = both / either
        return found

    @cached_property
    def key(self) -> list[int]:
        """Classes in the key: the true ones, then those that won pixels, the largest first."""
        names = dict.fromkeys([*self.overlaps, *self.segmentation.legend])
        return [self.segmentation.classes.index(name) for name in names]

    @cached_property
    def colours(self) -> dict[int, Colour]:
        """The colour of the first classes of the key; the background has none."""
        classes = self.segmentation.classes
        things = [number for number in self.key[:MOST] if classes[number] != BACKGROUND]
        fixed = [tuple(bytes.fromhex(code[1:])) for code in DISTINCT]
        others = [_spread(n) for n in range(len(things))]
        return dict(zip(things, [*fixed, *others]))


def _spread(n: int) -> Colour:
    """One of a long list of colours whose neighbours stay apart, in hue and in lightness."""
    red, green, blue = hls_to_rgb(n * GOLDEN % 1, (0.35, 0.6)[n % 2], 0.7)
    return round(255 * red), round(255 * green), round(255 * blue)


def _as_labels(made: Segmentation, truth: Mapping[str, np.ndarray]) -> np.ndarray:
    """Masks by class as one label a pixel; where they overlap, the smaller is on top."""
    nothing = 0 if made.classes[0] == BACKGROUND else UNSEEN
    labels = np.full(made.labels.shape, nothing, np.int16)
    for name, mask in sorted(truth.items(), key=lambda item: -np.count_nonzero(item[1])):
        if name not in made.classes:
            known = ", ".join(map(repr, made.classes))
            raise ValueError(f"the truth names {name!r}, but the classes are {known}")
        if mask.shape != labels.shape:
            raise ValueError(
                f"the true mask of {name!r} has {mask.shape} pixels, the image {labels.shape}"
            )
        labels[mask.astype(bool)] = made.classes.index(name)
    return labels
