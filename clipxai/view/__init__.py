"""How do you look at an explanation? `show` it, `save` it, or draw a `figure` of your own.

A viewer has a room: what it shows (`content`), what it says (`sentences`), how that is drawn on
paper (`drawing`), and how it gets to the browser (`viewer.py`, `viewer.js`). What the rooms share
lies beside them, for drawings in `paper`, for scripts in `browser`. A room knows no other room.

Not in: what is shown, which others make. Nothing here needs torch: an explanation that was saved as
`.npz` is drawn on any machine. matplotlib loads when something is drawn.
"""

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..checks import shown
from ..results.explanation import Explanation
from ..results.findings import (
    AttentionMaps,
    Contributions,
    Effects,
    HeadContributions,
    Overview,
    Recorded,
    SurgerySteps,
    TokenScores,
    WordRelevance,
)
from ..tasks.segmentation import Segmentation
from .viewer import Viewer, known_suffix
from .word_units import masks_of_words, units_of

if TYPE_CHECKING:
    from .blind_ranking.viewer import BlindRanking
    from .contrast_map.viewer import ContrastMap
    from .effect_grid.viewer import EffectGrid
    from .head_grid.viewer import HeadGrid
    from .label_ranking.viewer import LabelRanking
    from .layer_attention.viewer import LayerAttentionViewer
    from .links import link
    from .mask_steps.viewer import MaskSteps
    from .method_comparison.drawing import figure
    from .method_comparison.viewer import MethodComparison
    from .model_overview.viewer import ModelOverview
    from .module_comparison.viewer import ModuleComparison
    from .prediction.viewer import Prediction
    from .region_map.viewer import RegionMap
    from .stills import still
    from .surgery_walk.viewer import SurgeryWalk
    from .token_map.viewer import TokenMap
    from .tracing.viewer import Tracing
    from .training_steps.viewer import TrainingSteps
    from .word_ranking.viewer import WordRanking

__all__ = [
    "BlindRanking",
    "ContrastMap",
    "EffectGrid",
    "HeadGrid",
    "LabelRanking",
    "LayerAttentionViewer",
    "MaskSteps",
    "MethodComparison",
    "ModelOverview",
    "ModuleComparison",
    "Prediction",
    "RegionMap",
    "SurgeryWalk",
    "TokenMap",
    "Tracing",
    "TrainingSteps",
    "Viewer",
    "WordRanking",
    "figure",
    "link",
    "save",
    "show",
    "still",
]

Found = (
    AttentionMaps
    | Contributions
    | Effects
    | HeadContributions
    | Overview
    | SurgerySteps
    | TokenScores
    | WordRelevance
)


class Known(Protocol):
    """A picture that knows where its things are, as a `Scene` does."""

    def truth(self, texts: Sequence[str]) -> Mapping[str, np.ndarray]:
        """Text -> true mask (H, W) bool, of the texts that name some of them."""


Showable = Explanation | Sequence[Explanation] | Found | Segmentation | Recorded | Viewer
# what is no map has a viewer of its own, and so have a contrast, a refinement and tracing
VIEWERS = {
    AttentionMaps: "LayerAttentionViewer",
    Contributions: "ModuleComparison",
    Effects: "EffectGrid",
    HeadContributions: "HeadGrid",
    Overview: "ModelOverview",
    SurgerySteps: "SurgeryWalk",
    TokenScores: "TokenMap",
    WordRelevance: "WordRanking",
    Segmentation: "RegionMap",
}
# where what is not needed by everybody is kept: a figure waits for its own viewer only
_WHERE = {
    "BlindRanking": "blind_ranking.viewer",
    "ContrastMap": "contrast_map.viewer",
    "EffectGrid": "effect_grid.viewer",
    "HeadGrid": "head_grid.viewer",
    "LabelRanking": "label_ranking.viewer",
    "LayerAttentionViewer": "layer_attention.viewer",
    "MaskSteps": "mask_steps.viewer",
    "MethodComparison": "method_comparison.viewer",
    "ModelOverview": "model_overview.viewer",
    "ModuleComparison": "module_comparison.viewer",
    "Prediction": "prediction.viewer",
    "RegionMap": "region_map.viewer",
    "SurgeryWalk": "surgery_walk.viewer",
    "TokenMap": "token_map.viewer",
    "Tracing": "tracing.viewer",
    "TrainingSteps": "training_steps.viewer",
    "WordRanking": "word_ranking.viewer",
    "figure": "method_comparison.drawing",
    "link": "links",
    "still": "stills",
}


