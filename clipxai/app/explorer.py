"""The live application: choose an image, type texts, flip every part of the surgery, and see.

The widgets only say what is wished for; `session` finds the answer, `latest` keeps it from
queueing, the viewers of saved pages show it.
"""

import html
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

import ipywidgets as w
import numpy as np
from IPython.display import display, update_display

from ..explainers.explain import explain
from ..explainers.table import find_method
from ..model.clip import CLIP, as_list
from ..model.files.checkpoints import load
from ..scenes import Scene, compose, noun
from ..view import MethodComparison, Viewer, save
from ..view.html import mimebundle
from ..view.payload import Payload
from .controls import NOTHING, SOURCES, STYLE, Controls
from .latest import Cancelled, Latest, Tell
from .live import Live, live
from .session import Session, Wish, counterpart, fitting, rewrite_of, subtracted, switches_of

if TYPE_CHECKING:
    from ..results.explanation import Explanation
    from ..trace.trace import Trace

# seconds without a key after which a text counts as typed; the first key after a rest is answered
# at once
PAUSE = 0.15
SCENE_SIDE = 336  # pixels
# switches that a ResNet, which ends in one attention, does not have
NEEDS_BLOCKS = ("dual_path", "ffn")
ASLEEP = (
    "This explorer is asleep because no kernel is running it. Below is the figure that was kept; "
    "run the cell to wake it."
)


class Answer(NamedTuple):
    """What came of a wish, from which recording, whether the image tower ran for it, and how long
    it took.
    """

    wish: Wish
    trace: "Trace"
    viewer: Viewer
    payload: Payload
    recorded: bool
    seconds: float


