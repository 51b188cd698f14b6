"""Which box opens first, and what is the story of a text?"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...results.findings import Overview
from ...results.maps import minmax, rank_correlation
from ..given import WRITTEN_AS_ZERO, contrast
from ..scales import varies


class Story(NamedTuple):
    """What added most to a text's cosine with the whole image.

    Attributes
    ----------
    part : "attention" or "ffn"
    layer, share, cosine : whose, how much of what
    head, head_share : of an attention's, the one that adds most, or None
    place : row and column of the patch it fetched most from, or None for the class token itself
    """

    part: str
    layer: int
    share: float
    cosine: float
    head: int | None
    head_share: float
    place: tuple[int, int] | None


def story(found: Overview, text: int) -> Story | None:
    """That of a text; None where nobody knows what modules add."""
    if found.shares is None:
        return None
    parts = {"attention": found.shares.attention, "ffn": found.shares.ffn}
    of_class = {name: np.nan_to_num(values[:, text, 0]) for name, values in parts.items()}
    part = max(of_class, key=lambda name: of_class[name].max())
    layer = int(of_class[part].argmax())
    told = part, layer, float(of_class[part][layer]), float(found.lens[-1, text, 0])
    heads = found.shares.heads
    if part == "ffn" or heads is None:
        return Story(*told, None, 0.0, None)
    head = int(heads[layer, :, text].argmax())
    return Story(
        *told, head, float(heads[layer, head, text]), fetched_from(found, text, layer, head)
    )


def fetched_from(found: Overview, text: int, layer: int, head: int) -> tuple[int, int] | None:
    """Row and column of the patch from which a head fetched most; None: from the class token."""
    most = int(found.shares.fetched[layer, head, text].argmax())
    return place_of(found, int(found.class_rows.tokens[layer, head, most]))


def place_of(found: Overview, token: int) -> tuple[int, int] | None:
    """Row and column of a token of the stream; None if it is no patch."""
    patch = token - found.leading
    return divmod(patch, found.picture.grid.width) if patch >= 0 else None


def of_texts(found: Overview, rows: Sequence[int]) -> Overview:
    """The same of some of its texts."""
    rows, shares, rail = list(rows), found.shares, found.rail
    if shares is not None:
        known = shares.heads is not None
        shares = replace(
            shares,
            attention=shares.attention[:, rows],
            ffn=shares.ffn[:, rows],
            heads=shares.heads[:, :, rows] if known else None,
            fetched=shares.fetched[:, :, rows] if known else None,
        )
    return replace(
        found,
        texts=tuple(found.texts[row] for row in rows),
        lens=found.lens[:, rows],
        shares=shares,
        rail=rail and replace(rail, maps=rail.maps[:, :, rows]),
        readings=tuple(found.readings[row] for row in rows) if found.readings else (),
    )


def asked(found: Overview) -> list[int]:
    """For every text the patch that is asked where it looks while the whole image is followed: the
    one that its last map is highest at.
    """
    texts = range(len(found.texts))
    maps = [surgery_map(found, n) if found.rail else found.lens[-1, n, 1:] for n in texts]
    return [int(np.nan_to_num(values, nan=-np.inf).argmax()) for values in maps]


def followed(found: Overview) -> tuple[int, int] | None:
    """The patch that is followed from the start, row and column: the one that the last map is
    highest at, where there is attention and no class token to follow.
    """
    if found.class_rows is not None or found.patch_rows is None:
        return None
    return divmod(int(np.nan_to_num(found.lens[-1, 0, 1:]).argmax()), found.picture.grid.width)


def agreement(found: Overview, text: int) -> float | None:
    """Rank correlation of the raw map and that of CLIP Surgery, −1…1; None without the second,
    and where that is near zero all over.
    """
    if found.rail is None or written_as_zero(surgery_map(found, text)):
        return None
    return rank_correlation(found.lens[-1, text, 1:], surgery_map(found, text))


def contrasts(found: Overview, text: int, truth: np.ndarray) -> list[float | None]:
    """Mean of the raw map and of CLIP Surgery's, each from 0 to 1, inside a true mask (H, W) bool
    minus outside; None of one that is near zero all over, nothing of a mask without inside or
    outside.
    """
    maps = [found.lens[-1, text, 1:]] + ([surgery_map(found, text)] if found.rail else [])
    grid = found.picture.grid
    drawn = [grid.onto_image(values.reshape(grid.height, grid.width)) for values in maps]
    if contrast(drawn[0], truth) is None:
        return []
    return [
        None if written_as_zero(values) else contrast(minmax(heat), truth)
        for values, heat in zip(maps, drawn, strict=True)
    ]


def written_as_zero(cosines: np.ndarray) -> bool:
    """Whether a map (P,) has nothing that is told apart from zero, or from one number."""
    return not varies(cosines) or bool(np.nanmax(abs(cosines)) < WRITTEN_AS_ZERO)


def surgery_map(found: Overview, text: int, setting: int = -1, *, minus: bool = True) -> np.ndarray:
    """(P,) the last map of the second rail in a setting of its switches, all on by default; `minus`
    the empty text where it is known.
    """
    cosines = found.rail.maps[setting, -1, text]
    known = minus and found.rail.empty is not None
    return cosines - found.rail.empty[setting] if known else cosines
