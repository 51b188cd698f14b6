"""What was found inside the model? Numbers for the viewers that look at layers, modules and words
(numpy only, as `results`).

Axes: L layers, H heads, N = 1 + P tokens (class token first), P patches, T texts, S text tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from ..checks import number_of
from .explanation import Grid


class Recorded(Protocol):
    """What knows its images and the attention of every head: a `Trace`."""

    images: Sequence[np.ndarray]
    grids: Sequence[Grid]
    model: Any

    def attention(self, layer: int, kind: str) -> object:
        """(B, H, N, N) weights, a tensor."""


@dataclass(frozen=True, eq=False)
class Picture:
    """The image that was looked at.

    Attributes
    ----------
    image : (H, W, 3) uint8, the original
    grid : where the patches lie on it
    provenance : model and weights
    number : which one it was of those recorded together
    """

    image: np.ndarray
    grid: Grid
    provenance: dict[str, str] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def of(cls, trace: Recorded, image: int) -> "Picture":
        """An image of a trace by its number; an IndexError if there is none."""
        n = number_of(trace.images, image, "image", "this trace")
        return cls(trace.images[n], trace.grids[n], dict(trace.model.provenance), n)

    def in_trace(self, trace: Recorded) -> int:
        """The number of this image in a trace; a ValueError if another image, or none, stands
        there.
        """
        n = self.number
        if (
            n >= len(trace.images)
            or self.grid != trace.grids[n]
            or not np.array_equal(self.image, trace.images[n])
        ):
            raise ValueError(
                f"image {n} of this trace is not the one that was looked at: pass the trace that "
                "it was made from"
            )
        return n


def on_patches(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Patches (P,) bool of which a true mask (H, W) covers more than half.

    Raises
    ------
    ValueError : a mask that is not of the image's size
    """
    import cv2

    if mask.shape != grid.image_size:
        raise ValueError(
            f"the mask has shape {mask.shape}, but the image is {grid.image_size} (height, width)"
        )
    top, left, bottom, right = map(round, grid.box)
    # a mask read from a file may be 0 and 255
    seen = mask[top:bottom, left:right].astype(bool).astype(np.float32)
    return cv2.resize(seen, (grid.width, grid.height), interpolation=cv2.INTER_AREA).ravel() > 0.5


def weights_of(trace: Recorded, layer: int, kind: str, image: int) -> np.ndarray:
    """(H, N, N) float32 attention of every head of a layer."""
    return trace.attention(layer, kind)[image].float().cpu().numpy()


def selection_ratio(attention: np.ndarray, on_object: np.ndarray) -> float:
    """Foreground selection ratio: of the k patches that an object patch attends to most, the share
    on the object, 0…1.

    k is the number of the object's other patches, so 1 can be reached; itself and the class token
    are left out. Mean over the object's patches and over heads; the mean over images and texts is
    the mFSR. Chance is k / (P - 1).

    Parameters
    ----------
    attention : (H, P, P) weights
    on_object : (P,) bool, two patches or more

    Raises
    ------
    ValueError : an object of a single patch
    """
    k = int(on_object.sum()) - 1
    if k < 1:
        raise ValueError(f"an object of {k + 1} patches has no other patch to attend to")
    others = np.where(np.eye(len(on_object), dtype=bool), -1, attention)[:, on_object]
    return float(on_object[np.argpartition(-others, k - 1, axis=-1)[..., :k]].mean())


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Who looked where, layer by layer.

    Attributes
    ----------
    picture : the image
    mean : kind ("qk", "vv", …) -> (L, N, N) weights averaged over heads; rows (queries) sum to 1
    class_rows : kind -> (L, H, N) where the class token looked, head by head
    entropy : (L, H) mean entropy of the q-k rows in bits; log2(N) is a head that looks everywhere
        alike
    distance : (L, H) mean distance between a patch and what it looks at, in patches
    on_class : (L, H) mean weight that patches give to the class token
    rollout : (L, N) attention rollout of the class token up to and including each layer (Abnar &
        Zuidema 2020, arXiv 2005.00928)
    sinks : patches (numbers in 0…P-1) that get far more than their share of attention in the later
        layers
    heads : layer -> kind -> (H, N, N) where every token looked, head by head, for the layers that
        were asked for (`with_heads`)
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

    def __repr__(self) -> str:
        layers, heads = self.entropy.shape
        return f"<AttentionMaps of {layers} layers and {heads} heads by {', '.join(self.mean)}>"

    def with_heads(self, trace: Recorded, layers: int | Sequence[int] = (-1,)) -> "AttentionMaps":
        """The same, and every head's attention of every token in some layers; all layers of a
        ViT-B/16 would be 22 MB a kind.

        Parameters
        ----------
        trace : what these maps were made from
        layers : its number or theirs, negative from the last

        Raises
        ------
        IndexError : no such layer
        ValueError : the trace is of something else
        """
        L, heads, image = len(self.entropy), {}, self.picture.in_trace(trace)
        for layer in [layers] if isinstance(layers, int) else layers:
            if not -L <= layer < L:
                raise IndexError(f"no layer {layer}: there are {L} (0 to {L - 1})")
            heads[layer % L] = {kind: weights_of(trace, layer, kind, image) for kind in self.mean}
        for layer, kinds in heads.items():
            for kind, weights in kinds.items():
                mean = weights.mean(0)
                if mean.shape != self.mean[kind][layer].shape or not np.allclose(
                    mean, self.mean[kind][layer], atol=0.01
                ):
                    raise ValueError(
                        "the heads of this trace have another mean than these maps: it is of "
                        "another model"
                    )
        return replace(self, heads=heads)


