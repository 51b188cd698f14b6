"""What would the score be without this part? One number for every part and every text.

Axes: L layers, H heads, N tokens, P patches, W words, T texts, K layers asked about.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...checks import number_of
from ..owned import Owning
from ..writing import replacing
from .lines import in_columns
from .picture import Picture

AXES = {  # what stands along the axes of `change`, but for the texts
    "heads": ("layer", "head"),
    "attention": ("layer",),
    "ffn": ("layer",),
    "blocks": ("layer",),
    "patches": ("layer", "patch"),
    "tokens": ("layer", "token"),
    "words": ("layer", "word"),
}

MOST_TEXTS, MOST_PARTS = 5, 5  # of the printed table


@dataclass(frozen=True, eq=False)
class Effects(Owning):
    """What the cosine of image and text becomes when one part is something else.

    An effect is no share: what is taken away may be made up for by later layers, and what has no
    share of its own may be read by one that has.

    Attributes
    ----------
    picture : the image
    texts : T strings; of `of="words"` the one text
    of : "heads", "attention", "ffn", "blocks", "patches", "tokens" or "words"
    by : what stood there instead: "zero", "mean" or "another pass"
    tower : whose parts, "image" or "text"
    change : (L, H, T) of heads, (L, T) of whole modules, (K, P, T), (K, N, T) or (K, W, 1) of what
        stands in the stream: the cosine with the part changed, minus the cosine as it is. Below
        zero the part spoke for the text
    similarity : (T,) cosines as they are
    layers : the L or K layers of the first axis
    words : the W words, of `of="words"`
    estimated : whether these are first-order estimates by gradient
    other : the image whose pass stood there instead, if one did
    gap : (T,) of another pass: how the cosine changes when all of the tower is that of the other
    checked : of estimates, place in `change` -> (T,) the true effects of the largest
    """

    picture: Picture
    texts: tuple[str, ...]
    of: str
    by: str
    tower: str
    change: np.ndarray
    similarity: np.ndarray
    layers: tuple[int, ...]
    words: tuple[str, ...] = ()
    estimated: bool = False
    other: Picture | None = None
    gap: np.ndarray | None = None
    checked: Mapping[tuple[int, ...], np.ndarray] = field(default_factory=dict)

    @property
    def off_by(self) -> float | None:
        """How far off estimates are, as a share of the true effects, over those `checked`; None
        where nothing was.
        """
        if not self.checked:
            return None
        true = np.stack(list(self.checked.values()))
        off = np.stack([self.change[place] for place in self.checked]) - true
        return float(abs(off).sum() / max(abs(true).sum(), np.finfo(np.float32).tiny))

    def __repr__(self) -> str:
        kind = "estimated effects" if self.estimated else "effects"
        parts = {"attention": "attentions", "ffn": "FFNs"}.get(self.of, self.of)
        count = int(np.prod(self.change.shape[:-1]))
        texts = f"{len(self.texts)} texts" if len(self.texts) > 1 else repr(self.texts[0])
        title = f"<{kind} of {count} {parts} of the {self.tower} tower on {texts} by {self.by}"
        title += f", off by {self.off_by:.0%} where checked>" if self.checked else ">"
        shown = range(min(len(self.texts), MOST_TEXTS))
        size = np.nan_to_num(abs(self.change[..., list(shown)]).max(-1))
        largest = np.argsort(-size, axis=None, kind="stable")[:MOST_PARTS]
        places = [np.unravel_index(n, size.shape) for n in largest]
        rows = [["as it is", *(f"{self.similarity[n]:.3f}" for n in shown)]]
        rows += [[self.part(at), *(f"{self.change[at][n]:+.4f}" for n in shown)] for at in places]
        heads = [" ".join(self.texts[n].split()) or "(empty text)" for n in shown]
        return "\n".join([title, *in_columns(["", *heads], rows)])

    def top(self, text: int | str = 0, count: int = 5) -> list[tuple[str, float]]:
        """The parts that matter most to a text, by the size of their effect, with it.

        Parameters
        ----------
        text : its number, or itself
        count : how many; all if there are fewer

        Raises
        ------
        ValueError, IndexError : no such text

        Examples
        --------
        >>> effects(trace, "attention").top("a cat", 1)[0][0]
        'layer 6'
        """
        column = self.change[..., number_of(self.texts, text, "text", "these effects")]
        order = np.argsort(-abs(column), axis=None, kind="stable")[:count]
        places = (np.unravel_index(n, column.shape) for n in order)
        return [(self.part(place), float(column[place])) for place in places]

    def part(self, place: tuple[int, ...]) -> str:
        """What stands at a place of `change`, for people: "layer 6, head 3"."""
        layer, *rest = place
        names = [f"layer {self.layers[layer]}"]
        for axis, n in zip(AXES[self.of][1:], rest):
            names.append(repr(self.words[n]) if axis == "word" else f"{axis} {n}")
        return ", ".join(names)

    def rows(self) -> list[tuple[str, str, float, float]]:
        """(text, part, cosine as it is, change) of every text and part.

        Examples
        --------
        >>> effects(trace, "ffn").rows()[0][:2]
        ('a cat', 'layer 0')
        """
        places = list(np.ndindex(self.change.shape[:-1]))
        return [
            (text, self.part(at), float(self.similarity[n]), float(self.change[at][n]))
            for n, text in enumerate(self.texts)
            for at in places
        ]

    def save(self, path: str | Path) -> None:
        """Write the numbers to a file.

        Parameters
        ----------
        path : .csv, `rows` with a head; or .npz, the arrays by name and the texts, which
            `numpy.load` reads

        Raises
        ------
        ValueError : another suffix; a file that was read, which is never replaced
        FileNotFoundError : the folder does not exist

        Examples
        --------
        >>> effects(trace, "ffn").save("effects.npz")
        >>> np.load("effects.npz")["change"].shape
        (8, 4)
        """
        suffix = Path(path).suffix.lower()
        if suffix not in (".csv", ".npz"):
            raise ValueError(f"numbers are saved as .csv or .npz, not {Path(path).name!r}")
        with replacing(path) as draft:
            if suffix == ".csv":
                with draft.open("w", newline="", encoding="utf-8") as lines:
                    csv.writer(lines).writerows(
                        [("text", "part", "cosine", "change"), *self.rows()]
                    )
                return
            said = {name: getattr(self, name) for name in ("of", "by", "tower", "estimated")}
            lists = {name: getattr(self, name) for name in ("texts", "words", "layers")}
            arrays = {"change": self.change, "similarity": self.similarity}
            said["provenance"] = json.dumps(self.picture.provenance)
            with draft.open("wb") as file:
                np.savez_compressed(file, **arrays, **lists, **said)

    def agreement(self, other: "Effects") -> float:
        """Spearman's rank correlation, -1…1, of the same parts' effects by another way: of
        estimates with what they estimate, of zeros with means. Mean over texts.

        Parameters
        ----------
        other : of the same parts and texts

        Raises
        ------
        ValueError : of other parts or texts; effects that are all alike have no order

        Examples
        --------
        >>> bool(effects(trace).agreement(effects(trace, estimate=True)) > 0.5)
        True
        """
        mine, theirs = ((e.of, e.tower, e.texts, e.change.shape) for e in (self, other))
        if mine != theirs:
            raise ValueError(f"effects of {mine} cannot be compared with those of {theirs}")
        pairs = zip(*(e.change.reshape(-1, len(e.texts)).T for e in (self, other)))
        return float(np.mean([rank_correlation(a, b) for a, b in pairs]))


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, -1…1, of two arrays of one shape; equal numbers share their rank.

    Raises
    ------
    ValueError : numbers that are all alike, which have no order

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([0.1, 0.3, 0.2]))
    0.5
    """
    ranks = []
    for values in (a.ravel(), b.ravel()):
        _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[inverse])
    centred = [one - one.mean() for one in ranks]
    length = np.prod([np.linalg.norm(one) for one in centred])
    if not length:
        raise ValueError("numbers that are all alike have no order to compare")
    return round(float(centred[0] @ centred[1] / length), 12)