class Explorer:
    """Look at images through CLIP without writing code, in JupyterLab.

    Parameters
    ----------
    model : a `CLIP`, a checkpoint folder or file, or a table name -> `CLIP` to choose from; the
        embedded Emoji World model by default
    image : anything `record` takes, or a `Scene`, whose true masks are then known; by default a
        scene that the controls compose
    texts : what to look for first
    method, beside : names in `clipxai.methods()`; the second is shown to the left of the first,
        None for nothing

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
    >>> Explorer(image="photo.jpg", texts="a cat")  # doctest: +SKIP
    """

    def __init__(
        self,
        model: CLIP | str | Path | Mapping[str, CLIP] | None = None,
        image: object = None,
        texts: str | Sequence[str] = ("a cat", "a guitar"),
        *,
        method: str = "clip_surgery",
        beside: str | None = "clip",
    ) -> None:
        self.models = dict(model) if isinstance(model, Mapping) else _named(model)
        sources = SOURCES if image is None else {"given": "given", **SOURCES}
        self.controls = Controls(list(self.models), sources, as_list(texts))
        self.session, self.viewer, self.error = Session(), None, None
        self._given, self._answered = image, None
        self._image: tuple = (None, None, {})  # what is chosen, the image, its masks
        self._lives: dict[str, Live] = {}
        self._quiet = False
        self._typed = 0.0
        self._mark = f"clipxai-{uuid4().hex[:8]}"
        self._latest: Latest[Wish, Answer] = Latest(
            self._work, self._done, self._failed, self._told
        )
        self._stage = w.Box(layout=w.Layout(width="100%", overflow="visible"))
        self.box = self._boxed()
        for name in filter(None, (method, beside)):
            if find_method(name) not in fitting(self.models[self.controls.model.value]):
                raise ValueError(
                    f"{name} does not work on {self.controls.model.value}; see `clipxai.methods()`"
                )
        self._offer(method, beside or NOTHING)
        self._latest.now(self.wish())
        if self.error:
            raise self.error
        self._listen()

    @property
    def trace(self) -> "Trace":
        """The recorded forward pass that everything shown was computed from."""
        return self._answered.trace

    @property
    def explanation(self) -> "Explanation":
        """What the method says that is (or, in another view, would be) shown, as `clipxai.explain`
        returns it.
        """
        if isinstance(self.viewer, MethodComparison):
            return self.viewer.explanations[-1]
        method, options = self._answered.wish.asked
        return explain(self.trace, method, **options)

    def wish(self) -> Wish:
        """Everything that is chosen at present.

        Raises
        ------
        ValueError : no text, no image, or a scene that cannot be composed
        """
        c = self.controls
        texts = tuple(
            dict.fromkeys(line.strip() for line in c.texts.value.splitlines() if line.strip())
        )
        if not texts:
            raise ValueError("there is no text to look for: type at least one, one per line")
        image, masks = self._chosen_image()
        return Wish(
            self.models[c.model.value],
            image,
            texts,
            masks,
            c.view.value,
            c.method.value,
            None if c.beside.value == NOTHING else c.beside.value,
            None if c.subtract.disabled else c.subtract.value,
            {name: control.value for name, control in c.switches.items() if not control.disabled},
            c.text.index or 0,
        )

    def save(self, path: str | Path) -> Path:
        """Write what is seen to a `path`: .html (with the layer, patch and colours chosen), or .npz
        (the method's numbers).

        For paper .png, .svg and .pdf, the figure as it begins; its own buttons PNG and SVG save it
        as it is seen.

        Raises
        ------
        ValueError : unknown suffix
        FileNotFoundError : the folder does not exist
        """
        if Path(path).suffix.lower() == ".npz":
            return save(self.explanation, path)
        return self.viewer.save(path, view=self._lives[self.viewer.module].view)

    # how it stands in a notebook

    def _boxed(self) -> w.HBox:
        style = w.HTML(STYLE, layout=w.Layout(display="none"))
        main = w.VBox(
            [style, self.controls.view, self.controls.message, self._stage],
            layout=w.Layout(flex="1 1 520px", min_width="0"),
        )
        box = w.HBox(
            [self.controls.panel, main], layout=w.Layout(flex_flow="row wrap", width="100%")
        )
        for part, name in (
            (main, "clipxai-main"),
            (self._stage, "clipxai-stage"),
            (box, "clipxai-explorer"),
            (box, self._mark),
        ):
            part.add_class(name)
        return box

    def _ipython_display_(self) -> None:
        """The widgets, and beside them a figure for everybody who opens the notebook without a
        kernel; awake, it is hidden.
        """
        bundle = self.box._repr_mimebundle_()
        display({**bundle, "text/plain": repr(self)}, raw=True)
        display(self._asleep(), raw=True, display_id=self._mark)

    def __repr__(self) -> str:
        return f"<Explorer of {self.controls.model.value}; run this cell to wake it>"

    def _asleep(self) -> dict[str, str]:
        bundle = mimebundle(self.viewer.kept())
        copy = f".{self._mark}-asleep"
        # where JupyterLab complains of the lost widget
        lost = f".jp-OutputArea-child:has(+ * {copy}) > .jupyter-widgets:not(:has(*))"
        awake = f"<style>body:has(.{self._mark}) {copy}, {lost} {{ display: none; }}</style>"
        return {
            **bundle,
            "text/html": (
                f'<div class="{self._mark}-asleep">{awake}<p><em>{ASLEEP}</em></p>'
                f"{bundle['text/html']}</div>"
            ),
        }

    # what is chosen

    def _chosen_image(self) -> tuple[object, Mapping[str, np.ndarray]]:
        """The image and its masks; the very same objects as long as the same is chosen."""
        chosen = self._choice()
        if chosen != self._image[0]:
            self._image = (chosen, *self._read_image(*chosen))
        return self._image[1:]

    def _choice(self) -> tuple:
        c = self.controls
        of_source = {
            "given": (),
            "scene": (
                tuple(o.value for o in c.objects if o.value != NOTHING),
                c.background.value,
                c.seed.value,
            ),
            "file": (c.path.value,),
            "upload": tuple(
                (file["name"], file["size"], file["last_modified"]) for file in c.upload.value
            ),
        }
        return (c.source.value, *of_source[c.source.value])

    def _read_image(self, source: str, *chosen: object) -> tuple[object, Mapping[str, np.ndarray]]:
        if source == "upload":
            if not chosen:
                raise ValueError("choose an image to upload")
            return bytes(self.controls.upload.value[0]["content"]), {}
        if source == "file" and not chosen[0]:
            raise ValueError("type the path of an image")
        image = {
            "given": lambda: self._given,
            "file": lambda: chosen[0],
            "scene": lambda: compose(*chosen, size=SCENE_SIDE),
        }[source]()
        return (
            (image.image, dict(zip(image.objects, image.masks)))
            if isinstance(image, Scene)
            else (image, {})
        )

    def _offer(self, method: str, beside: str) -> None:
        """Offer what fits the chosen model and method, and bring the switches to where the method
        has them.
        """
        c, model = self.controls, self.models[self.controls.model.value]
        names = [row.name for row in fitting(model)]
        with self._quietly():
            c.method.options, c.beside.options = names, [NOTHING, *names]
            c.method.value = method if method in names else "clip_surgery"
            c.beside.value = beside if beside in names else NOTHING
            has_blocks = "blocks" in model.visual.has
            c.blocks.max = len(model.visual.blocks) if has_blocks else 1
            preset, allowed = rewrite_of(c.method.value), switches_of(c.method.value)
            for name, control in c.switches.items():
                control.disabled = name not in allowed or (name in NEEDS_BLOCKS and not has_blocks)
                if preset is not None:
                    control.value = (
                        min(preset.blocks, c.blocks.max)
                        if name == "blocks"
                        else getattr(preset, name)
                    )
            c.subtract.disabled, c.subtract.value = (
                counterpart(c.method.value) is None,
                subtracted(c.method.value),
            )
        self._arrange()

    def _arrange(self) -> None:
        """Show the controls that belong to what is chosen."""
        c = self.controls
        for source, controls in c.of_source.items():
            controls.layout.display = None if source == c.source.value else "none"
        c.text.layout.display = None if c.view.value == "words" else "none"
        c.surgery.layout.display = None if c.view.value == "methods" else "none"

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Set controls without asking for anything."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    # what happens

    def _listen(self) -> None:
        c = self.controls
        for control in (c.model, c.method):
            control.observe(lambda change: self._offered(), "value")
        for control in (
            c.background,
            c.seed,
            c.path,
            c.upload,
            c.text,
            c.beside,
            c.source,
            c.view,
            c.subtract,
            *c.switches.values(),
        ):
            control.observe(lambda change: self._ask(), "value")
        for control in c.objects:
            control.observe(self._on_object, "value")
        c.texts.observe(lambda change: self._on_texts(), "value")
        c.folder.observe(lambda change: self._try(self._load), "value")
        c.run.on_click(lambda button: self._run())
        c.cancel.on_click(lambda button: self._latest.cancel())
        c.save.on_click(lambda button: self._try(self._save))
        c.keep.on_click(lambda button: self._try(self._keep))

    def _offered(self) -> None:
        if not self._quiet:
            self._offer(self.controls.method.value, self.controls.beside.value)
            self._ask()

    def _on_object(self, change: dict) -> None:
        """Texts that name the things of the scene follow it."""
        if self._quiet:
            return
        c = self.controls
        now = [o.value for o in c.objects]
        before = [change["old"] if o is change["owner"] else o.value for o in c.objects]
        if c.texts.value.split("\n") == _nouns(before):
            with self._quietly():
                c.texts.value = "\n".join(_nouns(now))
        self._ask()

    def _on_texts(self) -> None:
        if not self._quiet:
            now = time.monotonic()
            self._ask(0 if now - self._typed > 2 * PAUSE else PAUSE)
            self._typed = now

    def _run(self) -> None:
        """Ask again from scratch: a file may have changed."""
        self._image, self.session = (None, None, {}), Session()
        self._ask()

    def _ask(self, delay: float = 0.0) -> None:
        if self._quiet:
            return
        self._arrange()
        try:
            wish = self.wish()
        # whatever it is, the reader is told in words, and the figure stays
        except Exception as error:
            self._latest.cancel()
            self._failed(error)
            return
        with self._quietly():
            text = self.controls.text
            text.options, text.index = wish.texts, min(text.index or 0, len(wish.texts) - 1)
        self.error = None
        self._latest.ask(wish, delay)

    def _work(self, wish: Wish, stop: Event, tell: Tell) -> Answer:
        """In the worker's thread: no widget is touched here."""
        start, session = time.perf_counter(), self.session
        before = session.recorded
        viewer = session.answer(wish, stop, tell)
        return Answer(
            wish,
            session.trace,
            viewer,
            viewer.payload(),
            session.recorded > before,
            time.perf_counter() - start,
        )

    def _done(self, answer: Answer) -> None:
        self._answered, self.viewer, self.error = answer, answer.viewer, None
        module = answer.viewer.module
        if module not in self._lives:
            self._lives[module] = live(module)
        self._lives[module].show(answer.payload)
        if self._stage.children != (self._lives[module],):
            self._stage.children = (self._lives[module],)
        how = (
            "the image went through the model" if answer.recorded else "answered from the recording"
        )
        self._say(
            f"<code>{html.escape(answer.wish.code)}</code> &nbsp; {1e3 * answer.seconds:.0f} ms, "
            f"{how}"
        )

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Cancelled):
            if self.error is None:  # else the reader needs to know of that
                self._say("Cancelled; the figure is the last answer.")
        else:
            self.error = error
            words = (
                str(error)
                if isinstance(error, (ValueError, TypeError, LookupError, OSError))
                else f"{type(error).__name__}: {error}"
            )
            self._say(f"<span role=alert>{html.escape(words)}</span>")

    def _told(self, share: float, step: str) -> None:
        """It takes a while: say what is done."""
        c = self.controls
        c.progress.value, c.progress.layout.visibility = share, "visible"
        c.message.value = f"{html.escape(step)} …"

    def _say(self, line: str) -> None:
        self.controls.message.value = line
        self.controls.progress.layout.visibility = "hidden"

    def _try(self, action: Callable[[], str | None]) -> None:
        """Do it, and say what was done."""
        try:
            done = action()
        except Exception as error:
            self._failed(error)
        else:
            if done is not None:
                self._say(html.escape(done))

    def _load(self) -> str | None:
        c = self.controls
        if not c.folder.value:
            return None
        model = load(c.folder.value)
        self.models[model.name] = model
        with self._quietly():
            c.model.options, c.model.value = list(self.models), model.name
        self._offered()
        # else the reader needs to know of that
        return None if self.error else f"loaded {c.model.value}"

    def _save(self) -> str:
        path = self.save(f"{self.controls.name.value}.{self.controls.format.value}")
        begins = (
            ", the figure as it begins; its own PNG button saves it as you see it"
            if path.suffix == ".png"
            else ""
        )
        return f"saved {path}{begins}"

    def _keep(self) -> str:
        update_display(self._asleep(), raw=True, display_id=self._mark)
        return "Kept: the saved notebook shows this figure when no kernel is running."


def _named(model: CLIP | str | Path | None) -> dict[str, CLIP]:
    loaded = model if isinstance(model, CLIP) else load(model)
    return {loaded.name: loaded}


def _nouns(objects: Sequence[str]) -> list[str]:
    return [noun(name) for name in dict.fromkeys(objects) if name != NOTHING]
