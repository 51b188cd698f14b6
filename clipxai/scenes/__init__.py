"""Emoji World: a small world whose ground truth is known, for teaching, testing and training the
embedded model.
"""

from .captions import background_phrases, noun
from .compose import Scene, backgrounds, class_names, compose, sample

__all__ = ["Scene", "background_phrases", "backgrounds", "class_names", "compose", "noun", "sample"]
