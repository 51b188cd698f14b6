"""What becomes of scores? An `Explanation` of every image, with what its reader has to know."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

from ..model.clip import cosines
from ..results.explanation import Explanation
from ..results.what_if import what_if
from ..trace.sides import unread
from ..trace.trace import Trace
from .method import Method
from .scores import Scores


def explanations(
    trace: Trace,
    method: Method,
    options: Mapping[str, object],
    scores: Scores,
    texts: Sequence[tuple[str, ...]],
) -> Iterator[Explanation]:
    """Of each image, and of its own of all `texts`, whose scores come first."""
    maps = scores.values.detach().float().transpose(1, 2).unflatten(-1, trace.grid).cpu().numpy()
    whole = trace.image_features[:, None]  # B 1 E
    presence = cosines(whole, trace.text_features)[:, 0].detach().cpu().numpy()
    provenance = trace.provenance
    told = ", ".join(f"{name}={value}" for name, value in options.items())
    changed = what_if(provenance)
    each = ((note,) for note in scores.of_images) if scores.of_images else repeat(())
    for values, grid, image, present, noted, own in zip(
        maps, trace.grids, trace.images, presence, trace.notes, texts, strict=True
    ):
        yield Explanation(
            scores=values[: len(own)],
            texts=own,
            method=method.name,
            grid=grid,
            unit=scores.unit,
            image=image,
            presence=present[: len(own)],
            notes=(*changed, *scores.notes, *next(each), *unread(own, trace.cut), *noted),
            provenance={**provenance, "options": told},
        )
