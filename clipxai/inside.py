"""What was found inside the model? Numbers for the viewers that look at layers, modules and words (numpy only, as `results`).

Axes: L layers, H heads, N = 1 + P tokens (class token first), P patches, T texts, S text tokens.
"""

from dataclasses import dataclass, field

import numpy as np

from .results import Grid


@dataclass(frozen=True, eq=False)
class Picture:
    """The image that was looked at.

    Attributes
    ----------
    image : (H, W, 3) uint8, the original
    grid : where the patches lie on it
    provenance : model and weights
    """

    image: np.ndarray
    grid: Grid
    provenance: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Who looked where, layer by layer.

    Attributes
    ----------
    picture : the image
    mean : kind ("qk", "vv", …) -> (L, N, N) weights averaged over heads; rows (queries) sum to 1
    class_rows : kind -> (L, H, N) where the class token looked, head by head
    entropy : (L, H) mean entropy of the q-k rows in bits; log2(N) is a head that looks everywhere alike
    distance : (L, H) mean distance between a patch and what it looks at, in patches
    on_class : (L, H) mean weight that patches give to the class token
    rollout : (L, N) attention rollout of the class token up to and including each layer (Abnar & Zuidema 2020, arXiv 2005.00928)
    sinks : patches (numbers in 0…P-1) that get far more than their share of attention in the later layers
    """

    picture: Picture
    mean: dict[str, np.ndarray]
    class_rows: dict[str, np.ndarray]
    entropy: np.ndarray
    distance: np.ndarray
    on_class: np.ndarray
    rollout: np.ndarray
    sinks: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each attention and each FFN added to the cosine of image tokens and texts; exact: the parts add up to `similarity`.

    Attributes
    ----------
    picture : the image
    texts : T strings
    attention, ffn : (L, T, N), the modules' shares; token 0 is the class token, whose sum is the image-text score
    embedding, bias : (T, N), shares of the stream entering block 0 and of the final layer norm's bias
    similarity : (T, N) cosines of the unmodified model
    attention_alignment, ffn_alignment : (L,) cosine of the module's class-token output with the final class token
    lens : (L + 1, T, P) cosine of every patch with every text if the network stopped before block l ("logit lens")
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

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: rounding, and nothing else."""
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
    scores : path ("raw", "surgery", "surgery minus the empty text") -> (S, P) cosine or difference of cosines, signed
    whole : path -> (S,) the same with the class token instead of a patch: how much of the image-text match a token carries
    attention : (L, S, S) the text tower's own attention, averaged over heads
    """

    picture: Picture
    text: str
    tokens: tuple[str, ...]
    words: tuple[tuple[str, int, int], ...]
    scores: dict[str, np.ndarray]
    whole: dict[str, np.ndarray]
    attention: np.ndarray
