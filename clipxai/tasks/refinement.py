"""Which pixels does a word mean, to the edge? From a coarse map to a mask.

e = cx.explain(trace, "clip_surgery")
cx.refine(e)                                  # GrabCut: offline, no weights
cx.refine(e, text="a cat")                    # this text alone, no other competes
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..checks import Share, expect, expect_kinds, of_its_kinds, several, shown
from ..results.explanation import Explanation
from .grabcut import by_grabcut
from .heights import NO_HEIGHT, Heights, Points
from .pamr import by_pamr
from .proposal import Proposal
from .sam import by_sam, expect_sam
from .segmentation import BACKGROUND, UNSEEN, Segmentation, expect_no_difference

WAYS: dict[str, Callable[..., list[Proposal]]] = {"grabcut": by_grabcut, "pamr": by_pamr}
SAID = {
    "grabcut": "cut out by GrabCut, seeded by the maps",
    "pamr": "highest of the maps after pixel-adaptive refinement",
}


@of_its_kinds
def refine(
    explanation: Explanation,
    by: object = "grabcut",
    text: int | str | Sequence[int | str] | None = None,
    *,
    threshold: Share = 0.5,
    points: Mapping[str, Points] | None = None,
    **options: Any,
) -> Segmentation:
    """Make masks of maps: every text gets the pixels that belong together around its heat.

    The texts compete: where one's map is the higher, another's seeds are not. A pixel in several
    masks goes to the higher map. Texts that are not in the picture compete too, so name those that
    are (`text`).

    Parameters
    ----------
    explanation : maps of one or more texts
    by : "grabcut" or "pamr", which need no weights; a Segment Anything model of transformers (name
        on the hub, folder, or in memory): SAM, SAM 2, SAM-HQ, EdgeTAM, SAM 3's tracker; or a
        function of image (H, W, 3), points (n, 2), labels (n,) and box (4,), None where not given,
        that returns masks (K, H, W) and scores (K,) or None
    text : the text, or those, that get a mask and compete, as written or by number; None for all
    threshold : 0…1 of each map's own height, from which a pixel is likely, and in the plain mask
    points : text -> (n, 2) x and y in pixels of the image, and (n,) 1 where the text is, 0 where it
        is not; GrabCut takes them besides the map, a SAM instead of the map's points
    options : of GrabCut, `sure` and `unlikely` (heights from which a pixel surely is in the mask,
        below which it surely is not), `rounds`, and `side` (pixels of the longer side at which it
        works). Of PAMR, `rounds`, `dilations` and `side`. Of a SAM, `prompts` ("points", "box",
        "points+box", "mask", "all"), `rank` of its masks ("score", its own; "agreement", with the
        map; "both", their product), `hot` (height from which a cell is a point), and of
        transformers' `processor` and `revision`

    Returns
    -------
    `Segmentation` into the background and the texts. `proposals` holds what was asked and came
    back, for each text; where nothing came back the plain mask stands, and `notes` say so

    Raises
    ------
    TypeError : no Explanation; an option that `by` does not have
    ValueError : unknown way or text; no text; maps that are differences between texts; points of a
        text that is not refined, or outside the image

    Examples
    --------
    >>> refine(e, text=["a cat", "a guitar"])
    <Segmentation by clip_surgery into 3 classes: 'background' 93 %, 'a cat' 4 %, 'a guitar' 3 %>
    """
    expect(Explanation, explanation, "explain")
    expect_no_difference(explanation, "refine")
    chosen = range(len(explanation.texts)) if text is None else several(text)
    numbers = list(dict.fromkeys(explanation.index(one) for one in chosen))
    if not numbers:
        raise ValueError("no text to refine: name one or more as text=, or leave it out for all")
    heights = Heights(explanation, numbers, threshold)
    sure = _checked_points(heights, points or {})
    way, said = way_of(by)
    _expect_known(said, way, options)
    proposals = way(heights, sure, **options)
    labels = _labels(heights, [one.mask for one in proposals])
    best = heights.full.max(0)
    unseen = heights.unseen
    return Segmentation(
        labels=np.where(unseen, np.int16(UNSEEN), labels),
        confidence=np.where(unseen, np.float32(np.nan), np.maximum(best, 0)),
        classes=(BACKGROUND, *heights.texts),
        explanation=explanation,
        rule=f"{said}; of several masks the one whose map is highest",
        measure="height",
        proposals=tuple(proposals),
        notes=tuple(one.note for one in proposals if one.note),
    )


def way_of(by: object) -> tuple[Callable[..., list[Proposal]], str]:
    """The function, and what it does in words; a TypeError or ValueError if nothing can."""
    if isinstance(by, str) and by in WAYS:
        return WAYS[by], SAID[by]
    expect_sam(by)
    name = by if isinstance(by, str) else getattr(by, "__name__", type(by).__name__)
    name = name if name.isprintable() else repr(name)
    return partial(by_sam, sam=by), f"asked of {name}"


def _expect_known(said: str, way: Callable, options: Mapping[str, object]) -> None:
    parameters = inspect.signature(way).parameters.values()
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "sam"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise TypeError(f"a mask {said} has no option {unknown[0]!r}; its own: {known}")
    expect_kinds(way, options)


def _checked_points(heights: Heights, points: Mapping[str, Points]) -> dict[str, Points]:
    """The points as arrays (n, 2) and (n,), which they may be lists of."""
    if BACKGROUND in heights.texts:
        raise ValueError(
            f"one of the texts is {BACKGROUND!r} itself, which is what belongs to no text: name "
            "the others as text=[…]"
        )
    H, W = heights.image.shape[:2]
    checked: dict[str, Points] = {}
    for text, pair in points.items():
        if text not in heights.texts:
            there = ", ".join(map(repr, heights.texts))
            raise ValueError(f"points of {text!r}, but what is refined is {there}")
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or np.ndim(pair[1]) != 1:
            raise ValueError(f"points of {text!r} are (xy, labels), not {shown(pair)}")
        try:
            xy, labels = np.asarray(pair[0], np.float64), np.asarray(pair[1])
        except (TypeError, ValueError):
            raise ValueError(f"points of {text!r} are numbers, not {shown(pair[0])}") from None
        xy = xy.reshape(0, 2) if not xy.size else xy
        if np.ndim(xy) != 2 or np.shape(xy) != (len(labels), 2):
            raise ValueError(
                f"points of {text!r} have shape {np.shape(xy)} and {len(labels)} labels, but (n, 2)"
                " and n are needed"
            )
        if not np.isin(labels, (0, 1)).all():
            raise ValueError(f"labels of points are 1 or 0, not {list(labels)}")
        if not ((xy >= 0) & (xy < (W, H))).all():
            raise ValueError(f"a point of {text!r} lies outside the image of {W} x {H} pixels")
        checked[text] = xy, labels
    return checked


def _labels(heights: Heights, masks: Sequence[np.ndarray]) -> np.ndarray:
    """(H, W) int16: 0, or 1 + the place of the text whose mask holds the pixel."""
    claims = np.where(np.stack(masks), heights.full, np.float32(NO_HEIGHT - 1))
    claimed = claims.max(0) >= NO_HEIGHT
    return np.where(claimed, 1 + claims.argmax(0), 0).astype(np.int16)
