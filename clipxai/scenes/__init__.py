"""Emoji World: a small world whose ground truth is known, for teaching, testing and training the
embedded model.
"""

from .captions import background_phrases, noun
from .compose import Scene, backgrounds, class_names, compose, sample
from .factors import factors

__all__ = [
    "Scene",
    "background_phrases",
    "backgrounds",
    "class_names",
    "compose",
    "factors",
    "noun",
    "sample",
]
