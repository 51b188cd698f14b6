"""Which class did every pixel get? A segmentation over its image, beside the truth if it is
known.
"""

import os.path
from collections.abc import Mapping
from colorsys import hls_to_rgb
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Grid
from ...results.findings import Picture
from ...tasks.segmentation import BACKGROUND, UNSEEN, VOID, Segmentation
from ..lettering import one_line
from ..payload import BUDGET, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..viewer import Viewer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe & Ito's colours, which colour-blind readers can tell apart (jfly.uni-koeln.de/color)
DISTINCT = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
GOLDEN = 0.618034  # of a turn of the colour circle: neighbours in a long list stay apart
MOST = 24  # classes that get a colour and a line in the key
FINE = 160  # pixels of the longer side that travel into a page


class RegionMap(Viewer):
    """A segmentation over its image, and the true classes if they are known.

    Parameters
    ----------
    segmentation : from `clipxai.segment`, at the image's own size
    truth : class -> true mask (H, W) bool: drawn beside, and compared with in the key. Pixels of no
        mask are background, or, in a segmentation without one, not counted; where masks overlap,
        the smaller is on top
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError : no Segmentation
    ValueError : a segmentation at another size, a class it does not have, a mask of another size

    Examples
    --------
    >>> RegionMap(segment(e, threshold=0.5, of="map")).save("regions.html")  # doctest: +SKIP
    """

    module = "region_map"
    poster_bytes = {"png": 120_000, "webp": 36_000}  # regions need no fine print

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Segmentation, segmentation, "segment")
        size = segmentation.explanation.grid.image_size
        if segmentation.labels.shape != size:
            raise ValueError(
                f"the segmentation has {segmentation.labels.shape} pixels, its image {size}: "
                "segment without size= to draw it"
            )
        self.segmentation, self.budget = segmentation, budget
        self.truth = None if truth is None else _as_labels(segmentation, truth)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        names = [one_line(name) for name in self.segmentation.legend]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return f"Regions by {self.segmentation.explanation.method}: {', '.join(names[:4])}{more}"

    @property
    def panels(self) -> list[tuple[str, str, np.ndarray]]:
        """Title, subtitle and labels (H, W) of what is drawn beside the image."""
        made = self.segmentation
        found = [
            (
                "classes",
                f"{made.explanation.method} · {len(made.classes)} to choose from",
                made.labels,
            )
        ]
        return found if self.truth is None else [*found, ("truth", "", self.truth)]

    @cached_property
    def prompt(self) -> str:
        """The words that all texts begin with: "a photo of" before every name says nothing."""
        texts = [one_line(name) for name in self.segmentation.classes if name != BACKGROUND]
        return os.path.commonprefix(texts).rpartition(" ")[0] if len(texts) > 1 else ""

    @cached_property
    def names(self) -> list[str]:
        """The classes without their `prompt`."""
        return [
            one_line(name).removeprefix(f"{self.prompt} " if self.prompt else "")
            for name in self.segmentation.classes
        ]

    def listed(self) -> list[int]:
        """Numbers of the classes in the key: the true ones, then those that won pixels, the largest
        first.
        """
        classes = self.segmentation.classes
        return [
            classes.index(name)
            for name in dict.fromkeys([*self.overlaps(), *self.segmentation.legend])
        ]

    def merit(self, number: int) -> str:
        """Share of the image that the class of this `number` has, and its IoU where it is true."""
        name, overlaps = self.segmentation.classes[number], self.overlaps()
        share = f"{100 * self.segmentation.legend.get(name, 0):.0f} %"
        return f"{share} · IoU {overlaps[name]:.2f}" if name in overlaps else share

    def colours(self) -> dict[int, tuple[int, int, int]]:
        """Number of a class -> colour, for the first of the key; the background has none."""
        things = [n for n in self.listed()[:MOST] if self.segmentation.classes[n] != BACKGROUND]
        fixed = [tuple(bytes.fromhex(code[1:])) for code in DISTINCT]
        more = [
            tuple(round(255 * part) for part in hls_to_rgb(n * GOLDEN % 1, (0.35, 0.6)[n % 2], 0.7))
            for n in range(len(things))
        ]
        return dict(zip(things, [*fixed, *more]))

    def notes(self) -> list[str]:
        """How the labels were chosen, and what a reader has to know."""
        made = self.segmentation
        rule = (
            f"{made.rule[0].upper()}{made.rule[1:]}. Scores: {made.explanation.unit}, bilinear "
            "onto the pixels."
        )
        return [
            rule,
            *([f"Every text begins with “{self.prompt}”."] if self.prompt else []),
            *made.explanation.notes,
        ]

    def overlaps(self) -> dict[str, float]:
        """Class -> IoU with the truth, 0…1, of every true class; empty where the truth is
        unknown.
        """
        return self._overlaps

    @cached_property
    def _overlaps(self) -> dict[str, float]:
        if self.truth is None:
            return {}
        counted, found = self.truth != UNSEEN, {}
        for number in np.unique(self.truth[counted]):
            given, true = counted & (self.segmentation.labels == number), self.truth == number
            found[self.segmentation.classes[number]] = np.count_nonzero(
                given & true
            ) / np.count_nonzero(given | true)
        return found

    def figure(self) -> "Figure":
        """Image, classes and truth side by side, the key below."""
        from .drawing import figure

        return figure(self)

    def payload(self) -> Payload:
        """Classes of every pixel (panels, h, w) as places in the key, how sure each is (h, w),
        colours and words.
        """
        made, colours, listed = self.segmentation, self.colours(), self.listed()[:VOID]
        image = made.explanation.image
        (H, W), zoom = image.shape[:2], max(1.0, max(image.shape[:2]) / FINE)
        rows, columns = (
            ((np.arange(round(side / zoom)) + 0.5) * zoom).astype(int) for side in (H, W)
        )
        picture = Picture(image, Grid(len(rows), len(columns), (H, W), (0, 0, H, W)))
        # number of a class -> place in the key; UNSEEN reads the last entry
        place = np.full(len(made.classes) + 1, VOID, np.uint8)
        place[listed] = np.arange(len(listed))
        header: Header = {
            **picture_header(picture),
            "summary": self.summary,
            "panels": [
                {"title": title, "subtitle": subtitle} for title, subtitle, _ in self.panels
            ],
            "classes": [
                {
                    "name": self.names[n],
                    "words": f"{self.names[n]}  {self.merit(n)}",
                    "colour": colours.get(n),
                }
                for n in listed
            ],
            "measure": made.measure,
            "notes": self.notes(),
        }
        labels = np.stack([place[labels[np.ix_(rows, columns)]] for _, _, labels in self.panels])
        confidence = np.rint(255 * np.nan_to_num(made.confidence[np.ix_(rows, columns)])).astype(
            np.uint8
        )
        arrays = {"labels": (labels, "u8"), "confidence": (confidence, "u8")}
        return pack(header, arrays, self.budget, [smaller_photo(picture.image)], deflate=True)


def _as_labels(made: Segmentation, truth: Mapping[str, np.ndarray]) -> np.ndarray:
    """Masks by class as one label a pixel."""
    labels = np.full(made.labels.shape, 0 if made.classes[0] == BACKGROUND else UNSEEN, np.int16)
    for name, mask in sorted(truth.items(), key=lambda item: -np.count_nonzero(item[1])):
        if name not in made.classes:
            raise ValueError(
                f"the truth names {name!r}, but the classes are "
                f"{', '.join(map(repr, made.classes))}"
            )
        if mask.shape != labels.shape:
            raise ValueError(
                f"the true mask of {name!r} has {mask.shape} pixels, the image {labels.shape}"
            )
        labels[mask.astype(bool)] = made.classes.index(name)
    return labels
