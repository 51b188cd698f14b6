"""See what a CLIP model sees.

    import clipxai as cx

    model = cx.load()                                       # the embedded Emoji World CLIP: no network, no GPU
    trace = cx.record(model, "photo.jpg", ["a dog", "a bicycle"])
    e = cx.explain(trace, "clip_surgery")
    cx.show(e)                                              # in a notebook
    cx.save(e, "dog.html")                                  # .html .png .svg .pdf .npz

Everything loads when it is first used, so that drawing a saved explanation needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_WHERE = {
    "load": "model.checkpoints", "CLIP": "model.clip", "IMAGENET_TEMPLATES": "model.templates", "SURGERY_TEMPLATES": "model.templates",
    "record": "trace", "Trace": "trace",
    "Rewrite": "surgery", "rewrite": "surgery", "feature_surgery": "surgery", "PRESETS": "surgery",
    "explain": "explainers", "methods": "explainers", "METHODS": "explainers",
    "Explanation": "results", "Grid": "results",
    "show": "view", "save": "view",
}  # fmt: skip
_MODULES = ("scenes", "view", "measure")
__all__ = [*_WHERE, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from . import measure, scenes, view
    from .explainers import METHODS, explain, methods
    from .model.checkpoints import load
    from .model.clip import CLIP
    from .model.templates import IMAGENET_TEMPLATES, SURGERY_TEMPLATES
    from .results import Explanation, Grid
    from .surgery import PRESETS, Rewrite, feature_surgery, rewrite
    from .trace import Trace, record
    from .view import save, show


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _WHERE:
        value = getattr(import_module(f".{_WHERE[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'clipxai' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
