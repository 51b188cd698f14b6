"""What does a ranking by eye say, before and after the names?"""

from ..number import fill, hundredths, tenth
from ..sentences import CONTRAST, PLACE, no_verdict, unsaid, way_up
from ..texts import one_line, title_of
from .content import Ballot

ASK = "Which map shows best where “{text}” is? Put the best first, the worst last, then reveal."
CLASS = (
    "{count} ranking{s}: the class puts {first} first; by contrast it is {best} ({high}). {agree} "
    "of {pairs} pairs are in the order of contrast; guessing gives {half}."
)
HIDDEN, NAMED, RANKED = "{place} · map {letter}", "{place} · {name}", "by contrast: place {place}"
MEAN = "class: {mean} · contrast: {place}"
UNJUDGED = "no verdict {contrast}"
WHY = (
    "No verdict: a map that does not read the text, or is near zero all over, is no way up; the "
    "ranking counts its contrast all the same."
)
OWN_SCALES = "Each map is on its own scale, from its lowest patch to its highest."
CODES = (
    "A code says in which order somebody put the maps, and of which figure; the same one twice "
    "counts twice."
)
ONE_MEASURE = "Contrast is one measure of where; what made the score is another question."
BARS = (
    "Bars: how many gave the map each place, the first on the left; framed: its place by contrast. "
    "“class” is the mean of the places it was given."
)
WORDS = {
    "help": (
        "Drag a map to its place, or move it with the buttons below it. “reveal” names the methods "
        "and ends the ranking; then copy your code. Move over a map to see the same patch in all. "
        "Keys: Tab reaches the buttons, arrows move by one patch, Space pins, ? shows this line."
    ),
    "keys": "Tab reaches the buttons that move a map. Arrow keys move over the patches.",
    "idle": "The best first, the worst last.",
    "hidden": HIDDEN,
    "named": NAMED,
    "better": "better",
    "worse": "worse",
    "move_better": "map {letter}: one place better",
    "move_worse": "map {letter}: one place worse",
    "moved": "map {letter} is in place {place} of {count}",
    "reveal": "reveal",
    "code": "your code",
    "told": (
        "You put {agree} of {pairs} pairs in the order of their contrast; guessing gives {half}. "
        "First by contrast is {best} ({high}), your number {place}."
    ),
    "ranked": RANKED,
    "place": PLACE,
}


def summary(ballot: Ballot) -> str:
    """What the figure shows, in one line, without names."""
    if len(ballot.votes):
        count = len(ballot.votes)
        order = "rankings order" if count > 1 else "ranking orders"
        return f"How {count} {order} maps of {one_line(ballot.text)!r}"
    return f"{len(ballot.dealt)} maps of {one_line(ballot.text)!r} without names, to rank by eye"


def story(ballot: Ballot) -> str:
    """What is asked; or how a class answered."""
    if not len(ballot.votes):
        return fill(ASK, text=title_of(ballot.text))
    return fill(
        CLASS,
        count=str(len(ballot.votes)),
        s="s" * (len(ballot.votes) > 1),
        agree=tenth(float(ballot.agreements().mean())),
        first=ballot.names[ballot.order()[0]],
        **known(ballot),
    )


def known(ballot: Ballot) -> dict[str, str]:
    """What a ranking is held against: pairs of maps, what guessing gives, and the best."""
    pairs, best = len(ballot.pairs()), int(ballot.contrasts.argmax())
    return {
        "pairs": str(pairs),
        "half": f"{pairs / 2:g}",
        "best": ballot.names[best],
        "high": hundredths(float(ballot.contrasts[best])),
    }


def verdicts(ballot: Ballot) -> list[str]:
    """Which way up every map is, as dealt."""
    return [
        _measured(no_verdict(e, e.index(ballot.text)), float(contrast)) or way_up(float(contrast))
        for e, contrast in zip(ballot.dealt, ballot.contrasts)
    ]


def not_in_verdicts(ballot: Ballot) -> list[str]:
    """Of every map, as dealt, where it is highest, if that is beside the thing."""
    return [unsaid(e, e.index(ballot.text), ballot.truth) for e in ballot.dealt]


def _measured(why: str, contrast: float) -> str:
    """That there is no verdict, with the contrast all the same: the ranking counts it."""
    return why and fill(UNJUDGED, contrast=hundredths(contrast))


def ranks(ballot: Ballot) -> list[str]:
    """The place of every map by contrast, and what the class gave it, as dealt."""
    places = ballot.by_contrast()
    if not len(ballot.votes):
        return [fill(RANKED, place=str(place)) for place in places]
    return [
        fill(MEAN, mean=tenth(float(mean)), place=str(place))
        for mean, place in zip(ballot.means(), places)
    ]


def notes(ballot: Ballot) -> list[str]:
    """What colours, numbers and codes mean, and what all explanations note alike."""
    voted = [BARS] if len(ballot.votes) else []
    common = [note for note in ballot.dealt[0].notes if all(note in e.notes for e in ballot.dealt)]
    unjudged = [WHY] if any(no_verdict(e, e.index(ballot.text)) for e in ballot.dealt) else []
    measured = f"contrast: {CONTRAST}"
    return [OWN_SCALES, measured, ONE_MEASURE, *unjudged, *voted, CODES, *common]


def notes_of_methods(ballot: Ballot) -> list[str]:
    """What single explanations note, which would name them before they are revealed."""
    said = notes(ballot)
    return [
        f"{name}: {note}"
        for name, e in zip(ballot.names, ballot.dealt)
        for note in e.notes
        if note not in said
    ]
