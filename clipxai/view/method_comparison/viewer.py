"""Do methods agree about where a text is? Maps side by side under one cross-hair, with numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from ...results.explanation import Explanation
from ...results.owned import owned
from ...tasks.segmentation import Segmentation
from ..given import Truth, gather, outlines, overlaps
from ..method_names import method_name
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import at_most, picture_header, smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, Scaling, colour_table, scales_of
from ..sentences import REMARKS, caption, page_words, remark, scaling_name
from ..texts import title_of
from ..viewer import Viewer
from .panels import Panel, first_scaling, panels_of, rows_on_screen
from .sentences import (
    ALL_TEXTS,
    IN_TABLE,
    MERITS,
    MERITS_TITLE,
    OVERLAYS,
    SURE,
    TABLE_HEAD,
    WORDS,
    notes,
    numbers,
    story,
    summary,
    told,
    verdict,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_AT_FIRST = 8  # more texts than this and only the first is shown, the others at a click


class MethodComparison(Viewer):
    """Maps of one image side by side: several methods, several texts, or both.

    Parameters
    ----------
    explanations : one, or several of the same image
    texts : which of their texts, by number or as written; all by default
    mask : true mask (H, W) bool, or a table text -> mask: its outline is drawn, overlap and
        contrast are shown
    refined : from `clipxai.refine`, one of every explanation: masks that the overlay of points
        shows, too
    sure : 0…1, the threshold of that overlay which they were made with
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError, ValueError : no explanation, images that differ, unknown texts, a mask of another
        size
    IndexError : no text of that number

    Examples
    --------
    >>> two = [explain(trace, "clip"), explain(trace, "clip_surgery")]  # doctest: +SKIP
    >>> MethodComparison(two).save("two.html")  # doctest: +SKIP
    """

    module = "method_comparison"

    def __init__(
        self,
        explanations: Explanation | Sequence[Explanation],
        *,
        texts: int | str | Sequence[int | str] | None = None,
        mask: Truth | None = None,
        refined: Sequence[Segmentation] = (),
        sure: float = SURE,
        budget: int = BUDGET,
    ) -> None:
        self.mask, self.budget = owned(mask), budget
        self.explanations = gather(explanations)
        self.refined, self.sure = tuple(refined), sure
        if refined and tuple(one.explanation for one in refined) != self.explanations:
            raise ValueError("refined has to hold what `refine` made of each explanation, in order")
        self.panels = panels_of(self.explanations, texts, self.mask)
        self._image = self.explanations[0].image
        self.texts = tuple(dict.fromkeys(p.text for p in self.panels))

    @property
    def summary(self) -> str:
        """One line: which methods, which texts."""
        return summary(self.explanations, self.texts)

    def figure(self, *, normalize: Scaling | None = None, alpha: float = 0.6) -> "Figure":
        """All maps as a matplotlib figure; `normalize` and `alpha` as in `clipxai.view.figure`."""
        from .drawing import figure  # loads matplotlib

        return figure(
            self.explanations, texts=self.texts, normalize=normalize, alpha=alpha, mask=self.mask
        )

    def first_state(self) -> "Figure":
        """The maps that are seen before anybody touches the viewer.

        All of them if they are few, else those of the first text.
        """
        from .drawing import figure  # loads matplotlib

        texts = self.texts if self._all_at_first() else self.texts[:1]
        return figure(self.explanations, texts=texts, mask=self.mask)

    def payload(self) -> Payload:
        """Exact scores, colour tables, photo and words.

        Scores are `maps0`, `maps1` … one array (T, gh * gw) per explanation; `masks` (P, h, w), 1
        inside, one of every panel, where there are refined ones.
        """
        maps: Arrays = {
            f"maps{n}": (e.scores.reshape(len(e.texts), -1), "f32")
            for n, e in enumerate(self.explanations)
        }
        tables: Arrays = {name: (colour_table(name), "u8") for name in (SEQUENTIAL, DIVERGING)}
        header = self._header()
        if self.refined:
            masks = at_most([self.refined[p.source].mask(p.text) for p in self.panels])
            header["refined"] = {"size": list(masks.shape[1:]), "threshold": self.sure}
            maps["masks"] = masks, "u8"
        steps = [
            ("To keep the figure small, scores are rounded to 65,534 steps a map.", _rounded),
            smaller_photo(self._image),
        ]
        return pack(header, {**maps, **tables}, self.budget, steps)

    def _header(self) -> Header:
        return {
            **picture_header(self._image, *(e.grid for e in self.explanations)),
            "summary": self.summary,
            "panels": [_panel_header(panel) for panel in self.panels],
            "layouts": [
                *map(self._layout, (None, *self.texts)),
            ],
            "text": None if self._all_at_first() else self.texts[0],
            "scalings": list(map(self._scaling, self._scalings())),
            "overlays": [{"label": label, "threshold": start} for label, start in OVERLAYS],
            "outlines": {p.text: outlines(p.truth) for p in self.panels},
            "notes": notes(self.explanations, self.panels, self.refined),
            "table": {"head": list(TABLE_HEAD), "rows": IN_TABLE},
            "merits": {"title": MERITS_TITLE, "names": list(MERITS)},
            "words": page_words(self._image.shape, WORDS),
        }

    def _layout(self, text: str | None) -> Header:
        return {
            "text": text,
            "title": ALL_TEXTS if text is None else title_of(text),
            "rows": rows_on_screen(self.panels, text),
            "story": story(self.panels, text),
        }

    def _scaling(self, name: Scaling) -> Header:
        units = [panel.explanation.unit for panel in self.panels]
        scales = scales_of(
            [panel.scores for panel in self.panels],
            units,
            name,
            differences=all(e.difference for e in self.explanations),
        )
        return {
            "label": scaling_name(units, name),
            "caption": caption(units, name, scales),
            "scales": list(map(vars, scales)),
        }

    def _scalings(self) -> list[Scaling]:
        """All of them; the page begins with the first."""
        first = first_scaling(self.explanations)
        return [first, *(name for name in get_args(Scaling) if name != first)]

    def _all_at_first(self) -> bool:
        """One map each of few texts; else one text at a time."""
        return len(self.panels) == len(self.texts) <= SHOWN_AT_FIRST or len(self.texts) == 1


def _panel_header(panel: Panel) -> Header:
    return {
        "text": panel.text,
        "title": title_of(panel.text),
        "name": method_name(panel.method),
        "method": panel.method,
        "verdict": verdict(panel),
        "source": panel.source,
        "row": panel.row,
        "remark": REMARKS[remark(panel.scores)],
        "overlaps": [round(100 * found) for found in _overlaps(panel)],
        "merits": numbers(panel),
        "told": told(panel),
    }


def _overlaps(panel: Panel) -> list[float]:
    return overlaps(panel.explanation, panel.row, panel.truth)


def _rounded(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    return header, {
        name: (values, "u16" if coding == "f32" else coding)
        for name, (values, coding) in arrays.items()
    }
