"""What did every module, and every head, add to the cosine of image and text? Shares that add up.

Axes: L layers, H heads, N = 1 + P tokens (class token first), P patches, T texts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ...checks import number_of
from ..owned import Owning
from .attention import Selection, selection_ratio, weights_of
from .picture import Picture, Recorded, on_patches


@dataclass(frozen=True, eq=False)
class Contributions(Owning):
    """What each attention and each FFN added to the cosine of image tokens and texts.

    Exact: the parts add up to `similarity`.

    Attributes
    ----------
    picture : the image
    texts : T strings
    attention, ffn : (L, T, N), the modules' shares; token 0 is the class token, whose sum is the
        image-text score, or what a pool read of all tokens
    embedding, bias : (T, N), shares of the stream entering block 0 and of the final layer norm's
        bias, with those of a pool
    similarity : (T, N) cosines of the unmodified model
    attention_alignment, ffn_alignment : (L,) cosine of the module's class-token output with the
        final class token; of what a pool read of it, with all that it read
    lens : (L + 1, T, P) cosine of every patch with every text if the network stopped before block l
        ("logit lens")
    selection : text -> how far each layer's attention stays on the thing, for texts whose mask is
        known (`with_masks`)
    pool : (T, N) shares of the FFN in a pooling head, 0 where the pool has none; None where a class
        token gathers the image and no pool is needed
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
    pool: np.ndarray | None = None

    def __repr__(self) -> str:
        texts = ", ".join(map(repr, self.texts))
        return f"<Contributions of {len(self.attention)} layers to {texts}>"

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
        objects = {text: self._on_object(text, mask) for text, mask in masks.items()}
        L, P = len(self.attention), self.picture.grid.patches
        ratio = {text: {kind: np.empty(L, np.float32) for kind in kinds} for text in masks}
        # texts innermost: the attention of a layer is computed once for all of them
        for kind in kinds:
            for layer in range(L):
                weights = weights_of(trace, layer, kind, image)[:, -P:, -P:]
                for text, on_object in objects.items():
                    ratio[text][kind][layer] = selection_ratio(weights, on_object)
        selection = {}
        for text, on_object in objects.items():
            patches = int(on_object.sum())
            selection[text] = Selection(ratio[text], patches, chance=(patches - 1) / (P - 1))
        return replace(self, selection=selection)

    def _on_object(self, text: str, mask: np.ndarray) -> np.ndarray:
        """(P,) bool, the patches of the thing that `text` names; two or more."""
        if text not in self.texts:
            known = ", ".join(map(repr, self.texts))
            raise ValueError(f"a mask of {text!r}, but the texts are {known}")
        on_object = on_patches(mask, self.picture.grid)
        if on_object.sum() < 2:
            raise ValueError(
                f"the mask of {text!r} covers {on_object.sum()} patches by more than half; "
                "attention within it needs two"
            )
        return on_object

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: only rounding."""
        parts = self.attention.sum(0) + self.ffn.sum(0) + self.embedding + self.bias
        pool = 0 if self.pool is None else self.pool
        return float(abs(parts + pool - self.similarity).max())


@dataclass(frozen=True, eq=False)
class HeadContributions(Owning):
    """What every attention head fetched for the class token from every token, as shares of the
    cosine.

    Exact: the parts add up to `similarity`.

    Attributes
    ----------
    picture : the image
    texts : T strings
    heads : (L, H, T, N), by the token a share was fetched from; token 0 is the class token itself,
        with all else that stands before the patches
    attention_bias : (L, T), shares of the bias behind each layer's heads
    ffn : (L, T), shares of each FFN in the class token
    embedding, norm_bias : (T,), shares of the class token before layer 0 and of the final layer
        norm's bias
    similarity : (T,) cosines of the unmodified model
    pool : (T,) as in `Contributions`
    written : (L, T, P), what all heads of each layer, and the bias behind them, wrote into every
        patch: shares of that patch's own cosine, as `Contributions.attention` has them. None where
        shares are split evenly
    """

    picture: Picture
    texts: tuple[str, ...]
    heads: np.ndarray
    attention_bias: np.ndarray
    ffn: np.ndarray
    embedding: np.ndarray
    norm_bias: np.ndarray
    similarity: np.ndarray
    pool: np.ndarray | None = None
    written: np.ndarray | None = None

    def __repr__(self) -> str:
        layers, heads = self.heads.shape[:2]
        texts = ", ".join(map(repr, self.texts))
        return f"<HeadContributions of {layers} layers and {heads} heads to {texts}>"

    @property
    def residual(self) -> float:
        """Largest difference between the sum of all parts and the similarity: only rounding."""
        parts = (
            self.heads.sum((0, 1, 3))
            + self.attention_bias.sum(0)
            + self.ffn.sum(0)
            + self.embedding
            + self.norm_bias
            + (0 if self.pool is None else self.pool)
        )
        return float(abs(parts - self.similarity).max())

    def written_on(self, text: int | str, mask: np.ndarray) -> np.ndarray:
        """What each layer's attention wrote into the patches of a thing, and into the others.

        Parameters
        ----------
        text : its number, or as written
        mask : where the thing truly is, (H, W) bool; its patches are those that it covers by more
            than half

        Returns
        -------
        (L, 2) means inside and outside, signed shares of the patches' own cosines with the text;
        below 0 where a layer wrote against it

        Raises
        ------
        ValueError : an unknown text; a mask of another size, or with no patch inside or outside;
            shares that were split evenly
        IndexError : no text of that number

        Examples
        --------
        >>> found = head_contributions(trace)
        >>> left = np.zeros(found.picture.grid.image_size, bool)
        >>> left[:, :100] = True
        >>> found.written_on("a cat", left).shape  # layers; inside and outside
        (8, 2)
        """
        if self.written is None:
            raise ValueError(
                "these shares do not say what was written into patches: ask "
                'head_contributions(trace, split="own")'
            )
        inside = on_patches(mask, self.picture.grid)
        if inside.all() or not inside.any():
            raise ValueError(
                f"the mask covers {inside.sum()} of {len(inside)} patches by more than half; a "
                "comparison needs patches inside and outside"
            )
        row = number_of(self.texts, text, "text", "these shares")
        shares = self.written[:, row]
        return np.stack([shares[:, of].mean(-1) for of in (inside, ~inside)], axis=-1)
