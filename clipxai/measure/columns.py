"""Which columns does a table of methods have, and which way is better? One row of `COLUMNS` each.

Only what was measured appears, and every IoU says where the map was cut.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from .faithfulness import Fill


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    heading : what stands over it
    metric, number : where the number stands in the scores of a method
    less_is_better : whether the smallest number is the best
    leads : place among the columns of which the first that was measured orders the methods, or None
    decimals : how many are written
    """

    heading: str
    metric: str
    number: str
    less_is_better: bool = False
    leads: int | None = None
    decimals: int = 1

    def of(self, scores: Mapping) -> float | None:
        """The number in the scores of a method; None if it was not measured."""
        return scores.get(self.metric, {}).get(self.number)


OTHER_HALF = "with background at best of other half"
_LOCALISATION = (
    Column("mIoU at 0.5", "localisation", "mIoU at 0.5"),
    Column("at mean", "localisation", "mIoU at mean"),
    Column("at Otsu", "localisation", "mIoU at otsu"),
    Column("at best of other half", "localisation", "mIoU at best of other half", leads=1),
    Column("(at oracle)", "localisation", "mIoU at oracle"),
    Column("mSC", "localisation", "mSC"),
    Column("upside down %", "localisation", "upside down", less_is_better=True),
    Column("object contrast", "localisation", "object contrast"),
    Column("pointing %", "localisation", "pointing"),
    Column("energy %", "localisation", "energy"),
    Column("AP", "localisation", "AP"),
    Column("pixel acc. at 0.5", "localisation", "pixel accuracy at 0.5"),
)
_USES = (
    Column("presence AUROC", "presence", "AUROC", leads=5),
    Column("segmentation mIoU", "segmentation", "mIoU", leads=2),
    Column("with background, at best of other half", "segmentation", OTHER_HALF),
    Column("given labels, at 0.5", "given-labels", "with background at 0.5", leads=3),
    Column("given labels, at best of other half", "given-labels", OTHER_HALF),
    Column("recognition mAP", "recognition", "mAP", leads=4),
    Column("IN-Seg pixel acc.", "imagenet-segmentation", "pixel accuracy"),
    Column("IN-Seg mIoU", "imagenet-segmentation", "mIoU", leads=0),
    Column("IN-Seg mAP", "imagenet-segmentation", "mAP"),
)
_TRUST = (
    *(
        Column(f"{what}, {fill}", "faithfulness", f"{what}, {fill}", less_is_better=less)
        for what, less in (("deletion", True), ("insertion", False))
        for fill in get_args(Fill)
    ),
    Column("drop", "faithfulness", "drop", less_is_better=True),
    Column("increase %", "faithfulness", "increase"),
    Column(
        "size of rank corr. with shuffled weights",
        "randomisation",
        "size of the rank correlation with shuffled weights",
        less_is_better=True,
        decimals=2,  # of 0…1
    ),
    Column("sensitivity", "sensitivity", "largest change", less_is_better=True, decimals=2),
)
_WORDS = tuple(
    column
    for heading, number, leads in (
        ("noun's object of 2, %", "right object of two", None),
        ("of 3, %", "right object of three", 6),
        ("present word, %", "present above absent", None),
        ("if one thing is there, %", "present above absent, one thing", None),
        ("contrast of 2: peak, %", "peak of two", None),
        ("trough, %", "trough of two", None),
        ("contrast of 3: peak, %", "peak of three", None),
        ("trough, %", "trough of three", None),
    )
    for column in (
        Column(heading, "words", number, leads=leads),
        Column("±", "words", f"{number} error", less_is_better=True),
    )
)
_EFFECT = tuple(
    column
    for metric, how, leads in (
        ("effect", "", 7),
        ("effect-mean", ", filled with mean", 8),
        ("effect-blur", ", filled with blur", 9),
    )
    for heading, number, lead in (
        (f"effect{how}: rank corr. x100", "rank correlation", leads),
        ("own text", "rank correlation on own text", None),
        ("others' texts", "rank correlation on others' texts", None),
        ("right first thing %", "right first thing", None),
        ("right sign %", "right sign", None),
    )
    for column in (
        Column(heading, metric, number, leads=lead),
        Column("±", metric, f"{number} error", less_is_better=True),
    )
)
COST = Column("cost in forwards", "cost", "forwards", less_is_better=True, decimals=2)
_REFINED = (
    Column("points", "refined", "points"),
    Column("of them right, %", "refined", "right points"),
    Column("IoU at 0.5", "refined", "plain"),
    Column("by GrabCut", "refined", "grabcut", leads=10),
    Column("by PAMR", "refined", "pamr"),
    Column("later scenes: at 0.5", "refined", "plain, later scenes"),
    Column("by GrabCut", "refined", "grabcut, later scenes"),
    Column("peak elsewhere, %", "refined", "peak elsewhere", less_is_better=True),
    Column("there: at 0.5", "refined", "plain, peak elsewhere"),
    Column("by GrabCut", "refined", "grabcut, peak elsewhere"),
    Column("made worse, %", "refined", "made worse", less_is_better=True),
)
COLUMNS = (*_LOCALISATION, *_USES, *_TRUST, *_EFFECT, *_WORDS, *_REFINED, COST)
# what a test measures again on the first images
REMEASURED = tuple(
    column for column in COLUMNS if column.heading in ("mIoU at 0.5", "mSC", "pointing %", "AP")
)

