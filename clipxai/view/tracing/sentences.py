"""What does the figure of tracing say?"""

import numpy as np

from ...results.what_if import what_if
from ..number import fill, signed
from ..scales import reach_of
from ..sentences import ZERO_IN_THE_MIDDLE, Table
from ..texts import listed, one_line, title_of
from .content import Traced

MOST_NAMED, STRONGEST = 3, 10  # texts in a summary, rows of the table
ONE = {"patches": "patch", "tokens": "token", "words": "word"}
TITLES = {True: "what comes over", False: "lost without it"}
INSTEAD = {"zero": "set to zero", "mean": "set to the mean of the others"}
FROM_OTHER = (
    "All of the other {other} changes the cosine with “{text}” by {gap:signed}; of single {of} "
    "{token} entering layer {layer} most, by {value:signed}."
)
LOST = (
    "The cosine {cosine:number} with “{text}” owes most to {token} entering layer {layer}: "
    "{value:signed}."
)
SAME = "No {one} of any layer changes the cosine with “{text}”, which stays {cosine:number}."
UNSEEN = 0.0005  # of the cosine: +0.000
ON_THING, OF_PATCHES = " It lies {where}.", " The patch that matters most lies {where}."
WHERE = {True: "in the outline", False: "outside the outline"}
MOVED = " From layer {layer} on it carries more than any patch."
MOVED_TO = " From layer {layer} on the class token carries more than any patch."
COLOURS = {
    True: (
        "Each {one} by itself, as it enters a layer, was replaced by that of the other pass; red: "
        "the cosine rises, blue: it falls"
    ),
    False: (
        "Each {one} by itself, as it enters a layer, was {by}; red: the cosine falls without it, "
        "blue: it rises"
    ),
}
ENDS = "{colours}; ±{reach:number} at the ends{alone}, {middle}"
ALONE = ", ±{reach:number} for the class token"
NO_SUM = "Effects need not add up."
ESTIMATED = "These are estimates to first order, by gradient.{checked}"
CHECKED = " Measured as well: the {count} largest; the estimates are off by {off:percent} of that."
OTHER = ("other image", "what stands there instead")
WORDS = {
    "help": (
        "Click a layer of the strip to see its map; move over a patch or a cell to read it, click "
        "to pin it, Esc unpins it. Keys: [ and ] move by one layer, arrows by one patch, Space "
        "pins, ? shows this line. Layers count from 0."
    ),
    "keys": "Brackets move over the layers, arrow keys over the patches, question mark helps.",
    "table": f"Table: the {STRONGEST} largest",
    "strip": "a map for each layer",
    "layer": "layer {layer}",
    "patch": "layer {layer}, row {row}, column {column}{pinned}: {value:signed}",
    "alone": "layer {layer}, {token}: {value:signed}",
    "most": "layer {layer}: most at row {row}, column {column}, {value:signed}",
    "other": OTHER[0],
}


def token_name(traced: Traced, token: int) -> str:
    """A token of the stream, for people."""
    if token < traced.first:
        name = traced.names[token]
        return f"“{one_line(name)}”" if traced.effects.of == "words" else f"the {name}"
    row, column = divmod(token - traced.first, traced.effects.picture.grid.width)
    return f"the patch in row {row}, column {column}"


def summary(traced: Traced) -> str:
    """What the figure shows, in one line."""
    texts = listed(traced.texts, MOST_NAMED)
    what = "words are" if traced.effects.of == "words" else f"{traced.effects.of} are"
    if traced.by_other:
        return f"How the match with {texts} changes when single {what} those of another pass"
    return f"What the match with {texts} loses when single {what} left out, layer by layer"


def verdict(traced: Traced, text: int) -> str:
    """The largest effect on a text, whether it lies on its thing, and when the class token takes
    over.
    """
    effects, (row, token) = traced.effects, traced.strongest(text)
    cosine = float(effects.similarity[traced.rows[text]])
    if np.nanmax(abs(traced.values(text))) < UNSEEN:
        one, named = ONE[effects.of], one_line(title_of(traced.texts[text]))
        return fill(SAME, one=one, text=named, cosine=cosine)
    gap = None if effects.gap is None else float(effects.gap[traced.rows[text]])
    told = fill(
        LOST if gap is None else FROM_OTHER,
        text=one_line(title_of(traced.texts[text])),
        layer=effects.layers[row],
        value=float(traced.values(text)[row, token]),
        cosine=cosine,
        **({} if gap is None else {"gap": gap}),
        of=effects.of,
        other="image" if effects.other is not None else "text",
        token=token_name(traced, token),
    )
    since, on_thing, is_patch = traced.moved(text), traced.on_thing(text), token >= traced.first
    lies = fill(ON_THING if is_patch else OF_PATCHES, where=WHERE.get(on_thing, ""))
    moved = fill(MOVED if token == 0 else MOVED_TO, layer=effects.layers[since or 0])
    more = [lies] if on_thing is not None else []
    if since is not None:
        more.insert(1 if is_patch else 0, moved)
    return told + "".join(more)


def captions(traced: Traced, text: int) -> list[str]:
    """What the colours mean, and what a reader has to know."""
    effects, parts = traced.effects, (traced.patches(text), traced.alone(text))
    colours = fill(COLOURS[traced.by_other], one=ONE[effects.of], by=INSTEAD.get(effects.by, ""))
    two = fill(ALONE, reach=reach_of(parts[1])) if parts[0].size and parts[1].size else ""
    reach = reach_of(parts[0] if parts[0].size else parts[1])
    told = dict(colours=colours, reach=reach, alone=two, middle=ZERO_IN_THE_MIDDLE)
    lines = [*what_if(effects.picture.provenance), f"{fill(ENDS, **told)} {NO_SUM}"]
    if effects.estimated:
        off, count = effects.off_by, len(effects.checked)
        checked = "" if off is None else fill(CHECKED, count=count, off=off)
        lines.append(fill(ESTIMATED, checked=checked))
    return lines


def table(traced: Traced, text: int) -> Table:
    """The tokens with the largest effects on a `text`."""
    values = traced.values(text)
    order = np.argsort(-abs(np.nan_to_num(values)), axis=None, kind="stable")[:STRONGEST]
    rows = [
        [
            str(traced.effects.layers[row]),
            token_name(traced, int(token)).removeprefix("the "),
            signed(float(values[row, token])),
        ]
        for row, token in zip(*np.unravel_index(order, values.shape), strict=True)
    ]
    head = ["layer", "where", TITLES[traced.by_other]]
    return {"title": f"Largest on “{title_of(traced.texts[text])}”", "head": head, "rows": rows}
