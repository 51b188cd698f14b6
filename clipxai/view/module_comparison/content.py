"""Which numbers does the figure show: what attention and FFN of every layer added?"""

import numpy as np

from ...results.findings import Contributions, Selection
from ..scales import Scale, around_zero
from ..texts import Chosen


class ModuleShares(Chosen[Contributions]):
    """What every module added for the chosen texts."""

    @property
    def layers(self) -> int:
        """L."""
        return len(self.contributions.attention)

    @property
    def selections(self) -> list[Selection | None]:
        """How far attention selects the object, for every text whose mask is known."""
        return [self.contributions.selection.get(text) for text in self.texts]

    @property
    def pooled(self) -> bool:
        """Whether a pool reads the image, and no class token gathers it."""
        return self.contributions.pool is not None

    @property
    def bias(self) -> np.ndarray:
        """What is left behind the last layer, (T, N): biases, and a pooling head's FFN."""
        c = self.contributions
        return (c.bias if c.pool is None else c.bias + c.pool)[self.rows]

    def of_class(self, text: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parts of the whole image, which is the class token's: of attention (L,), of FFN (L,), of
        embedding and bias (2,).
        """
        c, row = self.contributions, self.rows[text]
        ends = np.array([c.embedding[row, 0], self.bias[text, 0]])
        return c.attention[:, row, 0], c.ffn[:, row, 0], ends

    def telling_layer(self, text: int) -> int:
        """The layer of the largest part that attention or FFN added or took away."""
        attention, ffn, _ = self.of_class(text)
        return int(np.nan_to_num(np.maximum(abs(attention), abs(ffn))).argmax())

    def cumulative(self, text: int) -> np.ndarray:
        """The class token's sum of parts, (L + 2,) float64.

        After the embedding, after each layer, and with the bias.
        """
        attention, ffn, (embedding, bias) = self.of_class(text)
        layers = attention.astype(np.float64) + ffn
        return np.cumsum([float(embedding), *layers, float(bias)])

    def maps(self, text: int, layer: int) -> np.ndarray:
        """What attention and FFN of a `layer` added per patch, and their difference, (3, P)."""
        c, row = self.contributions, self.rows[text]
        attention, ffn = c.attention[layer, row, 1:], c.ffn[layer, row, 1:]
        return np.stack([attention, ffn, attention - ffn])

    def means(self, text: int, layer: int) -> list[float]:
        """The mean of each of these maps over its patches; NaN where nothing is finite."""
        known = [values[np.isfinite(values)] for values in self.maps(text, layer)]
        return [float(values.mean()) if values.size else np.nan for values in known]

    def scale(self, text: int, layer: int | None = None) -> Scale:
        """The scale that the maps of a `layer` share; by default, that those of all layers do."""
        layers = range(self.layers) if layer is None else [layer]
        return around_zero(*(self.maps(text, n) for n in layers))

    def lens(self, text: int) -> np.ndarray:
        """Cosine of every patch if the network stopped there, (L + 1, P): the logit lens."""
        return self.contributions.lens[:, self.rows[text]]

    def lens_scale(self, text: int) -> Scale:
        """The scale that all logit-lens maps of a text share."""
        return around_zero(self.lens(text))

    def extent(self, text: int) -> list[float]:
        """Lowest and highest part of any patch, for bars of a patch."""
        c, row = self.contributions, self.rows[text]
        parts = c.attention[:, row], c.ffn[:, row], c.embedding[row], self.bias[text]
        values = np.concatenate([np.ravel(part) for part in parts])
        known = values[np.isfinite(values)]
        return [float(known.min()), float(known.max())] if known.size else [0.0, 0.0]
