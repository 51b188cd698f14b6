"""Which of many texts does an image show? Multi-label recognition: a score for every text that can
be compared across images.

"class token"       softmax_t(scale * s_t), s = cosine of the whole image with each text: zero-shot
                    CLIP (arXiv 2103.00020).
"feature surgery"   w_t s_t - mean_k w_k s_k with w = softmax_t(2 s) / its mean: feature surgery of
                    CLIP Surgery (2304.05653) in its multi-label form, on the class token of the
                    original path, as its released code computes it for every token. What is
                    subtracted is the same for all texts of an image: it changes no ranking of
                    texts, only that of images.
"maps"              mean of the `top` highest patches of each map. This project's definition.

What could be verified of the paper's protocol: features have unit length, CLIP's softmax needs its
logit scale of 100 (github.com/xmed-lab/CLIP_Surgery/issues/20), and mAP is taken from the cosines
of the original path after feature surgery (issue 16). Whether a softmax follows the surgery, and
which class names and prompts were used on NUS-WIDE, could not be.

The measure is mAP: for each class the average precision of ranking images by its score (`clipxai
bench --metrics recognition`).
"""

import inspect
from collections.abc import Callable

import numpy as np

from ..checks import Factor, expect, expect_kinds, of_its_kinds
from ..results.explanation import Explanation
from .segmentation import expect_no_difference

SCALE = 100.0  # logit scale of OpenAI's models


@of_its_kinds
def recognise(
    explanation: Explanation, by: str = "class token", **options: float | None
) -> np.ndarray:
    """How strongly an image shows each text, (T,) float64; higher is more.

    Parameters
    ----------
    explanation : of all classes; only by="maps" depends on its method
    by : a name in `WAYS`
    options : scale= for "class token", temperature= for "feature surgery", top= for "maps"

    Returns
    -------
    (T,) by "class token": probabilities 0…1 (with scale=None cosines, -1…1); by "feature surgery":
    differences of cosines, signed; by "maps": the method's unit

    Raises
    ------
    TypeError : no Explanation; an option that `by` does not have
    ValueError : unknown way; maps that are differences between texts; feature surgery of a single
        text; fewer patches than `top`

    Examples
    --------
    >>> recognise(e, scale=None).round(2)  # cosines of "a cat", "a guitar", "sky", "grass"
    array([ 0.32,  0.45, -0.37, -0.23])
    >>> recognise(e, "maps").round(2)
    array([ 0.48,  0.13, -0.12, -0.  ])
    """
    expect(Explanation, explanation, "explain")
    expect_no_difference(explanation, "recognise")
    if by not in WAYS:
        raise ValueError(f"cannot recognise by {by!r}; choose one of {', '.join(map(repr, WAYS))}")
    known = [name for name in inspect.signature(WAYS[by]).parameters if name != "explanation"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"recognising by {by!r} has no option {unknown[0]!r}; its own: {known}")
    expect_kinds(WAYS[by], options)
    return WAYS[by](explanation, **options)


def by_class_token(explanation: Explanation, scale: Factor | None = SCALE) -> np.ndarray:
    """Softmax of `scale` times the cosines; the cosines themselves where scale is None, as for
    SigLIP, which asks about each text alone.
    """
    cosines = explanation.presence.astype(np.float64)
    return cosines if scale is None else _softmax(scale * cosines)


def by_feature_surgery(explanation: Explanation, temperature: Factor = 2.0) -> np.ndarray:
    """Cosines of the whole image, weighted, minus what all texts share: a difference of cosines,
    signed.
    """
    cosines = explanation.presence.astype(np.float64)
    if len(cosines) == 1:
        raise ValueError(
            "one text has nothing to be compared with: feature surgery needs the names of all "
            "classes"
        )
    weighted = cosines * len(cosines) * _softmax(temperature * cosines)
    return weighted - weighted.mean()


def by_maps(explanation: Explanation, top: int = 1) -> np.ndarray:
    """Mean of the `top` highest patches of each map, in the method's own unit; of those that are
    known, and NaN where none is.
    """
    P = explanation.grid.patches
    if not 1 <= top <= P:
        raise ValueError(f"top={top}, but a map has {P} patches: 1 to {P}")
    patches = explanation.scores.reshape(len(explanation.texts), P).astype(np.float64)
    # negated twice, so that NaN comes last; in order, so that sums do not depend on the rest
    highest = -np.sort(np.partition(-patches, top - 1, axis=1)[:, :top], axis=1)
    known = np.count_nonzero(~np.isnan(highest), axis=1)
    return np.divide(
        np.nansum(highest, axis=1), known, out=np.full(len(known), np.nan), where=known > 0
    )


WAYS: dict[str, Callable[..., np.ndarray]] = {
    "class token": by_class_token,
    "feature surgery": by_feature_surgery,
    "maps": by_maps,
}


def _softmax(logits: np.ndarray) -> np.ndarray:
    # minus the largest: the quotient is the same, and no power overflows
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()
