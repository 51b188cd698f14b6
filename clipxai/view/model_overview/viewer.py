"""What happens between an image and a text? The whole model as one picture, whose boxes open."""

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ...checks import expect, number_of
from ...results.findings import Overview
from ...results.owned import owned
from ..given import outlines, truths_of
from ..payload import Header, Payload, pack
from ..pictures import picture_header
from ..scales import DIVERGING, SEQUENTIAL
from ..sentences import page_words
from ..texts import title_of
from ..viewer import Viewer
from .content import asked, followed, of_texts, story
from .packing import arrays_of, given_up
from .sentences import (
    SURGERY,
    SURGERY_TITLES,
    WORDS,
    captions,
    codes,
    folded,
    opening,
    rail_codes,
    some_of,
    summary,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHOTO_BYTES = 20_000  # larger than this as PNG is sent as JPEG
MOST_TEXTS = 4
LARGEST_MAP = 144  # pixels
BUDGET = 360_000  # so that a notebook keeps less than 0.6 MB with its pictures


class ModelOverview(Viewer):
    """The model as one picture: from the image over its patches and blocks to the joint space, and
    from the words over the text blocks to the same place.

    Parameters
    ----------
    overview : from `clipxai.overview`; `clipxai.show(trace)` asks for it
    text : which text is shown first, by number or as written; of many, a few others go with it
    truth : text -> true mask (H, W) bool: its outline is drawn on the maps of that text, and the
        story says which way up they are
    budget : most bytes the interactive figure's data may take; what is given up for it is said on
        the figure

    Raises
    ------
    TypeError : something else than an Overview
    ValueError : no such text; masks, and none is for a text, or of another size than the image
    IndexError : no text of that number

    Examples
    --------
    >>> ModelOverview(overview(trace)).save("model.html")  # doctest: +SKIP
    """

    module = "model_overview"
    # smaller than of others: the numbers of this figure need the room

    def __init__(
        self,
        overview: Overview,
        *,
        text: int | str = 0,
        truth: Mapping[str, np.ndarray] | None = None,
        budget: int = BUDGET,
    ) -> None:
        expect(Overview, overview, "overview")
        self.overview, self.budget = overview, budget
        first = number_of(overview.texts, text, "text", "this overview")
        others = (row for row in range(len(overview.texts)) if row != first)
        self.rows = sorted([first, *islice(others, MOST_TEXTS - 1)])
        self.shown, self.text = of_texts(overview, self.rows), self.rows.index(first)
        self.truth = truths_of(owned(truth), overview.texts, overview.picture.grid.image_size)

    @property
    def summary(self) -> str:
        """What the figure shows, in one line."""
        return summary(self.overview)

    def figure(self) -> "Figure":
        """The image, what blocks added, the maps of both rails and of the words."""
        from .drawing import draw  # loads matplotlib

        return draw(self.shown, self.text, self.truth, some_of(self.overview, self.shown))

    def payload(self) -> Payload:
        """Rows, maps and shares (see `packing`), photo and words."""
        arrays, steps = arrays_of(self.shown), given_up(self.shown)
        return pack(self._header(), arrays, self.budget, steps, deflate=True)

    def _header(self) -> Header:
        found = self.shown
        picture, rows = found.picture, found.patch_rows
        heads = found.class_rows if found.class_rows is not None else rows
        place = followed(found)
        # finer than a pixel of the largest map nobody sees, and every text has its own
        fine = max(picture.image.shape[:2]) / LARGEST_MAP
        lines = [outlines(self.truth.get(text), fine) for text in found.texts]
        return {
            **picture_header(picture.image, picture.grid, most_bytes=PHOTO_BYTES),
            "summary": self.summary,
            "texts": [title_of(text) for text in found.texts],
            "openings": [
                opening(found, n, self.truth.get(text)) for n, text in enumerate(found.texts)
            ],
            "openings_changed": [opening(found, n, maps=False) for n in range(len(found.texts))],
            "outlines": lines,
            "stories": [self._first_box(text) for text in range(len(found.texts))],
            "numbers": self.rows,
            "text": self.text,
            "asked": asked(found),
            "followed": None if place is None else list(place),
            "layers": found.layers,
            "width": found.width,
            "leading": found.leading,
            "stream": found.has_stream,
            "stations": len(found.lens),
            "heads": 0 if heads is None else heads.tokens.shape[1],
            "patch_heads": 0 if rows is None else rows.tokens.shape[1],
            "kept_class": 0 if found.class_rows is None else found.class_rows.tokens.shape[-1],
            "kept": 0 if rows is None else rows.tokens.shape[-1],
            "readings": [folded(reading)[0] for reading in found.readings],
            "text_layers": len(found.readings[0].rows) if found.readings else 0,
            "rail": self._rail(),
            "rail_stations": found.rail.maps.shape[1] if found.rail else 0,
            "codes": codes(found),
            "rail_codes": rail_codes(found),
            "captions": [*captions(found, known=any(lines)), *some_of(self.overview, found)],
            "tower": found.tower,
            "sequential": SEQUENTIAL,
            "diverging": DIVERGING,
            "words": page_words(picture.image.shape, WORDS),
        }

    def _first_box(self, text: int) -> Header:
        """The box that opens first for a text."""
        told = story(self.shown, text)
        if told is None:
            layer = max(self.shown.layers - 1, 0)
            return {
                "box": "attention" if self.shown.layers else "joint",
                "layer": layer,
                "head": 0,
            }
        return {"box": told.part, "layer": told.layer, "head": told.head or 0}

    def _rail(self) -> Header | None:
        rail = self.shown.rail
        if rail is None:
            return None
        names = [*rail.switches, *([] if rail.empty is None else ["minus"])]
        return {
            "blocks": rail.maps.shape[1] - 1,
            "switches": len(rail.switches),
            "names": [SURGERY[name] for name in names],
            "titles": [SURGERY_TITLES[name] for name in names],
        }
