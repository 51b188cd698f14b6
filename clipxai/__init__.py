"""See what a CLIP model sees.

    import clipxai as cx

    model = cx.load()  # the embedded Emoji World CLIP: no network, no GPU
    trace = cx.record(model, "photo.jpg", ["a dog", "a bicycle"])
    e = cx.explain(trace, "clip_surgery")
    cx.show(e)  # in a notebook
    cx.save(e, "dog.html")  # .html .png .svg .pdf .npz

Everything loads when it is first used, so that drawing a saved explanation needs no torch.
"""

import gc
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_ROOMS = {  # where a public name is kept
    "model.files.checkpoints": ("load",),
    "model.clip": ("CLIP",),
    "model.registers": ("with_registers",),
    "model.words.templates": ("IMAGENET_TEMPLATES", "SURGERY_TEMPLATES"),
    "trace.record": ("record",),
    "trace.trace": ("Trace",),
    "trace.ablate": ("ablate", "patch"),
    "explainers.presets": ("Rewrite", "PRESETS"),
    "explainers.surgery": ("rewrite", "feature_surgery"),
    "explainers.surgery_steps": ("surgery_steps",),
    "explainers.explain": ("explain", "explain_all", "word_relevance"),
    "explainers.differences": ("word_maps", "contrast"),
    "explainers.table": ("methods", "METHODS"),
    "explainers.layers": ("attention_maps", "contributions"),
    "explainers.decomposition": ("head_contributions",),
    "explainers.effects": ("effects",),
    "explainers.patches": ("patch_similarity",),
    "explainers.head_names": ("name_heads",),
    "explainers.sinks": ("sinks",),
    "explainers.register_neurons": ("register_neurons",),
    "explainers.overview": ("overview",),
    "explainers.tokens": ("token_scores",),
    "explainers.score_maps": ("score_maps",),
    "tasks": ("segment", "recognise", "refine"),
    "results.explanation": ("Explanation", "Grid"),
    "measure.doctor": ("doctor",),
    "many.batches": ("explain_each",),
    "many.pairs": ("explain_pairs",),
    "many.windows": ("explain_windows",),
    "view": ("show", "save"),
    "app": ("Explorer",),
    "play.page": ("playground",),
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}
_MODULES = ("model", "scenes", "measure", "tasks", "view")
__all__ = [*_WHERE, *_MODULES]


def _loaded(name: str) -> ModuleType:
    """A module of this package. To look for garbage among the million objects of torch, which stay,
    takes as long as to read what is imported here; so that waits until it has been read.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return import_module(f".{name}", __name__)
    finally:
        if collecting:
            gc.enable()


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _loaded(name)
    if name in _WHERE:
        globals()[name] = getattr(_loaded(_WHERE[name]), name)
        return globals()[name]
    raise AttributeError(
        f"module 'clipxai' has no attribute {name!r}; it has: {', '.join(__all__)}"
    )


def __dir__() -> list[str]:
    return __all__
