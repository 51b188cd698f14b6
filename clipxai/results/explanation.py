"""What does a number in a map mean, and where on the image does it belong?

    e = cx.explain(trace, "clip_surgery")
    e.scores                    # (T, gh, gw) raw and signed: only drawing normalises
    e.heatmap("a cat")          # (H, W) 0…1 on the image
    e.mask("a cat", "otsu")     # (H, W) bool
    e.points("a cat")           # where to point SAM at
    e.to_npz("maps.npz")        # numbers and text only

Only numpy: a saved explanation can be drawn on a machine without torch. Axes: T texts, gh gw patch
grid, H W pixels of the image.
"""

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..checks import Share, Side, number_of, of_its_kinds, plain
from . import npz, npz_table, parquet, tables
from .maps import interpolate, is_flat, minmax, otsu, resize_bilinear, sampling
from .owned import owned

Normalize = Literal["minmax", "patches", "none"]
Threshold = Share | Literal["mean", "otsu"]


@dataclass(frozen=True)
class Grid:
    """Where a patch grid lies on the original image.

    Attributes
    ----------
    height, width : gh, gw, patches down and across
    image_size : (height, width) of the original image in pixels
    box : (top, left, bottom, right) of the original image the grid covers, in its pixels; the whole
        image unless it was cropped
    """

    height: int
    width: int
    image_size: tuple[int, int]
    box: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            object.__setattr__(self, name, plain(value))  # which JSON knows, other than numpy's

    @property
    def patches(self) -> int:
        """P = gh * gw."""
        return self.height * self.width

    def onto_image(self, values: np.ndarray, size: tuple[Side, Side] | None = None) -> np.ndarray:
        """Patch `values` (gh, gw), interpolated between the patches' centres, on the image.

        Parameters
        ----------
        values : (gh, gw), one number for every patch; NaN for one that is not known, which is not
            mixed with its neighbours
        size : (height, width) to draw the image with instead of its own

        Returns
        -------
        (H, W) float32; NaN for pixels outside the box, which no patch covers, and for those of a
        patch that is not known

        Examples
        --------
        >>> grid = Grid(1, 2, image_size=(2, 4), box=(0, 0, 2, 4))
        >>> grid.onto_image(np.array([[0.0, 1.0]]))
        array([[0.  , 0.25, 0.75, 1.  ],
               [0.  , 0.25, 0.75, 1.  ]], dtype=float32)
        """
        H, W = self.image_size
        drawn_height, drawn_width = size or self.image_size
        top, left, bottom, right = self.box
        rows = sampling(self.height, top, bottom, length=H, pixels=drawn_height)
        columns = sampling(self.width, left, right, length=W, pixels=drawn_width)
        return interpolate(values, rows, columns)


SAME_FOR_ALL = "This method does not read the text: every text has the same map."


