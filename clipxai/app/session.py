"""What does a reader of the Explorer want to see, and how little has to be computed for it? No
widgets here.

A wish holds every choice; a session answers it with a viewer. The image tower runs when the image
changes, the text tower when the texts change, both when the model does; every switch is answered
from the trace that is there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from threading import Event
from typing import Literal

import numpy as np
from torch.overrides import TorchFunctionMode

from ..explainers.explain import explain
from ..explainers.presets import PRESETS, Rewrite
from ..explainers.table import METHODS, Method
from ..model.clip import CLIP
from ..results.explanation import Explanation
from ..scenes import Scene
from ..scenes.naming import masks_of
from ..tasks import Segmentation, refine
from ..trace.record import record
from ..trace.trace import Trace
from ..view import MethodComparison, Viewer
from .latest import Cancelled, Tell
from .left_out import LeftOut, pictured, table
from .silence import Silence
from .views import OF_A_TEXT, VIEWS

Subtract = Literal["empty", "labels", "nothing"]
# attentions beside which these switches could do nothing, so they are put out
ALONE, NOT_ALONE = ("gem", "identity"), ("neighbourhood", "normalize", "sharpen")


@dataclass(frozen=True, eq=False)
class Wish:
    """Everything that can be chosen.

    Attributes
    ----------
    model : the CLIP that is asked
    image : anything `record` takes; the same object is not recorded twice
    texts : what to look for
    masks : true mask (H, W) bool of things in the image, by name
    scene : what the image was taken from, or None for any other picture
    pictured : a line of Python that makes the image, and what it is called after it
    view : "methods", or which of `VIEWS` answers
    method, beside : names in `METHODS`; `beside` is shown to the left for comparison, None for
        nothing
    subtract : what feature surgery takes away from `method`; None leaves the method as it is
    switches : fields of `Rewrite` that `method` is to change
    silence : what is taken out of the recorded pass
    leave_out : whether the scene without each of its things is asked for, too
    text : number of the text whose words are shown
    sure : 0…1, the height from which a map gives points, where masks are wanted that `refine` makes
        from there; None for none
    by : what makes them, as for `refine`
    """

    model: CLIP
    image: object
    texts: tuple[str, ...]
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    scene: Scene | None = None
    pictured: tuple[str, str] = ("image = ...", "image")
    view: str = "methods"
    method: str = "clip_surgery"
    beside: str | None = "clip"
    subtract: Subtract | None = None
    switches: Mapping[str, object] = field(default_factory=dict)
    silence: Silence = Silence()
    leave_out: bool = False
    text: int = 0
    sure: float | None = None
    by: object = "grabcut"

    @property
    def asked(self) -> tuple[str, dict[str, object]]:
        """Method and options as `explain` takes them."""
        method, options = self.method, {}
        if self.subtract not in (None, subtracted(method)):
            if "nothing" in (self.subtract, subtracted(method)):
                method = counterpart(method)
            if self.subtract == "labels":
                options["redundant"] = "labels"
        # only what was changed, so that the code in the message line stays short
        start = rewrite_of(method)
        changed = {
            name: value for name, value in self.switches.items() if getattr(start, name) != value
        }
        if changed.get("attention") in ALONE:
            changed |= {name: None for name in NOT_ALONE if getattr(start, name) is not None}
        return method, options | changed

    @property
    def spoken(self) -> int:
        """Number of the text whose words are shown: the last, where there are fewer by now."""
        return min(self.text, len(self.texts) - 1)

    @property
    def refining(self) -> dict[str, object]:
        """Options of `refine`: the height is what points begin from, by whatever name."""
        if self.by == "pamr":
            return {}
        return {"sure" if self.by == "grabcut" else "hot": self.sure}

    @property
    def code(self) -> str:
        """The same in Python, for whoever wants to go on from here."""
        method, options = self.asked
        told = [repr(method), *(f"{name}={value!r}" for name, value in options.items())]
        trace = self.silence.code
        maps = f"cx.explain({trace}, {', '.join(told)})"
        if self.view != "methods":
            return VIEWS[self.view].code.format(
                trace=trace,
                maps=maps,
                text=f", text={self.spoken}" if self.spoken else "",
                pair=", ".join(map(repr, self.texts[:2])),
            )
        if self.sure is None:
            return maps
        by = repr(self.by) if isinstance(self.by, str) else getattr(self.by, "__name__", "sam")
        how = [by, *(f"{name}={value!r}" for name, value in self.refining.items())]
        return f"cx.refine({maps}, {', '.join(how)})"


class Stoppable(TorchFunctionMode):
    """Between any two operations of torch in this thread: is the answer still wanted?"""

    def __init__(self, stop: Event) -> None:
        super().__init__()
        self.stop = stop

    def __torch_function__(
        self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None
    ) -> object:
        """Run the operation, unless the answer was cancelled."""
        if self.stop.is_set():
            raise Cancelled
        return func(*args, **(kwargs or {}))


class Session:
    """Answers wishes, and keeps what they have in common.

    Attributes
    ----------
    trace : the last recording, or None
    changed : the same without what is silenced
    left_out : the last answer to `leave_out`, as HTML; empty if that was not asked
    recorded : how often the image tower ran
    """

    def __init__(self) -> None:
        self.trace: Trace | None = None
        self.changed: Trace | None = None
        self._silence = Silence()
        self.left_out = ""
        self._brings: tuple[tuple, LeftOut] | None = None
        self.recorded = 0
        self._image: object = None
        self._of_image: dict[tuple, Viewer] = {}  # what does not depend on the texts
        self._of_texts: dict[tuple, Viewer] = {}
        self._explained: dict[tuple, Explanation] = {}
        self._refined: dict[tuple, Segmentation] = {}

    def answer(
        self, wish: Wish, stop: Event | None = None, tell: Tell = lambda done, next_step: None
    ) -> Viewer:
        """The viewer that shows what was wished for.

        Raises
        ------
        Cancelled : `stop` was set meanwhile; what was recorded by then is kept
        ValueError, TypeError, OSError : as `record` and `explain`
        """
        with Stoppable(stop or Event()):
            trace = self._silenced(self._recorded(wish, tell), wish)
            tell(0.4, f"looking: {wish.code}")
            by_name = self._methods if wish.view == "methods" else self._viewed
            viewer = by_name(trace, wish, tell)
            self.left_out = self._left_out(wish, viewer, tell)
            return viewer

    def _recorded(self, wish: Wish, tell: Tell) -> Trace:
        trace = self.trace
        known = trace is not None and trace.model is wish.model
        fresh = not known or self._image is not wish.image
        if fresh:
            tell(0.0, "running the image through the model")
            trace = pictured(trace, wish.image) if known else record(wish.model, wish.image)
            if len(trace.images) != 1:
                raise ValueError(f"the Explorer shows one image at a time, not {len(trace.images)}")
        if trace.texts != wish.texts:
            tell(0.2, "reading the texts")
            trace = trace.with_texts(list(wish.texts))
        if trace is self.trace:
            return trace
        if fresh:
            self.recorded += 1
            self._of_image = {}
        self.trace, self.changed, self._image = trace, None, wish.image
        self._of_texts, self._explained, self._refined = {}, {}, {}
        return trace

    def _silenced(self, trace: Trace, wish: Wish) -> Trace:
        if self.changed is None or self._silence != wish.silence:
            changed = wish.silence.of_trace(trace)
            self.changed, self._silence = changed, wish.silence
            self._of_image, self._of_texts, self._explained, self._refined = {}, {}, {}, {}
        return self.changed

    def _explain(self, trace: Trace, method: str, options: Mapping[str, object]) -> Explanation:
        key = (method, *sorted(options.items()))
        if key not in self._explained:
            self._explained[key] = explain(trace, method, **options)
        return self._explained[key]

    def _methods(self, trace: Trace, wish: Wish, tell: Tell) -> Viewer:
        wanted = [*([(wish.beside, {})] if wish.beside else []), wish.asked]
        maps = []
        for n, (method, options) in enumerate(wanted):
            tell(0.4 + 0.5 * n / len(wanted), method)
            maps.append(self._explain(trace, method, options))
        maps = list(dict.fromkeys(maps))  # a method beside itself is shown once
        masks = masks_of(wish.texts, wish.masks) or None
        if wish.sure is None:
            tell(0.9, "drawing")
            return MethodComparison(maps, mask=masks)
        tell(0.8, wish.code)
        refined = [self._refine(e, wish) for e in maps]
        return MethodComparison(maps, mask=masks, refined=refined, sure=wish.sure)

    def _viewed(self, trace: Trace, wish: Wish, tell: Tell) -> Viewer:
        row, text = VIEWS[wish.view], wish.spoken
        if wish.view in OF_A_TEXT and wish.silence.words:
            raise ValueError(
                "words are shown by leaving each of them out, and some are silent already: let "
                "them speak, or choose another view"
            )
        key = wish.view, text
        known = {"image": self._of_image, "texts": self._of_texts}.get(row.lives, {})
        if key not in known:
            explained = partial(self._explain, trace, *wish.asked)
            known[key] = row.show(trace, text, wish.masks, explained)
        return known[key]

    def _refine(self, explanation: Explanation, wish: Wish) -> Segmentation:
        key = explanation, id(wish.by), wish.sure
        if key not in self._refined:
            self._refined[key] = refine(explanation, wish.by, **wish.refining)
        return self._refined[key]

    def _left_out(self, wish: Wish, viewer: Viewer, tell: Tell) -> str:
        if not wish.leave_out or not isinstance(viewer, MethodComparison):
            return ""
        if wish.scene is None or wish.scene.recipe is None:
            return "Only of a composed scene is it known what it would be without a thing."
        if wish.silence:
            return "Nothing is left out while something is silenced: hear everything again first."
        asked = wish.model, wish.scene, wish.texts
        if self._brings is None or self._brings[0] != asked:
            tell(0.9, "drawing the scene without its things")
            self._brings = asked, LeftOut.of(self.trace, wish.scene)
        return table(self._brings[1], viewer.explanations, wish.scene)


def fitting(model: CLIP) -> list[Method]:
    """The methods that a model's architecture allows."""
    return [row for row in METHODS.values() if row.works_on(model)]


def rewrite_of(method: str) -> Rewrite | None:
    """What a method's switches begin with; None for a method that does not rewrite the last
    blocks.
    """
    return PRESETS.get(METHODS[method].preset)


def switches_of(method: str) -> list[str]:
    """Fields of `Rewrite` that a method lets one change: all or none."""
    if rewrite_of(method) is None or "blocks" not in METHODS[method].options:
        return []
    return [field.name for field in fields(Rewrite)]


def without_effect(blocks: int) -> set[str]:
    """Switches that change nothing where so many of the last blocks are rewritten."""
    if blocks == 0:
        return {"attention", "dual_path", "ffn"}
    # a single rewritten block reads the original stream in any case
    return {"dual_path"} if blocks == 1 else set()


def subtracted(method: str) -> Subtract:
    """What a method subtracts by itself."""
    return "empty" if "redundant" in METHODS[method].options else "nothing"


def counterpart(method: str) -> str | None:
    """The method on the same path that subtracts if this one does not, and the other way round;
    None if there is none.
    """
    same = [
        name
        for name, row in METHODS.items()
        if row.preset is not None and row.preset == METHODS[method].preset
    ]
    return next((name for name in same if subtracted(name) != subtracted(method)), None)
