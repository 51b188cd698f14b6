"""What does a ranking of labels say?"""

from ..number import fill, number, percent
from ..sentences import ZERO_IN_THE_MIDDLE
from ..texts import one_line
from .content import Labels

BEST = "“{label}” comes first, with {value}."
BEFORE = "“{label}” comes first, with {value}, before “{next}”, with {less}."
COLOURS = "Colour: {unit}, " + ZERO_IN_THE_MIDDLE
TWO = (
    "With two labels chosen the map is that of the one minus that of the other: a red patch speaks "
    "for the first, a blue one for the second; what both find alike does not show."
)
VALUES = {
    "class token": "The numbers are asked of the whole image, not of the maps.",
    "feature surgery": "The numbers are cosines of the whole image, minus what all labels share.",
    "maps": "The numbers are the highest patches of the maps.",
}
PROBABILITY = "Probabilities are among these {count} labels alone."
FEWER = "The {shown} best of {count} labels are shown."
RANKINGS = {
    True: ("labels by probability", "of the whole image, among all labels"),
    False: ("labels by score", "how strongly the image shows each"),
}
WORDS = {
    "help": (
        "Click one label to see its map, a second to see what speaks for which; a click on a "
        "chosen one lets it go. Move over a patch to read it, click to pin it, Esc unpins it. "
        "Keys: arrows move by one patch, Space pins, ? shows this line."
    ),
    "keys": "Arrow keys move over the patches, Space pins, question mark helps.",
    "idle": "Click two labels to see what speaks for which.",
    "none": "no label chosen",
    "alone": "{label}",
    "against": "{label} rather than {other}",
    "here": "row {row}, column {column}{pinned}: {value:number}, “{label}”",
    "speaks": "row {row}, column {column}{pinned}: {value:number}, for “{label}”",
}


def summary(labels: Labels) -> str:
    """What the figure shows, in one line."""
    return f"Which of {len(labels.values)} labels the image shows, and what speaks for which"


def written(labels: Labels, value: float) -> str:
    """A value as it is read."""
    return percent(value) if of_probabilities(labels) else number(value)


def of_probabilities(labels: Labels) -> bool:
    """Whether the values are shares of one whole."""
    return labels.by == "class token" and abs(float(labels.values.sum()) - 1) < 1e-6


def names(labels: Labels) -> list[str]:
    """Of the shown labels."""
    return [one_line(labels.explanation.texts[n]) for n in labels.order]


def verdict(labels: Labels) -> str:
    """The best label, and the next that is another to the model."""
    shown = [labels.order[n] for n in labels.chosen]
    said = [written(labels, float(labels.values[n])) for n in shown]
    first, *second = (names(labels)[n] for n in labels.chosen)
    if not second:
        return fill(BEST, label=first, value=said[0])
    return fill(BEFORE, label=first, value=said[0], next=second[0], less=said[1])


def title(labels: Labels) -> str:
    """Of the map that is looked at first."""
    first, *second = (names(labels)[n] for n in labels.chosen)
    return fill(WORDS["against"], label=first, other=second[0]) if second else first


def ranking(labels: Labels) -> tuple[str, str]:
    """What stands over the bars."""
    return RANKINGS[of_probabilities(labels)]


def bars(labels: Labels) -> dict[str, str]:
    """The same for the page, and how a bar is read."""
    way = "percent" if of_probabilities(labels) else "number"
    over, below = ranking(labels)
    number_of = "{value:" + way + "}"
    return {"title": over, "subtitle": below, "row": "{word}: " + number_of, "number": number_of}


def notes(labels: Labels) -> list[str]:
    """What colours and numbers mean, and what a reader has to know."""
    e, count = labels.explanation, len(labels.values)
    fewer = len(labels.order) < count
    return [
        fill(COLOURS, unit=e.unit),
        TWO,
        VALUES[labels.by],
        *([fill(PROBABILITY, count=str(count))] if of_probabilities(labels) else []),
        *([fill(FEWER, shown=str(len(labels.order)), count=str(count))] if fewer else []),
        *e.notes,
    ]
