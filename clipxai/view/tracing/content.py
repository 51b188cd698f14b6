"""Which numbers does the figure show: layer by layer, what single tokens or words are worth?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...results.findings import Effects
from ..given import lies_on
from ..scales import Scale, around_zero


@dataclass(frozen=True, eq=False)
class Traced:
    """Layers by tokens of a stream.

    Attributes
    ----------
    effects : of patches, tokens or words
    rows : numbers of the chosen texts
    truth : text -> true mask (H, W) bool, where it is known
    """

    effects: Effects
    rows: Sequence[int]
    truth: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """The chosen texts."""
        return tuple(self.effects.texts[row] for row in self.rows)

    @property
    def by_other(self) -> bool:
        """Whether what stands there instead is that of another pass: causal tracing."""
        return self.effects.by == "another pass"

    @property
    def first(self) -> int:
        """Tokens in front of the patches; of words all, as they have no place on the image."""
        tokens = self.effects.change.shape[1]
        return tokens if self.effects.of == "words" else tokens - self.effects.picture.grid.patches

    @property
    def names(self) -> list[str]:
        """Of the tokens that are no patches."""
        if self.effects.of == "words":
            return list(self.effects.words)
        return [["class token", f"register {n - 1}"][n > 0] for n in range(self.first)]

    def mask(self, text: int) -> np.ndarray | None:
        """(H, W) bool, where the thing of a text is; None where that is not known."""
        return self.truth.get(self.texts[text])

    def values(self, text: int) -> np.ndarray:
        """(K, N) the change towards another pass, or what is lost without the token: above zero,
        the token of the other pass, or this one, speaks for the text.
        """
        change = self.effects.change[..., self.rows[text]]
        return change if self.by_other else -change

    def alone(self, text: int) -> np.ndarray:
        """(K, first) of what stands in front of the patches, or of words."""
        return self.values(text)[:, : self.first]

    def patches(self, text: int) -> np.ndarray:
        """(K, P)."""
        return self.values(text)[:, self.first :]

    def scales(self, text: int) -> list[Scale]:
        """Of patches and of the others, each one for all layers, zero in the middle."""
        parts = (self.patches(text), self.alone(text))
        return [around_zero(part) if part.size else Scale(0, 0, "RdBu_r") for part in parts]

    def strongest(self, text: int) -> tuple[int, int]:
        """(row, token) of the largest effect on a text."""
        size = np.nan_to_num(abs(self.values(text)))
        row, token = np.unravel_index(size.argmax(), size.shape)
        return int(row), int(token)

    def on_thing(self, text: int) -> bool | None:
        """Whether the patch that matters most to a text lies on its thing; None where that is not
        known, or no patch changes anything.
        """
        size = np.nan_to_num(abs(self.patches(text)))
        if not size.any():
            return None
        patch = int(size.max(0).argmax())
        return lies_on(self.mask(text), self.effects.picture.grid, patch)

    def shown_layer(self, text: int) -> int:
        """The row whose map is shown first: where a patch matters most."""
        patches = np.nan_to_num(abs(self.patches(text)))
        return int(patches.max(1).argmax()) if patches.size else self.strongest(text)[0]

    def moved(self, text: int) -> int | None:
        """The row from which on the class token matters more than any patch; None: there is none,
        or it is so from the first on.
        """
        if self.effects.of != "tokens" or not self.first:
            return None
        alone = abs(self.values(text)[:, 0])
        less = alone <= abs(self.patches(text)).max(1)
        since = int(less.nonzero()[0].max()) + 1 if less.any() else 0
        return since if 0 < since < len(less) else None
