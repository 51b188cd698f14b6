"""What does a contrast say?"""

from ..given import lies_on
from ..number import fill
from ..sentences import ZERO_IN_THE_MIDDLE
from ..texts import one_line
from .content import Sides

FITS = "“{a}” fits the whole image better than “{b}”, by {by:number} of the cosine."
EVEN = "“{a}” and “{b}” fit the whole image alike."
MOST = "The patch that speaks most for “{side}” lies {where}"
ALSO = "; the one for “{side}” lies {where}"
INSIDE, OUTSIDE, ON_OTHER = "in its outline", "outside its outline", "in the outline of “{other}”"
COLOURS = (
    "Colour: {unit}, {low:number} to {high:number}, " + ZERO_IN_THE_MIDDLE + " A red patch speaks "
    "for “{a}”, a blue one for “{b}”; a pale one for neither, or for both alike."
)
SHARES = (
    "The parts add up to {difference:number}, the difference of the two cosines. From no patch "
    "comes what FFNs, biases and the class token itself brought."
)
SUMS = "The bars are sums over patches; by this method they are no shares of the cosine."
MISLEADS = "What both texts find alike does not show here."
RANKING = ("what speaks for which", "sum of its patches")
NO_PATCH = "from no patch"
ROW, NUMBER = "{word}: {value:number}", "{value:number}"
WORDS = {
    "help": (
        "Move over a patch to read for which text it speaks, click to pin it, Esc unpins it. Keys: "
        "arrows move by one patch, Space pins, ? shows this line."
    ),
    "keys": "Arrow keys move over the patches, Space pins, question mark helps.",
    "idle": "Move over the map to read for which text a patch speaks.",
    "speaks": "row {row}, column {column}{pinned}: {value:number}, for “{side}”",
    "silent": "row {row}, column {column}{pinned}: {value:number}, for neither",
}


def summary(sides: Sides) -> str:
    """What the figure shows, in one line."""
    a, b = map(one_line, sides.explanation.sides)
    return f"What speaks for {a!r}, and what for {b!r}, by {sides.explanation.method}"


def verdict(sides: Sides) -> str:
    """Which text fits better, by how much, and whether each is seen where its thing is."""
    a, b = map(one_line, sides.explanation.sides)
    better, worse = (b, a) if sides.difference < 0 else (a, b)
    even = sides.difference == 0
    fits = fill(EVEN if even else FITS, a=better, b=worse, by=abs(sides.difference))
    return f"{fits} {located(sides)}".rstrip()


def located(sides: Sides) -> str:
    """Where the patch lies that speaks most for each side; empty where no outline is known."""
    told = ""
    for n, side in enumerate(sides.explanation.sides):
        where = _where(sides, n)
        if where:
            told += fill(ALSO if told else MOST, side=one_line(side), where=where)
    return told and f"{told}."


def _where(sides: Sides, side: int) -> str:
    patch, grid = sides.speaks_most(side), sides.explanation.grid
    own, other = sides.explanation.sides[side], sides.explanation.sides[1 - side]
    if patch is None:
        return ""
    on_own = lies_on(sides.truth.get(own), grid, patch)
    if on_own:
        return INSIDE
    if lies_on(sides.truth.get(other), grid, patch):
        return fill(ON_OTHER, other=one_line(other))
    return "" if on_own is None else OUTSIDE


def names(sides: Sides) -> list[str]:
    """Of the parts."""
    a, b = map(one_line, sides.explanation.sides)
    return [f"for “{a}”", f"for “{b}”", *([NO_PATCH] if sides.shares else [])]


def notes(sides: Sides) -> list[str]:
    """What colours and bars mean, and what a reader has to know."""
    a, b = map(one_line, sides.explanation.sides)
    scale, e = sides.scale(), sides.explanation
    colours = fill(COLOURS, unit=e.unit, low=scale.low, high=scale.high, a=a, b=b)
    parts = fill(SHARES, difference=sides.difference) if sides.shares else SUMS
    return [colours, parts, MISLEADS, *e.notes]


def ends(sides: Sides) -> tuple[str, str]:
    """What stands at the ends of the colour bar: that for which blue speaks, and red."""
    a, b = map(one_line, sides.explanation.sides)
    return f"◀ {b}", f"{a} ▶"
