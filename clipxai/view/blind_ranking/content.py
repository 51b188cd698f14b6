"""Which maps are ranked, in which order are they dealt, and how did a class rank them?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from string import ascii_uppercase

import numpy as np

from ...results.explanation import Explanation
from ..given import Truth, agreement, truth_of
from ..method_names import code_of, method_name, told_apart
from ..scales import varies

MOST = 12  # maps that somebody can rank by eye
IN_A_ROW = 4


@dataclass(frozen=True, eq=False)
class Ballot:
    """Maps as they are dealt, and how they were ranked.

    Attributes
    ----------
    dealt : the explanations, in an order drawn by the seed; the first is map A
    text : what all maps are of
    truth : (H, W) bool
    contrasts : (M,) of every map with the truth
    stamp : what a code of this figure ends with
    votes : (V, M) maps, by number, from the best to the worst; a row of every code
    """

    dealt: tuple[Explanation, ...]
    text: str
    truth: np.ndarray
    contrasts: np.ndarray
    stamp: str
    votes: np.ndarray

    @classmethod
    def of(
        cls,
        explanations: Sequence[Explanation],
        text: int | str,
        truth: Truth,
        seed: int,
        votes: str | Sequence[str],
    ) -> "Ballot":
        """Deal maps, and read the codes of a class.

        Raises
        ------
        ValueError : fewer than two maps or more than can be ranked, one without the text or
            without variation, no truth that has an inside and an outside, a code of another figure
        """
        first = explanations[0]
        named = text if isinstance(text, str) else first.texts[first.index(text)]
        mask = truth_of(truth, named, first.grid.image_size)
        if mask is None:
            raise ValueError(f"the truth of {named!r} is not known: pass its mask as truth=")
        count = len(explanations)
        if not 2 <= count <= MOST:
            raise ValueError(f"{count} maps cannot be ranked by eye: pass 2 to {MOST}")
        order = np.random.default_rng(seed).permutation(count)
        dealt = tuple(explanations[n] for n in order)
        contrasts = np.array([_contrast(e, named, mask) for e in dealt])
        stamp = _stamp(dealt, named)
        return cls(dealt, named, mask, contrasts, stamp, _read(votes, stamp, count))

    @property
    def letters(self) -> str:
        """A letter for every map, as dealt."""
        return ascii_uppercase[: len(self.dealt)]

    @property
    def names(self) -> list[str]:
        """The methods, as dealt; of which model, where one method has several maps, and else which
        map it was.
        """
        return [*map(method_name, told_apart(self.dealt, self.letters))]

    @property
    def columns(self) -> int:
        """Maps in a row."""
        return -(-len(self.dealt) // -(-len(self.dealt) // IN_A_ROW))

    def scores(self, n: int) -> np.ndarray:
        """(gh, gw) of a map."""
        return self.dealt[n].scores[self.dealt[n].index(self.text)]

    def by_contrast(self) -> np.ndarray:
        """(M,) the place of every map by its contrast, from 1; equal ones share the better."""
        return 1 + (self.contrasts[:, None] < self.contrasts).sum(1)

    def counts(self) -> np.ndarray:
        """(M, M) how many of the class gave each map each place."""
        found = np.zeros((len(self.dealt),) * 2, int)
        for vote in self.votes:
            found[vote, np.arange(len(vote))] += 1
        return found

    def means(self) -> np.ndarray:
        """(M,) mean place that the class gave each map, from 1."""
        return 1 + np.argsort(self.votes, 1).mean(0)

    def order(self) -> list[int]:
        """Maps as they stand first: those of the class from the best mean place on; as dealt where
        nobody has voted.
        """
        if not len(self.votes):
            return list(range(len(self.dealt)))
        return np.argsort(self.means(), kind="stable").tolist()

    def pairs(self) -> list[tuple[int, int]]:
        """Two maps each of different contrast, the better first."""
        both = combinations(range(len(self.dealt)), 2)
        sorted_ = ((a, b) if self.contrasts[a] > self.contrasts[b] else (b, a) for a, b in both)
        return [(a, b) for a, b in sorted_ if self.contrasts[a] != self.contrasts[b]]

    def agreements(self) -> np.ndarray:
        """(V,) of every vote, how many of the `pairs` it put in their order."""
        places = np.argsort(self.votes, 1)
        better = [places[:, a] < places[:, b] for a, b in self.pairs()]
        return np.sum(better, 0) if better else np.zeros(len(self.votes), int)


def _contrast(e: Explanation, text: str, mask: np.ndarray) -> float:
    row = e.index(text)
    if not varies(e.scores[row]):
        raise ValueError(f"the map of {text!r} by {code_of(e)} has no variation: leave it out")
    found = agreement(e, row, mask)
    if not found:
        raise ValueError(f"the true mask of {text!r} has no inside, or no outside, on the map")
    return found["contrast"]


def _stamp(dealt: Sequence[Explanation], text: str) -> str:
    """Four letters that another picture, text, choice of methods, model, pass or order has not;
    of the maps only where they are highest, as last digits differ between computers.
    """
    told = [text]
    for e in dealt:
        made = (e.provenance.get(name, "") for name in ("model", "changed"))
        told += [code_of(e), *made, str(np.nanargmax(e.scores[e.index(text)]))]
    said = [dealt[0].image.tobytes(), *(one.encode() for one in told)]
    return sha256(b"\0".join(said)).hexdigest()[:4].upper()


def _read(votes: str | Sequence[str], stamp: str, count: int) -> np.ndarray:
    """Pasted codes (white space, commas or semicolons between them) as maps, (V, M)."""
    pasted = votes if isinstance(votes, str) else " ".join(votes)
    found = []
    for code in re.split(r"[\s,;]+", pasted.strip()) if pasted.strip() else []:
        letters, _, end = code.upper().partition("-")
        if end != stamp or sorted(letters) != list(ascii_uppercase[:count]):
            example = f"{ascii_uppercase[:count]}-{stamp}"
            raise ValueError(
                f"{code!r} is no code of this figure: its codes are {count} letters, each once, "
                f"and end in {stamp}, such as {example}"
            )
        found.append([ascii_uppercase.index(letter) for letter in letters])
    return np.array(found, int).reshape(-1, count)
