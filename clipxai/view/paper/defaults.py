"""How does a figure look the same in everybody's notebook? Drawn and written under matplotlib's own
defaults, whatever styles and settings its reader has.

matplotlib reads its settings while a figure is made, and again while it is written. So whoever
draws does it within `defaults()`, on a `Sheet`, which is written so by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.figure import Figure

SALT = {"svg.hashsalt": "clipxai"}  # without one, ids in an SVG are drawn by lot


@contextmanager
def defaults() -> Iterator[None]:
    """matplotlib's defaults for a while, also as a decorator; then the reader's settings again.

    Settings are of the whole process: what another thread draws meanwhile is drawn so, too.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SALT)
        yield


class Sheet(Figure):
    """A figure that is written under matplotlib's defaults, by whomever."""

    @defaults()
    def draw(self, renderer: object) -> None:
        """Called by matplotlib, for every format."""
        super().draw(renderer)

    @defaults()
    def savefig(self, fname: object, **options: object) -> None:
        """As matplotlib's."""
        super().savefig(fname, **options)