@dataclass(frozen=True, eq=False)
class Selection:
    """Does attention select the object? The foreground selection ratio of every layer; its mean
    over images and texts is the mFSR.

    The paper names the measure; its formula could not be read, so this definition is the project's
    (`clipxai.measure.layers`).

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


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each attention and each FFN added to the cosine of image tokens and texts; exact: the
    parts add up to `similarity`.

    Attributes
    ----------
    picture : the image
    texts : T strings
    attention, ffn : (L, T, N), the modules' shares; token 0 is the class token, whose sum is the
        image-text score
    embedding, bias : (T, N), shares of the stream entering block 0 and of the final layer norm's
        bias
    similarity : (T, N) cosines of the unmodified model
    attention_alignment, ffn_alignment : (L,) cosine of the module's class-token output with the
        final class token
    lens : (L + 1, T, P) cosine of every patch with every text if the network stopped before block l
        ("logit lens")
    selection : text -> how far each layer's attention stays on the thing, for texts whose mask is
        known (`with_masks`)
    """

    picture: Picture
    texts: tuple[str, ...]
    attention: np.ndarray
    ffn: np.ndarray
    embedding: np.ndarray
    bias: np.ndarray
    similarity: np.ndarray
    attention_alignment: np.ndarray
    ffn_alignment: np.ndarray
    lens: np.ndarray
    selection: dict[str, Selection] = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"<Contributions of {len(self.attention)} layers to {', '.join(map(repr, self.texts))}>"
        )

    def with_masks(
        self, trace: Recorded, masks: Mapping[str, np.ndarray], kinds: Sequence[str] = ("qk", "vv")
    ) -> "Contributions":
        """The same, and how far attention of each layer selects the thing that a text names.

        Parameters
        ----------
        trace : what these contributions were made from
        masks : text -> true mask (H, W) bool of two patches or more
        kinds : kinds of attention

        Raises
        ------
        ValueError : a mask of a text that is not here, of another size, or of fewer than two
            patches; the trace is of another image
        """
        image = self.picture.in_trace(trace)
        for text in masks:
            if text not in self.texts:
                raise ValueError(
                    f"a mask of {text!r}, but the texts are {', '.join(map(repr, self.texts))}"
                )
        objects = {text: on_patches(mask, self.picture.grid) for text, mask in masks.items()}
        sizes = {text: int(on_object.sum()) for text, on_object in objects.items()}
        for text, size in sizes.items():
            if size < 2:
                raise ValueError(
                    f"the mask of {text!r} covers {size} patches by more than half; attention "
                    "within it needs two"
                )
        ratio = {
            text: {kind: np.empty(len(self.attention), np.float32) for kind in kinds}
            for text in masks
        }
        for kind in kinds:
            for layer in range(len(self.attention)):
                weights = weights_of(trace, layer, kind, image)[:, 1:, 1:]
                for text, on_object in objects.items():
                    ratio[text][kind][layer] = selection_ratio(weights, on_object)
        P = self.picture.grid.patches
        return replace(
            self,
            selection={
                text: Selection(ratio[text], sizes[text], (sizes[text] - 1) / (P - 1))
                for text in masks
            },
        )

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: rounding, and nothing
        else.
        """
        parts = self.attention.sum(0) + self.ffn.sum(0) + self.embedding + self.bias
        return float(abs(parts - self.similarity).max())


@dataclass(frozen=True, eq=False)
class TokenScores:
    """Which text token goes with which patch.

    Attributes
    ----------
    picture : the image
    text : the sentence
    tokens : S strings, "[start]" and "[end]" included
    words : (text, first token, one behind its last token) for every word
    scores : path ("raw", "surgery", "surgery minus the empty text") -> (S, P) cosine or difference
        of cosines, signed
    whole : path -> (S,) the same with the class token instead of a patch: how much of the
        image-text match a token carries
    attention : (L, S, S) the text tower's own attention, averaged over heads
    """

    picture: Picture
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[str, int, int], ...]
    scores: dict[str, np.ndarray]
    whole: dict[str, np.ndarray]
    attention: np.ndarray

    def __repr__(self) -> str:
        return (
            f"<TokenScores of {len(self.tokens)} tokens of {self.text!r}: {', '.join(self.scores)}>"
        )


@dataclass(frozen=True, eq=False)
class HeadContributions:
    """What every attention head fetched for the class token from every token, as shares of the
    cosine; exact: the parts add up.

    Attributes
    ----------
    picture : the image
    texts : T strings
    heads : (L, H, T, N), by the token a share was fetched from; token 0 is the class token itself
    attention_bias : (L, T), shares of the bias behind each layer's heads
    ffn : (L, T), shares of each FFN in the class token
    embedding, norm_bias : (T,), shares of the class token before layer 0 and of the final layer
        norm's bias
    similarity : (T,) cosines of the unmodified model
    """

    picture: Picture
    texts: tuple[str, ...]
    heads: np.ndarray
    attention_bias: np.ndarray
    ffn: np.ndarray
    embedding: np.ndarray
    norm_bias: np.ndarray
    similarity: np.ndarray

    def __repr__(self) -> str:
        layers, heads = self.heads.shape[:2]
        return (
            f"<HeadContributions of {layers} layers and {heads} heads to "
            f"{', '.join(map(repr, self.texts))}>"
        )

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: rounding, and nothing
        else.
        """
        parts = (
            self.heads.sum((0, 1, 3))
            + self.attention_bias.sum(0)
            + self.ffn.sum(0)
            + self.embedding
            + self.norm_bias
        )
        return float(abs(parts - self.similarity).max())


@dataclass(frozen=True, eq=False)
class WordRelevance:
    """Which word of a text mattered for its cosine with an image.

    Attributes
    ----------
    picture : the image
    text : the sentence
    tokens : S strings, "[start]" and "[end]" included
    words : (text, first token, one behind its last token) for every word
    scores : (S,) relevance of each token, signed unless the method knows no sign
    method : name in `clipxai.methods()`
    unit : what a score is
    """

    picture: Picture
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[str, int, int], ...]
    scores: np.ndarray
    method: str
    unit: str

    @property
    def by_word(self) -> dict[str, float]:
        """Word -> sum over its tokens; [start] and [end] are not words. A word that occurs twice is
        told apart by its place.
        """
        names = [word for word, _, _ in self.words]
        return {
            word if names.count(word) == 1 else f"{word} ({start})": float(
                self.scores[start:stop].sum()
            )
            for word, start, stop in self.words
        }

    def __repr__(self) -> str:
        ranked = sorted(self.by_word.items(), key=lambda item: -item[1])
        return (
            f"<WordRelevance by {self.method} ({self.unit}): "
            f"{', '.join(f'{word} {score:+.3g}' for word, score in ranked)}>"
        )
