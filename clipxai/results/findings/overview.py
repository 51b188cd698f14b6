"""What happens between an image and a text, from the first patch to the cosine?

Axes: L layers, H heads, T texts, N tokens of the stream, P patches, S tokens of a text, K tokens
that are looked at most, R blocks that surgery rewrites.
"""

from dataclasses import dataclass

import numpy as np

from ..owned import Owning
from .picture import Picture


@dataclass(frozen=True, eq=False)
class Rows(Owning):
    """Where some tokens look: for each, those that get most of its attention.

    Attributes
    ----------
    tokens : (..., K) their numbers in the stream, the most looked at first
    weights : (..., K) their weights, 0…1; what is missing to 1 went to all others
    level : (...) logarithm of the sum of exp(score) of all tokens, so that a score q·k / √d is
        log(weight) + level; NaN of a mean over heads
    spread : (...) 2 to the entropy in bits: as many tokens looked at alike would be as even
    """

    tokens: np.ndarray
    weights: np.ndarray
    level: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True, eq=False)
class Shares(Owning):
    """What the modules added to the cosines, as `Contributions` has it, and each head to that of
    the whole image.

    Attributes
    ----------
    attention, ffn : (L, T, 1 + P), the whole image first
    heads : (L, H, T) of the whole image, or None if an edit changed what heads read
    fetched : (L, H, T, K) by the tokens of `Overview.class_rows`, or None with `heads`
    """

    attention: np.ndarray
    ffn: np.ndarray
    heads: np.ndarray | None
    fetched: np.ndarray | None


@dataclass(frozen=True, eq=False)
class SecondRail(Owning):
    """The path that CLIP Surgery lays beside the last blocks, for every setting of its switches.

    Setting number n has those switches on whose bit is set in n; 0 is the raw map.

    Attributes
    ----------
    switches : names of options of `clipxai.Rewrite`, lowest bit first: which of "attention",
        "dual_path" and "ffn" the tower has
    maps : (2^switches, R + 1, T, P) cosines of its patches with the texts before its first block
        and after each
    empty : (2^switches, P) cosines of its last patches with the empty text, or None if unknown
    rows : (R, P, K) where patches look by v-v attention, mean over heads
    """

    switches: tuple[str, ...]
    maps: np.ndarray
    empty: np.ndarray | None
    rows: Rows


PAD = "[pad]"  # what fills a text up to the length that its tower was trained with


@dataclass(frozen=True, eq=False)
class Reading(Owning):
    """How a text is read.

    Attributes
    ----------
    tokens : its S tokens as written; those that could not be spelled have numbers, what fills the
        text is `PAD`
    rows : (layers, S) where the token that is read looked, mean over heads
    lens : (layers + 1,) cosine with the image if reading stopped before a layer, or after the last
    """

    tokens: tuple[str, ...]
    rows: np.ndarray
    lens: np.ndarray


@dataclass(frozen=True, eq=False)
class Overview(Owning):
    """The whole model on one image and its texts.

    Attributes
    ----------
    picture : the image
    texts : T strings
    tower : what the image tower is, in words
    layers, width : L attentions (a ResNet has one, at its end) and the width of what they read
    leading : tokens before the patches in the stream: a class token, registers; 0 without
    has_stream : whether blocks add to a stream, one after the other
    lens : (stations, T, 1 + P) cosine of the whole image and of every patch with each text if the
        network stopped before each layer, and after the last; a tower without stream has the last
    class_rows : (L, H, K) where the first token looked, or None if there is no such token
    patch_rows : (L, H or 1, P, K) where patches looked; the mean over heads if they are many; None
        of a tower whose inside is not seen
    values : (L, H or 1, N) length of each token's value
    shares : what modules added to the cosine, or None if no class token gathers it block by block
    rail : the path of CLIP Surgery, or None if there is no attention to rewrite
    readings : of each text; none where there are no token ids
    """

    picture: Picture
    texts: tuple[str, ...]
    tower: str
    layers: int
    width: int
    leading: int
    has_stream: bool
    lens: np.ndarray
    class_rows: Rows | None
    patch_rows: Rows | None
    values: np.ndarray | None
    shares: Shares | None
    rail: SecondRail | None
    readings: tuple[Reading, ...]

    def __repr__(self) -> str:
        texts = ", ".join(map(repr, self.texts))
        return f"<Overview of a {self.tower}, {self.layers} layers, and {texts}>"