def show(
    what: Showable, *, scene: Known | None = None, truth: Mapping[str, np.ndarray] | None = None
) -> Viewer | None:
    """Show an explanation, or whatever else there is a viewer for.

    Parameters
    ----------
    what : a trace, whose first image is shown with the whole model as one picture; an explanation,
        several of one image, what was found inside (attention maps, words …), a segmentation, or a
        viewer
    scene : where its things truly are, for every text that names some of them: outlines and a
        verdict stand in maps, regions, masks, contrasts and the model as one picture, outlines in
        attention, modules, heads, words and effects
    truth : the same by hand, text -> true mask (H, W) bool; of words word -> mask, of a contrast
        side -> mask, of attention any name -> mask

    Returns
    -------
    None in a notebook, where the figure appears below the cell (a returned one would appear twice);
    elsewhere the viewer, to be saved

    Raises
    ------
    TypeError, ValueError : it cannot be shown; see `MethodComparison`. A truth that is no mask,
        of another picture, or of none of the texts

    Examples
    --------
    >>> from clipxai import explain, load, record, scenes
    >>> scene = scenes.compose(["cat", "guitar"])
    >>> viewer = show(explain(record(load(), scene.image, "a cat")), scene=scene)
    """
    viewer = _viewer(what, scene, truth)
    if not _in_notebook():
        return viewer
    from IPython.display import display

    display(viewer)
    return None


