"""What does every part of the surgery do to the map of a text?"""

from ...results.findings.surgery_steps import Part
from ..number import fill, hundredths
from ..sentences import (
    CONTRAST,
    NEAR_CHANCE,
    OWN_SCALES,
    PLACE,
    REMARKS,
    is_right_way_up,
    no_verdict,
    page_words,
    remark,
    way_up,
)
from ..texts import one_line, title_of
from .content import LITTLE, Walk

NAMES: dict[Part, str] = {
    "raw": "raw CLIP",
    "path": "a second path",
    "attention": "v-v attention",
    "ffn": "no FFN",
    "empty": "− empty text",
}
# how a sentence begins that says what the part did
DOES: dict[Part, str] = {
    "raw": "Raw CLIP",
    "path": "A second path that still does what the model does",
    "attention": "v-v attention on the second path",
    "ffn": "Leaving out the FFNs on the second path",
    "empty": "Subtracting what an empty text lights up",
}
WHY: dict[Part, str] = {
    "raw": (
        "Patches are read where the model's own stream ends. It was trained to answer once, for "
        "the whole image; no patch was ever asked what stands on it."
    ),
    "path": (
        "A copy runs beside the last {layers}. Patches are read from it, the answer about the "
        "whole image still from the original. Nothing changes yet."
    ),
    "attention": (
        "Tokens listen to those with values like their own (v·v), not to those that a trained "
        "query asks for (q·k). The values are those of the original stream."
    ),
    "ffn": "Now attention alone writes into the second path: what the FFNs would add is left out.",
    "empty": (
        "What even a text without words lights up is taken off. All of it together is CLIP "
        "Surgery, and nothing was trained."
    ),
}
RAW_POOL = (
    "Patches are read where the attention pool ends. It was trained to answer once, for the whole "
    "image; no patch was ever asked what stands on it."
)
POOL = (
    "The attention pool is asked a second time: patches listen to those with values like their own "
    "(v·v), not to those that a trained query asks for (q·k)."
)
LAYERS, LAST_LAYER = "{count} layers", "layer"
FIRST = "{does}: the map of “{text}” is {way}."
SAME = "{does} leaves the map of “{text}” as it was{at}."
TURNS = "{does} turns the map of “{text}” {way}: contrast {before} to {after}."
MOVES = "{does} {moves} the contrast of “{text}” from {before} to {after}."
MOST = " Most came from {name}: {gain}."
WHOLE = "Raw CLIP's map of “{text}” is {before}, CLIP Surgery's {after}."
SHOWS = "{does}: the map of “{text}”."
NO_EMPTY = (
    "This model's vocabulary is not known, so there is no empty text to subtract, which would be "
    "the last step of CLIP Surgery."
)
ORDER = (
    "What a part does depends on those before it: this is one order of several. The Explorer and "
    "the model as one picture have every part as a switch."
)
BOXES = {
    "early": "layers",
    "patches": "patches",
    "layer": "layer ",
    "pool": "pool",
    "qk": "q-k",
    "vv": "v-v",
    "ffn": "FFN",
    "whole": "answer",
    "empty": "− empty",
    "map": "map",
    "first_title": "the image as patches, and the layers before the second path",
    "qk_title": "the model's own attention: a query asks, a key answers",
    "ffn_title": "the model's own FFN",
    "copy_title": "the same attention on the second path",
    "vv_title": "tokens attend by the similarity of their values",
    "no_ffn_title": "an FFN on the second path",
    "whole_title": "the cosine of the whole image is read from the model's own path at every step",
    "empty_title": "minus what an empty text lights up",
    "map_title": "the cosine of every patch with the text",
}
WORDS = {
    "help": (
        "Play the steps, choose one in the list, or press [ and ] to go from step to step. Move "
        "over a map to read it, click to pin a patch. Arrow keys move by one patch, Space pins, ? "
        "shows this line."
    ),
    "keys": "Brackets go from step to step. Arrow keys move over the patches, Space pins.",
    "steps": "steps of the surgery",
    "previous": "previous step",
    "next": "next step",
    "play": "play",
    "stop": "stop",
    "board": "block diagram: {step}",
    "place": PLACE,
}


def summary(walk: Walk) -> str:
    """What the figure shows, in one line."""
    texts = ", ".join(named(text) for text in walk.texts)
    return f"CLIP Surgery part by part: {', '.join(names(walk))}; {texts}"


