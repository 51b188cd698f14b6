"""Which text does each pixel belong to? Open-vocabulary segmentation: scores of patches onto the
pixels, then the highest wins.

    e = explain(trace, "clip_surgery_architecture")  # recorded with the names of all classes
    segment(e)                               # every pixel is of one of the texts
    segment(e, background=["sky", "grass"])  # these texts together are the class "background"
    segment(e, threshold=0.4)                # background: where no text gets a probability of 0.4
    segment(e, threshold=0.5, of="map")      # … where no map reaches half its height

The last is for texts that are known to be in the image.

Formula    label(x) = argmax_t s[t, x]
           s = patch scores, bilinear (align_corners False) onto the pixels *before* the argmax
           p(x) = max_t softmax_t(scale * s[t, x]);  background where p(x) < threshold
           of="map": the same with every map brought to 0…1 over its pixels, and p its highest value
           A text whose score is not known at x (NaN) does not compete there; nor does a map without
           variation with of="map", as it has no height.
Reads      the raw signed scores of an `Explanation` (numpy only).
Reference  The protocols of training-free segmentation with CLIP: without background (VOC20,
           Context59, COCO-Stuff, Cityscapes, ADE20k) every pixel belongs to a class; with
           background (VOC21, Context60, COCO-Object) it is given by texts, by a threshold, or by
           both. SCLIP (arXiv 2312.01597): scale 40, threshold 0.1, and 25 names of stuff as texts
           of VOC's background; ClearCLIP (2407.12442): scale 50, the one text "background". CLIP
           Surgery (2304.05653) segments without background, by architecture surgery alone (its
           author, github.com/xmed-lab/CLIP_Surgery/issues/8). of="map" is how class activation maps
           are scored in weakly supervised segmentation, where the labels of an image are given.
Misleads   Every pixel gets a text, also where none fits. What feature surgery subtracts at a pixel
           is the same for all texts, so it never changes the winner: with redundant="empty" not at
           all, with redundant="labels" only through the weights w_t. Scores that are no cosines
           (gradients, attention) have a softmax too, but `scale` was not made for them. With
           of="map" the map of a text that is not there reaches 1 somewhere, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from ..checks import Factor, Share, Side, expect, of_its_kinds, several
from ..results.explanation import Explanation
from ..results.owned import Owning
from ..results.writing import replacing
from .heights import NO_HEIGHT
from .proposal import Proposal

BACKGROUND = "background"
UNSEEN = -1  # label of a pixel that the model did not look at
MOST_TEXTS = np.iinfo(np.int16).max  # a class more, the background, has a number too
SCALE = 40.0  # of the softmax; SCLIP's
VOID = 255  # what UNSEEN becomes in an indexed PNG, as in PASCAL VOC


@dataclass(frozen=True, eq=False)
class Segmentation(Owning):
    """A class for every pixel of one image.

    Attributes
    ----------
    labels : (H, W) int16, numbers in `classes`; -1 where the model did not look, or no score of any
        text is known
    confidence : (H, W) float32, what the threshold is held against: softmax probability of the best
        text, or the height of its map; NaN where the label is -1
    classes : names; with a background, that is number 0
    explanation : the maps it was made from, with image and geometry
    rule : how the labels were chosen, in words
    measure : what `confidence` is, in words
    proposals : of `refine`, how each text came by its mask
    notes : what a reader of the masks has to know, beside the notes of the maps
    """

    labels: np.ndarray
    confidence: np.ndarray
    classes: tuple[str, ...]
    explanation: Explanation
    rule: str
    measure: str
    proposals: tuple[Proposal, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        largest = [*self.legend.items()][:5]
        shares = ", ".join(f"{name!r} {100 * share:.0f} %" for name, share in largest)
        made_by, classes = self.explanation.method, len(self.classes)
        return f"<Segmentation by {made_by} into {classes} classes: {shares}>"

    @cached_property
    def legend(self) -> dict[str, float]:
        """The classes that won a pixel and their share of the image, 0…1, the largest first.

        Examples
        --------
        >>> segment(e, background=["sky", "grass"]).legend
        {'background': 0.9413..., 'a cat': 0.0514..., 'a guitar': 0.0072...}
        """
        numbers, counts = np.unique(self.labels[self.labels != UNSEEN], return_counts=True)
        order = np.argsort(-counts, kind="stable")  # of equal shares the first class first
        return {
            self.classes[number]: float(count) / self.labels.size
            for number, count in zip(numbers[order], counts[order])
        }

    def mask(self, name: str) -> np.ndarray:
        """Pixels (H, W) bool of the class `name`.

        Raises
        ------
        ValueError : a class that is not here; the message says which are

        Examples
        --------
        >>> int(segment(e).mask("a cat").sum())
        5803
        """
        if name not in self.classes:
            there = ", ".join(map(repr, self.classes))
            raise ValueError(f"no class {name!r} in this segmentation; it has: {there}")
        return self.labels == self.classes.index(name)

    def save_mask(self, path: str | Path) -> Path:
        """Write the labels to `path` as an indexed PNG, and return it.

        A pixel's value is its class, in the colours of PASCAL VOC; 255 where the model did not
        look.

        Raises
        ------
        ValueError : another suffix than .png, or more than 255 classes; a file that was read as an
            image, which is never replaced
        FileNotFoundError : the folder does not exist

        Examples
        --------
        >>> segment(e).save_mask("labels.png").name
        'labels.png'
        """
        from PIL import Image  # only for those who save

        path = Path(path)
        if path.suffix.lower() != ".png":
            raise ValueError(
                f"cannot save labels as {path.name!r}: only .png keeps a number for every pixel"
            )
        if len(self.classes) > VOID:
            raise ValueError(
                f"{len(self.classes)} classes, but an indexed PNG holds {VOID}: save `labels` with "
                "numpy instead"
            )
        values = np.where(self.labels == UNSEEN, VOID, self.labels).astype(np.uint8)
        indexed = Image.fromarray(values)
        indexed.putpalette(voc_palette().ravel().tolist())
        with replacing(path) as draft:
            indexed.save(draft)
        return path


@of_its_kinds
def segment(
    explanation: Explanation,
    background: int | str | Sequence[int | str] = (),
    threshold: Share | None = None,
    *,
    of: Literal["probability", "map"] = "probability",
    scale: Factor = SCALE,
    size: tuple[Side, Side] | None = None,
) -> Segmentation:
    """Give every pixel to the text whose score is highest there.

    Parameters
    ----------
    explanation : maps of all classes by one method; the authors of CLIP Surgery take
        "clip_surgery_architecture"
    background : that of its texts (as written or by number), or those that together are the class
        "background"
    threshold : 0…1, below which a pixel is background; None for no such rule
    of : what is compared and what the threshold cuts: raw scores and their softmax "probability",
        or each "map" on its own scale of 0…1
    scale : of the scores in the softmax
    size : (height, width) instead of the image's

    Returns
    -------
    `Segmentation` with labels (H, W)

    Raises
    ------
    TypeError : no Explanation
    ValueError : unknown `of`; a background text that is not in the explanation, that is also a
        class to the model, or no other text; a threshold outside 0…1; a single text, unless its
        own map is cut; more than 32,767 texts; maps that are differences between texts

    Examples
    --------
    >>> segment(explain(trace, "clip_surgery_architecture"), background=["sky", "grass"])
    <Segmentation by clip_surgery_architecture into 3 classes: 'background' 94 %, 'a cat' 5 %, ...>
    """
    expect(Explanation, explanation, "explain")
    expect_no_difference(explanation, "segment")
    texts = explanation.texts
    if len(texts) > MOST_TEXTS:
        raise ValueError(f"{len(texts):,} texts, but at most {MOST_TEXTS:,} can win a pixel")
    behind = {explanation.index(text) for text in several(background)}
    _check(texts, behind, threshold, of)
    alike = _alike(explanation, behind)
    with_background = bool(behind) or threshold is not None
    classes, class_of = _classes(texts, behind, with_background)
    heats = (_compared(explanation, n, size, of) for n in range(len(texts)))
    winner, best, probability = _highest(heats, scale)
    labels, confidence = class_of[winner], probability if of == "probability" else best
    if threshold is not None:
        labels = np.where(confidence < threshold, np.int16(0), labels)
    unseen = np.isneginf(best)
    if of == "map":  # where no map has a height
        silent = best == NO_HEIGHT
        labels, confidence = np.where(silent, np.int16(0), labels), np.maximum(confidence, 0)
        unseen |= silent & (not with_background)
    return Segmentation(
        labels=np.where(unseen, np.int16(UNSEEN), labels),
        confidence=np.where(unseen, np.float32(np.nan), confidence),
        classes=classes,
        explanation=explanation,
        rule=_rule(len(texts), len(behind), threshold, of, scale) + alike,
        measure=_measure(of, scale),
    )


def _classes(
    texts: tuple[str, ...], behind: set[int], with_background: bool
) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the classes, and the class (T,) of every text; 0 is background if there is one."""
    named = [n for n in range(len(texts)) if n not in behind]
    classes = tuple(texts[n] for n in named)
    if with_background:
        if BACKGROUND in classes:
            raise ValueError(
                f"one of the texts is {BACKGROUND!r} itself: pass it as "
                f"background=[{BACKGROUND!r}] too"
            )
        classes = (BACKGROUND, *classes)
    class_of = np.zeros(len(texts), np.int16)
    class_of[named] = np.arange(len(named)) + with_background
    return classes, class_of


