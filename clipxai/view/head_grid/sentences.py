"""What does the grid of heads say?"""

from collections.abc import Sequence

from ..number import number
from ..scales import reach_of
from ..sentences import ZERO_IN_THE_MIDDLE, closure
from ..texts import listed
from .content import HeadShares

MOST_NAMED = 3  # texts in a summary
CELLS = (
    "Grid: what each head of each layer brought the class token, as a share of its cosine with "
    "the text; red added, blue took away"
)
MAPS = "Maps: the share that was fetched from each patch, by one head and by all heads together"
BELOW = (
    "Below the heads: the bias behind them, and the FFN, which fetches nothing from other tokens."
)
DIRECT = (
    "Direct shares only: what a head wrote into other tokens, for later layers to fetch, counts "
    "for those layers."
)
SCALES = ("one scale for all heads", "each map on its own scale")
ALL_HEADS = "all heads together"


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
    """What stands above the two maps."""
    return f"layer {layer}, head {head}", ALL_HEADS


def map_subtitle(total: float) -> str:
    """The line below the title of a map: the sum of its patches."""
    return f"from patches {number(total)}"


def proof(shares: HeadShares, text: int) -> str:
    """That no part is missing for a `text`: every part, their sum and the cosine."""
    c, row, cells = shares.contributions, shares.rows[text], shares.cells(text)
    heads, bias, ffn = cells[:-2].sum(), cells[-2].sum(), cells[-1].sum()
    ends = float(c.embedding[row]), float(c.norm_bias[row])
    names = "heads", "their biases", "FFNs", "embedding", "final bias"
    parts = zip(names, (heads, bias, ffn, *ends), strict=True)
    named = ", ".join(f"{name} {number(float(value))}" for name, value in parts)
    return f"{named}: {closure(heads + bias + ffn + sum(ends), float(c.similarity[row]))}"


def captions(shares: HeadShares, text: int) -> list[str]:
    """What the figure shows of a `text` and how it is coloured."""
    one, every = shares.scales(text)
    reach = number(reach_of(shares.cells(text)))
    ends = f"±{number(one.high)} for one head, ±{number(every.high)} for all together"
    return [
        f"{CELLS}; ±{reach} at the ends.",
        BELOW,
        f"{MAPS}; {ends}; {ZERO_IN_THE_MIDDLE}",
        DIRECT,
    ]
