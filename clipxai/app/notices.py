"""What could mislead somebody who looks at this picture? Sentences that stay as long as they are
true, and texts that follow the things they name.
"""

import re
from collections.abc import Sequence

import numpy as np

from ..model.files.locating import EMBEDDED_NAME
from ..scenes import backgrounds, class_names, noun
from ..scenes.naming import masks_of
from ..trace.trace import Trace
from ..view.number import two_digits
from .session import Wish
from .silence import cosines_of


def unseen(wish: Wish) -> str:
    """That the embedded model has never seen a photograph; empty where it looks at a scene."""
    if wish.model.name != EMBEDDED_NAME or wish.scene is not None:
        return ""
    return (
        f"This model has only ever seen Emoji World: {len(class_names())} drawn things on "
        f"{len(backgrounds())} backgrounds. Its maps of any other picture, a photograph above all, "
        "say nothing about what is there. Load another CLIP for that."
    )


def unnamed(wish: Wish) -> str:
    """Which texts have no outline and no contrast, as they name nothing in the scene."""
    if wish.scene is None:
        return ""
    known = masks_of(wish.texts, wish.masks)
    missing = [f"“{text}”" for text in wish.texts if text not in known]
    if not missing:
        return ""
    there = ", ".join(wish.scene.objects) or "nothing"
    return f"No outline and no contrast for {', '.join(missing)}: in the picture is {there}."


def nouns(things: Sequence[str]) -> list[str]:
    """Every class once, as one says it."""
    return [noun(name) for name in dict.fromkeys(things)]


def following(lines: str, before: Sequence[str], now: Sequence[str]) -> str:
    """Texts after the things of the scene have changed.

    Texts that were the things' own names become those of the new ones. In texts of one's own, the
    name of a thing that made way for another is exchanged; all else stays.

    Parameters
    ----------
    lines : one text per line
    before, now : class names; what stands at the same place took the other's place

    Examples
    --------
    >>> following("a photo of an owl, at night", ["owl", "cat"], ["pizza", "cat"])
    'a photo of a pizza, at night'
    """
    if lines.split("\n") == nouns(before):
        return "\n".join(nouns(now))
    if len(before) != len(now):
        return lines
    for old, new in zip(before, now):
        if old in now:  # still to be seen
            continue
        lines = re.sub(rf"\b{re.escape(noun(old))}\b", noun(new), lines, flags=re.IGNORECASE)
        lines = re.sub(rf"\b{re.escape(old)}\b", new, lines, flags=re.IGNORECASE)
    return lines


def silenced_scores(recorded: Trace, changed: Trace) -> str:
    """The cosine of each text, best first, what silence does to it, and whose rank it changes."""
    before, now = cosines_of(recorded), cosines_of(changed)
    ranks = [list(np.argsort(-scores)) for scores in (before, now)]
    said = []
    for place, n in enumerate(ranks[1]):
        was = ranks[0].index(n)
        moved = "" if was == place else f" (rank {was + 1} → {place + 1})"
        first = "" if changed is recorded else f"{two_digits(before[n])} → "
        said.append(f"“{recorded.texts[n]}” {first}{two_digits(now[n])}{moved}")
    hint = "; click a head, FFN, patch or word to silence it" if changed is recorded else ""
    return f"cosine with {', '.join(said)}{hint}"
