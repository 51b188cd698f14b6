"""The live application: choose an image, type texts, flip every part of the surgery, and see.

How it stands in a notebook, and what one can go on with from there; `listening` hears of choices,
`answering` shows what came of them.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from weakref import finalize

import ipywidgets as w
from IPython.display import display, update_display

from ..explainers.explain import explain
from ..model.clip import CLIP, as_list
from ..model.files.checkpoints import load
from ..results.writing import replacing
from ..tasks.refinement import way_of
from ..view import MethodComparison, save
from ..view.html import mimebundle
from .asleep import asleep
from .controls import SOURCES, Controls
from .letting_go import put_away
from .listening import Listening
from .program import program
from .session import Session
from .shown import forget, stands

if TYPE_CHECKING:
    from ..results.explanation import Explanation
    from ..trace.trace import Trace

STYLE = (files(__package__) / "explorer.css").read_text(encoding="utf-8")


class Explorer(Listening):
    """Look at images through CLIP without writing code, in JupyterLab.

    It lives as long as a variable or the cell that shows it; `close`, or a `with` block, ends it
    earlier.

    Parameters
    ----------
    model : a `CLIP`, a checkpoint folder or file, or a table name -> `CLIP` to choose from; the
        embedded Emoji World model by default
    image : anything `record` takes, or a `Scene`, whose true masks are then known; by default a
        scene that the controls compose
    texts : what to look for first
    method, beside : names in `clipxai.methods()`; the second is shown to the left of the first,
        None for nothing
    by : what makes the masks that the overlay of points shows, as for `clipxai.refine`: GrabCut, or
        a SAM
    device : where models that are loaded here run, as for `load`; one that is given stays where it
        is

    Attributes
    ----------
    trace, viewer, explanation : what is shown, to go on with in the next cell
    error : the exception whose words stand in the message line, or None

    Raises
    ------
    ValueError, TypeError, IndexError, OSError : nothing can be shown to begin with: as `load`,
        `record` and `explain`

    Examples
    --------
    >>> explorer = Explorer(image="photo.jpg", texts="a cat")
    >>> explorer.explanation
    <Explanation by clip_surgery of 1 texts on 14x14 patches: 'a cat'>
    """

    def __init__(
        self,
        model: CLIP | str | Path | Mapping[str, CLIP] | None = None,
        image: object = None,
        texts: str | Sequence[str] = ("a cat", "a guitar"),
        *,
        method: str = "clip_surgery",
        beside: str | None = "clip",
        by: object = "grabcut",
        device: str | None = None,
    ) -> None:
        way_of(by)  # refused here, not when somebody asks for points
        models = _named(model, device)
        sources = SOURCES if image is None else {"given": "given", **SOURCES}
        controls = Controls(list(models), sources, as_list(texts))
        super().__init__(models, controls, image, by, device)
        self._mark = f"clipxai-{uuid4().hex[:8]}"  # several explorers may stand in one notebook
        self.box = self._boxed()
        self._ended = finalize(self, put_away, self.box, self._lives, self._latest)
        self._ended.atexit = False
        self._begin(method, beside)

    def close(self) -> None:
        """Let go of everything: the widgets disappear, and the recording is forgotten.

        Twice is once. `trace`, `explanation` and `save` are a RuntimeError from then on.
        """
        forget(self)
        self._ended()
        self.session, self.viewer, self._answered = Session(), None, None
        # the notebook's history may remember this for long
        self._by = self._asked = None
        self.controls = self.box = self._stage = self._choice = self._past = self._latest = None
        self.models = {}

    def __enter__(self) -> "Explorer":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @property
    def trace(self) -> "Trace":
        """The recorded forward pass that everything shown was computed from; what is silenced is
        still in it.
        """
        self._expect_open()
        return self._answered.trace

    @property
    def explanation(self) -> "Explanation":
        """What the method says that is (or, in another view, would be) shown, as `clipxai.explain`
        returns it.
        """
        self._expect_open()
        if isinstance(self.viewer, MethodComparison):
            return self.viewer.explanations[-1]
        method, options = self._answered.wish.asked
        return explain(self._answered.changed, method, **options)

    @property
    def code(self) -> str:
        """A program that asks the same without the Explorer: see `program`."""
        self._expect_open()
        return program(self._answered.wish)

    def save(self, path: str | Path) -> Path:
        """Write what is seen.

        Parameters
        ----------
        path : .html (with the layer, patch and colours chosen), .npz (the method's numbers), or .py
            (`code`); for paper .png, .svg and .pdf, the figure as it begins; its own buttons PNG
            and SVG save it as it is seen

        Returns
        -------
        The path

        Raises
        ------
        ValueError : unknown suffix
        FileNotFoundError : the folder does not exist
        RuntimeError : this Explorer is closed
        """
        self._expect_open()
        if Path(path).suffix.lower() == ".npz":
            return save(self.explanation, path)
        if Path(path).suffix.lower() == ".py":
            with replacing(path) as draft:
                draft.write_text(self.code + "\n", encoding="utf-8")
            return Path(path)
        return self.viewer.save(path, view=self._lives[self.viewer.module].view)

    def _boxed(self) -> w.HBox:
        style = w.HTML(f"<style>{STYLE}</style>", layout=w.Layout(display="none"))
        c = self.controls
        views = w.HBox(
            [c.view, c.silencing, c.leave_out, c.as_code], layout=w.Layout(margin="0 10px 0 0")
        )
        lines = c.banner, c.message, c.code, c.note, c.left_out
        main = w.VBox(
            [style, views, c.surgery, c.silence, *lines, self._stage],
            layout=w.Layout(flex="1 1 0", min_width="0"),
        )
        beside = w.HBox([c.panel, main])
        beside.add_class("clipxai-beside")
        box = w.Box([beside], layout=w.Layout(width="100%"))
        main.add_class("clipxai-main")
        self._stage.add_class("clipxai-stage")
        box.add_class("clipxai-explorer")
        box.add_class(self._mark)
        return box

    def _ipython_display_(self) -> None:
        """The widgets, and beside them a figure for everybody who opens the notebook without a
        kernel; awake, it is hidden.
        """
        self._expect_open()
        stands(self)
        bundle = self.box._repr_mimebundle_()
        display({**bundle, "text/plain": repr(self)}, raw=True)
        display(self._asleep(), raw=True, display_id=self._mark)

    def __repr__(self) -> str:
        if self.controls is None:
            return "<Explorer, closed>"
        return f"<Explorer of {self.controls.model.value}; run this cell to wake it>"

    def _asleep(self) -> dict[str, str]:
        return asleep(mimebundle(self.viewer.kept()), self._mark)

    def _listen(self) -> None:
        super()._listen()
        self.controls.save.on_click(self._doing(self._save))
        self.controls.keep.on_click(self._doing(self._keep))

    def _save(self) -> str:
        path = self.save(f"{self.controls.name.value}.{self.controls.format.value}")
        if path.suffix == ".png":
            return (
                f"saved {path}, the figure as it begins; its own PNG button saves it as you see it"
            )
        return f"saved {path}"

    def _keep(self) -> str:
        update_display(self._asleep(), raw=True, display_id=self._mark)
        return "Kept: the saved notebook shows this figure when no kernel is running."


def _named(
    model: CLIP | str | Path | Mapping[str, CLIP] | None, device: str | None
) -> dict[str, CLIP]:
    if isinstance(model, (CLIP, Mapping)) and device is not None:
        raise ValueError(
            f"device={device!r}, but the model that was given lies somewhere already: load it with "
            "device=, or move it with model.to(...)"
        )
    if isinstance(model, Mapping):
        return dict(model)
    loaded = model if isinstance(model, CLIP) else load(model, device=device or "cpu")
    return {loaded.name: loaded}
