"""What do all subsets of a scene's things and of a text's words say? Exact, and exponential: a
second route beside leaving out one at a time.

Formula    The game v(A, W) = cos(picture of the things A, text of the words W), every subset drawn
           and read. Banzhaf value of a player: the mean, over all subsets of the others, of what it
           adds. Banzhaf interaction of two: the mean of
               v(S + i + j) - v(S + i) - v(S + j) + v(S).
           Where all others are present that is the four-term difference
               f(x, t) - f(x without o, t) - f(x, t without w) + f(x without o, t without w).
Reference  Banzhaf 1965; Grabisch & Roubens 1999 for interactions; between words and patches of CLIP
           FIxLIP (arXiv 2508.05430).
Misleads   A picture of nothing and a text of one comma are far from what the model knows, and count
           as much as the whole.

Axes: a game has an axis of length 2, absent and present, for each player.
"""

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import torch

from ..explainers.leaving_out import kept
from ..model.clip import CLIP, cosines
from ..scenes import Scene


def banzhaf(game: np.ndarray) -> np.ndarray:
    """(n,) value of every player of a game (2, 2, …, 2).

    Examples
    --------
    >>> banzhaf(np.array([[0.0, 1.0], [2.0, 7.0]]))  # alone 2 and 1, together 4 more
    array([4., 3.])
    """
    return np.array([np.diff(game, axis=n).mean() for n in range(game.ndim)])


def interactions(game: np.ndarray) -> np.ndarray:
    """(n, n) Banzhaf interaction of every two players; NaN of one with itself.

    Examples
    --------
    >>> interactions(np.array([[0.0, 1.0], [2.0, 7.0]]))[0, 1].item()
    4.0
    """
    found = np.full((game.ndim, game.ndim), np.nan)
    for one, other in product(range(game.ndim), repeat=2):
        if one != other:
            found[one, other] = np.diff(np.diff(game, axis=one), axis=other).mean()
    return found


def shorter(words: Sequence[str], parts: Sequence[range], present: Sequence[int]) -> str:
    """A text of words with only those `parts` that are `present`, each 1 or 0.

    A part takes along what `leaving_out` says: the article or comma that would be left alone.

    Examples
    --------
    >>> shorter("a cat and a dog".split(), [range(1, 2), range(4, 5)], [0, 1])
    'and a dog'
    """
    rest = [*words]
    for part, here in reversed([*zip(parts, present)]):  # what stands before stays where it is
        if not here:
            rest = [rest[n] for n in kept(rest, part)]
    return " ".join(rest)


@torch.no_grad()
def game(model: CLIP, scene: Scene, words: Sequence[str], parts: Sequence[range]) -> np.ndarray:
    """(2, …, 2) cosines of all subsets: an axis for each thing of the scene, then for each part.

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    scene : from `clipxai.scenes`
    words : of a text
    parts : numbers of the words of each player, in their order; words of none always stay
    """
    pictures = [_drawn(scene, present) for present in _subsets(len(scene.objects))]
    texts = [shorter(words, parts, present) for present in _subsets(len(parts))]
    images = model.encode_image(model.preprocess(pictures))
    found = cosines(images, model.encode_text(texts)).cpu().numpy()
    return found.reshape((2,) * (len(scene.objects) + len(parts)))


def _subsets(players: int) -> Iterable[tuple[int, ...]]:
    """0 or 1 for each player, the last one fastest."""
    return product((0, 1), repeat=players)


def _drawn(scene: Scene, present: Sequence[int]) -> np.ndarray:
    for name, here in zip(scene.objects, present):
        if not here:
            scene = scene.without(name)
    return scene.image
