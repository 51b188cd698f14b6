"""What do all interactive figures have in common?

They show themselves in a notebook, and save themselves to a file.
"""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ..checks import of_its_kinds
from ..results.writing import expect_replaceable, replacing
from .html import View, mimebundle, page
from .payload import Payload

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

# so that a figure of the embedded model stays below 0.6 MB in a notebook, and all lessons below 12
POSTER_BYTES = {"png": 120_000, "webp": 100_000}
FINEST, COARSEST, PRINT_DPI = 100, 48, 200  # dots an inch: of posters, of a file
# pixels; what the format and matplotlib can draw, and some to spare
WEBP_SIDE, PNG_SIDE = 16_000, 65_000
COLOURS = 256  # of a poster, so that there are bytes for all of its dots
# how a poster is written: without loss; a WebP that is too large so is tried blurred before coarser
WRITTEN: dict[str, list[dict]] = {
    "png": [{"compress_level": 6}],
    "webp": [{"lossless": True, "method": 2, "quality": 50}, {"method": 2, "quality": 60}],
}
PosterKind = Literal["png", "webp"]
PICTURES = (".png", ".svg", ".pdf")


class Viewer(ABC):
    """An interactive figure.

    A viewer names its room, whose `viewer.js` runs in a browser (`module`), and gives a summary in
    one line, a payload, and its matplotlib twin.
    """

    module: ClassVar[str]
    poster_bytes: ClassVar[dict[PosterKind, int]] = POSTER_BYTES

    def __init_subclass__(cls) -> None:
        """Every viewer's arguments are held against their annotations."""
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = of_its_kinds(cls.__init__)  # type: ignore[method-assign]

    @property
    @abstractmethod
    def summary(self) -> str:
        """What the figure shows, in one line."""

    @abstractmethod
    def payload(self) -> Payload:
        """Words and numbers for the browser.

        A ValueError if they are larger than their budget, whatever is given up.
        """

    @abstractmethod
    def figure(self) -> "Figure":
        """The matplotlib twin: everything the viewer can show, for paper."""

    def first_state(self) -> "Figure":
        """The matplotlib twin of what is seen before anybody touches the viewer."""
        return self.figure()

    def kept(self) -> "Viewer":
        """The figure as it is left in a notebook: without what only a live one has room for."""
        return self

    def poster(self, kind: PosterKind = "webp") -> bytes:
        """The first state as a picture, as fine as fits into a notebook.

        Its `kind` is "webp" inside of a page, "png" beside it.
        """
        return self.posters(kind)[0]

    def posters(self, *kinds: PosterKind) -> list[bytes]:
        """A poster of each of these `kinds`; the figure, which takes longest, is drawn once."""
        drawn = self.first_state()
        picture = cache(partial(_in_few_colours, drawn))
        return [_encoded(kind, picture, self.poster_bytes[kind]) for kind in kinds]

    def save(self, path: str | Path, *, view: View | None = None) -> Path:
        """Write the figure to a file, which appears complete or not at all.

        Parameters
        ----------
        path : the suffix decides: .html interactive, .png .svg .pdf still
        view : what a live figure keeps of its reader's choices; a page begins with it

        Returns
        -------
        The path

        Raises
        ------
        ValueError : unknown suffix; a file that was read as an image or a checkpoint, which is
            never replaced
        FileNotFoundError : the folder does not exist
        """
        path = Path(path)
        suffix = known_suffix(path, (".html", *PICTURES))
        expect_replaceable(path)  # before it is drawn
        if suffix == ".html":
            content = page(self, view).encode()
        else:
            content = _render(self.figure(), suffix[1:])
        with replacing(path) as draft:
            draft.write_bytes(content)
        return path

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.summary}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return mimebundle(self)


def known_suffix(path: Path, known: tuple[str, ...]) -> str:
    """The suffix of a path in lower case, if it is a known one.

    Raises
    ------
    ValueError : it is not; the message names those that are
    """
    suffix = path.suffix.lower()
    if suffix not in known:
        choices = " ".join(known)
        raise ValueError(
            f"cannot save {path.name!r}: the suffix decides the format, choose one of {choices}"
        )
    return suffix


def _render(figure: "Figure", kind: str) -> bytes:
    """The figure as a file, coarser where a PNG would have too long a side."""
    buffer, dpi = BytesIO(), min(PRINT_DPI, PNG_SIDE / max(figure.get_size_inches()))
    if kind == "png":
        # figures are runs of one colour: smaller than by all of deflate, and no slower
        quick = dict(compress_level=1, compress_type=zlib.Z_RLE)
        _drawn(figure, dpi).save(buffer, kind, dpi=(dpi, dpi), **quick)
    else:
        undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}  # same figure, same file
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=undated[kind])
    return buffer.getvalue()


def _drawn(figure: "Figure", dpi: float) -> "Image":
    """The figure in pixels, opaque."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])


def _in_few_colours(figure: "Figure", dpi: int) -> "Image":
    """The figure drawn with as many pixels as a WebP holds at most."""
    from PIL import Image

    drawn = _drawn(figure, min(dpi, WEBP_SIDE / max(figure.get_size_inches())))
    return drawn.quantize(COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)


def _encoded(kind: PosterKind, picture: Callable[[int], "Image"], most: int) -> bytes:
    """A picture of so many dots an inch, as fine as fits."""
    dpi = FINEST
    while True:
        for way in WRITTEN[kind]:
            written = BytesIO()
            picture(dpi).save(written, kind, **way)
            if written.tell() <= most:
                return written.getvalue()
        if dpi == COARSEST:
            return written.getvalue()
        # bytes grow with the area of pictures and with the length of edges
        dpi = max(COARSEST, int(0.98 * dpi * (most / written.tell()) ** (2 / 3)))
