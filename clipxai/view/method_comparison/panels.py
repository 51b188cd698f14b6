"""Which maps does a figure show, in which order, and how far does each agree with the others?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...checks import several
from ...results.explanation import Explanation
from ...results.findings import Picture
from ...results.maps import rank_correlation
from ..given import Truth, agreement, hottest_inside, truth_of
from ..method_names import told_apart
from ..scales import Scaling, varies

# panels in a row: of one text or one method; of several methods, a text each row
MOST_COLUMNS, WIDEST = 4, 6
ON_SCREEN = 4  # maps in a row beside the image; 5 where there are more than two rows of them
COMPARED_AT = (64, 64)  # pixels at which maps of different grids are compared


@dataclass(frozen=True, eq=False)
class Panel:
    """One map of a figure: one text in one of the explanations.

    Attributes
    ----------
    explanation, source : the explanation, and its number among those of the figure
    row : number of the text in it
    method : its name, with the options it was given, as a title has room for them
    truth : true mask (H, W) bool of the text, if it is known
    merits : presence (or its difference), and how far the map agrees with the truth and with the
        first map, by the names in `sentences.MERITS`
    hottest : whether its hottest pixel lies on the thing, if that is known
    """

    explanation: Explanation
    source: int
    row: int
    method: str
    truth: np.ndarray | None = None
    merits: dict[str, float] = field(default_factory=dict)
    hottest: bool | None = None

    @property
    def text(self) -> str:
        """What the map is for."""
        return self.explanation.texts[self.row]

    @property
    def presence(self) -> float:
        """Cosine of the whole image with the text, or the difference of two."""
        return float(self.explanation.presence[self.row])

    @property
    def scores(self) -> np.ndarray:
        """(gh, gw) float32; NaN for a patch whose score is not known."""
        return self.explanation.scores[self.row]

    @property
    def picture(self) -> Picture:
        """What the map lies on."""
        return Picture(self.explanation.image, self.explanation.grid)

    @property
    def flat(self) -> bool:
        """Whether there is no variation to show."""
        return not varies(self.scores)


def first_scaling(explanations: Sequence[Explanation]) -> Scaling:
    """How a figure scales its colours before anybody chooses: of differences, zero is the middle,
    and words share a scale, so that one that adds nothing looks like it.
    """
    if not all(e.difference for e in explanations):
        return "minmax"
    return "signed" if all(len(e.texts) == 1 for e in explanations) else "shared"


def panels_of(
    explanations: Sequence[Explanation],
    texts: Sequence[int | str] | None = None,
    mask: Truth | None = None,
) -> list[Panel]:
    """The maps of a figure, all explanations of the first text first.

    Parameters
    ----------
    explanations : of one image
    texts : which texts (numbers count in the first explanation); all of them by default
    mask : true mask (H, W) bool of what the texts name, or a table text -> mask

    Raises
    ------
    ValueError : a text that none of the explanations has, no text at all, masks for other texts or
        of another size than the image
    """
    known = list(dict.fromkeys(text for e in explanations for text in e.texts))
    if isinstance(mask, Mapping) and not set(mask) & set(known):
        raise ValueError(
            f"none of the masks ({', '.join(map(repr, mask))}) is for one of the texts "
            f"({', '.join(map(repr, known))})"
        )
    first = explanations[0]
    asked = known if texts is None else several(texts)
    wanted = [text if text in known else first.texts[first.index(text)] for text in asked]
    names = told_apart(explanations)
    panels = [
        Panel(e, source, row, names[source], truth_of(mask, text, e.grid.image_size))
        for text in dict.fromkeys(wanted)
        for source, e in enumerate(explanations)
        for row, own in enumerate(e.texts)
        if own == text
    ]
    if not panels:
        raise ValueError("there is no map to draw: no text was chosen")
    return [
        replace(
            panel,
            merits=_merits(panel, _first_of(panels, panel)),
            hottest=hottest_inside(panel.explanation, panel.row, panel.truth),
        )
        for panel in panels
    ]


def rows_of(panels: Sequence[Panel]) -> list[list[int | None]]:
    """Numbers of the panels in rows as they are drawn; None is the image itself.

    Where several methods answer several texts, every text begins a row of its own, beside the
    image; else one panel after the other.
    """
    texts = [
        [n for n, p in enumerate(panels) if p.text == text]
        for text in dict.fromkeys(p.text for p in panels)
    ]
    most = max(map(len, texts))
    if len(texts) > 1 and most > 1:
        lines = -(-(1 + most) // WIDEST)
        columns = -(-(1 + most) // lines)  # as even as can be
        return [
            [None, *of_text][at : at + columns]
            for of_text in texts
            for at in range(0, 1 + len(of_text), columns)
        ]
    return _in_rows([None, *range(len(panels))])


def rows_on_screen(panels: Sequence[Panel], text: str | None = None) -> list[list[int | None]]:
    """The same in a browser, for one `text` or all: the image once, and rows as even as can be."""
    shown = [n for n, panel in enumerate(panels) if text in (None, panel.text)]
    of_texts = [
        [n for n in shown if panels[n].text == one]
        for one in dict.fromkeys(panels[n].text for n in shown)
    ]
    several = max(map(len, of_texts)) > 1
    rows = [row for maps in (of_texts if several else [shown]) for row in _evenly(maps)]
    return [[None, *rows[0]], *rows[1:]]


def _evenly(maps: Sequence[int]) -> list[list[int | None]]:
    most = ON_SCREEN if len(maps) <= 2 * ON_SCREEN else ON_SCREEN + 1
    columns = -(-len(maps) // -(-len(maps) // most))
    return [list(maps[start : start + columns]) for start in range(0, len(maps), columns)]


def _in_rows(cells: Sequence[int | None]) -> list[list[int | None]]:
    columns = 3 if len(cells) in (5, 6, 9) else MOST_COLUMNS  # 3 + 2 reads better than 4 + 1
    return [list(cells[start : start + columns]) for start in range(0, len(cells), columns)]


def _merits(panel: Panel, first: Panel) -> dict[str, float]:
    """Of what is known; only the presence for a map that has no variation."""
    name = "difference" if panel.explanation.difference else "presence"
    truth, found = panel.truth, {name: panel.presence}
    if panel.flat:
        return found
    if truth is not None:
        found |= agreement(panel.explanation, panel.row, truth)
    if panel is not first and not first.flat:
        found["rank corr."] = rank_correlation(*_comparable(panel, first))
    return found


def _comparable(panel: Panel, first: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two panels at the same places.

    These are patches, or pixels if their grids differ, that are known of both.
    """
    one, other = panel.scores, first.scores
    if panel.explanation.grid != first.explanation.grid:
        one, other = (p.explanation.grid.onto_image(p.scores, COMPARED_AT) for p in (panel, first))
    both = ~np.isnan(one) & ~np.isnan(other)
    return one[both], other[both]


def _first_of(panels: Sequence[Panel], panel: Panel) -> Panel:
    """The panel that another is compared with.

    The first method on its text, or the first text if there is one method only.
    """
    several = len({p.source for p in panels}) > 1
    return next(p for p in panels if p.text == panel.text or not several)
