"""See what a CLIP model sees.

    import clipxai as cx

    model = cx.load()  # the embedded Emoji World CLIP: no network, no GPU
    trace = cx.record(model, "photo.jpg", ["a dog", "a bicycle"])
    e = cx.explain(trace, "clip_surgery")
    cx.show(e)  # in a notebook
    cx.save(e, "dog.html")  # .html .png .svg .pdf .npz

Everything loads when it is first used, so that drawing a saved explanation needs no torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_WHERE = {
    "load": "model.checkpoints", "CLIP": "model.clip", "IMAGENET_TEMPLATES": "model.templates", "SURGERY_TEMPLATES": "model.templates",
    "record": "trace", "Trace": "trace",
    "Rewrite": "surgery", "rewrite": "surgery", "feature_surgery": "surgery", "PRESETS": "surgery",
    "explain": "explainers", "methods": "explainers", "METHODS": "explainers", "word_relevance": "explainers",
    "attention_maps": "explainers.layers", "contributions": "explainers.layers", "token_scores": "explainers.words",
    "head_contributions": "explainers.decomposition",
    "segment": "tasks", "recognise": "tasks",
    "Explanation": "results", "Grid": "results", "explain_each": "batches", "explain_windows": "windows",
    "show": "view", "save": "view",
    "Explorer": "app",
}  # fmt: skip
_MODULES = ("model", "scenes", "measure", "tasks", "view")
__all__ = [*_WHERE, *_MODULES]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _WHERE:
        globals()[name] = getattr(import_module(f".{_WHERE[name]}", __name__), name)
        return globals()[name]
    raise AttributeError(f"module 'clipxai' has no attribute {name!r}; it has: {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
