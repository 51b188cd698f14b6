"""Where do the repairs come from? Attention that stays on an object, and features that light up
whatever the text says.

The paper names the measures and shows their values, but its formulas could not be read: mFSR and L1
redundancy as defined here are this project's.

Axes: L layers, H heads, P patches, E joint width.
"""

import numpy as np
import torch
from torch import Tensor

from ..results.findings import selection_ratio, weights_of
from ..trace.trace import Kind, Trace

KINDS: tuple[Kind, ...] = ("qk", "vv", "qq", "kk")
REDUNDANCY = ("present and empty", "present and absent", "absent and empty")


def stays_on(attention: np.ndarray, on_object: np.ndarray) -> float:
    """Mean share, 0…1, of object patches' attention that goes to object patches; the class token is
    left out.

    Parameters
    ----------
    attention : (H, P, P) weights; rows are the patches that attend
    on_object : (P,) bool

    Examples
    --------
    >>> stays_on(np.array([[[0.5, 0.25], [0.5, 0.5]]]), np.array([True, False]))
    0.6666666666666666
    """
    from_object = attention[:, on_object]
    return float((from_object[..., on_object].sum(-1) / from_object.sum(-1)).mean())


def redundancy(patches: Tensor, one: Tensor, other: Tensor) -> float:
    """|m_one - m_other|_1 / |m_one|_1 with m = mean over patches of the product patch * text,
    before its channels are summed.

    Small between a present label and the empty text: what lights up is redundant. `patches` (P, E)
    and texts (E,) of unit length.
    """
    m = patches.mean(0)
    return float((m * (one - other)).abs().sum() / (m * one).abs().sum())


@torch.no_grad()
def attention_on(trace: Trace, on_object: np.ndarray) -> np.ndarray:
    """Selection ratio and attention that stays, of every kind and layer, for one object (P,) of the
    first image: (2, kinds, L).
    """
    P = len(on_object)  # the last P tokens are patches, behind the class token if there is one

    def shares(kind: Kind, layer: int) -> tuple[float, float]:
        weights = weights_of(trace, layer, kind, 0)[:, -P:, -P:]
        return selection_ratio(weights, on_object), stays_on(weights, on_object)

    layers = range(len(trace.layers))
    found = np.array([[shares(kind, layer) for layer in layers] for kind in KINDS])
    return found.transpose(2, 0, 1)


@torch.no_grad()
def redundancies(trace: Trace, present: int, absent: int) -> list[float]:
    """The three distances of `REDUNDANCY` on the first image's raw path, for the numbers of a
    present and of an absent text.
    """
    patches, empty = trace.image_tokens()[0, 1:], trace.empty_features[0]
    yes, no = trace.text_features[present], trace.text_features[absent]
    return [
        redundancy(patches, yes, empty),
        redundancy(patches, yes, no),
        redundancy(patches, no, empty),
    ]
