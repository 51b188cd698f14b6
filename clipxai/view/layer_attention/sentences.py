"""What does the figure of attention say?"""

from collections.abc import Sequence

import numpy as np

from ...results.findings import AttentionMaps
from ...results.findings.attention import CLASS, MEAN, POOL, SINK
from ...results.what_if import what_if
from ..attention_kinds import KINDS, label
from ..number import fill
from ..sentences import PLACE
from ..texts import one_line
from .content import layers_of, nearly_even, patch_of

# name in the findings, name for people, unit, meaning
STATISTICS = (
    (
        "entropy",
        "entropy",
        "bits",
        "how widely a patch looks, in the mean. 0 bits: at one alone; each bit more: at twice as "
        "many; {even:tenth} bits: at all alike",
    ),
    (
        "distance",
        "mean distance",
        "patches",
        "how far from itself a patch looks, in the mean. 1 patch: beside it; more: farther across "
        "the picture",
    ),
    (
        "on_class",
        "share on {beside}",
        "of 1",
        "how much of its gaze a patch spends on {who_beside}, in the mean. 0: nothing; 1: all, so "
        "that nothing is left for the picture",
    ),
)

# what stands for the image, and what is told of it
WHO = {CLASS: "the class token", POOL: "the pool", MEAN: "the mean of all patches"}
HINTS = {
    CLASS: "the class token, which stands for the whole image",
    POOL: "the pool, which stands for the whole image: all tokens, each as much as it reads of it",
    MEAN: "the mean of all patches, which stands for the whole image",
}
WHAT = {
    CLASS: "",
    POOL: (
        "[pool]: no class token stands for the image; a learned query reads all tokens at the end. "
        "Its row in a layer is the mean of all tokens' rows, weighted by how much it reads of each."
    ),
    MEAN: (
        "[mean]: no class token stands for the image, the mean of all patches does. Its row in a "
        "layer is the mean of their rows: what each token receives on average."
    ),
}
ROLLED = {
    CLASS: "",
    POOL: "; its last step, by what the pool reads, is this project's",
    MEAN: "; its last step, the mean over patches, is this project's",
}
FIRST_ON = "the patch in the middle of “{thing}”, whose true place is known"
FIRST = {
    CLASS: "the patch that [class] looks at most in the last layer",
    POOL: "the patch that the pool reads most",
    MEAN: "the patch that receives most in the last layer, on average",
}

