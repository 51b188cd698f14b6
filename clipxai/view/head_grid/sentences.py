"""What does the grid of heads say?"""

from collections.abc import Sequence

import numpy as np

from ...results.what_if import what_if
from ..number import fill, number, signed
from ..scales import reach_of
from ..sentences import ZERO_IN_THE_MIDDLE, Table, closure, of_total
from ..texts import listed, title_of
from .content import HeadShares

MOST_NAMED = 3  # texts in a summary
CELLS = (
    "Grid: what each head of each layer brought the class token, as a share of its cosine with "
    "the text; red added, blue took away"
)
CELLS_OF_POOL = (
    "Grid: what the pool read of what each head of each layer brought all tokens, as a share of "
    "the image's cosine with the text; red added, blue took away"
)
MAPS = "Maps: the share that was fetched from each patch, by one head and by all heads together"
BELOW = (
    "Below the heads: the bias behind them, and the FFN, which fetches nothing from other tokens."
)
WRITTEN = (
    "Written: what the attention of a layer, its heads and the bias behind them, added to each "
    "patch's own cosine with the text"
)
DIRECT = (
    "Direct shares only: what a head wrote into other tokens, for later layers to fetch, counts "
    "for those layers."
)
SCALES = ("one scale for all heads", "each map on its own scale")
WRITTEN_BY = "written by layer {layer}"
ON_IT = "on it {inside:signed}, off {outside:signed}"
ON_ALL = "mean over patches {mean:number}"
HEAD, ALL_HEADS = "layer {layer}, head {head}", "all heads together"
FROM_PATCHES = "from patches {total:number}"
STRONGEST = 10  # heads in the table
WORDS = {
    "help": (
        "Move over a cell to see what that head fetched, click to keep it. Move over a patch to "
        "read it, click to pin it, Esc unpins. Keys: arrows move by one patch, [ and ] by one "
        "layer, { and } by one head, Space pins, ? shows this line. Layers and heads count from 0."
    ),
    "messenger_help": (
        " The messenger (key m): arrows come from the patches with the largest shares of the head, "
        "and from the one that is pointed at, as wide as their shares; beside them is what the "
        "layer wrote into the patches themselves."
    ),
    "keys": (
        "Arrow keys move over the patches, brackets over the layers, braces over the heads, Space "
        "pins, question mark helps."
    ),
    "table": f"Table: the {STRONGEST} strongest heads",
    "grid": "share of every head; the strongest are in the table below",
    "cell": "layer {layer}, {row}: {value:number}",
    "head": HEAD,
    "all_heads": ALL_HEADS,
    "from_patches": FROM_PATCHES,
    "heads": "heads",
    "messenger": "messenger",
    "written_by": WRITTEN_BY,
    "on_it": ON_IT,
    "on_all": ON_ALL,
    "strongest": "the {count} strongest",
    "their_sum": "{sum:signed}; all together {total:signed}",
    "wrote": "; layer {layer} wrote {written:number} into it",
    "status": (
        "layer {layer}, head {head}: adds {share:signed} to the cosine {cosine:number}, "
        "{patches:signed} from patches, {from_class:signed} from [class]"
    ),
    "at_patch": (
        "layer {layer}, head {head}: {fetched:number} from row {row}, column {column}{pinned}, of "
        "its {share:signed}"
    ),
}


def summary(shares: HeadShares) -> str:
    """What the figure shows, in one line."""
    return (
        f"What each of {shares.layers} × {shares.heads} attention heads brought to the match with "
        f"{listed(shares.texts, MOST_NAMED)}"
    )


def row_names(heads: int) -> list[str]:
    """What stands beside the rows of the grid."""
    return [*(f"head {n}" for n in range(heads)), "bias", "FFN"]


def map_titles(layer: int, head: int) -> Sequence[str]:
    """What stands above the maps: of a head, of all heads, of what the layer wrote."""
    return fill(HEAD, layer=layer, head=head), ALL_HEADS, fill(WRITTEN_BY, layer=layer)


def map_subtitle(total: float) -> str:
    """The line below the title of a map: the sum of its patches."""
    return fill(FROM_PATCHES, total=total)


def written_subtitle(means: np.ndarray) -> str:
    """The same of what a layer wrote: means (3,) inside, outside and of all patches."""
    inside, outside, mean = map(float, means)
    known = np.isfinite(inside) and np.isfinite(outside)
    return fill(ON_IT if known else ON_ALL, inside=inside, outside=outside, mean=mean)


