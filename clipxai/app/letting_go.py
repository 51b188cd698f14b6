"""How does an explorer go when nobody needs it any more? ipywidgets keeps every open widget, and
with it whoever listens to one; so explorers listen weakly, and close their widgets when they go.
"""

from collections.abc import Callable, Iterator
from weakref import WeakMethod

import ipywidgets as w

from .latest import Latest


def weakly(method: Callable) -> Callable:
    """A method of something that it does not keep alive; does nothing once that is gone."""
    kept = WeakMethod(method)

    def call(*given: object) -> object:
        found = kept()
        return found(*given) if found else None

    return call


def put_away(box: w.Box, lives: dict[str, w.Widget], latest: Latest) -> None:
    """Close every widget, with the layouts and styles that are widgets of their own."""
    latest.close()
    for shown in (box, *lives.values()):
        for widget in [*_within(shown)]:
            widget.close()
    lives.clear()


def _within(widget: w.Widget) -> Iterator[w.Widget]:
    """A widget and all that it consists of."""
    yield widget
    for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
        if isinstance(part, w.Widget):
            yield part
    for child in getattr(widget, "children", ()):
        yield from _within(child)
