"""Which methods can be asked of a model? Those that are not refused before anything runs."""

from ..model.clip import CLIP
from .explain import expect_question
from .method import Method
from .presets import PRESETS
from .table import METHODS


def options_for(method: Method, model: CLIP) -> dict[str, object]:
    """What a method has to be told of a shallow model, or one without a vocabulary."""
    options: dict[str, object] = {}
    layers = len(model.visual.blocks) if "blocks" in model.visual.has else 0
    if method.preset is not None and 0 < layers < PRESETS[method.preset].blocks:
        options["blocks"] = layers
    if "redundant" in method.options and model.tokenizer is None:
        options["redundant"] = "labels"
    return options


def applicable(model: CLIP) -> list[Method]:
    """The rows of the table that can be asked of a model, so told."""
    able = []
    for method in METHODS.values():
        try:
            expect_question(model, method.name, options_for(method, model))
        except ValueError:
            continue
        able.append(method)
    return able