NO_SINK = ", sinks aside"
SCALES = ("one scale for all layers", "each map on its own scale")
THE_QUERY, THE_SINKS = "the query itself", "the sinks"
PATCH, MEAN_OF_HEADS = f"the patch in {PLACE}", "mean of {heads} heads"
COLOUR = (
    "Colour: attention of {who} in layer {layer}, {heads}. 1× is what a gaze would give each patch "
    "that looks everywhere alike{included}. {scale}; colour follows the square root, so "
    "that its middle is a quarter of the end."
)
TIMES, ON_THING = "{times:tenth}×", " ({thing})"
ONE_SCALE = "One scale for all layers{kinds}, from 0 to {top:tenth} times an even gaze"
LEFT_OUT = (
    "Drawn, but left out when the scale was set: {out}. Where they exceed the scale they have its "
    "last colour."
)
# beside the image, with a circle before it: of those that are known as sinks, how many are circled
SINKS = "{here} of {count} sinks"
SINKS_NOTE = (
    "Circles: sinks, patches that get more than {least}× an even gaze in this layer and in the "
    "mean of the later half of the layers."
)
ROLLOUT = "rollout"
ROLLOUT_NOTE = (
    "Rollout: attention of all layers so far multiplied, seen from {whole}; half of every token "
    "stays where it is (Abnar & Zuidema 2020){rolled}. {scale}."
)
ROLLOUT_SCALE = "Its own scale, from 0 to {top:tenth} times an even gaze"
QUERY, MAP_TITLE = "query: {name}", "{kind} attention"
MAP_SUBTITLE = "layer {layer}{on_beside}"
ON_BESIDE, AND_ON_BESIDE = " · on {beside} {weight:percent}", "; on {beside} {on_class:percent}"
IN_TABLE = 10  # patches
TABLE_HEAD = ("rank", "token")
AT_MAPS = {
    "help": (
        "Move over the image: the maps show where the patch under the pointer looks. Click to pin "
        "it, click it again or press Esc to unpin it. Move over a map to read its weights; click "
        "there to ask that patch. Click a small map for its layer, a head for that head alone; "
        "click again, double-click or press Esc for the mean. Keys: arrows move the query, [ and ] "
        "the layer, c asks {who_whole}, Space pins, ? shows this line. Layers, heads, rows and "
        "columns count from 0, as in Python."
    ),
    "keys": (
        "Arrow keys move the query, brackets the layer, Space pins, Escape unpins, question mark "
        "helps."
    ),
    "table": f"Table: {IN_TABLE} patches it looks at most",
    "image_hint": "move over it to ask a patch",
    "class": "{whole}",
    "class_hint": "{hint}",
    "beside": "{beside}",
    "place": PLACE,
    "on_thing": ON_THING,
    "query": f"{QUERY}{{head}}{{held}}",
    "query_head": ", head {head} alone",
    "query_pool": ", over the image{nearly}",
    "pool_even": ": nearly even",
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
# said above all of what is chosen; who looks everywhere alike looks nowhere most
AT_STORY = {
    "story": "In layer {layer}, {who}{head} looks most, beside itself, at {gazes}{also}.",
    "story_alike": "In layer {layer}, {who}{head} looks at all patches nearly alike: {alike}.",
    "story_alone": "In layer {layer}, {who}{head} has no other patch to look at.",
    "story_head": ", by head {head} alone,",
    "gaze": f"{{place}} by {{kind}} ({TIMES})",
    "first_gaze": f"{{place}} by {{kind}} ({TIMES} an even gaze)",
    "alike": "by {kind} at {low:two_digits} to {high:two_digits} times an even gaze",
    "also_alike": "; at all patches nearly alike {alike}",
}
MOVES = "Arrows move, Enter shows one head alone, Escape the mean."
AT_STRIPS = {
    "rollout": ROLLOUT,
    "strip_hint": (
        "layer {layer}, {name}: most on {most}, {times:tenth}× an even gaze{and_on_beside}"
    ),
    "strip_label": ("{name}, all layers. Left and right arrows move, Enter chooses the layer."),
    "heads_title": "{kind} of {whole}, head by head",
    "heads_label": f"{{kind}} attention of {{who_whole}}, heads down, layers across. {MOVES}",
    "heads_own": "each on its own scale, from 0",
    "heads_shared": "one scale, 0 to {top:number}; H0, H1 … are the heads{every}",
    "every_patch": "; heads of layer {layers} answer for every patch",
    "head_hint": (
        "layer {layer}, head {head}, {kind} of {whole}: most on {most}, {times:tenth}×; q-k of "
        "this head: {merits}"
    ),
    "pool_strip": "{whole} itself",
    "pool_label": (
        "How much the pool reads of each patch: mean, then by head. Arrows move, Enter asks it."
    ),
    "pool_hint": (
        "{whole} itself, {head}: most on {most}, {times:tenth}× an even gaze{and_on_beside}"
    ),
    "pool_ticks": "mean",
    "pool_mean": "mean of its {heads} heads",
    "pool_head": "head {head}",
    "merit": "{name} {value:number}{unit}",
    "merit_hint": "layer {layer}, head {head}: {merits}",
    "head_tick": "H{head}",
    "layer_tick": "layer",
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
    "sinks_here": SINKS,
    "sinks_note": SINKS_NOTE,
    "rollout_own": "Each on its own scale",
    "rollout_shared": ROLLOUT_SCALE,
    "missing_heads": (
        "Mean of heads, not head {head}: single heads answer for a patch {there} of this figure, "
        "elsewhere for {whole} only. In Python: cx.attention_maps(trace).with_heads(trace, "
        "[{layer}])."
    ),
    "pool_note": (
        "On the image: how much the pool reads of each patch, mean of its heads, from 0 to "
        "{top:tenth} times an even gaze."
    ),
    "heads_there": "only in layer {layers}",
    "heads_nowhere": "in no layer",
    "steps": (
        "Weights travel in {steps} steps of their square root: ± in the table is the error of "
        "that, at most "
        "1/{steps} of the largest weight in a row. {exact} and the query itself are right "
        "to 0.00001."
    ),
}


def words(maps: AttentionMaps) -> dict[str, str]:
    """The words of the page, with places for what the reader asks."""
    everywhere = {
        name: _of(maps, said)
        for name, said in {**AT_MAPS, **AT_STORY, **AT_STRIPS, **IN_CAPTION}.items()
    }
    pool = 0 if maps.pool is None else len(maps.pool)
    return {
        **everywhere,
        "pool_mean": fill(AT_STRIPS["pool_mean"], heads=pool),
        "mean_of_heads": fill(MEAN_OF_HEADS, heads=maps.entropy.shape[1]),
        "more": "Heads and rollout",
        "every_kind": "all" if len(maps.mean) > 2 else "both",
        "without": "leave out of the scale:",
        "without_sinks": f"sinks ({len(maps.sinks)})",
    }


def _of(maps: AttentionMaps, sentence: str) -> str:
    """A sentence with what stands for the image, and what is looked at beside the patches."""
    beside = maps.beside
    return fill(
        sentence,
        whole=maps.whole,
        beside=beside,
        included=f", {beside} included" if beside else "",
        exact=f"{beside}, sinks" if beside else "Sinks",
        hint=HINTS[maps.whole],
        on_beside=fill(ON_BESIDE, beside=beside) if beside else "",
        and_on_beside=fill(AND_ON_BESIDE, beside=beside) if beside else "",
        rolled=ROLLED[maps.whole],
        who_beside=WHO.get(beside, "the registers"),
        even=float(np.log2(maps.seen)),
        least=f"{SINK:g}",
        who_whole=WHO[maps.whole],
    )


def statistics(maps: AttentionMaps) -> list[tuple[str, str, str, str]]:
    """Name, name for people, unit and meaning of what is told of every head."""
    there = [row for row in STATISTICS if maps.beside or row[0] != "on_class"]
    return [(name, _of(maps, named), unit, _of(maps, told)) for name, named, unit, told in there]


def sinks_note(maps: AttentionMaps) -> list[str]:
    """What the circles on the image are; nothing where there are none."""
    return [fill(SINKS_NOTE, least=f"{SINK:g}")] if maps.sinks else []


def summary(maps: AttentionMaps) -> str:
    """What the figure shows, in one line."""
    named = one_line(maps.picture.provenance.get("model", "a model"))
    kinds = " and ".join(map(label, maps.mean))
    count = layers_of(maps)
    layers = f"{count} layer{'s' * (count != 1)}"
    return f"Where each patch looks in {layers} of {named}, by {kinds}"


def name_of(maps: AttentionMaps, token: int, on: Sequence[str]) -> str:
    """A token that looks, and the thing it lies `on`, where that is known."""
    if not token:
        return maps.whole
    row, column = patch_of(maps, token)
    thing = on[token - 1] if on else ""
    return fill(PLACE, row=row, column=column) + (fill(ON_THING, thing=thing) if thing else "")


def story(maps: AttentionMaps, query: int, layer: int, on: Sequence[str] = ()) -> str:
    """Where a query token looks most in a layer, itself and [class] left out, by every kind; of a
    kind by which it looks at all patches nearly alike, that. Patches lie `on` things, if known.
    """
    gazes, alike = [], []
    for kind, mean in maps.mean.items():
        weights = np.nan_to_num(mean[layer, query].astype(np.float64))
        others = np.delete(weights, sorted({0, query}))
        if nearly_even(others):
            told = {"low": float(others.min()) * maps.seen, "high": float(others.max()) * maps.seen}
            alike.append(fill(AT_STORY["alike"], kind=label(kind), **told))
            continue
        weights[[0, query]] = -1
        place = name_of(maps, int(weights.argmax()), on)
        times = float(weights.max()) * maps.seen
        gaze = AT_STORY["gaze" if gazes else "first_gaze"]
        gazes.append(fill(gaze, place=place, kind=label(kind), times=times))
    who = name_of(maps, query, on)
    told = {"layer": str(layer), "who": who, "head": "", "alike": ", ".join(alike)}
    if query and maps.picture.grid.patches == 1:
        return fill(AT_STORY["story_alone"], **told)
    if not gazes:
        return fill(AT_STORY["story_alike"], **told)
    also = fill(AT_STORY["also_alike"], **told) if alike else ""
    return fill(AT_STORY["story"], gazes=", at ".join(gazes), also=also, **told)


def notes(maps: AttentionMaps, *, chosen: bool, thing: str = "") -> list[str]:
    """What the kinds are, and, if they were `chosen` here, why this patch, on a `thing`, and layer
    come first.
    """
    kinds = "; ".join(": ".join(KINDS[kind]) for kind in maps.mean if kind in KINDS)
    first, *others = map(label, maps.mean)
    differ = f", in the layer where {first} and {others[0]} differ most for it" if others else ""
    aside = NO_SINK if maps.sinks else ""
    first_is = fill(FIRST_ON, thing=thing) if thing else FIRST[maps.whole] + aside
    why, what = f"Shown first: {first_is}{differ}.", WHAT[maps.whole]
    said = [what, f"{kinds}." if kinds else "", why if chosen else ""]
    return [*what_if(maps.picture.provenance), *filter(None, said)]


def colour_notes(maps: AttentionMaps, query: int, layer: int, top: float) -> list[str]:
    """What the colours of a query token's weights mean, on a scale from 0 to the weight `top`."""
    row, column = patch_of(maps, query)
    who = fill(PATCH, row=row, column=column) if query else maps.whole
    out = [THE_QUERY if query else "", maps.beside, THE_SINKS if maps.sinks else ""]
    hidden = [one for one in out if one]
    heads = fill(MEAN_OF_HEADS, heads=maps.entropy.shape[1])
    scale = fill(ONE_SCALE, kinds=" and kinds" if len(maps.mean) > 1 else "", top=top * maps.seen)
    return [
        fill(_of(maps, COLOUR), who=who, layer=layer, heads=heads, scale=scale),
        *([fill(LEFT_OUT, out=", ".join(hidden))] if hidden else []),
    ]


def rollout_note(maps: AttentionMaps, top: float) -> str:
    """What the rollout row shows, on a scale from 0 to the weight `top`."""
    return fill(_of(maps, ROLLOUT_NOTE), scale=fill(ROLLOUT_SCALE, top=top * maps.seen))


def query_subtitle(maps: AttentionMaps, query: int, on: Sequence[str] = ()) -> str:
    """The line below the title of the image: who is asked."""
    return fill(QUERY, name=name_of(maps, query, on))


def map_titles(maps: AttentionMaps, kind: str, layer: int, on_class: float) -> tuple[str, str]:
    """Title of a large map, and the line below it."""
    title = fill(MAP_TITLE, kind=label(kind))
    return title, fill(_of(maps, MAP_SUBTITLE), layer=layer, weight=on_class)
