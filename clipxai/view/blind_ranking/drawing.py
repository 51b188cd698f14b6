"""How is a ranking by eye drawn on paper? The photo once, and the maps in rows beside it."""

from matplotlib.figure import Figure

from ...results.findings import Picture
from ..number import fill
from ..palette import FRAME, OPACITY, PLUS
from ..paper.defaults import defaults
from ..paper.maps import draw_image, draw_outlines, draw_photo, overlay, picture_height
from ..paper.page import (
    HEAD,
    HEADLINE_LINE,
    LINE,
    MARGIN,
    Page,
    columns_of,
    headline,
    small_print,
)
from ..scales import finite, scales_of
from .content import Ballot
from .sentences import HIDDEN, NAMED, notes, notes_of_methods, ranks, story, verdicts

WIDTH, BARS, GAP = 10.6, 0.5, 0.14  # of the page, of the bars below a map, below a row


@defaults()
def draw(ballot: Ballot, *, revealed: bool) -> Figure:
    """Draw the maps under letters, or under their names with the truth and the class's votes."""
    size = ballot.dealt[0].image.shape
    told = [*notes(ballot), *(notes_of_methods(ballot) if revealed else [])]
    lines = small_print(told, WIDTH, [ballot.text])
    head = headline(story(ballot), WIDTH)
    *lefts, each = columns_of(WIDTH, 1 + ballot.columns)
    voted = len(ballot.votes) > 0
    row = HEAD + picture_height(each, size) + (BARS if voted else 0) + LINE + GAP
    rows = -(-len(ballot.dealt) // ballot.columns)
    top = MARGIN + len(head) * HEADLINE_LINE + 0.1
    page = Page(WIDTH, top + rows * row + len(lines) * LINE + MARGIN)
    page.write_headline(head)
    draw_photo(page, (lefts[0], top, each), ballot.dealt[0].image)
    for at, n in enumerate(ballot.order()):
        down, across = divmod(at, ballot.columns)
        place = (lefts[1 + across], top + down * row, each)
        _draw_card(page, place, ballot, n, at + 1, revealed=revealed)
    page.write_small_print(top + rows * row, lines)
    return page.figure


def _draw_card(
    page: Page,
    place: tuple[float, float, float],
    ballot: Ballot,
    n: int,
    rank: int,
    *,
    revealed: bool,
) -> None:
    x, y, width = place
    e, scores = ballot.dealt[n], finite(ballot.scores(n))
    named = {"place": str(rank), "letter": ballot.letters[n], "name": ballot.names[n]}
    title = fill(NAMED if revealed else HIDDEN, **named)
    page.write_title(x, y, width, title, verdicts(ballot)[n] if revealed else "")
    (scale,) = scales_of([scores], [""], "minmax")
    pixels = overlay(Picture(e.image, e.grid), scores, scale, OPACITY)
    area = draw_image(page, (x, y + HEAD, width), pixels, e.image.shape)
    below = y + HEAD + picture_height(width, e.image.shape)
    if not revealed:
        return
    draw_outlines(area, ballot.truth)
    page.write(x, below + 0.02, ranks(ballot)[n])
    if len(ballot.votes):
        counts = ballot.counts()
        bars = page.axes(x, below + LINE + 0.05, width, BARS - 0.08)
        edges = [
            FRAME if at + 1 == ballot.by_contrast()[n] else "none" for at in range(len(counts))
        ]
        bars.bar(range(len(counts)), counts[n], 0.8, color=PLUS)
        bars.bar(
            range(len(counts)), [counts.max()] * len(counts), 0.92, fill=False, edgecolor=edges
        )
        bars.set(xlim=(-0.6, len(counts) - 0.4), ylim=(0, 1.05 * counts.max()))
