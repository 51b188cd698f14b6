"""How do the viewers of saved pages run beside a kernel? The same browser modules, hosted by
anywidget.
"""

from functools import cache

import anywidget
import traitlets

from ..view.html import module_source, stylesheet
from ..view.payload import Payload


class Live(anywidget.AnyWidget):
    """A viewer whose data can change.

    Attributes
    ----------
    payload : what `Viewer.payload` returns; new data keep the reader's view as far as it fits
    view : the reader's own choices (layer, pinned patch, colours …), told by the browser; hovering
        is none of them
    """

    payload = traitlets.Dict().tag(sync=True)
    css = traitlets.Unicode().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)

    def show(self, payload: Payload) -> None:
        """Send new data to the browser."""
        self.payload = {"header": payload.header, "blob": payload.blob}


def live(module: str) -> Live:
    """An empty live viewer that runs the `viewer.js` of a room in `view`."""
    return _kind(module)(css=stylesheet(), layout={"width": "100%"})


@cache
def _kind(module: str) -> type[Live]:
    return type(f"Live{module.title().replace('_', '')}", (Live,), {"_esm": module_source(module)})
