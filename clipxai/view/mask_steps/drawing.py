"""How are the steps drawn on paper? A row for every text: prompts, before, after, and the truth."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...tasks.proposal import Proposal
from ..palette import DIM
from ..paper.defaults import defaults
from ..paper.maps import draw_image, picture_height
from ..paper.page import HEAD, LINE, MARGIN, Page, columns_of, small_print
from ..texts import one_line
from .content import Steps
from .sentences import WORDS, notes, titles

PANEL, BELOW = 2.6, 0.14


@defaults()
def draw(steps: Steps) -> Figure:
    """All texts, one below another."""
    photo, proposals = steps.made.explanation.image, steps.made.proposals
    panels = 4 if steps.truth else 3
    width = 2 * MARGIN + panels * PANEL + (panels - 1) * 0.24
    lines = small_print(notes(steps), width, [one_line(one.text) for one in proposals])
    row = HEAD + picture_height(PANEL, photo.shape) + BELOW
    page = Page(width, MARGIN + len(proposals) * row + len(lines) * LINE + MARGIN)
    *lefts, each = columns_of(width, panels)
    for n, one in enumerate(proposals):
        y, merits = MARGIN + n * row, titles(steps, one)
        after = merits[one.chosen + 1]
        told = [
            (one_line(one.text), _prompts(one)),
            (WORDS["before"], merits[0][1]),
            (WORDS["after"], after[1]),
            (WORDS["truth"], ""),
        ]
        pictures = [photo, *(dimmed(photo, mask) for mask in (one.plain, one.mask))]
        if one.text in steps.truth:
            pictures.append(dimmed(photo, steps.truth[one.text]))
        for x, words, picture in zip(lefts, told, pictures):
            page.write_title(x, y, each, *words)
            area = draw_image(page, (x, y + HEAD, each), picture, photo.shape)
            if picture is photo:
                _draw_prompts(area, one)
    page.write_small_print(MARGIN + len(proposals) * row, lines)
    return page.figure


def dimmed(photo: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The photo (H, W, 3), dark outside of a mask."""
    return np.where(mask[..., None], photo, np.rint(photo * DIM).astype(np.uint8))


def _prompts(one: Proposal) -> str:
    count = len(one.points)
    told = [f"{count} point{'s' * (count != 1)}"] if count else []
    return " · ".join([*told, *(["box"] if one.box is not None else [])]) or "no prompts"


def _draw_prompts(area: Axes, one: Proposal) -> None:
    for (x, y), label in zip(one.points, one.point_labels):
        face, edge, sign = ("white", "black", "+") if label else ("black", "white", "_")
        area.plot(x, y, "o", ms=7, mfc=face, mec=edge, mew=0.8)
        area.plot(x, y, sign, ms=4, mec=edge, mew=1)
    if one.box is not None:
        left, top, right, bottom = one.box
        area.add_patch(
            Rectangle((left, top), right - left, bottom - top, fill=False, ec="white", lw=1.4)
        )
