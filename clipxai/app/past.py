"""What was chosen before? Every choice that could be answered, to go back to."""

from typing import Any

from .controls import Controls

MOST = 200  # steps back
NAMES = (
    "source",
    "background",
    "seed",
    "path",
    "texts",
    "view",
    "model",
    "method",
    "beside",
    "silencing",
    "leave_out",
    "subtract",
)


class Past:
    """The choices of a reader, the last of them at the end.

    A text that is typed letter by letter is one step.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls
        self._steps: list[dict[str, Any]] = []
        self._typing = False

    def _now(self) -> dict[str, Any]:
        c = self._controls
        told = {name: getattr(c, name).value for name in NAMES}
        told |= {name: control.value for name, control in c.switches.items()}
        scene = {"things": c.scene.things, "settled": c.scene.settled}
        return told | scene | {"off": c.silencer.off}

    def remember(self) -> None:
        """Keep what is chosen now, if it is something else."""
        now = self._now()
        last = self._steps[-1] if self._steps else {}
        changed = [name for name, value in now.items() if last.get(name) != value]
        if not changed:
            return
        typed = changed == ["texts"]
        if typed and self._typing:
            self._steps.pop()
        self._typing = typed
        self._steps = [*self._steps[-MOST:], now]

    def back(self) -> dict[str, Any] | None:
        """What was chosen before; None if there was nothing."""
        if self._steps and self._steps[-1] == self._now():
            if len(self._steps) == 1:
                return None
            self._steps.pop()
        self._typing = False
        return self._steps[-1] if self._steps else None

    def put(self, step: dict[str, Any]) -> None:
        """Set all controls as they were; those that a method and a model offer are there."""
        c = self._controls
        for name in ("subtract", *c.switches, *NAMES):
            getattr(c, name).value = step[name]
        c.scene.things, c.silencer.off = step["things"], step["off"]
        c.scene.settled = step["settled"]
