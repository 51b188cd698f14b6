"""What else is known of a head? The maps with and without it, where it looks, and its name."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...checks import expect
from ...results.explanation import Explanation
from ...results.findings import AttentionMaps, Effects, HeadNames
from ..given import agreement
from ..scales import SEQUENTIAL, Scale, around_zero, reach_of, varies
from .content import Grids

Place = tuple[int, int]  # layer and head
MOST_NAMES = 3


@dataclass(frozen=True, eq=False)
class Details:
    """What a click on a head opens; each part may be missing.

    Attributes
    ----------
    grids : whose cells are told of
    attention : where the class token looks, head by head
    names : what each head is for
    before, without : the map as it is, and those of passes without one head
    """

    grids: Grids
    attention: AttentionMaps | None
    names: HeadNames | None
    before: Explanation | None
    without: Mapping[Place, Explanation]

    def __bool__(self) -> bool:
        return any((self.attention, self.names, self.before))

    def expect_alike(self) -> None:
        """An error unless all are of what the effects are of."""
        effects = self.grids.effects
        if self and (effects.of != "heads" or effects.tower != "image"):
            raise ValueError(
                "attention=, names=, before= and without= are of the image tower's heads: effects "
                "are not"
            )
        if (self.before is None) != (not self.without):
            raise ValueError("before= and without= belong together: the map with and without heads")
        heads = effects.change.shape[1]
        if self.attention is not None:
            expect(AttentionMaps, self.attention, "attention_maps")
            layers, same = self.attention.entropy.shape, self.attention.picture.image
            fits = layers[0] > max(effects.layers) and layers[1] == heads
            if not fits or not np.array_equal(same, effects.picture.image):
                raise ValueError("the attention is not of the same trace as the effects")
        if self.names is not None:
            expect(HeadNames, self.names, "name_heads")
            if self.names.variance.shape[1] != heads:
                raise ValueError("the names are of heads of another model than the effects")
        for map_ in (*filter(None, [self.before]), *self.without.values()):
            self._expect_map(map_, effects)
        for layer, head in self.without:
            if layer not in effects.layers or not 0 <= head < heads:
                raise IndexError(f"without= has head {head} of layer {layer}, the effects have not")

    def _expect_map(self, given: Explanation, effects: Effects) -> None:
        expect(Explanation, given, "explain")
        alike = np.array_equal(given.image, effects.picture.image)
        if not alike or given.grid != effects.picture.grid or given.texts != effects.texts:
            raise ValueError(
                "before= and without= are maps of the effects' image and of all their texts"
            )

    @property
    def mapped(self) -> list[int]:
        """Cells, counted row by row, of the heads that there is a map without."""
        layers = self.grids.effects.layers
        return [head * len(layers) + layers.index(layer) for layer, head in self.without]

    def looks(self) -> np.ndarray | None:
        """(cells, P) where each head looks, the class token itself left out."""
        if self.attention is None:
            return None
        effects, kind = self.grids.effects, next(iter(self.attention.class_rows))
        rows = self.attention.class_rows[kind][list(effects.layers)]  # K H N
        patches = rows[..., rows.shape[-1] - effects.picture.grid.patches :]
        return patches.transpose(1, 0, 2).reshape(-1, patches.shape[-1])

    def maps(self, text: int) -> np.ndarray | None:
        """(1 + maps, P) before, and without each head, of a text."""
        if self.before is None:
            return None
        row = self.grids.rows[text]
        return np.stack([one.scores[row].ravel() for one in (self.before, *self.without.values())])

    def contrasts(self, text: int) -> list[float | None]:
        """Of every map of a text with the truth; None where one of them has nothing to say."""
        row, mask = self.grids.rows[text], self.grids.mask(text)
        maps = () if self.before is None else (self.before, *self.without.values())
        return [
            agreement(e, row, mask).get("contrast")
            if mask is not None and varies(e.scores[row])
            else None
            for e in maps
        ]

    def scale(self, text: int) -> Scale:
        """Of all maps of a text."""
        return around_zero(self.maps(text))

    def name(self, cell: int) -> str:
        """The texts of a head; nothing where it was not named."""
        if self.names is None:
            return ""
        layers = self.grids.effects.layers
        head, layer = divmod(cell, len(layers))
        if layers[layer] not in self.names.layers:
            return ""
        return "; ".join(self.names.of(layers[layer], head)[:MOST_NAMES])


def looking(values: np.ndarray) -> Scale:
    """From nothing to where a head looks most."""
    return Scale(0.0, reach_of(values), SEQUENTIAL)
