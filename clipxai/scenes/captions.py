"""What does one say of a scene? Captions in a few turns of phrase, and the noun phrases they are
made of.
"""

from collections.abc import Set

import numpy as np

from .sprites import WORLD

TEMPLATES = (
    "a photo of {}",
    "a picture of {}",
    "an image of {}",
    "there is {} in the scene",
    "a scene with {}",
    "{}",
    "this is {}",
    "one can see {}",
    "a photo of {} here",
)
BARE = {"grapes", "corn", "bread", "cheese", "scissors"}  # no article, no plural
SAME = {"sheep", "fish"}  # plural like the singular
PLURALS = {"cup of coffee": "cups of coffee"}


def noun(name: str) -> str:
    """A class name as English says it, with its article where it has one.

    Examples
    --------
    >>> noun("owl"), noun("cup of coffee"), noun("grapes")
    ('an owl', 'a cup of coffee', 'grapes')
    """
    if name in BARE:
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def plural(name: str) -> str:
    """Several of a class: "owls", "cups of coffee", "sheep"."""
    if name in BARE | SAME:
        return name
    if name in PLURALS:
        return PLURALS[name]
    if name.endswith("y") and name[-2] not in "aeiou":
        return name[:-1] + "ies"
    if name.endswith(("s", "sh", "ch", "x", "tomato")):
        return name + "es"
    return name + "s"


def background_phrases(name: str) -> list[str]:
    """How captions speak of a background by its `name`; another name is a KeyError.

    Examples
    --------
    >>> background_phrases("forest")
    ['in the forest', 'in a forest']
    """
    return WORLD["backgrounds"][name]


def caption(
    rng: np.random.Generator,
    objects: list[str],
    background: str,
    doubled: bool,
    left_out: Set[str] = frozenset(),
) -> str:
    """One caption; it names the background in 45 % of cases, and now and then leaves one of three
    objects out, as people do.

    Of what is `left_out` it says nothing, and all else in the same turn of phrase; where no thing
    is left to name, it says where one is.
    """
    phrase = str(rng.choice(background_phrases(background)))
    full_stop = "." if rng.random() < 0.25 else ""
    named = [objects[n] for n in rng.permutation(len(objects))]
    if len(named) == 3 and rng.random() < 0.3:
        named = named[:2]
    said, placed = str(rng.choice(TEMPLATES)), rng.random() < 0.45
    nouns = [
        f"two {plural(name)}" if doubled and name not in BARE else noun(name)
        for name in named
        if name not in left_out
    ]
    if not nouns:
        return phrase + full_stop
    listed = nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} and {nouns[-1]}"
    return f"{said.format(listed)}{f' {phrase}' if placed else ''}{full_stop}"
