"""Which part of CLIP Surgery does what? The map after each of them.

Formula    s of `surgery`, for raw CLIP and then with one part more each time: a second path that
           computes what the model computes; A_vv in place of A_qk on it; no FFN; minus s_empty.
Reads      the trace; the last blocks run once for every part.
Returns    `SurgerySteps`: an `Explanation` for every part, cosines.
Reference  Li et al., "A Closer Look at the Explainability of Contrastive Language-Image
           Pre-training", arXiv 2304.05653, sections 3.2 and 3.3.
Misleads   What a part does depends on those before it: this is one order of several.
"""

from typing import Any

from ..checks import expect, of_its_kinds
from ..results.findings import Picture, SurgerySteps
from ..results.findings.surgery_steps import Part
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .explain import explain
from .presets import PRESETS
from .scores import empty_if_known


@of_its_kinds
def surgery_steps(trace: Trace, image: int = 0) -> SurgerySteps:
    """From raw CLIP to CLIP Surgery, one part after the other.

    Parameters
    ----------
    trace : from `record`, with texts
    image : number of the image in the batch

    Returns
    -------
    `SurgerySteps`: a map for every part, the first by "clip" and the last by "clip_surgery";
    `show` plays them (arXiv 2304.05653)

    Raises
    ------
    TypeError : no Trace
    ValueError : a trace without texts, or a tower that CLIP Surgery does not open
    IndexError : no such image

    Examples
    --------
    >>> found = surgery_steps(trace)
    >>> found.parts
    ('raw', 'path', 'attention', 'ffn', 'empty')
    >>> found.maps[-1].unit
    'cosine similarity minus the empty text'
    """
    expect(Trace, trace, "record")
    expect_texts(trace.model, trace.texts, "surgery_steps")
    picture, one = Picture.of(trace, image), trace.of(image)
    layers, stream = len(one.layers), "blocks" in one.model.visual.has
    usual = PRESETS["clip_surgery"].blocks
    blocks = min(usual, layers) if stream else 1
    asked: dict[Part, dict[str, Any]] = {"raw": {}}
    if stream:
        asked["path"] = {"blocks": blocks, "attention": "qk", "ffn": True}
        asked["attention"] = {"blocks": blocks, "attention": "vv", "ffn": True}
        asked["ffn"] = {"blocks": blocks, "attention": "vv"}
    else:
        asked["attention"] = {"blocks": blocks, "attention": "vv"}
    maps = [explain(one, "clip", **options) for options in asked.values()]
    parts = tuple(asked)
    if empty_if_known(one) is not None:
        less = {"blocks": blocks} if stream and blocks < usual else {}
        maps.append(explain(one, "clip_surgery", **less))
        parts += ("empty",)
    return SurgerySteps(picture, one.texts, parts, tuple(maps), layers, blocks, stream)
