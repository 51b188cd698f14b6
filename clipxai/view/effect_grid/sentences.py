"""What does the grid of effects say?"""

import numpy as np

from ...results.findings.attention import CLASS, MEAN, POOL
from ...results.what_if import what_if
from ..number import fill, hundredths, number, signed
from ..scales import reach_of
from ..sentences import OF_TOTAL, ZERO_IN_THE_MIDDLE, Table
from ..texts import listed, title_of
from .content import Grids
from .details import Details

MOST_NAMED, STRONGEST = 3, 10  # texts in a summary, rows of the table
BY = {
    "zero": "set to zero",
    "mean": "set to its mean",
    "another pass": "replaced by that of another pass",
}
NAMES = {
    "heads": "attention head",
    "attention": "attention",
    "ffn": "FFN",
    "blocks": "block (attention and FFN)",
    "words": "word",
}
TITLES = ("lost without it", "its own share")
EFFECTS = (
    "Effect: what the cosine loses when the part is {by}; red spoke for the text, blue against"
)
ESTIMATED = "These are estimates to first order, by gradient."
CHECKED = "Measured as well: the {count} largest; the estimates are off by {off:percent} of that."
SHARES = "Share: what the part added to the cosine directly; red added, blue took away"
DISAGREE = (
    "Dotted: effect and share differ by more than half of the largest of their grids. Later layers "
    "may make up for a part, or read what it wrote elsewhere."
)
ALONE = "Every part was taken out by itself, so effects need not add up."
NOT_DIRECT = (
    "An effect is no share: it counts whatever later layers make of the part. Pass shares= to see "
    "both."
)
WORDS = {
    "help": (
        "Move over a cell to read it, click to keep it. Keys: [ and ] move by one layer, { and } "
        "by one row, ? shows this line. Layers and heads count from 0."
    ),
    "keys": "Brackets move over the layers, braces over the rows, question mark helps.",
    "table": f"Table: the {STRONGEST} largest effects",
    "grid": "{title} by layer; the largest effects are in the table below",
    "status": "layer {layer}, {part}: the cosine {cosine:number} owes it {lost:signed}",
    "with_share": "{status}; its share is {share:signed}{apart}",
    "apart": " (they disagree)",
    "named": "{status}. Named: {name}",
    "turned": "{status}. {turned}",
    "unmapped": "no map was made",
    "place": "layer {layer}, {part}",
}


DETAILS = ("with it", "without it", "it looks at")
MAPS = "Maps by {method}: with the head and without it on one scale, ±{reach:number} at the ends."
TURNED = "Contrast of the map with the truth: {before} with the head, {after} without it"
LOOKS = "What a head looks at: {from_whole}, each head on its own scale."
FROM = {
    CLASS: "from the class token",
    POOL: "all tokens together, each as much as the pool reads of it",
    MEAN: "all patches together",
}


def details_notes(details: Details, text: int) -> list[str]:
    """What the maps beside the grid are."""
    lines = []
    if details.before is not None:
        told = dict(method=details.before.method, reach=details.scale(text).high)
        lines.append(fill(MAPS, **told))
    if details.attention is not None:
        lines.append(fill(LOOKS, from_whole=FROM[details.attention.whole]))
    return [" ".join(lines)] if lines else []


def turned(details: Details, text: int) -> list[str]:
    """Of every head that there is a map without: what becomes of the contrast with the truth; empty
    where that is not known.
    """
    (before, *others) = details.contrasts(text) or [None]
    told = []
    for after in others:
        known = before is not None and after is not None
        ends = {"before": hundredths(before), "after": hundredths(after)} if known else {}
        told.append(fill(TURNED, **ends) if known else "")
    return told


def summary(grids: Grids) -> str:
    """What the figure shows, in one line."""
    effects = grids.effects
    tower = "" if effects.tower == "image" else " of the text tower"
    return (
        f"What the match with {listed(grids.texts, MOST_NAMED)} loses without each "
        f"{NAMES[effects.of]}{tower}"
    )


