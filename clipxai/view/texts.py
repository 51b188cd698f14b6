"""How is a text that somebody typed named in a figure?

A prompt is data: a line break breaks no line, and what cannot be printed is shown as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..checks import number_of, several

REPLACEMENT = "\ufffd"


def one_line(text: str) -> str:
    """Text on one line: white space becomes a space, what cannot be printed is replaced."""
    return "".join(
        letter if letter.isprintable() else REPLACEMENT for letter in " ".join(text.split())
    )


def title_of(text: str) -> str:
    """A text for people, who cannot read nothing."""
    return text.strip() or "(empty text)"


def listed(texts: Sequence[str], most: int) -> str:
    """Texts in quotes, the first few of them and how many more there are."""
    first = ", ".join(repr(one_line(text)) for text in texts[:most])
    others = len(texts) - most
    return f"{first} and {others} more" if others > 0 else first


def chosen_rows(known: Sequence[str], texts: Sequence[int | str] | None) -> list[int]:
    """Numbers of the texts that were chosen, by number or as written; all for None.

    Raises
    ------
    ValueError : unknown text, or none
    IndexError : no text of that number
    """
    chosen = range(len(known)) if texts is None else several(texts)
    rows = [number_of(known, text, "text", "this figure") for text in chosen]
    if not rows:
        raise ValueError("there is nothing to draw: no text was chosen")
    return rows


class HasTexts(Protocol):
    """What was found for some texts."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""


Found = TypeVar("Found", bound=HasTexts)


@dataclass(frozen=True, eq=False)
class Chosen(Generic[Found]):
    """The chosen texts of what was found; `text` counts among those that were chosen.

    Attributes
    ----------
    contributions : what was found
    rows : numbers of the chosen texts in it
    """

    contributions: Found
    rows: Sequence[int]

    @property
    def texts(self) -> tuple[str, ...]:
        """The chosen texts."""
        return tuple(self.contributions.texts[row] for row in self.rows)
