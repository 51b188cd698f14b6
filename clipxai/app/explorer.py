"""The live application: choose an image, type texts, flip every part of the surgery, and see.

The widgets only say what is wished for; `session` finds the answer, `latest` keeps it from
queueing, the viewers of saved pages show it.
"""

import html
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from threading import Event, RLock, get_ident
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4
from weakref import finalize

import ipywidgets as w
from IPython.display import display, update_display

from ..explainers.explain import explain
from ..explainers.table import find_method
from ..model.clip import CLIP, as_list
from ..model.files.checkpoints import load
from ..view import MethodComparison, Viewer, save
from ..view.html import mimebundle
from ..view.payload import Payload
from .asleep import asleep
from .choice import ImageChoice
from .controls import NOTHING, SOURCES, Controls
from .latest import Cancelled, Latest, Tell
from .letting_go import put_away, weakly
from .live import Live, live
from .notices import following, silenced_scores, unnamed, unseen
from .past import Past
from .session import Session, Wish, fitting
from .shown import forget, stands

if TYPE_CHECKING:
    from ..results.explanation import Explanation
    from ..trace.trace import Trace

# seconds without a key after which a text counts as typed; the first key after a rest is answered
# at once
PAUSE = 0.15
POINTS = 2  # number of the overlay of points in the comparison of methods
STYLE = (files(__package__) / "explorer.css").read_text(encoding="utf-8")


class Answer(NamedTuple):
    """What came of a wish.

    Attributes
    ----------
    wish : what was asked
    trace : the recording it was answered from
    changed : the same without what is silent
    left_out : what would be without each thing, as HTML
    viewer, payload : what shows it, and the data sent to the browser
    recorded : whether the image tower ran for it
    seconds : how long it took
    """

    wish: Wish
    trace: "Trace"
    changed: "Trace"
    left_out: str
    viewer: Viewer
    payload: Payload
    recorded: bool
    seconds: float


