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


@dataclass(frozen=True, eq=False)
class HeadContributions:
    """What every attention head fetched for the class token from every token, as shares of the cosine; exact: the parts add up.

    Attributes
    ----------
    picture : the image
    texts : T strings
    heads : (L, H, T, N), by the token a share was fetched from; token 0 is the class token itself
    attention_bias : (L, T), shares of the bias behind each layer's heads
    ffn : (L, T), shares of each FFN in the class token
    embedding, norm_bias : (T,), shares of the class token before layer 0 and of the final layer norm's bias
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

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: rounding, and nothing else."""
        parts = self.heads.sum((0, 1, 3)) + self.attention_bias.sum(0) + self.ffn.sum(0) + self.embedding + self.norm_bias
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
        """Word -> sum over its tokens; [start] and [end] are no words. A word that occurs twice is told apart by its place."""
        names = [word for word, _, _ in self.words]
        return {
            word if names.count(word) == 1 else f"{word} ({start})": float(self.scores[start:stop].sum())
            for word, start, stop in self.words
        }

    def __repr__(self) -> str:
        ranked = sorted(self.by_word.items(), key=lambda item: -item[1])
        return f"<WordRelevance by {self.method} ({self.unit}): {', '.join(f'{word} {score:+.3g}' for word, score in ranked)}>"
