"""What does a prediction ask, and how is it scored in words?"""

from ..number import fill
from ..sentences import PLACE
from ..texts import title_of
from .content import Question

OF_TEXT = "Where will {method} see “{text}”? Paint the patches, then reveal."
OF_ATTENTION = (
    "Where does the framed patch look in layer {layer}, by {kind}? Paint the patches, then reveal."
)
MAP_OF_TEXT = ("“{text}”", "{method}: {unit}")
MAP_OF_ATTENTION = ("where it looks", "layer {layer}, {kind}: {unit}")
TOLD = (
    "{hits} of your {count} patches are among the {count} highest; guessing gives {chance:tenth}."
)
SHARE = (
    " They get {share:percent} of what it gives to other patches; evenly it would be "
    "{even:percent}."
)
MEASURE = (
    "The score: of as many patches as were painted, the highest of the map; how many of them were "
    "painted. Guessing gives the number of painted patches squared, over all patches."
)
ITSELF, AND_TO = "What the patch gives to itself{and_to} does not count.", " and to {beside}"
WORDS = {
    "help": (
        "Click a patch to paint it, again to clear it, or drag over several. Arrow keys move, "
        "Space paints. “reveal” uncovers the map and scores; “again” begins anew. ? shows this "
        "line."
    ),
    "keys": "Arrow keys move over the patches, Space paints.",
    "yours": "your prediction",
    "painted": "patches painted: {count}",
    "idle": "Click patches to paint them, or drag over several; as many as you believe in.",
    "covered": "covered",
    "reveal": "reveal",
    "again": "again",
    "nothing": "You painted nothing: press “again”, and paint before you reveal.",
    "here": "row {row}, column {column}: {painted}",
    "is_painted": "painted",
    "not_painted": "not painted",
    "value": "; {value:number}",
}


def summary(question: Question) -> str:
    """What the figure shows, in one line."""
    if question.query is None:
        return f"Predict the map of {title_of(question.asked['text'])!r}, then see it"
    place = fill(PLACE, **question.asked)
    return f"Predict where the patch in {place} looks, then see it"


def ask(question: Question) -> str:
    """What is asked."""
    sentence = OF_TEXT if question.query is None else OF_ATTENTION
    return fill(sentence, **_named(question))


def told(question: Question) -> str:
    """How a prediction is scored, with places for what the browser knows."""
    return TOLD if question.query is None else TOLD + SHARE


def titles(question: Question) -> tuple[str, str]:
    """Of the map."""
    over, below = MAP_OF_TEXT if question.query is None else MAP_OF_ATTENTION
    return fill(over, **_named(question)), fill(below, unit=question.unit, **_named(question))


def notes(question: Question) -> list[str]:
    """What the score means, and what a reader has to know."""
    and_to = fill(AND_TO, beside=question.beside) if question.beside else ""
    apart = [] if question.query is None else [fill(ITSELF, and_to=and_to)]
    return [MEASURE, *apart, *question.notes]


def _named(question: Question) -> dict[str, str]:
    return {name: title_of(said) for name, said in question.asked.items()}
