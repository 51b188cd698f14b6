"""Which walks lead through the playground? Each sets the page's state step by step and says what
is seen by then.

A sentence that claims something stands behind the facts that it claims (`when`, the names of
`facts.js` with "and" between): where they do not hold, because somebody moved a thing, the next
sentence is tried, and the last one claims nothing.
"""

from dataclasses import asdict

from ..explainers.presets import PRESETS, Rewrite
from ..view.payload import Header

CAT = {"name": "cat", "x": 0.3, "y": 0.62, "side": 0.46}
BICYCLE = {"name": "bicycle", "x": 0.72, "y": 0.38, "side": 0.4}
OWL = {"name": "owl", "x": 0.7, "y": 0.72, "side": 0.34}
SURGERY = asdict(PRESETS["clip_surgery"])
START: Header = {
    "things": [CAT, BICYCLE],
    "background": "grass",
    "texts": ["a cat", "a bicycle", "a cat and a bicycle"],
    "text": 0,
    "change": SURGERY,
    "redundant": "empty",
    "silenced": [],
    "head": None,
    "word": None,
    "walk": None,
    "step": 0,
}


def case(says: str, when: str = "") -> Header:
    """A sentence, and the facts that it needs."""
    return {"says": says, "when": when} if when else {"says": says}


def step(*cases: Header, **changed: object) -> Header:
    """A step: the page's state where it begins, and the sentences to choose from."""
    return {"set": {**{n: v for n, v in START.items() if n not in ("walk", "step")}, **changed},
            "cases": list(cases)}  # fmt: skip


def way(**switches: object) -> Header:
    """A way through the last blocks."""
    return asdict(Rewrite(**switches))


UPSIDE_DOWN = {
    "name": "upside-down",
    "title": "Why is the map upside down?",
    "steps": [
        step(
            case(
                "The raw map is the cosine of every patch with {text}. Its contrast is "
                "{raw:hundredths}: where the {names} is, there is less of it than elsewhere. "
                "Upside down.",
                "rawInverted",
            ),
            case(
                "The raw map is the cosine of every patch with {text}. In this scene its "
                "contrast is {raw:hundredths}, near chance: it does not tell the {names} from the "
                "rest. Put the things elsewhere, and it may be upside down.",
                "rawUnclear",
            ),
            case(
                "The raw map is the cosine of every patch with {text}. In this scene its "
                "contrast is {raw:hundredths}, so it is not upside down; put the things elsewhere, "
                "and it may be.",
                "raw",
            ),
            case("The raw map is the cosine of every patch with the chosen text."),
        ),
        step(
            case(
                "First repair: in the last layers patches attend by the likeness of their values, "
                "and the FFNs are left out. Nothing is subtracted yet. Contrast "
                "{surgery:hundredths}, raw {raw:hundredths}.",
                "raw and theirWay and nothingOff",
            ),
            case(
                "The first repair lets patches attend by the likeness of their values, without "
                "FFNs, and subtracts nothing. Set the switches so, and compare the contrasts."
            ),
            redundant="nothing",
        ),
        step(
            case(
                "Second repair: what the empty text lights up is taken off. Contrast "
                "{surgery:hundredths}: this map points at the {names}.",
                "surgeryRight and theirWay and emptyOff",
            ),
            case(
                "Second repair: what the empty text lights up is taken off. Here the contrast is "
                "{surgery:hundredths}: even so it does not point at the {names}.",
                "surgeryWrong and theirWay and emptyOff",
            ),
            case("The second repair takes off what the empty text lights up."),
        ),
        step(
            case(
                "With FFNs on the new path the contrast is {surgery:hundredths}. Flip the other "
                "switches of the surgery, one by one, and see what each is for.",
                "surgery and ffnsOn",
            ),
            case("Flip the switches of the surgery, one by one, and see what each is for."),
            change=way(ffn=True),
        ),
        step(
            case(
                "{text} calls nothing on the stage by its name, its cosine is "
                "{cosine:two_digits}, and both maps have a highest patch all the same: a map says "
                "where, never whether.",
                "absent and surgeryVaries",
            ),
            case("A map says where, never whether: type what is not on the stage."),
            texts=["a piano", "a cat", "a bicycle"],
        ),
    ],
}
WHO = {
    "name": "who",
    "title": "Who found the cat?",
    "steps": [
        step(
            case(
                "The cosine with {text}, {cosine:two_digits}, is a sum. All heads together "
                "fetched {headsShare:signed} of it from patches; the third map says from which.",
                "share",
            ),
            case("The cosine is a sum: the third map says what heads fetched, and where."),
        ),
        step(
            case(
                "The most was fetched by {best}: {share:signed}. The third map is now its own.",
                "bestChosen",
            ),
            case(
                "The most was fetched by {best}: {share:signed}. Choose it in the grid, and the "
                "third map is its own.",
                "share",
            ),
            case("Choose a head in the grid, and the third map is its own."),
            head=27,
        ),
        step(
            case(
                "Now {silent} is silent. The cosine was {before:signed} and is {cosine:signed}. "
                "Compare that with the share it had: a share is no prediction, as other heads may "
                "do the work, or may have needed this one.",
                "silent and before",
            ),
            case("Silence a head, and compare what the cosine loses with the head's share."),
            silenced=[27],
        ),
        step(
            case(
                "What if the {thing} were not there? The cosine would lose {loss:signed}. "
                "The heads had fetched {fetched:signed} from its patches, which says the same way.",
                "thing and promiseHolds",
            ),
            case(
                "What if the {thing} were not there? The cosine would lose {loss:signed}. "
                "The heads had fetched {fetched:signed} from its patches, which says the opposite.",
                "thing",
            ),
            case("What if a thing were not there? The table below says it."),
        ),
    ],
}
WORDS_WALK = {
    "name": "words",
    "title": "Which word is where?",
    "steps": [
        step(
            case(
                "Without “{word}” the text loses {drop:two_digits} of its cosine, more than "
                "without any other word.",
                "wordMatters",
            ),
            case("Each word says what the cosine loses without it."),
            text=2,
        ),
        step(
            case(
                "The third map is that of “{chosenWord}”: the map of the text less the map of the "
                "text without it. Red is what this word adds. Choose another word.",
                "chosenWord",
            ),
            case("Choose a word: the third map is what it adds to the map of the text."),
            text=2,
            word=1,
        ),
        step(
            case(
                "{count} things and a longer sentence. Choose word after word: does each lie on "
                "its thing, and the small words nowhere?",
                "several",
            ),
            case("Choose word after word: does each lie on its thing, the small words nowhere?"),
            things=[CAT, BICYCLE, OWL],
            texts=["a picture of a cat, a bicycle and an owl", "a cat", "an owl"],
            word=4,
        ),
        step(
            case(
                "“{chosenWord}” is no word that this model knows whole: it is spelled in {pieces} "
                "pieces. Whether they mean anything together, only its map and its number say.",
                "spelled",
            ),
            case("Type a rare word: it is spelled in pieces, and its map may say nothing."),
            texts=["a tabby cat", "a cat", "a kitten"],
            word=1,
        ),
    ],
}
WALKS = [UPSIDE_DOWN, WHO, WORDS_WALK]