ABOUT = (  # metrics -> what their columns mean; no metrics: always said
    (
        {"localisation"},
        "Per cent, over (picture, label) pairs. mSC: mean of the min-max map inside the mask minus "
        "outside; upside down: share of maps where that is negative; object contrast: inside the "
        "named object minus inside the others. The threshold of 'best of other half' is one for "
        "all, chosen on pictures that it does not score; 'oracle' is chosen on the very pictures, "
        "an upper bound and no result.",
    ),
    (
        {"presence"},
        "Presence: does a map's highest score rank present labels above absent ones; 50 is chance.",
    ),
    (
        {"segmentation"},
        "Segmentation, per cent: every pixel to the highest of all classes' raw scores; pixels are "
        "summed over the data set, then divided, then averaged over the classes that occur. "
        "Without background only pixels of some class count; with it, background is where the "
        "softmax probability of the best class (scale 40) stays below one threshold, chosen on the "
        "other half of the images.",
    ),
    (
        {"given-labels"},
        "Of given labels, per cent: the same, but only the classes that are in the picture "
        "compete, each map on its own scale of 0…1, and background is where no map reaches the "
        "threshold (0.5, or chosen on the other half).",
    ),
    (
        {"recognition"},
        "Recognition, per cent: mean over classes of the average precision of ranking images, a "
        "map by its highest patch; the class token by its probability among all classes, by its "
        "cosine, and by its cosine after feature surgery with the list of all classes.",
    ),
    (
        {"randomisation"},
        "Rank correlation with the map of the model with shuffled weights, its size whatever its "
        "sign: 0 is a map that owes everything to what was learned.",
    ),
    (
        {"words"},
        "Words, per cent ± bootstrap error over pictures. A caption names all objects: is a noun's "
        "map (the text's minus that without the noun) highest on its own object, of two or three. "
        "A caption names one thing that is there, one that is not: does the former matter more (of "
        "several things the model itself may miss one). Of two objects, does the difference of "
        "their maps peak on the one and have its trough on the other.",
    ),
    (
        {"effect", "effect-mean", "effect-blur"},
        "Effect: does a map tell what made the score? What a text's map sums to inside a thing's "
        "mask, against the change of the cosine when the thing is left out of the scene, all else "
        "equal; over all (thing, text) pairs of a picture's own texts: rank correlation x100 "
        "(all pairs; a thing with its own text, with the others'), whether the thing of the "
        "highest score is that of the largest effect (of several), and whether signs agree; ± "
        "bootstrap error over pictures. Filled with mean or blur: the thing is painted over, "
        "which is the weaker question, as a fill is itself something to look at.",
    ),
    (
        {"refined"},
        "Refined, per cent, over (picture, label) pairs: point prompts of a map and the share on "
        "the right side; IoU of the map cut at one half, and of the masks that GrabCut and PAMR "
        "make of it where the labels that are there compete; the same of pictures from number 500 "
        "on, as GrabCut's thresholds were chosen on Emoji World before them, and of the objects "
        "that the map's peak misses; share of objects that GrabCut made worse.",
    ),
    (set(), "Cost: time on top of the recorded forward pass, in such passes."),
)


def about(results: Mapping) -> str:
    """What the columns mean."""
    return " ".join(
        words for metrics, words in ABOUT if not metrics or metrics.intersection(results["metrics"])
    )


def is_number(value: float | None) -> bool:
    """Whether there is a number to show: not None, not NaN."""
    return value is not None and not math.isnan(value)


def cell(column: Column, value: float | None) -> str:
    """A number as the tables write it."""
    return f"{value:.{column.decimals}f}" if is_number(value) else "–"
