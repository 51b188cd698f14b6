"""What is each head for, in words? Texts that explain how its output differs between images.

Axes: L layers, H heads.
"""

from dataclasses import dataclass

import numpy as np

from ...checks import layer_of, number_of
from ..owned import Owning

MOST_HEADS = 6  # of the printed table: those whose output differs most between images


@dataclass(frozen=True, eq=False)
class HeadNames(Owning):
    """Every head's name: the texts along which what it writes varies most.

    Attributes
    ----------
    names : (L, H) lists of texts, the one that explains most first
    explained : (L, H, count) share, 0…1, of the variance of the head's output that the texts up to
        each explain together
    variance : (L, H) mean squared distance of the head's output from its mean over the images, in
        the joint space: of a head that always says the same, no name says much
    factors : factor -> (L, H) share of that variance that a known factor of the images explains,
        adjusted for the number of its values; about 0 where it explains nothing
    images : how many were looked at
    layers : which layers the first axis is
    provenance : model and weights
    """

    names: tuple[tuple[tuple[str, ...], ...], ...]
    explained: np.ndarray
    variance: np.ndarray
    factors: dict[str, np.ndarray]
    images: int
    layers: tuple[int, ...]
    provenance: dict[str, str]

    def __repr__(self) -> str:
        layers, heads = self.variance.shape
        most = np.argsort(-self.variance, axis=None, kind="stable")[:MOST_HEADS]
        shown = [self._line(n // heads, n % heads, 3) for n in most.tolist()]
        title = f"<HeadNames of {layers} layers and {heads} heads from {self.images} images>"
        return "\n".join([title, *shown])

    def of(self, layer: int, head: int) -> tuple[str, ...]:
        """The texts of one head; a negative layer counts from the last that was named.

        Raises
        ------
        ValueError : a layer that was not named
        IndexError : no such head
        """
        row = layer_of(len(self.layers), layer) if layer < 0 else None
        if row is None:
            if layer not in self.layers:
                raise ValueError(f"layer {layer} was not named, only {self.layers}")
            row = self.layers.index(layer)
        names = self.names[row]
        return names[number_of(range(len(names)), head, "head", f"layer {layer}")]

    def top(self, factor: str, count: int = 5) -> list[tuple[int, int]]:
        """The (layer, head) whose output a known factor explains the largest share of, that first.

        Parameters
        ----------
        factor : one of `factors`
        count : how many

        Raises
        ------
        ValueError : a factor that was not given
        """
        if factor not in self.factors:
            raise ValueError(
                f"no factor {factor!r}; known are {', '.join(self.factors) or 'none'}: pass "
                "factors={name: a value for every image} to name_heads"
            )
        share = self.factors[factor]
        order = np.argsort(-share, axis=None, kind="stable")[:count]
        places = (np.unravel_index(n, share.shape) for n in order)
        return [(self.layers[int(row)], int(head)) for row, head in places]

    def table(self, count: int = 3) -> list[str]:
        """A line for each head: where it is, the share its texts explain, and they."""
        layers, heads = self.variance.shape
        return [self._line(*place, count) for place in np.ndindex(layers, heads)]

    def _line(self, row: int, head: int, count: int) -> str:
        shown = self.names[row][head][:count]
        share = self.explained[row, head, len(shown) - 1]
        return f"layer {self.layers[row]}, head {head}: {share:4.0%}  {'; '.join(shown)}"
