"""What does the comparison of attention and FFN say?"""

from ...results.findings import Contributions
from ..number import number, two_digits
from ..scales import Scale
from ..sentences import ZERO_IN_THE_MIDDLE, closure
from ..texts import listed
from .content import ModuleShares

MOST_NAMED = 3  # texts in a summary
BARS = (
    "Bars: what each module added to the cosine of the class token with the text (red) or took "
    "away (blue); both rows on one scale."
)
EXACT = (
    "The parts hold the final layer norm fixed: they say what was added, not what would happen "
    "without the module."
)
ALIGNMENT = (
    "Alignment: cosine of a module's output with the final class token, −1 to 1. CLIP Surgery "
    "skips the FFNs of the last layers because theirs is low there."
)
LENS = "Bottom row: cosine of every patch with the text if the network stopped there (logit lens)"
MAPS = "Maps: what the module added to each patch's own cosine"
SELECTION = (
    "Selection ratio: of the {others} patches that each of the object's {patches} patches attends "
    "to most (itself left out), the share on the object, mean of all heads; its mean over images "
    "is the mFSR. An FFN attends to nothing. Dotted: chance, {chance}."
)
LARGEST = "Over all patches and texts, parts and cosine differ by {residual} at most."
SCALES = ("one scale for all layers", "each layer on its own scale")
LANES = ("attention adds", "FFN adds", "embedding, bias", "sum so far", "alignment")
SELECTION_LANE = "selection ratio"  # one lane more where the mask of the text is known
LENS_ROW = "map if it\nstopped here"


def summary(shares: ModuleShares) -> str:
    """What the figure shows, in one line."""
    named = listed(shares.texts, MOST_NAMED)
    return f"What attention and FFN of every layer added to the match with {named}"


def proof(shares: ModuleShares, text: int) -> str:
    """That no part is missing for a `text`."""
    similarity = shares.contributions.similarity[shares.rows[text], 0]
    return closure(shares.cumulative(text)[-1], float(similarity))


def largest(contributions: Contributions) -> str:
    """How far the proof fails at most, over all patches."""
    return LARGEST.format(residual=number(float(f"{contributions.residual:.0e}")))


def selecting(shares: ModuleShares, text: int) -> str:
    """What the selection ratio of a text is; empty where no mask is known."""
    found = shares.selections[text]
    if not found:
        return ""
    chance = two_digits(found.chance)
    return SELECTION.format(others=found.patches - 1, patches=found.patches, chance=chance)


def captions(shares: ModuleShares, text: int) -> list[str]:
    """What the figure shows of a `text` and how it is coloured, on the scale of all layers."""
    selection = selecting(shares, text)
    return [
        BARS,
        ALIGNMENT,
        *([selection] if selection else []),
        f"{LENS}; {_on_one_scale(shares.lens_scale(text))}",
        f"{MAPS}; {_on_one_scale(shares.scale(text))}",
        EXACT,
    ]


def _on_one_scale(scale: Scale) -> str:
    ends = f"from {number(scale.low)} to {number(scale.high)}"
    return f"one scale for all layers, {ends}, {ZERO_IN_THE_MIDDLE}"


def map_titles(layer: int) -> tuple[str, str, str]:
    """What stands above the three maps."""
    return f"layer {layer}: attention", f"layer {layer}: FFN", "attention − FFN"


def map_subtitle(mean: float) -> str:
    """The line below the title of a map."""
    return f"mean over patches {number(mean)}"