def named(text: str) -> str:
    """A text on one line, also an empty one, and none that turns the sentence around it over."""
    return one_line(title_of(text))


def names(walk: Walk) -> list[str]:
    """Of the steps."""
    return [NAMES[part] for part in walk.found.parts]


def why(walk: Walk) -> list[str]:
    """What each step is, in a sentence or two."""
    blocks = walk.found.blocks
    layers = LAST_LAYER if blocks == 1 else fill(LAYERS, count=str(blocks))
    own = WHY if walk.found.has_stream else {**WHY, "raw": RAW_POOL, "attention": POOL}
    return [fill(own[part], layers=layers) for part in walk.found.parts]


def stories(walk: Walk, text: int) -> list[str]:
    """What each step did to the map of a text."""
    return [_story(walk, text, step) for step in range(len(walk.found.parts))]


def whole(walk: Walk, text: int) -> str:
    """What all of them together did."""
    first, *_, last = walk.contrasts[text]
    told = {"text": named(walk.texts[text])}
    if first is None or last is None or walk.found.parts[-1] != "empty":
        return _story(walk, text, len(walk.found.parts) - 1)
    story = fill(WHOLE, **told, before=_which(first), after=_which(last))
    return story + _most(walk, text)


def _story(walk: Walk, text: int, step: int) -> str:
    told = {"does": DOES[walk.found.parts[step]], "text": named(walk.texts[text])}
    if step and walk.alike(text, step):
        way = verdict(walk, text, step)
        return fill(SAME, **told, at=f": {way}" if way else "")
    now = walk.contrasts[text][step]
    before = walk.contrasts[text][step - 1] if step else None
    if now is None or (step and before is None):
        return fill(SHOWS, **told)
    if before is None:
        return fill(FIRST, **told, way=_which(now))
    told |= {"before": hundredths(before), "after": hundredths(now)}
    if told["before"] == told["after"]:
        return fill(SAME, **told, at=f" in contrast, {told['after']}")
    if abs(now) >= NEAR_CHANCE and (abs(before) < NEAR_CHANCE or (before > 0) != (now > 0)):
        way = "the right way up" if is_right_way_up(now) else "upside down"
        story = fill(TURNS, **told, way=way)
    else:
        story = fill(MOVES, **told, moves="raises" if now > before else "lowers")
    return story + (_most(walk, text) if step == len(walk.found.parts) - 1 else "")


def _most(walk: Walk, text: int) -> str:
    """Which part did most of it, said at the end; nothing where the contrast did not grow, no part
    did more than half of that, or what one of them did is not known.
    """
    gains = {p: gain for p, gain in zip(walk.found.parts[1:], walk.gains(text)) if gain is not None}
    total = sum(gains.values())
    if len(gains) < len(walk.found.parts) - 1 or total < LITTLE:
        return ""
    part = max(gains, key=lambda p: gains[p])
    if gains[part] <= total / 2:
        return ""
    return fill(MOST, name=NAMES[part], gain=hundredths(gains[part]))


def _which(contrast: float) -> str:
    return way_up(contrast).replace("right", "the right", 1)


def verdict(walk: Walk, text: int, step: int) -> str:
    """Which way up a map is; empty where that is not known."""
    if walk.mask(text) is None:
        return ""
    contrast = walk.contrasts[text][step]
    if contrast is None:
        return no_verdict(walk.found.maps[step], walk.rows[text])
    return way_up(contrast)


def remarks(walk: Walk, text: int) -> list[str]:
    """Of every step, why the map has nothing to show."""
    return [REMARKS[remark(values)] for values in walk.scores(text)]


def notes(walk: Walk) -> list[str]:
    """What colours and numbers mean, and what all explanations note alike."""
    maps = walk.found.maps
    common = [note for note in maps[0].notes if all(note in e.notes for e in maps)]
    units = " or ".join(dict.fromkeys(e.unit for e in maps))
    known = [f"contrast: {CONTRAST}."] if walk.truth else []
    short = [] if "empty" in walk.found.parts else [NO_EMPTY]
    return [f"Colour: {units}. {OWN_SCALES}", *known, *short, ORDER, *common]


def words(walk: Walk) -> dict[str, str]:
    """The words of the page."""
    return page_words(walk.found.picture.image.shape, WORDS)
