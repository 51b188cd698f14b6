"""What does the comparison of attention and FFN say?"""

import numpy as np

from ...results.findings import Contributions
from ...results.what_if import what_if
from ..attention_kinds import label
from ..number import fill, number, signed, two_digits
from ..scales import Scale
from ..sentences import ZERO_IN_THE_MIDDLE, Table, closure, of_total
from ..texts import listed, title_of
from .content import ModuleShares

MOST_NAMED = 3  # texts in a summary
BARS = (
    "Bars: what each module added to the cosine of {whole} with the text (red) or took "
    "away (blue); both rows on one scale."
)
EXACT = (
    "The parts hold {fixed} fixed: they say what was added, not what would happen "
    "without the module."
)
ALIGNMENT = (
    "Alignment: cosine of a module's output with {final}, −1 to 1. CLIP Surgery "
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
ENDS = f"from {{low:number}} to {{high:number}}, {ZERO_IN_THE_MIDDLE}"
ONE_SCALE = f"one scale for all layers, {ENDS}"
LAYER_SCALE = f"this layer's scale, {ENDS}"
OWN_SCALE = f"each map on its own scale, {ZERO_IN_THE_MIDDLE}"
LANES = ("attention adds", "FFN adds", "embedding, bias", "sum so far", "alignment")
SELECTION_LANE = "selection ratio"  # one lane more where the mask of the text is known
LENS_ROW = "map if it stopped here"
ATTENTION, FFN = "attention", "FFN"
MAP_TITLES = ("layer {layer}: attention", "layer {layer}: FFN", "attention − FFN")
MEAN = "mean {mean:number}"
EMBEDDING, BIAS = "embedding", "bias"
OF_CLASS = {
    "whole": "class token",
    "final": "the final class token",
    "fixed": "the final layer norm",
    "bias": BIAS,
}
OF_POOL = {
    "whole": "image",
    "final": "all that the pool read",
    "fixed": "the norms behind the last layer, and where the pool looks,",
    "bias": "biases, pool's FFN",
}
WORDS = {
    "help": (
        "Move over a column to see that layer's maps, click to keep it. Move over a patch to read "
        "it; marks across the bars then show the parts of that patch's own cosine. Click pins a "
        "patch, Esc unpins it. Keys: arrows move by one patch, [ and ] by one layer, Space pins, "
        "? shows this line."
    ),
    "keys": (
        "Arrow keys move over the patches, brackets over the layers, Space pins, question mark "
        "helps."
    ),
    "table": "Table: all layers",
    "lower": "Sum so far, alignment and more",
    "chart": "what each layer added; the same numbers are in the table below",
    "lens": LENS_ROW,
    "embedding": EMBEDDING,
    "layer": "layer",
    "bias": BIAS,
    **dict(zip(("attention_adds", "ffn_adds", "ends", "sum", "alignment"), LANES, strict=True)),
    "selection": SELECTION_LANE,
    "attention": ATTENTION,
    "ffn": FFN,
    "marks": "marks: row {row}, column {column}, whose cosine is {cosine:number}",
    **dict(zip(("attention_map", "ffn_map", "difference"), MAP_TITLES, strict=True)),
    "mean": MEAN,
    "status": (
        "layer {layer}, {whole}: attention {attention:signed}, FFN {ffn:signed}; sum so far "
        "{sum:number}; alignment {attention_alignment:number} and {ffn_alignment:number}{selection}"
    ),
    "at_patch": (
        "layer {layer}, row {row}, column {column}{pinned}: attention adds {attention:signed}, "
        "FFN {ffn:signed} to this patch's cosine {cosine:number}"
    ),
}


def names_of(shares: ModuleShares) -> dict[str, str]:
    """What stands for the image, and what belongs to it."""
    return OF_POOL if shares.pooled else OF_CLASS


def words_of(shares: ModuleShares) -> dict[str, str]:
    """What the page says."""
    names = names_of(shares)
    status = fill(WORDS["status"], whole=names["whole"])
    return WORDS | {"bias": names["bias"], "status": status}


def summary(shares: ModuleShares) -> str:
    """What the figure shows, in one line."""
    named = listed(shares.texts, MOST_NAMED)
    return f"What attention and FFN of every layer added to the match with {named}"


STORY = (
    "Of all modules, {most} adds most to “{text}”: {value}{of}; {least} takes most away: {loss}."
)
ONLY_ADDS = "Of all modules, {most} adds most to “{text}”: {value}{of}; none takes away."
ONLY_TAKES = "No module adds to “{text}”; {least} takes most away: {loss}{of}."
PART = "{module} of layer {layer}"


def story(shares: ModuleShares, text: int) -> str:
    """Which module of which layer adds most to a text, and which takes most away."""
    attention, ffn, _ = shares.of_class(text)
    parts = {
        fill(PART, module=module, layer=str(layer)): float(value)
        for module, values in ((ATTENTION, attention), (FFN, ffn))
        for layer, value in enumerate(values)
    }
    most, least = max(parts, key=parts.__getitem__), min(parts, key=parts.__getitem__)
    total = float(shares.contributions.similarity[shares.rows[text], 0])
    told = {"text": title_of(shares.texts[text]), "most": most, "least": least}
    ends = {"value": signed(parts[most]), "loss": signed(parts[least])}
    words = ONLY_TAKES if parts[most] <= 0 else STORY if parts[least] < 0 else ONLY_ADDS
    part = parts[least] if words is ONLY_TAKES else parts[most]
    return fill(words, of=of_total(part, total), **told, **ends)


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


def captions(shares: ModuleShares, text: int, *, own: bool = False) -> list[str]:
    """What the figure shows of a `text` and how it is coloured.

    On the scale of all layers; or on each layer's `own`, with places for its ends (see `fill`).
    """
    selection, names = selecting(shares, text), names_of(shares)
    lens, maps = (OWN_SCALE, LAYER_SCALE) if own else (ONE_SCALE, ONE_SCALE)
    return [
        *what_if(shares.contributions.picture.provenance),
        fill(BARS, whole=f"the {names['whole']}"),
        fill(ALIGNMENT, final=names["final"]),
        *([selection] if selection else []),
        f"{LENS}; {_between(lens, shares.lens_scale(text))}",
        f"{MAPS}; {maps if own else _between(maps, shares.scale(text))}",
        fill(EXACT, fixed=names["fixed"]),
    ]


def _between(sentence: str, scale: Scale) -> str:
    return fill(sentence, low=scale.low, high=scale.high)


def map_titles(layer: int) -> list[str]:
    """What stands above the three maps."""
    return [fill(title, layer=layer) for title in MAP_TITLES]


def map_subtitle(mean: float) -> str:
    """The line below the title of a map."""
    return fill(MEAN, mean=mean)


def lens_titles(shares: ModuleShares, text: int) -> list[str]:
    """What is told of every map of the logit lens."""
    names = ["the embedding", *(f"layer {n}" for n in range(shares.layers))]
    told = []
    for name, values in zip(names, shares.lens(text), strict=True):
        known = values[np.isfinite(values)]
        span = f"{number(known.min())} to {number(known.max())}" if known.size else number(np.nan)
        told.append(f"after {name}: cosines from {span}")
    return told


def selected(shares: ModuleShares, text: int) -> list[str]:
    """The selection ratios of every layer, as the end of a line; none where no mask is known."""
    found = shares.selections[text]
    if not found:
        return []
    layers = zip(*found.ratio.values(), strict=True)
    names = list(map(label, found.ratio))
    told = [
        ", ".join(f"{name} {two_digits(float(one))}" for name, one in zip(names, each, strict=True))
        for each in layers
    ]
    return [f"; selection ratio {ratios}" for ratios in told]


def selection_titles(shares: ModuleShares, text: int) -> list[str]:
    """What is told of the selection ratios of every layer; none where no mask is known."""
    found = shares.selections[text]
    if not found:
        return []
    chance, meaning = two_digits(found.chance), selecting(shares, text)
    told = selected(shares, text)
    return [f"layer {n}{ratios}; chance {chance}\n{meaning}" for n, ratios in enumerate(told)]


def table(shares: ModuleShares, text: int) -> Table:
    """All layers of a `text` in numbers."""
    c, (attention, ffn, ends) = shares.contributions, shares.of_class(text)
    embedding, bias = (signed(float(end)) for end in ends)
    cosine = number(float(c.similarity[shares.rows[text], 0]))
    found = shares.selections[text]
    ratios = list(found.ratio.values()) if found else []
    rows = []
    for n in range(shares.layers):
        shown = signed(float(attention[n])), signed(float(ffn[n]))
        total = float(shares.cumulative(text)[n + 1])
        aligned = c.attention_alignment[n], c.ffn_alignment[n]
        numbers = [number(float(value)) for value in (total, *aligned)]
        chosen = [two_digits(float(ratio[n])) for ratio in ratios]
        rows.append([f"layer {n}", *shown, *numbers, *chosen])
    head = ["", ATTENTION, FFN, "sum so far", "attention alignment", "FFN alignment"]
    named = [f"{label(kind)} selection ratio" for kind in (found.ratio if found else ())]
    return {
        "title": (
            f"“{title_of(shares.texts[text])}”: embedding {embedding}, {names_of(shares)['bias']} "
            f"{bias}, cosine {cosine}"
        ),
        "head": [*head, *named],
        "rows": rows,
    }
