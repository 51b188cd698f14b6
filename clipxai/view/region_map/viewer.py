"""Which class did every pixel get?

A segmentation over its image, beside the truth if it is known.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect
from ...results.explanation import Grid
from ...tasks.segmentation import VOID, Segmentation
from ..palette import DIM, OPACITY
from ..payload import BUDGET, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..sentences import page_words
from ..viewer import Viewer
from .content import UNCOLOURED, Regions
from .sentences import merit, notes, panel_titles, story, summary, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FINE = 160  # pixels of the longer side that travel into a page
FAINT = 30  # opacity of 255 of another class than the chosen one


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
        self.regions = Regions.of(segmentation, truth)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.regions)

    def overlaps(self) -> dict[str, float]:
        """Class -> IoU with the truth, 0…1, of every true class; none where it is unknown."""
        return self.regions.overlaps

    def figure(self) -> "Figure":
        """Image, classes and truth side by side, the key below."""
        from .drawing import draw  # loads matplotlib

        return draw(self.regions)

    def payload(self) -> Payload:
        """Classes of every pixel as places in the key, how sure each is, colours and words.

        `labels` are (panels, h, w): the classes, and the truth if it is known; `confidence` (h, w).
        """
        made, key = self.segmentation, self.regions.key[:VOID]
        image = made.explanation.image
        rows, columns = (_middles(side, max(image.shape[:2])) for side in image.shape[:2])
        few = np.ix_(rows, columns)
        # number of a class -> place in the key; UNSEEN, which is -1, reads the last entry
        place = np.full(len(made.classes) + 1, VOID, np.uint8)
        place[key] = np.arange(len(key))
        confidence = np.rint(255 * np.nan_to_num(made.confidence[few])).astype(np.uint8)
        arrays = {
            "labels": (np.stack([place[labels[few]] for labels in self.regions.panels]), "u8"),
            "confidence": (confidence, "u8"),
        }
        size = image.shape[:2]
        grid = Grid(len(rows), len(columns), size, (0, 0, *size))
        header = {**picture_header(image, grid), **self._words(key)}
        return pack(header, arrays, self.budget, [smaller_photo(image)], deflate=True)

    def _words(self, key: list[int]) -> Header:
        regions, made = self.regions, self.segmentation
        return {
            "summary": self.summary,
            "story": story(regions),
            "panels": [
                {"title": title, "subtitle": subtitle} for title, subtitle in panel_titles(regions)
            ],
            "classes": [
                {
                    "name": regions.names[number],
                    "words": f"{regions.names[number]}  {merit(regions, number)}",
                    "colour": regions.colours.get(number),
                }
                for number in key
            ],
            "uncoloured": UNCOLOURED,
            "opacities": {
                "faint": FAINT,
                "shown": round(255 * OPACITY),
                "dark": round(255 * (1 - DIM)),
            },
            "unseen": VOID,
            "notes": notes(regions),
            "words": page_words(made.explanation.image.shape, words(made.measure)),
        }


def _middles(side: int, longest: int) -> np.ndarray:
    """Pixels of a side that travel, of an image whose longer side is the `longest`."""
    zoom = max(1.0, longest / FINE)
    return ((np.arange(round(side / zoom)) + 0.5) * zoom).astype(int)
