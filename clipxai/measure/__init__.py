"""Numbers for maps: do they point at the object, and does the model know what it shows?

Here stand the functions that measure one map. What adds up over data sets and processes
(`clipxai.measure.meters`, `.bench`), what looks inside (`.layers`), and what asks whether a map is
faithful (`.faithfulness`), is imported by those who need it.
"""

from .emoji_world import Localisation, evaluate, localisation, zero_shot
from .localisation import (
    average_precision,
    energy_inside,
    iou,
    iou_at,
    localise,
    object_contrast,
    pixel_accuracy,
    pointing_hit,
    score_contrast,
)

__all__ = [
    "Localisation",
    "average_precision",
    "energy_inside",
    "evaluate",
    "iou",
    "iou_at",
    "localisation",
    "localise",
    "object_contrast",
    "pixel_accuracy",
    "pointing_hit",
    "score_contrast",
    "zero_shot",
]
