"""What does the Explorer hear from its controls, and what does it do then? Nearly always it asks
for what is chosen now.
"""

import html
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import get_ident

from ..explainers.table import find_method
from ..model.clip import CLIP
from ..model.files.checkpoints import load
from .answering import Answering
from .controls import NOTHING, Controls
from .letting_go import weakly
from .live import Live
from .notices import following
from .past import Past
from .session import Session, Wish, fitting

# seconds without a key after which a text counts as typed; the first key after a rest is answered
# at once
PAUSE = 0.15


class Listening(Answering):
    """Asks again whenever a control changes, and remembers what was chosen.

    Parameters
    ----------
    models, controls, image, by : as for `Answering`
    device : where models that are loaded here run, as for `load`
    """

    def __init__(
        self,
        models: Mapping[str, CLIP],
        controls: Controls,
        image: object,
        by: object,
        device: str | None,
    ) -> None:
        super().__init__(models, controls, image, by)
        self._device, self._past = device, Past(controls)
        # JupyterLab may tell of two controls at once, in two threads
        self._lock = controls.scene.lock
        self._quiet: int | None = None  # the thread that sets controls without asking for anything
        self._asked: Wish | None = None  # the last one
        self._typed = 0.0  # when a key was last pressed

    def _begin(self, method: str, beside: str | None) -> None:
        """Answer what is chosen to begin with; what cannot be answered is raised."""
        self._expect_fitting(method, beside)
        self._offer(method, beside or NOTHING)
        self._asked = wish = self.wish()
        self._show_scene(wish)
        self._past.remember()
        self._latest.now(wish)
        if self.error:
            raise self.error
        self._listen()  # last: what was set until here is no wish of the reader's

    def _expect_fitting(self, *methods: str | None) -> None:
        model = self.controls.model.value
        for name in filter(None, methods):
            if find_method(name) not in fitting(self.models[model]):
                raise ValueError(f"{name} does not work on {model}; see `clipxai.methods()`")

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

    def _listen(self) -> None:
        """Hear of every change; weakly, since ipywidgets keeps every open widget alive."""
        c, ask = self.controls, weakly(self._ask)
        offered, typed = weakly(self._offered), weakly(self._on_texts)
        run, cancel = weakly(self._run), weakly(self._latest.cancel)
        for control in (c.model, c.method):
            control.observe(lambda change: offered(), "value")
        image = (c.source, c.background, c.path, c.upload)
        question = (c.view, c.text, c.beside, c.subtract, c.leave_out, *c.switches.values())
        for control in (*image, *question):
            control.observe(lambda change: ask(), "value")
        c.scene.observe(weakly(self._on_things), "things")
        c.seed.observe(weakly(self._on_seed), "value")
        c.silencer.observe(lambda change: ask(), "off")
        arrange = weakly(c.arrange)
        silencing, hear = map(weakly, (self._on_silencing, c.silencer.forget))
        c.silencing.observe(lambda change: silencing(), "value")
        c.as_code.observe(lambda change: arrange(), "value")
        c.hear.on_click(lambda button: hear())
        c.texts.observe(lambda change: typed(), "value")
        c.folder.observe(self._doing(self._load), "value")
        c.run.on_click(lambda button: run())
        c.cancel.on_click(lambda button: cancel())
        c.undo.on_click(self._doing(self._undo))

    def _doing(self, action: Callable[[], str | None]) -> Callable[[object], None]:
        """What a control is to call for an action."""
        attempt, act = weakly(self._try), weakly(action)
        return lambda heard: attempt(act)

    def _live(self, module: str) -> Live:
        shown = super()._live(module)
        shown.observe(weakly(self._on_view), "view")
        return shown

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
