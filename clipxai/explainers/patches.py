"""Which patches resemble this one? No text is asked, so image towers alone can be asked, too.

Formula    s[i, j] = cos(x_i, x_j) of patches i and j, each read out as it is for a text.
Reads      the trace's image tokens.
Returns    `Explanation` with a map for each patch asked about; presence is its cosine with the
           whole image.
Reference  as Caron et al. 2021 (arXiv 2104.14294) and Amir et al. 2021 (arXiv 2112.05814) look at
           DINO, there by the keys of a layer; here by what leaves the model.
Misleads   Patches share much that is of no object: cosines may all be near 1, and their order tell.

Axes: B images, P patches, E joint width.
"""

from collections.abc import Sequence

import torch

from ..checks import number_of, of_its_kinds, whole
from ..model.clip import cosines
from ..results.explanation import Explanation
from ..trace.precision import unrounded
from ..trace.trace import Trace

Patch = tuple[int, int]  # row and column


@of_its_kinds
@torch.no_grad()
@unrounded
def patch_similarity(trace: Trace, patches: Patch | Sequence[Patch], image: int = 0) -> Explanation:
    """Which patches of an image resemble the one that is asked about?

    Parameters
    ----------
    trace : from `record`, with texts or without
    patches : (row, column) of a patch in the grid, from 0, negative from the last; or several
    image : number of the image in the batch

    Returns
    -------
    An `Explanation` whose texts name the patches; cosines, signed

    Raises
    ------
    TypeError : no Trace
    ValueError : no patch, or none that is a pair
    IndexError : no image of that number, or no such patch

    Examples
    --------
    >>> found = patch_similarity(trace, (3, 7))
    >>> found.texts, float(found.scores[0, 3, 7])
    (('patch in row 3, column 7',), 1.0)
    """
    n = number_of(trace.images, image, "image", "this trace")
    asked = [_place(place, trace.grid) for place in _several(patches)]
    one = trace.of(n)
    tokens = one.image_tokens()[0]
    chosen = tokens[[1 + row * trace.grid[1] + column for row, column in asked]]
    found = cosines(tokens[None], chosen)[0].T.clamp(-1, 1).cpu()
    return Explanation(
        scores=found[:, 1:].unflatten(1, trace.grid).numpy(),
        texts=tuple(f"patch in row {row}, column {column}" for row, column in asked),
        method="patch_similarity",
        grid=one.grids[0],
        unit="cosine similarity with the patch",
        image=one.images[0],
        presence=found[:, 0].numpy(),
        notes=one.notes[0],
        provenance={**trace.provenance, "options": ""},
    )


def _several(patches: object) -> list[object]:
    """One (row, column), or several."""
    listed = list(patches) if isinstance(patches, (tuple, list)) else []
    if listed and not any(isinstance(part, (tuple, list)) for part in listed):
        listed = [tuple(listed)]
    if not listed or any(not isinstance(p, (tuple, list)) or len(p) != 2 for p in listed):
        raise ValueError(
            f"patches={patches!r}, but a (row, column) is expected, or several, such as [(3, 7)]"
        )
    return listed


def _place(place: Sequence[int], grid: tuple[int, int]) -> Patch:
    """Row and column from 0."""
    row, column = (whole(number, name) for number, name in zip(place, ("row", "column")))
    for number, most, name in ((row, grid[0], "row"), (column, grid[1], "column")):
        if not -most <= number < most:
            raise IndexError(f"{name} {number}, but this grid has {most} (0 to {most - 1})")
    return row % grid[0], column % grid[1]
