"""What do several figures say in the same words?

A figure on paper and its interactive twin say the same, so a sentence is made here, or in the
`sentences` of a room where only that room says it, and nowhere else.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..results.explanation import Explanation
from ..results.findings import TokenScores, WordRelevance
from .given import hottest_inside, near_zero
from .number import fill, hundredths, number
from .scales import DIVERGING, Scale, Scaling, varies
from .texts import title_of

Table = dict[str, str | list[str] | list[list[str]]]  # title, head, rows
ZERO_IN_THE_MIDDLE = "zero in the middle: red above, blue below."
REMARKS = ("", "no variation", "no finite value")  # what stands on a map, see `remark`
IMAGE, SIZE = "image", "{width} × {height} pixels"
PLACE, PINNED = "row {row}, column {column}", " (pinned, Esc unpins)"
OUTSIDE = "outside this map"
RANKED = "{value:number}, rank {rank} of {count}"
CONTRAST = (
    "mean of the min-max map inside the true mask minus outside, in hundredths, −100 to 100; "
    "negative: upside down; −4 to 4: near chance"
)
UP, DOWN, NEITHER = "right way up {contrast}", "upside down {contrast}", "near chance {contrast}"
# A contrast that is written as 4 hundredths or less is no way up: a min-max map of noise scatters
# by 19 from patch to patch, so that its contrast on a thing of a dozen patches scatters by 5.
NEAR_CHANCE = 0.045
# in place of a verdict; said so, or a map without one would look forgotten
HOTTEST, HOTTEST_INSIDE, HOTTEST_OUTSIDE = "hottest pixel", "inside", "outside"
NOT_OF_TEXT, NEAR_ZERO = "no verdict: does not read the text", "no verdict: all near zero"
OF_TOTAL, TOGETHER = " of {total:signed}", " (all parts together: {total:signed})"
ONE_TEXT = "This is “{text}”, one of {count} texts: cx.{verb}({asked}) shows “{other}”."
DEFAULT_RELEVANCE = "leave_out"  # of `word_relevance`
OWN_SCALES = (
    "Each map is on its own scale, from its lowest patch to its highest: compare where they are "
    "high, not how high."
)
LABELS: dict[Scaling, str] = {
    "minmax": "each map on its own scale",
    "shared": "one scale for all",
    "signed": "own scale, zero in the middle",
}
ONE_PER_UNIT = "one scale per unit"  # a cosine and a relevance share none
MEANING: dict[Scaling, str] = {
    "minmax": (
        "each map on its own scale, from its lowest patch (dark violet) to its highest (yellow)"
    ),
    "shared": "one scale for all maps, from {low} to {high}, so colours compare across maps",
    "signed": "each map on its own scale, red above zero, blue below, zero neutral",
}


def scaling_name(units: Sequence[str], scaling: Scaling) -> str:
    """What a choice of scale is called for maps of these units."""
    shared = scaling == "shared" and len(set(units)) > 1
    return ONE_PER_UNIT if shared else LABELS[scaling]


def caption(units: Sequence[str], scaling: Scaling, scales: Sequence[Scale]) -> str:
    """What the colours of some maps mean: unit and normalisation in words."""
    distinct = list(dict.fromkeys(units))
    what = f"Colour: {' or '.join(distinct)}"
    if scaling != "shared":
        apart = ", so colours do not compare across maps" if len(units) > 1 else ""
        return f"{what}; {MEANING[scaling]}{apart}."
    if len(distinct) > 1:
        return f"{what}; {ONE_PER_UNIT}, so colours compare across maps of one unit only."
    (scale, *_) = scales
    words = MEANING["shared"].format(low=number(scale.low), high=number(scale.high))
    signs = "; red above zero, blue below" if scale.colours == DIVERGING else ""
    return f"{what}; {words}{signs}."


def way_up(contrast: float) -> str:
    """Which way up a map is, with its contrast in hundredths."""
    way = NEITHER if abs(contrast) < NEAR_CHANCE else UP if contrast > 0 else DOWN
    return fill(way, contrast=hundredths(contrast))


def unsaid(e: Explanation, row: int, truth: np.ndarray | None) -> str:
    """What a verdict does not say: a map may be higher on the thing, and highest elsewhere."""
    return hottest_elsewhere(hottest_inside(e, row, truth))


def hottest_elsewhere(inside: bool | None) -> str:
    """That the hottest pixel lies outside of the thing; empty where it does not, or none knows."""
    return f"{HOTTEST} {HOTTEST_OUTSIDE}" if inside is False else ""


def is_right_way_up(contrast: float) -> bool:
    """Whether that is what is said of it."""
    return contrast >= NEAR_CHANCE


def no_verdict(e: Explanation, row: int) -> str:
    """Why it means nothing which way up the map of a text is; empty where it means something."""
    if not e.reads_texts:
        return NOT_OF_TEXT
    return NEAR_ZERO if near_zero(e, row) else ""


def of_total(part: float, total: float) -> str:
    """What stands behind a part that is told with its total: a share only where it lies within it.
    Of less than nothing, or of less than itself, a part is no share.

    >>> of_total(0.2, 0.3), of_total(0.2, -0.029)
    (' of +0.300', ' (all parts together: −0.029)')
    """
    return fill(OF_TOTAL if 0 < part <= total else TOGETHER, total=total)


def closure(total: float, cosine: float) -> str:
    """The proof that no part is missing."""
    difference = float(f"{abs(total - cosine):.0e}")
    return f"parts add up to {number(total)}; difference {number(difference)}"


def other_texts(texts: Sequence[str]) -> list[str]:
    """What a page that shows the first text says of the others; nothing if there are none."""
    return [f"Other texts of this viewer: {', '.join(texts[1:])}."] if len(texts) > 1 else []


def one_of_several(found: TokenScores | WordRelevance, verb: str) -> str:
    """Which of several texts is shown, and how to see the next, of the same image and by the same
    method; empty where there is one.
    """
    count = len(found.all_texts)
    if count < 2:
        return ""
    other = (found.number + 1) % count
    named = {"text": title_of(found.text), "other": title_of(found.all_texts[other])}
    method = getattr(found, "method", DEFAULT_RELEVANCE)
    by = [f'"{method}"'] if method != DEFAULT_RELEVANCE else []
    at = [f"image={found.picture.number}"] if found.picture.number else []
    asked = ", ".join(["trace", *by, f"text={other}", *at])
    return fill(ONE_TEXT, count=str(count), verb=verb, asked=asked, **named)


def image_size(size: tuple[int, ...]) -> str:
    """The line below the title of an image (H, W, …)."""
    return fill(SIZE, height=size[0], width=size[1])


def layer_names(layers: Sequence[int], *, roomy: bool = False) -> list[str]:
    """What stands below the columns of layers: the word on the first only, where it is narrow."""
    return [f"layer {n}" if at == 0 or roomy else str(n) for at, n in enumerate(layers)]


def remark(values: np.ndarray) -> int:
    """Why a map has nothing to show, as a place in `REMARKS`; 0 where it has."""
    if varies(values):
        return 0
    return 1 if np.isfinite(values).any() else 2


def page_words(size: tuple[int, ...], own: Mapping[str, str]) -> dict[str, str]:
    """The words of a page about an image (H, W, …): those that all pages share, and its `own`.

    They travel with places for what only the browser knows, see `fill`.
    """
    shared = {"pinned": PINNED, "outside": OUTSIDE, "ranked": RANKED}
    return {"image": IMAGE, "size": image_size(size), **shared, **own}
