"""Where do the repairs come from? Attention that stays on an object, and features that light up whatever the text says.

The paper names the measures and shows their values, but its formulas could not be read: mFSR and L1 redundancy as defined here are this
project's.

Axes: L layers, H heads, P patches, E joint width.
"""

import cv2
import numpy as np
import torch
from torch import Tensor

from ..inside import selection_ratio
from ..trace import Kind, Trace

KINDS: tuple[Kind, ...] = ("qk", "vv", "qq", "kk")
REDUNDANCY = ("present and empty", "present and absent", "absent and empty")


def on_patches(mask: np.ndarray, grid: tuple[int, int]) -> Tensor:
    """Patches (P,) bool of which the mask (H, W) covers more than half."""
    return torch.from_numpy(cv2.resize(mask.astype(np.float32), grid[::-1], interpolation=cv2.INTER_AREA) > 0.5).flatten()


def stays_on(attention: Tensor, on_object: Tensor) -> float:
    """Mean share of object patches' attention that goes to object patches; (H, P, P) weights, (P,) bool. The class token is left out."""
    from_object = attention[:, on_object]
    return float((from_object[..., on_object].sum(-1) / from_object.sum(-1)).mean())


def redundancy(patches: Tensor, one: Tensor, other: Tensor) -> float:
    """|m_one - m_other|_1 / |m_one|_1 with m = mean over patches of the product patch * text, before its channels are summed.

    Small between a present label and the empty text: what lights up is redundant. `patches` (P, E) and texts (E,) of unit length.
    """
    m = patches.mean(0)
    return float((m * (one - other)).abs().sum() / (m * one).abs().sum())


@torch.no_grad()
def attention_on(trace: Trace, on_object: Tensor) -> np.ndarray:
    """Selection ratio and attention that stays, of every kind and layer, for one object of the first image: (2, kinds, L)."""
    P = len(on_object)  # the last P tokens are patches, behind the class token if there is one
    weights = [[trace.attention(layer, kind)[0, :, -P:, -P:] for layer in range(len(trace.layers))] for kind in KINDS]
    chosen = on_object.cpu().numpy()
    selected = [[selection_ratio(w.float().cpu().numpy(), chosen) for w in row] for row in weights]
    return np.array([selected, [[stays_on(w, on_object) for w in row] for row in weights]])


@torch.no_grad()
def redundancies(trace: Trace, present: int, absent: int) -> list[float]:
    """The three distances of `REDUNDANCY` on the first image's raw path, for the numbers of a present and of an absent text."""
    patches, empty = trace.image_tokens()[0, 1:], trace.empty_features[0]
    yes, no = trace.text_features[present], trace.text_features[absent]
    return [redundancy(patches, yes, empty), redundancy(patches, yes, no), redundancy(patches, no, empty)]
