"""Numbers for maps: do they point at the object, and does the model know what it shows?

In: scores of one map against one true mask (`localisation`, all at once in `map_scores`), of Emoji
World (`emoji_world`), of attention and features (`layers`), of whether a map is faithful
(`faithfulness`), of words (`word_scores`), of what things did to the score (`effect_scores`, by all
subsets in `coalitions`); data sets (`samples`, `data`, `public_data`, `coco`,
`imagenet_segmentation`, lists of one's own in `listed`, and what is asked of a file of annotations
in `annotations`); a run over one of them (`asking`, `metrics`, `bench`, `run`), and what it adds up
to (`miou`, `meters`, `effect_meter`, `summary`, `columns`, `questions`, `leaderboard`, `report`);
whether a model is read rightly (`doctor`).
Not in: numbers of other people; their protocols differ (`benchmarks/published.md`).

Here stand the functions that measure maps; the rest is imported by those who need it.
"""

from .emoji_world import Localisation, evaluate, localisation, localisations, zero_shot
from .localisation import (
    average_precision,
    energy_inside,
    iou,
    iou_at,
    object_contrast,
    pixel_accuracy,
    pointing_hit,
    score_contrast,
)
from .map_scores import localise

__all__ = [
    "Localisation",
    "average_precision",
    "energy_inside",
    "evaluate",
    "iou",
    "iou_at",
    "localisation",
    "localisations",
    "localise",
    "object_contrast",
    "pixel_accuracy",
    "pointing_hit",
    "score_contrast",
    "zero_shot",
]
