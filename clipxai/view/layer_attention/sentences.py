"""What does the figure of attention say?"""

import numpy as np

from ...results.findings import AttentionMaps
from ...results.what_if import what_if
from ..attention_kinds import KINDS, label
from ..number import fill
from ..sentences import PLACE
from ..texts import one_line
from .content import layers_of, patch_of, tokens_of

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

SCALES = ("one scale for all layers", "each map on its own scale")
CLASS, THE_QUERY, THE_SINKS = "[class]", "the query itself", "the sinks"
PATCH, MEAN_OF_HEADS = f"the patch in {PLACE}", "mean of {heads} heads"
COLOUR = (
    "Colour: attention of {who} in layer {layer}, {heads}. 1× is what a gaze would give each patch "
    "that looks everywhere alike, [class] included. {scale}; colour follows the square root, so "
    "that its middle is a quarter of the end."
)
TIMES = "{times:tenth}×"
ONE_SCALE = "One scale for all layers{kinds}, from 0 to {top:tenth} times an even gaze"
LEFT_OUT = (
    "Drawn, but left out when the scale was set: {out}. Where they exceed the scale they have its "
    "last colour."
)
ROLLOUT = "rollout"
ROLLOUT_NOTE = (
    "Rollout: attention of all layers so far multiplied, seen from [class]; half of every token "
    "stays where it is (Abnar & Zuidema 2020). {scale}."
)
ROLLOUT_SCALE = "Its own scale, from 0 to {top:tenth} times an even gaze"
QUERY, MAP_TITLE = "query: {name}", "{kind} attention"
MAP_SUBTITLE = "layer {layer} · on [class] {weight:percent}"
IN_TABLE = 10  # patches
TABLE_HEAD = ("rank", "token")
AT_MAPS = {
    "help": (
        "Move over the image: the maps show where the patch under the pointer looks. Click to pin "
        "it, click it again or press Esc to unpin it. Move over a map to read its weights; click "
        "there to ask that patch. Click a small map for its layer, a head for that head alone; "
        "click again, double-click or press Esc for the mean. Keys: arrows move the query, [ and ] "
        "the layer, c asks the class token, Space pins, ? shows this line. Layers, heads, rows and "
        "columns count from 0, as in Python."
    ),
    "keys": (
        "Arrow keys move the query, brackets the layer, Space pins, Escape unpins, question mark "
        "helps."
    ),
    "table": f"Table: the {IN_TABLE} patches it looks at most",
    "image_hint": "move over it to ask a patch",
    "class": CLASS,
    "class_hint": "the class token, which stands for the whole image",
    "place": PLACE,
    "query": f"{QUERY}{{head}}{{held}}",
    "query_head": ", head {head} alone",
    "held": " (pinned; Esc unpins)",
    "map_title": MAP_TITLE,
    "map_subtitle": MAP_SUBTITLE,
    "times": TIMES,
    "beyond": "≥ " + TIMES,
    "reading": f"{{name}}: {TIMES}\nrank about {{rank}} of {{count}}",
    "most": f"most: {{name}}: {TIMES}",
    "itself": f"\nitself {TIMES}, {{distance:tenth}} patches away",
    "rough": "{value:number} ± {error:number}",
    "spoken": "query {name}, layer {layer}; {maps}",
    "spoken_map": "{kind}: {reading}",
    "table_title": "What {name} looks at in layer {layer}, by {kind}",
}
MOVES = "Arrows move, Enter shows one head alone, Escape the mean."
AT_STRIPS = {
    "rollout": ROLLOUT,
    "strip_hint": (
        "layer {layer}, {name}: most on {most}, {times:tenth}× an even gaze; on [class] "
        "{on_class:percent}"
    ),
    "strip_label": ("{name}, all layers. Left and right arrows move, Enter chooses the layer."),
    "heads_title": "{kind} of [class], head by head",
    "heads_label": f"{{kind}} attention of the class token, heads down, layers across. {MOVES}",
    "heads_own": "each on its own scale, from 0",
    "heads_shared": "one scale, 0 to {top:number}; heads down, layers across{every}",
    "every_patch": "; heads of layer {layers} answer for every patch",
    "head_hint": (
        "layer {layer}, head {head}, {kind} of [class]: most on {most}, {times:tenth}×; q-k of "
        "this head: {merits}"
    ),
    "merit": "{name} {value:number}{unit}",
    "merit_hint": "layer {layer}, head {head}: {merits} ({name}: {meaning})",
    "merit_label": f"{{name}} of every head, heads down, layers across. {MOVES}",
    "merit_range": "{low:number} (dark) to {high:number} (yellow) {unit}",
}
IN_CAPTION = {
    "colour": COLOUR,
    "patch": PATCH,
    "one_head": "head {head} alone{strips}",
    "in_strips": " (in the strips of all layers: mean of heads)",
    "own_scales": (
        "Each map on its own scale, from 0 to its largest weight, so colours do not compare across "
        "maps"
    ),
    "scale_of_layers": fill(ONE_SCALE, kinds=""),
    "scale_of_kinds": fill(ONE_SCALE, kinds=" and kinds"),
    "left_out": LEFT_OUT,
    "nothing_left_out": "Nothing is left out of the scale.",
    "the_query": THE_QUERY,
    "the_sinks": THE_SINKS,
    "rollout_note": ROLLOUT_NOTE,
    "rollout_own": "Each on its own scale",
    "rollout_shared": ROLLOUT_SCALE,
    "missing_heads": (
        "Mean of heads, not head {head}: single heads answer for a patch {there} of this figure, "
        "elsewhere for [class] only. In Python: cx.attention_maps(trace).with_heads(trace, "
        "[{layer}])."
    ),
    "heads_there": "only in layer {layers}",
    "heads_nowhere": "in no layer",
    "steps": (
        "Weights travel in {steps} steps of their square root: ± in the table is the error of "
        "that, at most "
        "1/{steps} of the largest weight in a row. [class], sinks and the query itself are right "
        "to 0.00001."
    ),
}