STORY = "Without {most} the match with “{text}” loses most: {value}{of}{other}."
MATCH = " (the match is {total:signed})"
OTHER = "; without {least} it gains most: {gain}"
NONE_LOST = "Without any of them the match with “{text}” grows, most without {least}: {gain}."
NOTHING = "Without any one of them the match with “{text}” stays what it is, {total:signed}."
UNSEEN = 0.0005  # of the cosine: +0.000
PART = "{part} of layer {layer}"
PARTS = {
    "attention": "the attention of layer {layer}",
    "ffn": "the FFN of layer {layer}",
    "blocks": "all of layer {layer}",
    "words": "“{part}” entering layer {layer}",
}


def story(grids: Grids, text: int) -> str:
    """Without which part the cosine falls most, and without which it rises most."""
    lost = np.nan_to_num(grids.lost(text))
    total = float(grids.effects.similarity[grids.rows[text]])
    if abs(lost).max() < UNSEEN:
        return fill(NOTHING, text=title_of(grids.texts[text]), total=total)
    part = PARTS.get(grids.effects.of, PART)
    places = [np.unravel_index(at, lost.shape) for at in (lost.argmax(), lost.argmin())]
    names = [
        fill(part, part=grids.parts[row], layer=str(grids.effects.layers[column]))
        for row, column in places
    ]
    told = {"text": title_of(grids.texts[text]), "most": names[0], "least": names[1]}
    ends = {"value": signed(float(lost.max())), "gain": signed(float(-lost.min()))}
    if lost.max() <= 0:
        return fill(NONE_LOST, **told, **ends)
    other = fill(OTHER, **told, **ends) if lost.min() < 0 else ""
    # an effect is no share, but what is lost of more than that can be told so
    whole = OF_TOTAL if float(lost.max()) <= total else MATCH
    return fill(STORY, of=fill(whole, total=total), other=other, **told, **ends)


def status(grids: Grids, text: int, row: int, column: int) -> str:
    """A cell in a line."""
    effects = grids.effects
    told = fill(
        WORDS["status"],
        layer=effects.layers[column],
        part=grids.parts[row],
        cosine=float(effects.similarity[grids.rows[text]]),
        lost=float(grids.lost(text)[row, column]),
    )
    added = grids.added(text)
    if added is None:
        return told
    apart = WORDS["apart"] if grids.apart(text)[row, column] else ""
    return fill(WORDS["with_share"], status=told, share=float(added[row, column]), apart=apart)


def captions(grids: Grids, text: int) -> list[str]:
    """What the figure shows of a `text` and how it is coloured."""
    reach = [number(reach_of(grid)) for grid in grids.grids(text)]
    told = fill(EFFECTS, by=BY[grids.effects.by])
    lines = [f"{told}; ±{reach[0]} at the ends, {ZERO_IN_THE_MIDDLE}"]
    if grids.effects.estimated:
        off, count = grids.effects.off_by, len(grids.effects.checked)
        checked = "" if off is None else " " + fill(CHECKED, count=count, off=off)
        lines.append(ESTIMATED + checked)
    if grids.shares is not None:
        lines += [f"{SHARES}; ±{reach[1]} at the ends, {ZERO_IN_THE_MIDDLE}", DISAGREE]
    else:
        lines.append(NOT_DIRECT)
    lines[-1] += f" {ALONE}"
    return [*what_if(grids.effects.picture.provenance), *lines]


def table(grids: Grids, text: int) -> Table:
    """The parts with the largest effects on a `text`."""
    lost, added = grids.lost(text), grids.added(text)
    order = np.argsort(-abs(lost), axis=None, kind="stable")[:STRONGEST]
    rows = []
    for row, column in zip(*np.unravel_index(order, lost.shape), strict=True):
        numbers = [signed(float(lost[row, column]))]
        if added is not None:
            numbers.append(signed(float(added[row, column])))
        rows.append([str(grids.effects.layers[column]), grids.parts[row], *numbers])
    head = ["layer", "part", "lost without it", *(["its share"] if added is not None else [])]
    title = f"Largest effects on “{title_of(grids.texts[text])}”"
    return {"title": title, "head": head, "rows": rows}
