"""Who looked where, and does attention stay on the thing it starts from?

Axes: L layers, H heads, N = 1 + P tokens (what stands for the image first), P patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...checks import layer_of, several
from ..owned import Owning
from .picture import Picture, Recorded

CLASS, POOL, MEAN = "[class]", "[pool]", "[mean]"  # what may stand for the image
# times its even share of attention, in the second half of the layers, that makes a patch a sink
SINK = 5.0
# Means that are computed by another reduction, or kept in half precision, differ by less; means of
# another model's heads by more.
SAME_MEAN = 0.01


def weights_of(
    trace: Recorded, layer: int, kind: str, image: int, read: np.ndarray | None = None
) -> np.ndarray:
    """(H, N, N) float32 attention of every head of a layer. Of registers no rows; what is given to
    them is counted with the class token, so that rows still sum to 1. Given how much a pool has
    `read` of every token of the stream, the first row is the mean of all so weighted, and there is
    a first column also where nothing stands before the patches.
    """
    weights: np.ndarray = trace.attention(layer, kind)[image].float().cpu().numpy()
    before = weights.shape[-1] - trace.grids[image].patches
    if before < 2 and read is None:
        return weights
    first = weights[..., :before].sum(-1, keepdims=True)
    counted = np.concatenate([first, weights[..., before:]], axis=-1)
    row = counted[:, :1] if read is None else read @ counted[:, None]
    return np.concatenate([row, counted[:, before:]], axis=1)


def selection_ratio(attention: np.ndarray, on_object: np.ndarray) -> float:
    """Foreground selection ratio, 0…1: of the patches that an object patch attends to most, the
    share on the object.

    An object patch chooses k patches, k being the number of the object's other patches, so 1 can be
    reached; itself and the class token are left out. Mean over the object's patches and over heads;
    the mean over images and texts is the mFSR. Chance is k / (P - 1). CLIP Surgery (arXiv
    2304.05653) names the measure; this definition is the project's (`clipxai.measure.layers`).

    Parameters
    ----------
    attention : (H, P, P) weights; rows are the patches that attend
    on_object : (P,) bool, two patches or more

    Returns
    -------
    A number in 0…1

    Raises
    ------
    ValueError : an object of a single patch

    Examples
    --------
    >>> attention = np.array([[[0.6, 0.3, 0.1], [0.1, 0.5, 0.4], [0.3, 0.3, 0.4]]])
    >>> selection_ratio(attention, np.array([True, True, False]))
    0.5
    """
    k = int(on_object.sum()) - 1
    if k < 1:
        raise ValueError(f"an object of {k + 1} patches has no other patch to attend to")
    # below every weight there is, so that no patch chooses itself
    others = np.where(np.eye(len(on_object), dtype=bool), -1, attention)[:, on_object]
    chosen = np.argpartition(-others, k - 1, axis=-1)[..., :k]
    return float(on_object[chosen].mean())


@dataclass(frozen=True, eq=False)
class AttentionMaps(Owning):
    """Who looked where, layer by layer.

    Attributes
    ----------
    picture : the image
    mean : kind ("qk", "vv", …) -> (L, N, N) weights averaged over heads; rows (queries) sum to 1
    class_rows : kind -> (L, H, N) where the class token looked, head by head; of a pool the mean of
        all rows of that head, each token's weighted by how much the pool reads of it at the end
    entropy : (L, H) mean entropy of the q-k rows in bits; log2(`seen`) is a head that looks
        everywhere alike
    distance : (L, H) mean distance between a patch and what it looks at, in patches
    on_class : (L, H) mean weight that patches give to the class token (to what is `beside`)
    rollout : (L, N) attention rollout of the class token up to and including each layer (Abnar &
        Zuidema 2020, arXiv 2005.00928); of a pool its mean over all tokens, weighted as above
    sinks : patches (numbers in 0…P-1) that get far more than their share of attention in the later
        layers
    heads : layer -> kind -> (H, N, N) where every token looked, head by head, for the layers that
        were asked for (`with_heads`)
    whole : what stands for the image, token 0 of the rows: "[class]", the "[pool]" of a learned
        query (SigLIP, PE, CoCa), or the "[mean]" of all patches
    beside : tokens that are looked at and are no patch, token 0 of the columns: "[class]" (with
        registers, if there are any), "[registers]", or "" where there are none: that column is 0
    pool : (heads, tokens of the stream) how much the pool read of every token, head by head of its
        query, each sums to 1; None of a class token
    """

    picture: Picture
    mean: dict[str, np.ndarray]
    class_rows: dict[str, np.ndarray]
    entropy: np.ndarray
    distance: np.ndarray
    on_class: np.ndarray
    rollout: np.ndarray
    sinks: tuple[int, ...]
    heads: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)
    whole: str = CLASS
    beside: str = CLASS
    pool: np.ndarray | None = None

    @property
    def seen(self) -> int:
        """How many tokens can be looked at: an even gaze gives each of them 1 / `seen`."""
        return self.picture.grid.patches + bool(self.beside)

    def __repr__(self) -> str:
        layers, heads = self.entropy.shape
        return f"<AttentionMaps of {layers} layers and {heads} heads by {', '.join(self.mean)}>"

    def with_heads(self, trace: Recorded, layers: int | Sequence[int] = (-1,)) -> "AttentionMaps":
        """The same, and every head's attention of every token in some layers.

        Only those that are asked for: all layers of a ViT-B/16 would be 22 MB a kind.

        Parameters
        ----------
        trace : what these maps were made from
        layers : its number or theirs, negative from the last

        Raises
        ------
        IndexError : no such layer
        ValueError : the trace is of something else

        Examples
        --------
        >>> maps = attention_maps(trace).with_heads(trace, 3)
        >>> maps.heads[3]["qk"].shape  # heads, tokens that look, tokens looked at
        (4, 197, 197)
        """
        image = self.picture.in_trace(trace)
        read = None if self.pool is None else self.pool.mean(0)
        heads = {
            layer_of(len(self.entropy), layer): {
                kind: weights_of(trace, layer, kind, image, read) for kind in self.mean
            }
            for layer in several(layers)
        }
        for layer, kinds in heads.items():
            for kind, weights in kinds.items():
                self._expect_same_mean(weights, self.mean[kind][layer])
        return replace(self, heads=heads)

    @staticmethod
    def _expect_same_mean(heads: np.ndarray, mean: np.ndarray) -> None:
        """The image may be the same although another model looked at it."""
        found = heads.mean(0)
        if found.shape != mean.shape or not np.allclose(found, mean, atol=SAME_MEAN):
            raise ValueError(
                "the heads of this trace have another mean than these maps: it is of another model"
            )


@dataclass(frozen=True, eq=False)
class Selection(Owning):
    """Does attention select the object? The foreground selection ratio of every layer.

    Its mean over images and texts is the mFSR. The paper names the measure; its formula could not
    be read, so this definition is the project's (`clipxai.measure.layers`).

    Attributes
    ----------
    ratio : kind of attention ("qk", "vv", …) -> (L,) of the patches that an object patch attends to
        most, the share on the object, 0…1
    patches : how many patches the object has; an object patch chooses as many as there are others
    chance : the ratio of attention that knows nothing
    """

    ratio: dict[str, np.ndarray]
    patches: int
    chance: float