def expect_no_difference(explanation: Explanation, verb: str) -> None:
    """A ValueError of differences between texts, which are no scores of texts."""
    if explanation.difference:
        raise ValueError(
            f"{verb} compares scores of texts, but those by {explanation.method} are differences "
            "between texts, as word_maps and contrast give them: pass what explain returns"
        )


def _alike(explanation: Explanation, behind: set[int]) -> str:
    """Said of texts with one map and one cosine, which are the same to the model; a ValueError if
    one of two is background and the other is not.
    """
    scores, presence, pairs = explanation.scores, explanation.presence, []
    order = np.argsort(presence, kind="stable").tolist()
    for one, other in zip(order, order[1:]):
        if presence[other] - presence[one] > 1e-6 or not explanation.varies(one):
            continue
        slack = 1e-5 * np.abs(np.nan_to_num(scores[one])).max()
        if np.allclose(scores[one], scores[other], rtol=0, atol=slack, equal_nan=True):
            pairs.append(sorted((one, other), key=lambda n: (n not in behind, n)))
    for first, second in pairs:
        if (first in behind) != (second in behind):
            raise ValueError(
                f"{explanation.texts[first]!r} is background, but the same to the model as the "
                f"class {explanation.texts[second]!r}: leave one of them out"
            )
    classes = [pair for pair in pairs if not behind.issuperset(pair)][:3]
    names = [" and ".join(repr(explanation.texts[n]) for n in pair) for pair in classes]
    return "".join(f"; {name} are the same to the model, the first wins" for name in names)


