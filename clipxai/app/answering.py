"""What is wished for, and what is answered? The controls say what is wished; `session` finds the
answer, `latest` keeps it from queueing, the viewers of saved pages show it.
"""

import html
import time
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import ipywidgets as w

from ..model.clip import CLIP
from ..view import MethodComparison, Viewer
from ..view.payload import Payload
from .choice import ImageChoice
from .controls import NOTHING, Controls
from .latest import Cancelled, Latest, Tell
from .letting_go import weakly
from .live import Live, live
from .notices import silenced_scores, unnamed, unseen
from .program import program
from .session import Session, Wish

if TYPE_CHECKING:
    from ..trace.trace import Trace

POINTS = 2  # number of the overlay of points in the comparison of methods


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


class Answering:
    """Reads a wish from the controls, and shows its answer beside them.

    Parameters
    ----------
    models : name -> `CLIP`
    controls : where everything is chosen
    image : what the source "given" stands for
    by : what makes masks, as for `clipxai.refine`

    Attributes
    ----------
    session : what the answers have in common
    viewer : what is shown
    error : the exception whose words stand in the message line, or None
    """

    def __init__(
        self, models: Mapping[str, CLIP], controls: Controls, image: object, by: object
    ) -> None:
        self.models, self.controls, self._by = dict(models), controls, by
        self.session, self.viewer, self.error = Session(), None, None
        self._choice = ImageChoice(controls, image)
        self._answered: Answer | None = None
        self._lives: dict[str, Live] = {}  # by script, so that each keeps the reader's view
        self._stage = w.Box(layout=w.Layout(width="100%", overflow="visible"))
        self._latest: Latest[Wish, Answer] = Latest(
            *map(weakly, (self._work, self._done, self._failed, self._told))
        )

    def _expect_open(self) -> None:
        if self.controls is None:
            raise RuntimeError("this Explorer is closed: make another one")

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
            pictured=self._choice.code,
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
            self._lives[module] = self._live(module)
        shown = self._lives[module]
        shown.show(answer.payload)
        if self._stage.children != (shown,):
            self._stage.children = (shown,)
        self._say_silence(answer)
        self.controls.left_out.value = answer.left_out
        self.controls.left_out.layout.display = None if answer.left_out else "none"
        self.controls.warn(unseen(answer.wish), unnamed(answer.wish))
        self.controls.code.value = f"<pre>{html.escape(program(answer.wish))}</pre>"
        place = answer.trace.stream.device
        on = "" if place.type == "cpu" else f" on {place}"
        code, took = html.escape(answer.wish.code), f"{1e3 * answer.seconds:.0f} ms{on}"
        how = "the image went through the model"
        if not answer.recorded:  # other passes there may have been, as of effects
            how = "the image was not recorded again"
        self._say(f"<code>{code}</code> &nbsp; {took}, {how}")

    def _live(self, module: str) -> Live:
        return live(module)

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