@of_its_kinds
@dataclass(frozen=True, eq=False)
class Explanation:
    """Patch scores of one image for some texts, with everything needed to read them.

    Its arrays are its own and read-only: what a caller does to the arrays given, or to the trace,
    changes nothing here.

    Attributes
    ----------
    scores : (T, gh, gw) float32, raw and signed, higher means more evidence for the text. NaN is a
        score that is not known: it is hatched in every figure, and no map, mask, point or measure
        counts it. Infinite scores and another shape are a ValueError
    texts : what each map is for
    method : name in `clipxai.methods()`
    grid : where the patches lie on the image
    unit : what a score is, such as "cosine similarity"
    image : (H, W, 3) uint8, the original, of the grid's `image_size`
    presence : (T,) float32, cosine of the whole image with each text: a map shows *where*, even for
        something that is not there. Of a difference of maps it is the difference of cosines
    notes : what a reader of the map has to know
    provenance : model, weights and options it came from
    difference : whether scores and presence are differences between two texts; figures then begin
        with zero in the middle of their colours
    sides : of a contrast the two texts, that for which scores above 0 speak and the other; else ()
    """

    scores: np.ndarray
    texts: tuple[str, ...]
    method: str
    grid: Grid
    unit: str
    image: np.ndarray
    presence: np.ndarray
    notes: tuple[str, ...] = ()
    provenance: dict[str, str] = field(default_factory=dict)
    difference: bool = False
    sides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        own = {
            "scores": owned(np.asarray(self.scores, np.float32)),
            "image": owned(np.asarray(self.image)),
            "presence": owned(np.asarray(self.presence, np.float32)),
            "provenance": dict(self.provenance),
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)  # as a frozen dataclass does it itself
        self._expect_fitting()

    def _expect_fitting(self) -> None:
        expected = (len(self.texts), self.grid.height, self.grid.width)
        if self.scores.shape != expected:
            raise ValueError(
                f"scores have shape {self.scores.shape}, but {len(self.texts)} texts on this grid "
                f"make {expected}"
            )
        if self.presence.shape != expected[:1]:
            raise ValueError(
                f"presence has shape {self.presence.shape}, but {len(self.texts)} texts make "
                f"{expected[:1]}"
            )
        if self.sides and (len(self.sides), len(self.texts)) != (2, 1):
            raise ValueError(
                f"a contrast is one map of two sides, but here are {len(self.texts)} maps of "
                f"{len(self.sides)}"
            )
        image, pixels = self.image, (*self.grid.image_size, 3)
        if image.dtype != np.uint8 or image.shape != pixels:
            raise ValueError(
                f"the image is {image.dtype} of shape {image.shape}, but this grid lies on uint8 "
                f"of shape {pixels}"
            )
        for text, infinite in zip(self.texts, np.isinf(self.scores).sum(axis=(1, 2))):
            if infinite:
                raise ValueError(
                    f"{infinite} scores of {text!r} are infinite, but scores are finite, or NaN "
                    "where they are not known"
                )

    def __repr__(self) -> str:
        grid = f"{self.grid.height}x{self.grid.width} patches"
        texts = ", ".join(map(repr, self.texts))
        return f"<Explanation by {self.method} of {len(self.texts)} texts on {grid}: {texts}>"

    def index(self, text: int | str) -> int:
        """Number of a `text`, given as itself or as its number; negative ones count from the last.

        Raises
        ------
        ValueError : a text that is not here; the message says which are
        IndexError : no text of that number

        Examples
        --------
        >>> e.index("a guitar"), e.index(-1)
        (1, 3)
        """
        return number_of(self.texts, text, "text", "this explanation")

    @property
    def reads_texts(self) -> bool:
        """Whether its maps depend on the texts: where they do not, a note says so, and no figure
        says which way up they are.

        Examples
        --------
        >>> e.reads_texts
        True
        """
        return SAME_FOR_ALL not in self.notes

    def varies(self, text: int | str = 0) -> bool:
        """Whether the map of a `text` (errors as `index`) has anything to show: more variation than
        float32 rounding.

        Examples
        --------
        >>> e.varies("a cat")
        True
        """
        return not is_flat(self.scores[self.index(text)])

    def heatmap(
        self,
        text: int | str = 0,
        size: tuple[Side, Side] | None = None,
        normalize: Normalize = "minmax",
    ) -> np.ndarray:
        """The map of one text on the image.

        Parameters
        ----------
        text : number of the text, or the text
        size : (height, width) instead of the image's
        normalize : "minmax" to 0…1 over the pixels, "patches" to 0…1 over the patches before
            interpolating (as the released CLIP Surgery code does), "none" for raw scores, signed
            and in `unit`. A constant map becomes 0.5 everywhere

        Returns
        -------
        (H, W) float32, higher means more evidence; NaN where the model did not look (cropped away)
        and in patches whose score is not known

        Raises
        ------
        ValueError, IndexError : no such text, as `index`; an unknown `normalize`

        Examples
        --------
        >>> e.heatmap("a cat").shape
        (336, 336)
        >>> e.heatmap("a cat", size=(2, 3)).round(2)
        array([[0.  , 1.  , 0.35],
               [0.3 , 0.3 , 0.37]], dtype=float32)
        """
        scores = self.scores[self.index(text)]
        # of a constant map the patches decide: its pixels vary by rounding
        if normalize == "patches" or (normalize == "minmax" and is_flat(scores)):
            scores = minmax(scores)
        drawn = self.grid.onto_image(scores, size)
        return minmax(drawn) if normalize == "minmax" else drawn

    def mask(
        self, text: int | str = 0, threshold: Threshold = 0.5, size: tuple[Side, Side] | None = None
    ) -> np.ndarray:
        """Where the heat-map of a text is hot.

        Parameters
        ----------
        text, size : as for `heatmap`
        threshold : what the heat-map, 0…1, has to reach: a number in 0…1, its own "mean", or "otsu"
            (Otsu 1979: the split into two groups with the largest variance between them)

        Returns
        -------
        (H, W) bool; False where the score is not known, and everywhere for a map without variation
        (`varies`), which has no region

        Raises
        ------
        ValueError, IndexError : no such threshold or text

        Examples
        --------
        >>> int(e.mask("a cat").sum()), int(e.mask("a cat", "otsu").sum())
        (6397, 6942)
        """
        heat = self.heatmap(text, size)
        if is_flat(heat):
            return np.zeros(heat.shape, bool)
        seen = heat[~np.isnan(heat)]
        if threshold in ("mean", "otsu"):
            threshold = float(seen.mean()) if threshold == "mean" else otsu(seen)
        return heat >= threshold  # which NaN is not

    def points(
        self, text: int | str = 0, threshold: Share = 0.8, size: tuple[Side, Side] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Point prompts for SAM: the hottest cells as foreground, as many of the coldest as
        background.

        The map is averaged over 2x2 patches first (text-to-points of CLIP Surgery, arXiv
        2304.05653, as its released code does it); cells whose min-max value reaches `threshold` are
        hot. A cell that is not known is neither.

        Parameters
        ----------
        text : number of the text, or the text
        threshold : 0…1
        size : (height, width) of the picture SAM is given, if not the image's own

        Returns
        -------
        xy : (n, 2) float32, pixels of the image, x first
        labels : (n,) 1 for foreground, 0 for background; the hottest come last of the ones, as in
            the released code

        Raises
        ------
        ValueError, IndexError : no such threshold or text; the map has no variation, so no point is
            better than another

        Examples
        --------
        >>> xy, labels = e.points("a cat")
        >>> xy[labels == 1].tolist()
        [[216.0, 72.0], [168.0, 120.0], [216.0, 120.0]]
        """
        scores = self.scores[self.index(text)]
        if is_flat(scores):
            raise ValueError(
                f"the map of {self.texts[self.index(text)]!r} has no variation: no point to choose"
            )
        rows, columns = (max(1, side // 2) for side in scores.shape)
        coarse = minmax(resize_bilinear(scores, rows, columns)).ravel()
        # stable, so that equal cells are chosen in the same order on every machine
        order = np.argsort(coarse, kind="stable")[: np.count_nonzero(~np.isnan(coarse))]  # NaN last
        # never more than half: a cell cannot be foreground and background
        count = min(int((coarse >= threshold).sum()), len(order) // 2)
        chosen = np.concatenate([order[len(order) - count :], order[:count]])
        xy = self._centres(chosen, rows, columns, size or self.grid.image_size)
        return xy, np.repeat([1, 0], count)

    def _centres(
        self, cells: np.ndarray, rows: int, columns: int, size: tuple[int, int]
    ) -> np.ndarray:
        """(n, 2) x and y of the centres of cells, numbered in reading order, in a picture of
        `size`.
        """
        H, W = size
        scale = np.tile([H / self.grid.image_size[0], W / self.grid.image_size[1]], 2)
        top, left, bottom, right = np.array(self.grid.box) * scale
        y = top + (cells // columns + 0.5) * (bottom - top) / rows
        x = left + (cells % columns + 0.5) * (right - left) / columns
        # a picture smaller than the grid has cells whose centre lies behind its last pixel
        return np.stack([np.minimum(x, W - 1), np.minimum(y, H - 1)], axis=1).astype(np.float32)

    def to_npz(self, path: str | Path) -> None:
        """Write everything to one `.npz` file at `path`: numbers and text only, no pickles.

        Raises
        ------
        FileNotFoundError : the folder does not exist
        ValueError : more than a gigabyte, which would not be read again; a file that was read as an
            image or a checkpoint, which is never replaced

        Examples
        --------
        >>> e.to_npz("maps.npz")
        >>> Explanation.from_npz("maps.npz").texts
        ('a cat', 'a guitar', 'sky', 'grass')
        """
        npz.write(path, *kept(self))

    @classmethod
    def from_npz(
        cls, path: str | Path, row: int | str | None = None, image: object = None
    ) -> "Explanation":
        """Read what `to_npz` (or `clipxai.save(e, "x.npz")`) wrote at `path`, or one picture's row
        of what `clipxai explain … --format npz-table` wrote.

        Parameters
        ----------
        path : one file, or a folder of those of a table
        row, image : of a table alone, as for `from_parquet`; by default its first row

        Returns
        -------
        An `Explanation`, equal to the one that was kept; of a table as `from_parquet` gives it

        Raises
        ------
        ValueError : another file, or a damaged one; a row or an image for one explanation, which
            has its own; else as `from_parquet`
        IndexError : no row of that number
        FileNotFoundError : no such file

        Examples
        --------
        >>> from clipxai.cli import main
        >>> options = "--method clip --format npz-table --out maps"
        >>> main(["explain", "photos/", "a cat", *options.split()])
        by the embedded model, to which photographs mean nothing: --model names another CLIP
        maps: 1 explained, 0 were there already, 0 could not be read
        0
        >>> Explanation.from_npz("maps", "one.jpg").texts
        ('a cat',)
        """
        if npz_table.is_table(Path(path)):
            asked = 0 if row is None else row
            return cls._from_table(*tables.read(path, asked, npz_table), image)
        if row is not None or image is not None:
            raise ValueError(
                f"{path} is one explanation with its picture, not a table of them: leave out row "
                "and image"
            )
        arrays, described = npz.read(path)
        return cls._from_kept(arrays, described)

    @classmethod
    def from_parquet(
        cls, path: str | Path, row: int | str = 0, image: object = None
    ) -> "Explanation":
        """Read one picture's row of what `clipxai explain … --format parquet` wrote; its scores are
        those in half precision (`docs/parquet.md` says what the columns are).

        Parameters
        ----------
        path : one file, or a folder of them
        row : number of the row, the files of a folder by name; or what the picture is called in the
            column `picture`
        image : (H, W, 3) uint8, the picture to draw on, which no table keeps, as an array or a PIL
            image; grey unless given, which a note says

        Returns
        -------
        An `Explanation`, equal to the one that was kept but for the rounding of its scores

        Raises
        ------
        ValueError : another file, or a damaged one; no such picture; an image of another size;
            pyarrow is not installed
        IndexError : no row of that number
        FileNotFoundError : no such file

        Examples
        --------
        >>> from clipxai.cli import main
        >>> options = "--method clip --format parquet --out tables"
        >>> main(["explain", "photos/", "a cat", *options.split()])
        by the embedded model, to which photographs mean nothing: --model names another CLIP
        tables: 1 explained, 0 were there already, 0 could not be read
        0
        >>> Explanation.from_parquet("tables", "one.jpg").texts
        ('a cat',)
        """
        return cls._from_table(*tables.read(path, row, parquet), image)

    @classmethod
    def _from_table(
        cls, arrays: dict[str, np.ndarray], described: dict[str, Any], image: object
    ) -> "Explanation":
        notes = described["notes"]
        if image is None:
            size = described["grid"]["image_size"]
            if 3 * math.prod(size) > npz.MOST_BYTES:
                raise ValueError(f"an image of {size[0]}x{size[1]} pixels is not made up: pass it")
            image, notes = np.full((*size, 3), 128, np.uint8), [*notes, tables.NOT_KEPT]
        arrays["image"] = np.asarray(image)
        return cls._from_kept(arrays, {**described, "notes": notes})

    @classmethod
    def _from_kept(cls, arrays: dict[str, np.ndarray], described: dict[str, Any]) -> "Explanation":
        # JSON has lists only; grids are compared and hashed, so theirs become tuples again
        grid = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in described["grid"].items()
        }
        return cls(
            **arrays,
            texts=tuple(described["texts"]),
            method=described["method"],
            grid=Grid(**grid),
            unit=described["unit"],
            notes=tuple(described["notes"]),
            provenance=described["provenance"],
            difference=described.get("difference", False),  # older files have none
            sides=tuple(described.get("sides", ())),  # older files have none
        )


def kept(explanation: Explanation) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """All of an explanation, as files keep it: arrays, and what JSON can say."""
    arrays = {name: getattr(explanation, name) for name in npz.ARRAYS}
    names = ("texts", "method", "unit", "notes", "provenance", "difference", "sides")
    described = {name: getattr(explanation, name) for name in names}
    return arrays, described | {"grid": asdict(explanation.grid)}
