"""How does a chart of matplotlib stand in a dark notebook? In the colours of the text around it."""

import io
import re
from typing import TYPE_CHECKING

from ..checks import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# as matplotlib writes what is black into a style, not into what a title says
INK = re.compile(r"(?<=: )#000000\b(?=[^<>]*>)")
WHITE = (1.0, 1.0, 1.0)

BEGINS = '<svg fill="currentColor" style="max-width: 100%; height: auto"'


class Still:
    """A chart that a notebook shows in its own colours, light or dark.

    Attributes
    ----------
    svg : to stand within a page; its ink is the page's
    png : black on white, for readers that show no SVG
    """

    def __init__(self, svg: str, png: bytes, said: str) -> None:
        self.svg, self.png, self._said = svg, png, said

    def __repr__(self) -> str:
        return self._said

    def _repr_html_(self) -> str:
        return self.svg

    def _repr_png_(self) -> bytes:
        return self.png


def still(figure: "Figure") -> Still:
    """A figure of matplotlib in the colours of the page: what is black takes the colour of the text
    around it, and the ground is left open.

    Parameters
    ----------
    figure : with its default ink, black; other colours stay, so choose them to be seen on both. It
        is closed in pyplot, so that a notebook does not show it a second time

    Returns
    -------
    What a notebook shows as the last line of a cell

    Raises
    ------
    TypeError : no figure of matplotlib

    Examples
    --------
    >>> from matplotlib import pyplot as plt
    >>> figure, axes = plt.subplots(figsize=(6, 3))
    >>> axes.invert_yaxis()
    >>> still(figure)
    <a chart of 1 panel, in the page's colours>
    """
    from matplotlib import rc_context  # slow to load, and not needed by figures of maps
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase
    from matplotlib.legend import Legend
    from matplotlib.pyplot import close

    if not isinstance(figure, Figure):
        raise TypeError(f"expected a figure of matplotlib, got {shown(figure)}")
    printed, drawn = io.BytesIO(), io.StringIO()
    figure.savefig(printed, format="png", bbox_inches="tight")
    # of panels within panels too; what a legend stands on would hide ink that is light
    grounds = [
        part.patch for part in figure.findobj(lambda part: isinstance(part, (Axes, FigureBase)))
    ]
    frames = [part.get_frame() for part in figure.findobj(Legend)]
    seen = [ground.get_visible() for ground in grounds]
    faces = [frame.get_facecolor() for frame in frames]
    # text as text, in the page's letters; without a date, the same numbers give the same file
    try:
        for ground in grounds:
            ground.set_visible(False)
        for frame, face in zip(frames, faces):
            if face[:3] == WHITE:
                frame.set_facecolor("none")
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "clipxai"}):
            figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
    finally:
        for ground, visible in zip(grounds, seen):
            ground.set_visible(visible)
        for frame, face in zip(frames, faces):
            frame.set_facecolor(face)
    close(figure)
    # no XML declaration may stand within a page; what has no colour of its own is ink as well
    inline = re.sub(r"^.*?<svg", BEGINS, drawn.getvalue(), flags=re.DOTALL)
    inline = re.sub(r"<metadata>.*?</metadata>\s*", "", inline, flags=re.DOTALL)
    panels = len(figure.axes)
    said = f"<a chart of {panels} panel{'s' * (panels != 1)}, in the page's colours>"
    return Still(INK.sub("currentColor", inline), printed.getvalue(), said)