def words(maps: AttentionMaps) -> dict[str, str]:
    """The words of the page, with places for what the reader asks."""
    return {
        **AT_MAPS,
        **AT_STRIPS,
        **IN_CAPTION,
        "mean_of_heads": fill(MEAN_OF_HEADS, heads=maps.entropy.shape[1]),
        "more": "Heads, their statistics, rollout",
        "every_kind": "all" if len(maps.mean) > 2 else "both",
        "without": "leave out of the scale:",
        "without_sinks": f"sinks ({len(maps.sinks)})",
    }


def summary(maps: AttentionMaps) -> str:
    """What the figure shows, in one line."""
    named = one_line(maps.picture.provenance.get("model", "a model"))
    kinds = " and ".join(map(label, maps.mean))
    return f"Where each patch looks in {layers_of(maps)} layers of {named}, by {kinds}"


STORY = "In layer {layer}, {who} looks most, beside itself, at {gazes}."
GAZE, FIRST_GAZE = "{place} by {kind} ({times})", "{place} by {kind} ({times} an even gaze)"


def story(maps: AttentionMaps, query: int, layer: int) -> str:
    """Where a query token looks most in a layer, itself and [class] left out, by every kind."""
    gazes = []
    for kind, mean in maps.mean.items():
        weights = np.nan_to_num(mean[layer, query].astype(np.float64))
        weights[[0, query]] = -1
        row, column = patch_of(maps, int(weights.argmax()))
        times = fill(TIMES, times=float(weights.max()) * weights.size)
        place = fill(PLACE, row=str(row), column=str(column))
        gazes.append(
            fill(GAZE if gazes else FIRST_GAZE, place=place, kind=label(kind), times=times)
        )
    row, column = patch_of(maps, query)
    who = fill(PLACE, row=str(row), column=str(column)) if query else CLASS
    return fill(STORY, layer=str(layer), who=who, gazes=", at ".join(gazes))


def notes(maps: AttentionMaps, *, chosen: bool) -> list[str]:
    """What the kinds are, and, if they were `chosen` here, why this patch and layer come first."""
    kinds = "; ".join(": ".join(KINDS[kind]) for kind in maps.mean if kind in KINDS)
    first, *others = map(label, maps.mean)
    differ = f", in the layer where {first} and {others[0]} differ most for it" if others else ""
    why = f"Shown first: the patch that [class] looks at most in the last layer{differ}."
    changed = what_if(maps.picture.provenance)
    return [*changed, *([f"{kinds}."] if kinds else []), *([why] if chosen else [])]


def colour_notes(maps: AttentionMaps, query: int, layer: int, top: float) -> list[str]:
    """What the colours of a query token's weights mean, on a scale from 0 to the weight `top`."""
    row, column = patch_of(maps, query)
    who = fill(PATCH, row=row, column=column) if query else CLASS
    hidden = [*([THE_QUERY] if query else []), CLASS, *([THE_SINKS] if maps.sinks else [])]
    heads = fill(MEAN_OF_HEADS, heads=maps.entropy.shape[1])
    scale = fill(
        ONE_SCALE, kinds=" and kinds" if len(maps.mean) > 1 else "", top=top * tokens_of(maps)
    )
    return [
        fill(COLOUR, who=who, layer=layer, heads=heads, scale=scale),
        fill(LEFT_OUT, out=", ".join(hidden)),
    ]


def rollout_note(maps: AttentionMaps, top: float) -> str:
    """What the rollout row shows, on a scale from 0 to the weight `top`."""
    return fill(ROLLOUT_NOTE, scale=fill(ROLLOUT_SCALE, top=top * tokens_of(maps)))


def query_subtitle(maps: AttentionMaps, query: int) -> str:
    """The line below the title of the image: who is asked."""
    row, column = patch_of(maps, query)
    return fill(QUERY, name=fill(PLACE, row=row, column=column) if query else CLASS)


def map_titles(kind: str, layer: int, on_class: float) -> tuple[str, str]:
    """Title of a large map, and the line below it."""
    title = fill(MAP_TITLE, kind=label(kind))
    return title, fill(MAP_SUBTITLE, layer=layer, weight=on_class)
