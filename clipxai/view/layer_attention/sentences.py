"""What does the figure of attention say?"""

from ...results.findings import AttentionMaps
from ..attention_kinds import KINDS, label
from ..number import number
from ..texts import one_line
from .content import layers_of, patch_of

# name in the findings, name for people, unit, meaning
STATISTICS = (
    (
        "entropy",
        "entropy",
        "bits",
        "mean entropy of the head's rows; the highest possible means that it looks everywhere "
        "alike",
    ),
    ("distance", "mean distance", "patches", "mean distance between a patch and what it looks at"),
    ("on_class", "share on [class]", "", "mean weight that patches give to the class token"),
)


def summary(maps: AttentionMaps) -> str:
    """What the figure shows, in one line."""
    named = one_line(maps.picture.provenance.get("model", "a model"))
    kinds = " and ".join(map(label, maps.mean))
    return f"Where each patch looks in {layers_of(maps)} layers of {named}, by {kinds}"


def notes(maps: AttentionMaps, *, chosen: bool) -> list[str]:
    """What the kinds are, and, if they were `chosen` here, why this patch and layer come first."""
    kinds = "; ".join(": ".join(KINDS[kind]) for kind in maps.mean if kind in KINDS)
    first, *others = map(label, maps.mean)
    differ = f", in the layer where {first} and {others[0]} differ most for it" if others else ""
    why = f"Shown first: the patch that [class] looks at most in the last layer{differ}."
    return [*([f"{kinds}."] if kinds else []), *([why] if chosen else [])]


def colour_notes(maps: AttentionMaps, query: int, layer: int, top: float) -> list[str]:
    """What the colours of a query token's weights mean, on a scale from 0 to `top`."""
    row, column = patch_of(maps, query)
    who = "[class]" if query == 0 else f"the patch in row {row}, column {column}"
    hidden = [*(["the query itself"] if query else []), "[class]"]
    hidden += ["the sinks"] if maps.sinks else []
    heads, kinds = maps.entropy.shape[1], " and kinds" if len(maps.mean) > 1 else ""
    return [
        f"Colour: attention weight of {who} in layer {layer}: the share of its attention that goes "
        f"to each patch, mean of {heads} heads. One scale for all layers{kinds}, from 0 to "
        f"{number(top)}; colour follows the square root.",
        f"Drawn, but left out when the scale was set: {', '.join(hidden)}. Where they exceed the "
        "scale they have its last colour.",
    ]


def rollout_note(top: float) -> str:
    """What the rollout row shows."""
    return (
        "Rollout: attention of all layers so far multiplied, seen from [class]; half of every "
        f"token stays where it is (Abnar & Zuidema 2020). Its own scale, from 0 to {number(top)}."
    )


def query_subtitle(maps: AttentionMaps, query: int) -> str:
    """The line below the title of the image: who is asked."""
    if query == 0:
        return "query: [class]"
    row, column = patch_of(maps, query)
    return f"query: row {row}, column {column}"


def map_titles(kind: str, layer: int, on_class: float) -> tuple[str, str]:
    """Title of a large map, and the line below it."""
    return f"{label(kind)} attention", f"layer {layer} · on [class] {number(on_class)}"
