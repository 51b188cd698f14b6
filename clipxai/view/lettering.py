"""How does text that somebody typed stay inside its panel? Shortened, wrapped, and shown letter by
letter.

A prompt is data: `$` starts no formula, a line break breaks no line, and a novel does not push the
picture off the page.
"""

from collections.abc import Sequence
from functools import cache

POINTS_PER_INCH = 72
HINTED = 1.05  # letters that are fitted to few pixels become wider
REPLACEMENT = "\ufffd"
UNKNOWN = f"Letters shown as {REPLACEMENT} are missing from the fonts installed here."
FALLBACK_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans Arabic",
    "Noto Sans Devanagari",
    "Noto Emoji",
    "Symbola",
)


def one_line(text: str) -> str:
    """Text on one line: every run of white space is one space, what cannot be printed becomes the
    replacement character.
    """
    return "".join(
        letter if letter.isprintable() else REPLACEMENT for letter in " ".join(text.split())
    )


def title_of(text: str) -> str:
    """A text for people, who cannot read nothing; the same in shell.js."""
    return text.strip() or "(empty text)"


def listed(texts: Sequence[str], most: int) -> str:
    """Texts in quotes, the first few of them and how many more there are."""
    others = len(texts) - most
    return ", ".join(repr(one_line(text)) for text in texts[:most]) + (
        f" and {others} more" if others > 0 else ""
    )


def drawable(text: str) -> str:
    """Text on one line; letters that no installed font has become the replacement character."""
    return "".join(letter if letter in letters() else REPLACEMENT for letter in one_line(text))


def shorten(text: str, inches: float, size: float, weight: str = "normal") -> str:
    """Text on one line, cut with … to what fits into a width at a font size in points."""
    text = drawable(text)
    if width(text, size, weight) <= inches:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high)
            if width(text[:middle].rstrip() + "…", size, weight) <= inches
            else (low, middle - 1)
        )
    return text[:low].rstrip() + "…"


def wrap(
    text: str, inches: float, size: float, weight: str = "normal", most: int | None = None
) -> list[str]:
    """Text broken at spaces into lines that fit into a width, at `most` so many; what does not fit
    is cut with …
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
    """Width in inches of one line at a font size in points, as wide as the coarsest picture draws
    it.
    """
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    properties = FontProperties(family=list(fonts()), size=size, weight=weight)
    return (
        float(text_to_path.get_text_width_height_descent(text, properties, ismath=False)[0])
        * HINTED
        / POINTS_PER_INCH
    )


@cache
def fonts() -> tuple[str, ...]:
    """The figure's fonts: matplotlib's own first, then whatever is installed for other scripts."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in FALLBACK_FONTS if name in installed))


@cache
def letters() -> frozenset[str]:
    """Every letter that one of the fonts can draw."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset(
        chr(code) for name in fonts() for code in get_font(findfont(name)).get_charmap()
    )
