"""How does text that somebody typed stay inside its panel? Shortened, wrapped, shown by the letter.

A prompt is data: `$` starts no formula, and a novel does not push the picture off the page.
"""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.textpath import text_to_path

from ..texts import REPLACEMENT, one_line

POINTS_PER_INCH = 72
HINTED = 1.05  # letters that are fitted to few pixels become wider
UNKNOWN = f"Letters shown as {REPLACEMENT} are missing from the fonts installed here."
FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Emoji",
    "Symbola",
)


def drawable(text: str) -> str:
    """Text on one line; letters that no installed font has become the replacement character."""
    return "".join(letter if letter in letters() else REPLACEMENT for letter in one_line(text))


def shorten(text: str, inches: float, size: float, weight: str = "normal") -> str:
    """Text on one line, cut with … to what fits into a width at a font size in points."""
    text = drawable(text)
    if width(text, size, weight) <= inches:
        return text
    low, high = 0, len(text)  # letters that surely fit, that perhaps fit
    while low < high:
        middle = (low + high + 1) // 2
        if width(text[:middle].rstrip() + "…", size, weight) <= inches:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrap(
    text: str, inches: float, size: float, weight: str = "normal", most: int | None = None
) -> list[str]:
    """Text broken at spaces into lines that fit into a width.

    There are at `most` so many lines; what does not fit is cut with …
    """
    lines: list[str] = []
    words = drawable(text).split(" ")
    for n, word in enumerate(words):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, weight) <= inches:
            lines[-1] = longer
        elif most and len(lines) == most:
            lines[-1] = shorten(" ".join([lines[-1], *words[n:]]), inches, size, weight)
            break
        else:
            lines.append(shorten(word, inches, size, weight))
    return lines


def width(text: str, size: float, weight: str = "normal") -> float:
    """Width in inches of one line at a size in points, as wide as the coarsest picture draws it."""
    return size * sum(_advance(letter, weight) for letter in text)


@cache
def _advance(letter: str, weight: str) -> float:
    """What a letter takes of a line, in inches at a size of one point; pairs that stand closer than
    that are left out of account. Whole lines take a hundred times as long, and a figure has many.
    """
    properties = FontProperties(family=list(fonts()), size=1, weight=weight)
    between, nothing = (
        text_to_path.get_text_width_height_descent(f"|{inside}|", properties, ismath=False)[0]
        for inside in (letter, "")
    )
    return float(between - nothing) * HINTED / POINTS_PER_INCH


@cache
def fonts() -> tuple[str, ...]:
    """The figure's fonts: matplotlib's own first, then whatever is installed for other scripts."""
    installed = {entry.name for entry in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in FALLBACK_FONTS if name in installed))


@cache
def letters() -> frozenset[str]:
    """Every letter that one of the fonts can draw."""
    found = (get_font(findfont(name)).get_charmap() for name in fonts())
    return frozenset(chr(code) for codes in found for code in codes)