def proof(shares: HeadShares, text: int) -> str:
    """That no part is missing for a `text`: every part, their sum and the cosine."""
    c, row, cells = shares.contributions, shares.rows[text], shares.cells(text)
    heads, bias, ffn = cells[:-2].sum(), cells[-2].sum(), cells[-1].sum()
    ends = float(c.embedding[row]), float(c.norm_bias[row])
    names = ["heads", "their biases", "FFNs", "embedding", "final bias"]
    if shares.pooled:
        names, ends = [*names, "the pool's FFN"], (*ends, float(c.pool[row]))
    parts = zip(names, (heads, bias, ffn, *ends), strict=True)
    named = ", ".join(f"{name} {number(float(value))}" for name, value in parts)
    return f"{named}: {closure(heads + bias + ffn + sum(ends), float(c.similarity[row]))}"


STORY = "For “{text}”, head {head} of layer {layer} brought most: {value}{of}{other}."
OTHER = "; head {head} of layer {layer} took most away: {value}"
NONE_BROUGHT = "For “{text}”, no head added; head {head} of layer {layer} took most away: {value}."


def story(shares: HeadShares, text: int) -> str:
    """Which head brought most to a text, and which took most away."""
    cells, texts = np.nan_to_num(shares.cells(text)[: shares.heads]), shares.texts
    ends = [np.unravel_index(at, cells.shape) for at in (cells.argmax(), cells.argmin())]
    (most, least), named = (
        [
            {"head": str(head), "layer": str(layer), "value": signed(float(cells[head, layer]))}
            for head, layer in ends
        ],
        title_of(texts[text]),
    )
    if cells.max() <= 0:
        return fill(NONE_BROUGHT, text=named, **least)
    other = fill(OTHER, **least) if cells.min() < 0 else ""
    total = float(shares.contributions.similarity[shares.rows[text]])
    of = of_total(float(cells.max()), total)
    return fill(STORY, text=named, of=of, other=other, **most)


BROUGHT = (
    "For “{text}”, head {head} of layer {layer} brought {gathers} {fetched:signed} from patches"
)
WROTE = "; its layer's attention wrote {mean:signed} into each (mean)."
OF_IT = (
    ", {on_it:signed} of it on the outline; its layer's attention wrote {inside:signed} into a "
    "patch there, {outside:signed} into others (means)."
)


def gathers(shares: HeadShares) -> str:
    """What stands for the whole image."""
    return "the image" if shares.pooled else "[class]"


def message(shares: HeadShares, text: int, mask: np.ndarray | None) -> str:
    """What a head fetched, and what its layer wrote, with places for both and their numbers.

    Of the thing in a `mask` (H, W) bool where it is known.
    """
    known = np.isfinite(shares.message(text, mask).written[:, :2]).any()
    return BROUGHT + (OF_IT if known else WROTE)


def captions(shares: HeadShares, text: int) -> list[str]:
    """What the figure shows of a `text` and how it is coloured."""
    one, every = shares.scales(text)
    reach = number(reach_of(shares.cells(text)))
    ends = f"±{number(one.high)} for one head, ±{number(every.high)} for all together"
    written = []
    if shares.tells_written:
        written = [f"{WRITTEN}; ±{number(reach_of(shares.written(text)))}, {ZERO_IN_THE_MIDDLE}"]
    return [
        *what_if(shares.contributions.picture.provenance),
        f"{CELLS_OF_POOL if shares.pooled else CELLS}; ±{reach} at the ends.",
        BELOW,
        f"{MAPS}; {ends}; {ZERO_IN_THE_MIDDLE}",
        *written,
        DIRECT,
    ]


def strongest_heads(shares: HeadShares, text: int) -> Table:
    """The heads with the largest shares of a `text`, added or taken away."""
    cells = shares.cells(text)[: shares.heads]
    order = np.argsort(-abs(cells), axis=None, kind="stable")[:STRONGEST]
    rows = []
    for head, layer in zip(*np.unravel_index(order, cells.shape), strict=True):
        from_class = shares.contributions.heads[layer, head, shares.rows[text], 0]
        shown = signed(float(cells[head, layer])), signed(float(from_class))
        rows.append([str(layer), str(head), *shown])
    title = f"Strongest heads for “{title_of(shares.texts[text])}”"
    return {"title": title, "head": ["layer", "head", "share", "of it from [class]"], "rows": rows}
