"""What do all interactive figures have in common?

They show themselves in a notebook, and save themselves to a file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from ..checks import of_its_kinds
from ..results.writing import replacing
from .html import View, mimebundle, page
from .payload import Payload

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# so that a figure of the embedded model stays below 0.6 MB in a notebook, and all lessons below 12
POSTER_BYTES = {"png": 120_000, "webp": 100_000}
POSTER_DPI, PRINT_DPI = (100, 80, 64, 48), 200
# pixels; what the format and matplotlib can draw, and some to spare
WEBP_SIDE, PNG_SIDE = 16_000, 65_000
# levels of colour that count as one in a PNG poster: invisible, and a noisy photo takes half the
# bytes
POSTER_STEP = 4
PNG_EFFORT = 6  # of 9: five per cent larger than the most, in an eighth of the time
PosterKind = Literal["png", "webp"]
PICTURES = (".png", ".svg", ".pdf")


class Viewer(ABC):
    """An interactive figure.

    A viewer names its room, whose `viewer.js` runs in a browser (`module`), and gives a summary in
    one line, a payload, and its matplotlib twin.
    """

    module: ClassVar[str]
    poster_bytes: ClassVar[dict[PosterKind, int]] = POSTER_BYTES
    poster_step: ClassVar[int] = POSTER_STEP
    poster_quality: ClassVar[int] = 85  # of the WebP, which takes a third less than JPEG

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

        @cache
        def pixels(dpi: int) -> np.ndarray:
            import cv2  # takes longer to load than everything here

            rendered = np.frombuffer(_render(drawn, "png", dpi, WEBP_SIDE), np.uint8)
            return cv2.imdecode(rendered, cv2.IMREAD_COLOR)

        return [self._encoded(kind, pixels) for kind in kinds]

    def _encoded(self, kind: PosterKind, pixels: Callable[[int], np.ndarray]) -> bytes:
        import cv2

        options = {
            "png": [cv2.IMWRITE_PNG_COMPRESSION, PNG_EFFORT],
            "webp": [cv2.IMWRITE_WEBP_QUALITY, self.poster_quality],
        }[kind]
        for dpi in POSTER_DPI:
            found, step = pixels(dpi), self.poster_step
            if kind == "png":
                found = np.minimum(np.rint(found / step) * step, 255).astype(np.uint8)
            picture = cv2.imencode(f".{kind}", found, options)[1].tobytes()
            if len(picture) <= self.poster_bytes[kind]:
                break
        return picture

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
        if suffix == ".html":
            content = page(self, view).encode()
        else:
            content = _render(self.figure(), suffix[1:], PRINT_DPI)
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


def _render(figure: "Figure", kind: str, dpi: int, longest: int = PNG_SIDE) -> bytes:
    """The figure as a file, coarser where a side would have more pixels than the `longest`."""
    buffer, dpi = BytesIO(), min(dpi, longest / max(figure.get_size_inches()))
    # same figure, same file
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    # a few per cent larger, three times as fast
    quick = {"pil_kwargs": {"compress_level": 3}} if kind == "png" else {}
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=undated, **quick)
    return buffer.getvalue()
