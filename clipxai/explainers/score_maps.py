"""How does a map change with the weights, or with the picture? The numbers of `explain` as a tensor
that carries gradients, for people who train with explanations.

    import torch

    pixels = model.preprocess("photo.jpg").requires_grad_()
    trace = record(model, pixels, ["a cat"], normalized=True, differentiable=True)
    peak = score_maps(trace, "clip_surgery").amax()  # of (B, T, gh, gw)
    torch.autograd.grad(peak, pixels)  # what would make it higher

Axes: B images, T texts, gh gw patch grid, P = gh * gw.
"""

from torch import Tensor

from ..checks import expect, of_its_kinds
from ..trace.flowing import is_flowing
from ..trace.precision import unrounded
from ..trace.trace import Trace
from .explain import expect_question, with_texts_for
from .method import Method
from .table import METHODS, find_method


@of_its_kinds
@unrounded
def score_maps(trace: Trace, method: str = "clip_surgery", **options: object) -> Tensor:
    """The scores of `explain_all` as one tensor, with their gradients.

    Parameters
    ----------
    trace : from `record(..., differentiable=True)`. A graph is walked back once, as everywhere in
        torch: record anew for every step
    method : a name in `methods()` whose scores are cosines of patches and texts, raw or through a
        rewritten path: `explainers.score_maps.DIFFERENTIABLE`
    options : the method's own switches, as for `explain`

    Returns
    -------
    (B, T, gh, gw) raw signed scores, float32, on the model's device

    Raises
    ------
    TypeError : no Trace
    ValueError : as `explain`; a method whose map is itself made of gradients, or of numbers that
        carry none; a trace that was not recorded for gradients, or that was looked at with
        gradients switched off

    Examples
    --------
    >>> import torch
    >>> pixels = model.preprocess("photo.jpg").requires_grad_()
    >>> seen = record(model, pixels, ["a cat"], normalized=True, differentiable=True)
    >>> [slope] = torch.autograd.grad(score_maps(seen).sum(), pixels)
    >>> slope.shape
    torch.Size([1, 3, 112, 112])
    """
    expect(Trace, trace, "record")
    expect_question(trace.model, method, options)
    row = find_method(method)
    if row.name not in DIFFERENTIABLE:
        raise ValueError(
            f"the map of {row.name} carries no gradients; choose one of {', '.join(DIFFERENTIABLE)}"
        )
    if not is_flowing(trace):
        raise ValueError(
            "this trace has no graph: record(..., differentiable=True) keeps it, of weights or "
            "pixels that require gradients"
        )
    values = row.function(with_texts_for(trace, row), **options).values
    if not values.requires_grad:
        raise ValueError(
            "gradients are switched off, or were when this trace was first looked at: call "
            "score_maps outside torch.no_grad(), on a trace recorded for it"
        )
    return values.float().transpose(1, 2).unflatten(-1, trace.grid)


def _is_differentiable(method: Method) -> bool:
    return method.preset is not None or method.name == "reversed_clip"


DIFFERENTIABLE = tuple(name for name, method in METHODS.items() if _is_differentiable(method))
