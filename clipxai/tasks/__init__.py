"""What are better maps good for? Four answers, all from the raw signed scores of one
`Explanation`.

Segmentation      `segmentation.segment`: each pixel to the text that fits it best.
Recognition       `recognition.recognise`: which of many texts an image shows.
Refinement        `refinement.refine`: a map's mask, to the edge of the thing.
Prompts for SAM   `Explanation.points`: the hottest and the coldest places as point prompts. As in
                  the released code of CLIP Surgery there are two forms: explain(trace,
                  redundant="empty") for texts by themselves, explain(trace, redundant="labels")
                  where the texts are a list of classes whose common part is to go.

Nothing here needs a model or torch: maps come from any method, from `explain_windows`, or from a
saved `.npz`.
"""

from typing import TYPE_CHECKING

from .recognition import recognise
from .segmentation import Segmentation, segment

if TYPE_CHECKING:
    from .refinement import refine

__all__ = ["Segmentation", "recognise", "refine", "segment"]


def __getattr__(name: str) -> object:
    if name == "refine":  # loads OpenCV, which `import clipxai.view` must not
        from .refinement import refine

        return refine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
