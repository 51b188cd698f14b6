"""How does a chart of matplotlib stand in a dark notebook? In the colours of the text around it.

Readers that do not trust a notebook (GitHub, JupyterLab at first) take away drawings and styles and
leave pictures and words. So beside the drawing, whose letters are drawn as well, lies a picture,
which a style hides: where the drawing goes, the style goes too.
"""

import base64
import html
import io
import re
from typing import TYPE_CHECKING

from ..checks import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# as matplotlib writes what is black into a style
INK = re.compile(r"(?<=: )#000000\b(?=[^<>]*>)")
WHITE = (1.0, 1.0, 1.0)

BEGINS = '<svg role="img" fill="currentColor" style="max-width: 100%; height: auto"'
# no class of the page's, as every chart brings this style
HIDDEN = "<style>.clipxai-still > img { display: none }</style>"


class Still:
    """A chart that a notebook shows in its own colours, light or dark.

    Attributes
    ----------
    svg : to stand within a page; its ink is the page's
    png : black on white, for readers that show no SVG
    name : titles and axes, for who does not see it
    """

    def __init__(self, svg: str, png: bytes, name: str, said: str) -> None:
        self.svg, self.png, self.name, self._said = svg, png, name, said

    def __repr__(self) -> str:
        return self._said

    def _repr_html_(self) -> str:
        address = f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"
        picture = f'<img alt="{html.escape(self.name)}" src="{address}">'
        return f'<div class="clipxai-still">{HIDDEN}{picture}{self.svg}</div>'

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
    # without a date, the same numbers give the same file
    try:
        for ground in grounds:
            ground.set_visible(False)
        for frame, face in zip(frames, faces):
            if face[:3] == WHITE:
                frame.set_facecolor("none")
        with rc_context({"svg.fonttype": "path", "svg.hashsalt": "clipxai"}):
            figure.savefig(drawn, format="svg", bbox_inches="tight", metadata={"Date": None})
    finally:
        for ground, visible in zip(grounds, seen):
            ground.set_visible(visible)
        for frame, face in zip(frames, faces):
            frame.set_facecolor(face)
    close(figure)
    # no XML declaration may stand within a page
    inline = drawn.getvalue().partition("<svg")[2]
    inline = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", inline, flags=re.DOTALL)
    name, panels = _named(figure), len(figure.axes)
    # what has no colour of its own is ink as well; what a title says, in a label, is none
    svg = f'{BEGINS} aria-label="{html.escape(name)}"{INK.sub("currentColor", inline)}'
    said = f"<a chart of {panels} panel{'s' * (panels != 1)}, in the page's colours>"
    return Still(svg, printed.getvalue(), name, said)


def _named(figure: "Figure") -> str:
    """What a chart is called where it is not seen."""
    panels = (
        (axes.get_title(), axes.get_ylabel(), axes.get_xlabel()) for axes in figure.get_axes()
    )
    told = [", ".join(filter(None, panel)) for panel in panels]
    return "; ".join(["chart", *filter(None, told)])
