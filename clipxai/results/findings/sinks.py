"""Which tokens stand out, by their length and by how much they are looked at?

Axes: L layers, N tokens (class token first, where there is one).
"""

from dataclasses import dataclass

import numpy as np

from ..owned import Owning
from .lines import in_columns
from .picture import Picture


@dataclass(frozen=True, eq=False)
class Sinks(Owning):
    """Tokens that serve the model for something else than the patch they stand on.

    Attributes
    ----------
    picture : the image
    norms : (L + 1, N) length of every token entering each layer, and after the last
    received : (L, N) attention that every token receives, mean over heads and over the tokens that
        look, as a multiple of its even share
    norm_above : times the patches' median length that makes an outlier
    attention_above : times its even share of attention that makes one
    class_token : whether token 0 is the class token, which is no sink of either kind
    """

    picture: Picture
    norms: np.ndarray
    received: np.ndarray
    norm_above: float
    attention_above: float
    class_token: bool

    @property
    def by_norm(self) -> np.ndarray:
        """(L + 1, N) bool, the outliers by length."""
        patches = self.norms[:, self.class_token :]
        return self._no_class(self.norms > self.norm_above * np.median(patches, 1, keepdims=True))

    @property
    def by_attention(self) -> np.ndarray:
        """(L, N) bool, the outliers by attention received."""
        return self._no_class(self.received > self.attention_above)

    def patches(self) -> tuple[int, ...]:
        """Patches that are outliers by length somewhere: what `ablate(patches=...)` takes."""
        found = self.by_norm[:, self.class_token :].any(0).nonzero()[0]
        return tuple(found.tolist())

    def _no_class(self, outliers: np.ndarray) -> np.ndarray:
        outliers[:, : self.class_token] = False
        return outliers

    def __repr__(self) -> str:
        told = []
        for name, outliers in (("length", self.by_norm), ("attention", self.by_attention)):
            tokens = outliers.any(0).nonzero()[0]
            since = int(outliers.any(1).argmax())
            several = ", ".join(map(str, tokens[:6].tolist())) + (", …" if len(tokens) > 6 else "")
            told.append(f"by {name} {f'{several} from layer {since}' if len(tokens) else 'none'}")
        title = f"<Sinks: tokens {'; '.join(told)}>"
        patches = self.norms[:, self.class_token :]
        multiples = self.norms[:-1] / np.median(patches, 1, keepdims=True)[:-1]
        rows = []
        for layer in range(len(self.received)):
            row = [f"layer {layer}"]
            for values, found in ((multiples, self.by_norm), (self.received, self.by_attention)):
                token = int(values[layer, self.class_token :].argmax()) + self.class_token
                mark = " *" if found[layer, token] else ""
                row.append(f"{token}: {values[layer, token]:.1f} ×{mark}")
            rows.append(row)
        return "\n".join(
            [title, *in_columns(["* stands out", "longest token", "most looked at"], rows)]
        )