def save(
    what: Showable,
    path: str | Path,
    *,
    scene: Known | None = None,
    truth: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """Write what `show` shows to a file; the suffix decides.

    Parameters
    ----------
    what, scene, truth : what `show` shows
    path : .html (interactive, one file, no network), .png, .svg, .pdf, or .npz (the numbers of one
        explanation, to load again); of effects .npz and .csv, their numbers

    Returns
    -------
    The path. The file appears complete or not at all, and never in place of an image or a
    checkpoint that was read in this process.

    Raises
    ------
    TypeError : it cannot be drawn
    ValueError : unknown suffix, .npz for more than one explanation, a figure too large for its
        budget, or a file that was read
    FileNotFoundError : the folder does not exist
    """
    path = Path(path)
    if path.suffix.lower() in (".npz", ".csv") and not (scene is None and truth is None):
        raise ValueError(f"{path.name!r} holds numbers alone: a truth is drawn in a figure")
    if isinstance(what, Effects) and path.suffix.lower() in (".npz", ".csv"):
        what.save(path)
        return path
    if path.suffix.lower() != ".npz":
        known_suffix(path, (".html", ".png", ".svg", ".pdf", ".npz"))
        return _viewer(what, scene, truth).save(path)
    if not isinstance(what, Explanation):
        raise ValueError(
            f"cannot save {path.name!r}: .npz holds the numbers of one Explanation; save each one "
            "by itself"
        )
    what.to_npz(path)
    return path


def _viewer(
    what: Showable, scene: Known | None = None, truth: Mapping[str, np.ndarray] | None = None
) -> Viewer:
    if isinstance(what, Viewer):
        if scene is not None or truth is not None:
            name = type(what).__name__
            raise TypeError(f"a {name} is told its truth when it is made")
        return what
    if isinstance(what, Recorded):
        # asked by its public name: this room knows neither traces nor who asks them
        what = import_module(__package__.partition(".")[0]).overview(what)
    name = _name_of(what)
    known = _truth(name, what, scene, truth)
    viewer: Viewer = __getattr__(name)(what, **known)
    return viewer


def _name_of(what: Showable) -> str:
    """The viewer of something."""
    if isinstance(what, Explanation) and what.sides:
        return "ContrastMap"
    if isinstance(what, Effects) and _by_place(what):
        return "Tracing"
    if isinstance(what, Segmentation) and what.proposals:
        return "MaskSteps"
    return VIEWERS.get(type(what), "MethodComparison")


def _truth(
    name: str,
    what: Showable,
    scene: Known | None,
    truth: Mapping[str, np.ndarray] | None,
) -> dict[str, Mapping[str, np.ndarray]]:
    """What is known to be true, as the viewer takes it."""
    if scene is None and truth is None:
        return {}
    if not (scene is None or hasattr(scene, "truth")):
        raise TypeError(f"scene={shown(scene)}, but a Scene is needed; masks go to truth=")
    if scene is not None and truth is not None:
        raise TypeError("scene= and truth= say the same: pass one of them")
    if not (truth is None or isinstance(truth, Mapping)):
        raise TypeError(f"truth={shown(truth)}, but a table text -> mask is needed")
    if truth is None:
        listed = what if isinstance(what, Sequence) else [what]
        maps = [one.explanation if isinstance(one, Segmentation) else one for one in listed]
        if not maps or not all(isinstance(e, Explanation) or hasattr(e, "picture") for e in maps):
            return {}  # its viewer says that it cannot be shown
        seen = getattr(scene, "image", None)
        if seen is not None and any(not np.array_equal(_image_of(e), seen) for e in maps):
            raise ValueError(
                "the scene is another picture than the one that was explained; of a changed one "
                "pass truth=scene.truth(texts)"
            )
        truth = _truth_of(name, maps, scene)
    taken_as = "mask" if name == "MethodComparison" else "truth"
    return {taken_as: truth} if truth else {}


def _image_of(found: Any) -> np.ndarray:
    image: np.ndarray = (found if isinstance(found, Explanation) else found.picture).image
    return image


def _truth_of(name: str, maps: Sequence[Any], scene: Any) -> Mapping[str, np.ndarray]:
    """What a scene knows of the texts, words or sides of what was found."""
    if isinstance(maps[0], (TokenScores, WordRelevance)):
        return masks_of_words(units_of(maps[0])[0], scene.truth)
    named = _sides_of if name == "ContrastMap" else _names_in
    truth: Mapping[str, np.ndarray] = scene.truth([text for e in maps for text in named(e, scene)])
    return truth


def _names_in(found: Any, scene: Any) -> Sequence[str]:
    """What names things in what was found: its texts; attention has none, so that all things of a
    scene count.
    """
    if not isinstance(found, AttentionMaps):
        texts: Sequence[str] = found.texts
        return texts
    if not hasattr(scene, "objects"):
        raise TypeError("attention has no texts: which things does the scene have? Pass truth=")
    return list(scene.objects)


def _sides_of(found: Any, scene: Any) -> Sequence[str]:
    """What names things in a contrast: its one text is both of them."""
    sides: Sequence[str] = found.sides
    return sides


def _by_place(found: Effects) -> bool:
    """Whether effects are of tokens with a place, or trace words through another caption."""
    traced = found.of == "words" and found.by == "another pass"
    return traced or found.of in ("patches", "tokens")


def _in_notebook() -> bool:
    """Whether a kernel runs this; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return hasattr(shell, "kernel")


def __getattr__(name: str) -> Any:
    rooms = {where.partition(".")[0] for where in _WHERE.values()}
    if name in rooms:
        return import_module(f".{name}", __name__)
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = getattr(import_module(f".{_WHERE[name]}", __name__), name)
    return globals()[name]