def _compared(
    explanation: Explanation, text: int, size: tuple[int, int] | None, of: str
) -> np.ndarray:
    """(H, W) what one text competes with; -inf where it does not, as its score is not known."""
    if of == "probability":
        heat = explanation.heatmap(text, size, "none")
    else:
        heat = explanation.heatmap(text, size)
        if not explanation.varies(text):
            heat = np.where(np.isnan(heat), heat, np.float32(NO_HEIGHT))
    return np.where(np.isnan(heat), np.float32(-np.inf), heat)


def _highest(
    heats: Iterator[np.ndarray], scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W) each: number of the highest map, its value, and its share of the softmax.

    One map at a time, since (T, H, W) of a photo would not fit for many texts: the softmax of the
    winner is 1 / sum_t exp(scale * (s_t - best)), and the sum is rescaled whenever `best` rises.
    """
    best = next(heats)
    winner, total = np.zeros(best.shape, np.int16), np.ones(best.shape, np.float32)
    for n, heat in enumerate(heats, 1):
        higher = np.maximum(best, heat)
        total = total * _power(best, higher, scale) + _power(heat, higher, scale)
        winner, best = np.where(heat > best, np.int16(n), winner), higher
    with np.errstate(divide="ignore"):  # where nobody competes
        return winner, best, 1 / total


def _power(values: np.ndarray, highest: np.ndarray, scale: float) -> np.ndarray:
    """exp(scale * (values - highest)); 0 for what does not compete."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(values), np.float32(0), np.exp(scale * (values - highest)))


def _measure(of: str, scale: float) -> str:
    return f"softmax probability (scale {scale:g})" if of == "probability" else "height"


def _rule(texts: int, behind: int, threshold: float | None, of: str, scale: float) -> str:
    """How labels were chosen, in words."""
    rule = f"highest of {texts} texts"
    if of == "map":
        rule = f"highest of {texts} maps, each on its own scale"
    if behind:
        rule += f", {behind} of which {'is' if behind == 1 else 'are'} background"
    if threshold is not None:
        rule += f"; background where its {_measure(of, scale)} is below {threshold:g}"
    return rule


def _check(texts: tuple[str, ...], behind: set[int], threshold: float | None, of: str) -> None:
    if len(behind) == len(texts):
        raise ValueError(f"all {len(texts)} texts are background: name at least one thing to find")
    if len(texts) == 1 and (of == "probability" or threshold is None):
        raise ValueError(
            f"{texts[0]!r} alone wins every pixel: give more texts, or cut its own map with "
            "of='map', threshold=0.5"
        )


def voc_palette() -> np.ndarray:
    """(256, 3) uint8, PASCAL VOC's colours: the bits of a class number, from the lowest, set the
    highest bits of red, green and blue.
    """
    numbers = np.arange(256)[:, None]
    colours = np.zeros((256, 3), int)
    for bit in range(8):
        colours |= (numbers >> (3 * bit + np.arange(3)) & 1) << (7 - bit)
    return colours.astype(np.uint8)