class Explorer:
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
        self.models = _named(model, device)
        self._device, self._by = device, by
        sources = SOURCES if image is None else {"given": "given", **SOURCES}
        self.controls = Controls(list(self.models), sources, as_list(texts))
        self.session, self.viewer, self.error = Session(), None, None
        self._choice, self._past = ImageChoice(self.controls, image), Past(self.controls)
        self._answered: Answer | None = None
        self._lives: dict[str, Live] = {}  # by script, so that each keeps the reader's view
        # JupyterLab may tell of two controls at once, in two threads
        self._lock = RLock()
        self._quiet: int | None = None  # the thread that sets controls without asking for anything
        self._asked: Wish | None = None  # the last one
        self._typed = 0.0  # when a key was last pressed
        self._mark = f"clipxai-{uuid4().hex[:8]}"  # several explorers may stand in one notebook
        self._latest: Latest[Wish, Answer] = Latest(
            *map(weakly, (self._work, self._done, self._failed, self._told))
        )
        self._stage = w.Box(layout=w.Layout(width="100%", overflow="visible"))
        self.box = self._boxed()
        self._ended = finalize(self, put_away, self.box, self._lives, self._latest)
        self._ended.atexit = False
        self._expect_fitting(method, beside)
        self._offer(method, beside or NOTHING)
        wish = self.wish()
        self._asked = wish
        self._show_scene(wish)
        self._past.remember()
        self._latest.now(wish)
        if self.error:
            raise self.error
        self._listen()  # last: what was set until here is no wish of the reader's

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

    def _expect_open(self) -> None:
        if not self._ended.alive:
            raise RuntimeError("this Explorer is closed: make another one")

    def _expect_fitting(self, *methods: str | None) -> None:
        model = self.controls.model.value
        for name in filter(None, methods):
            if find_method(name) not in fitting(self.models[model]):
                raise ValueError(f"{name} does not work on {model}; see `clipxai.methods()`")

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

    def wish(self) -> Wish:
        """Everything that is chosen at present.

        Raises
        ------
        ValueError : no text, no image, or a scene that cannot be composed
        RuntimeError : this Explorer is closed
        """
        self._expect_open()
        c = self.controls
        lines = (line.strip() for line in c.texts.value.splitlines())
        texts = tuple(dict.fromkeys(line for line in lines if line))  # each once
        if not texts:
            raise ValueError("there is no text to look for: type at least one, one per line")
        image, masks, scene = self._choice.read()
        return Wish(
            model=self.models[c.model.value],
            image=image,
            texts=texts,
            masks=masks,
            scene=scene,
            view=c.view.value,
            method=c.method.value,
            beside=None if c.beside.value == NOTHING else c.beside.value,
            subtract=None if c.subtract.disabled else c.subtract.value,
            switches={
                name: control.value for name, control in c.switches.items() if not control.disabled
            },
            silence=c.silencer.silence,
            leave_out=c.leave_out.value,
            text=c.text.index or 0,
            sure=self._sure(),
            by=self._by,
        )

    def _sure(self) -> float | None:
        """Threshold of the overlay of points; None where it is not chosen."""
        shown = self._lives.get(MethodComparison.module)
        view = shown.view if shown else {}
        return view.get("threshold") if view.get("overlay") == POINTS else None

    def save(self, path: str | Path) -> Path:
        """Write what is seen.

        Parameters
        ----------
        path : .html (with the layer, patch and colours chosen), or .npz (the method's numbers); for
            paper .png, .svg and .pdf, the figure as it begins; its own buttons PNG and SVG save it
            as it is seen

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
        return self.viewer.save(path, view=self._lives[self.viewer.module].view)

    # how it stands in a notebook

    def _boxed(self) -> w.HBox:
        style = w.HTML(f"<style>{STYLE}</style>", layout=w.Layout(display="none"))
        c = self.controls
        views = w.HBox([c.view, c.silencing, c.leave_out], layout=w.Layout(margin="0 10px 0 0"))
        main = w.VBox(
            [
                style,
                views,
                c.surgery,
                c.silence,
                c.banner,
                c.message,
                c.note,
                c.left_out,
                self._stage,
            ],
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
        if not self._ended.alive:
            return "<Explorer, closed>"
        return f"<Explorer of {self.controls.model.value}; run this cell to wake it>"

    def _asleep(self) -> dict[str, str]:
        return asleep(mimebundle(self.viewer.kept()), self._mark)

    # what is chosen

    def _offer(self, method: str, beside: str) -> None:
        """Offer what fits the chosen model and this method."""
        with self._quietly():
            self.controls.offer(self.models[self.controls.model.value], method, beside)
        self.controls.arrange()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Set controls without asking for anything."""
        with self._lock:
            before, self._quiet = self._quiet, get_ident()
            try:
                yield
            finally:
                self._quiet = before

    @property
    def _silent(self) -> bool:
        return self._quiet == get_ident()

    # what happens

    def _listen(self) -> None:
        """Hear of every change; weakly, since ipywidgets keeps every open widget alive."""
        c, ask = self.controls, weakly(self._ask)
        offered, typed, attempt = map(weakly, (self._offered, self._on_texts, self._try))
        run, cancel = weakly(self._run), weakly(self._latest.cancel)
        actions = [*map(weakly, (self._load, self._save, self._keep, self._undo))]
        for control in (c.model, c.method):
            control.observe(lambda change: offered(), "value")
        image = (c.source, c.background, c.path, c.upload)
        question = (c.view, c.text, c.beside, c.subtract, c.leave_out, *c.switches.values())
        for control in (*image, *question):
            control.observe(lambda change: ask(), "value")
        c.scene.observe(weakly(self._on_things), "things")
        c.seed.observe(weakly(self._on_seed), "value")
        c.silencer.observe(lambda change: ask(), "off")
        silencing, hear = map(weakly, (self._on_silencing, c.silencer.forget))
        c.silencing.observe(lambda change: silencing(), "value")
        c.hear.on_click(lambda button: hear())
        c.texts.observe(lambda change: typed(), "value")
        c.folder.observe(lambda change: attempt(actions[0]), "value")
        c.run.on_click(lambda button: run())
        c.cancel.on_click(lambda button: cancel())
        c.save.on_click(lambda button: attempt(actions[1]))
        c.keep.on_click(lambda button: attempt(actions[2]))
        c.undo.on_click(lambda button: attempt(actions[3]))

    def _offered(self) -> None:
        if not self._silent:
            self._offer(self.controls.method.value, self.controls.beside.value)
            self._ask()

    def _on_things(self, change: dict) -> None:
        """Texts that name the things of the scene follow it."""
        if self._silent:
            return
        before, now = ([thing["name"] for thing in change[when]] for when in ("old", "new"))
        with self._quietly():
            self.controls.texts.value = following(self.controls.texts.value, before, now)
        self._ask()

    def _on_seed(self, change: dict) -> None:
        """Another seed puts every thing elsewhere."""
        self.controls.scene.settled = False
        self._ask()

    def _on_silencing(self) -> None:
        if not self._silent:
            self.controls.arrange()
            self._say_silence(self._answered)

    def _on_view(self, change: dict) -> None:
        """The overlay of points, and its threshold, are asked of `refine`."""
        if self._answered.wish.sure != self._sure():
            self._ask(PAUSE)

    def _on_texts(self) -> None:
        if not self._silent:
            now = time.monotonic()
            self._ask(0 if now - self._typed > 2 * PAUSE else PAUSE)
            self._typed = now

    def _run(self) -> None:
        """Ask again from scratch: a file may have changed."""
        self._choice.forget()
        self.session = Session()
        self._ask()

    def _undo(self) -> str | None:
        """Choose what was chosen before."""
        step = self._past.back()
        if step is None:
            return "There is nothing to undo."
        with self._quietly():
            self.controls.model.value = step["model"]
        self._offer(step["method"], step["beside"])
        with self._quietly():
            self._past.put(step)
        self._ask()
        return None

    def _ask(self, delay: float = 0.0) -> None:
        if self._silent:
            return
        with self._lock:  # who comes last has seen what all others set
            self.controls.arrange()
            try:
                wish = self.wish()
            except Exception as error:  # whatever it is, the reader is told, and the figure stays
                self._latest.cancel()
                self._failed(error)
                return
            with self._quietly():
                wish = self._still_silent(wish)
                self._show_scene(wish)
                text = self.controls.text
                text.options, text.index = wish.texts, min(text.index or 0, len(wish.texts) - 1)
            self._past.remember()
            self.error = None
            self._latest.ask(wish, delay)

    def _still_silent(self, wish: Wish) -> Wish:
        """Parts of another model, and words of other texts, are none of those that were meant."""
        silencer, before = self.controls.silencer, self._asked
        if before is not None and before.model is not wish.model:
            silencer.forget()
        elif before is not None and before.texts != wish.texts:
            silencer.forget("words")
        self._asked = replace(wish, silence=silencer.silence)
        return self._asked

    def _show_scene(self, wish: Wish) -> None:
        """The picture on which things are moved is there before the maps are."""
        if self.controls.source.value == "scene":
            self.controls.scene.show(wish.scene)

    def _work(self, wish: Wish, stop: Event, tell: Tell) -> Answer:
        """In the worker's thread: no widget is touched here."""
        # the session of now: `_run` may replace it meanwhile
        start, session = time.perf_counter(), self.session
        before = session.recorded
        viewer = session.answer(wish, stop, tell)
        return Answer(
            wish=wish,
            trace=session.trace,
            changed=session.changed,
            left_out=session.left_out,
            viewer=viewer,
            payload=viewer.payload(),
            recorded=session.recorded > before,
            seconds=time.perf_counter() - start,
        )

    def _done(self, answer: Answer) -> None:
        self._answered, self.viewer, self.error = answer, answer.viewer, None
        module = answer.viewer.module
        if module not in self._lives:
            self._lives[module] = live(module)
            self._lives[module].observe(weakly(self._on_view), "view")
        shown = self._lives[module]
        shown.show(answer.payload)
        if self._stage.children != (shown,):
            self._stage.children = (shown,)
        self._say_silence(answer)
        self.controls.left_out.value = answer.left_out
        self.controls.left_out.layout.display = None if answer.left_out else "none"
        self.controls.warn(unseen(answer.wish), unnamed(answer.wish))
        place = answer.trace.stream.device
        on = "" if place.type == "cpu" else f" on {place}"
        code, took = html.escape(answer.wish.code), f"{1e3 * answer.seconds:.0f} ms{on}"
        how = "the image went through the model"
        if not answer.recorded:
            how = "answered from the recording"
        self._say(f"<code>{code}</code> &nbsp; {took}, {how}")

    def _say_silence(self, answer: Answer) -> None:
        """Offer what can be silenced, and say what came of it."""
        c, silent = self.controls, answer.wish.silence
        c.hear.disabled = not silent
        c.silencing.description = f"silence ({silent.count})" if silent else "silence"
        if c.silencing.value:
            c.silencer.show(answer.trace, answer.trace.images[0])
            c.scored.value = html.escape(silenced_scores(answer.trace, answer.changed))

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Cancelled):
            if self.error is None:  # else the reader needs to know of that
                self._say("Cancelled; the figure is the last answer.")
            return
        self.error = error
        words = str(error)
        # errors of ours are sentences; of others, the kind says more than the words
        if not isinstance(error, (ValueError, TypeError, LookupError, OSError)):
            words = f"{type(error).__name__}: {error}"
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
        model = load(c.folder.value, device=self._device or "cpu")
        self.models[model.name] = model
        with self._quietly():
            c.model.options, c.model.value = list(self.models), model.name
        self._offered()
        # else the reader needs to know of that
        return None if self.error else f"loaded {c.model.value}"

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
