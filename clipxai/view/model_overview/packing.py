"""How does the whole model travel into a page?

Of every row of attention only the largest weights travel, with the numbers of their tokens in two
bytes. Where that is too much, rows become shorter, then the second rail keeps its last map only.
"""

from functools import partial
from typing import Literal

import numpy as np

from ...results.findings import Overview, Rows
from ..payload import Arrays, Header, Step
from ..pictures import smaller_photo
from ..scales import DIVERGING, SEQUENTIAL, colour_table, finite
from .sentences import folded


def arrays_of(found: Overview) -> Arrays:
    """Everything the page draws from.

    `lens` (stations, T, 1 + P); `attention`, `ffn` (L, T, 1 + P), `heads` (L, H, T), `fetched`
    (L, H, T, K) where known; rows of [class], of patches and of v-v attention, see `_rows`;
    `values` (L, H or 1, N); `rail` (settings, R + 1, T, P) and `empty` (settings, P).
    """
    arrays: Arrays = {
        SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        DIVERGING: (colour_table(DIVERGING), "u8"),
        "lens": (finite(found.lens), "u16"),
    }
    if found.shares:
        shares = found.shares
        arrays |= {
            "attention": (finite(shares.attention), "u16"),
            "ffn": (finite(shares.ffn), "u16"),
        }
        if shares.heads is not None:
            arrays |= {"heads": (shares.heads, "f32"), "fetched": (finite(shares.fetched), "u16")}
    for name, rows in (("class", found.class_rows), ("patch", found.patch_rows)):
        arrays |= _rows(name, rows) if rows is not None else {}
    if found.values is not None:
        arrays["values"] = (finite(found.values), "u16")
    if found.rail:
        arrays |= {"rail": (finite(found.rail.maps), "u16"), **_rows("vv", found.rail.rows)}
        if found.rail.empty is not None:
            arrays["empty"] = (finite(found.rail.empty), "u16")
    for n, reading in enumerate(found.readings):
        arrays |= {
            f"reading_{n}": (folded(reading)[1], "f32"),
            f"text_lens_{n}": (reading.lens, "f32"),
        }
    return arrays


def _rows(name: str, rows: Rows) -> Arrays:
    """`*_low`, `*_high` (…, K) the bytes of token numbers; `*_weights` (…, K); `*_level` and
    `*_spread` (…).
    """
    return {
        f"{name}_low": ((rows.tokens & 255).astype(np.uint8), "u8"),
        f"{name}_high": ((rows.tokens >> 8).astype(np.uint8), "u8"),
        f"{name}_weights": (rows.weights, "u8sqrt"),
        f"{name}_level": (finite(rows.level), "u16"),
        f"{name}_spread": (finite(rows.spread), "u16"),
    }


def given_up(found: Overview) -> list[Step]:
    """What the figure may give up to keep its budget, in this order."""
    return [
        smaller_photo(found.picture.image),
        _fewer("patch", 8),
        _fewer("patch", 5),
        _fewer("class", 12),
        _fewer("patch", 3),
        ("To keep the figure small, the second rail has its last map only.", _last_map),
        ("To keep the figure small, it is not told where patches look.", _no_rows),
    ]


def _fewer(name: Literal["patch", "class"], most: int) -> Step:
    """Rows of so many tokens."""
    who = "[class]" if name == "class" else "a patch"
    said = f"To keep the figure small, {who} has the {most} tokens that it looks at most."
    return said, partial(_shortened, name, most)


def _shortened(
    name: Literal["patch", "class"], most: int, header: Header, arrays: Arrays
) -> tuple[Header, Arrays]:
    rows = ("class",) if name == "class" else ("patch", "vv")
    names = [f"{of}_{part}" for of in rows for part in ("low", "high", "weights")]
    names += ["fetched"] if name == "class" else []
    cut = {n: (arrays[n][0][..., :most], arrays[n][1]) for n in names if n in arrays}
    kept = "kept_class" if name == "class" else "kept"
    return {**header, kept: min(most, header[kept])}, {**arrays, **cut}


def _last_map(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    if "rail" not in arrays:
        return header, arrays
    values, coding = arrays["rail"]
    return {**header, "rail_stations": 1}, {**arrays, "rail": (values[:, -1:], coding)}


def _no_rows(header: Header, arrays: Arrays) -> tuple[Header, Arrays]:
    rows = ("patch_", "vv_")
    others = {name: array for name, array in arrays.items() if not name.startswith(rows)}
    return {**header, "patch_heads": 0}, others
