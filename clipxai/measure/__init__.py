"""Numbers for maps: do they point at the object, and does the model know what it shows?"""

from .emoji_world import Localisation, evaluate, localisation, zero_shot
from .localisation import iou, iou_at, object_contrast, pointing_hit, score_contrast

__all__ = [
    "Localisation", "evaluate", "iou", "iou_at", "localisation", "object_contrast", "pointing_hit", "score_contrast", "zero_shot",
]  # fmt: skip
