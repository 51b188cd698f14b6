"""What does a number in a map mean, and where on the image does it belong?

Only numpy: a saved explanation can be drawn on a machine without torch. Axes: T texts, gh gw patch
grid, H W pixels of the image.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ..checks import expect_threshold, number_of
from .maps import is_flat, minmax, otsu, resize_bilinear, sampling

Normalize = Literal["minmax", "patches", "none"]
Threshold = float | Literal["mean", "otsu"]


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

    @property
    def patches(self) -> int:
        """P = gh * gw."""
        return self.height * self.width

    def onto_image(self, values: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
        """Patch values (gh, gw), bilinear, onto the image (H, W), or onto it at another `size`:
        float32; pixels outside the box are NaN.
        """
        rows = sampling(
            self.height, self.box[0], self.box[2], self.image_size[0], (size or self.image_size)[0]
        )
        columns = sampling(
            self.width, self.box[1], self.box[3], self.image_size[1], (size or self.image_size)[1]
        )
        return rows @ values.astype(np.float32) @ columns.T


@dataclass(frozen=True, eq=False)
class Explanation:
    """Patch scores of one image for some texts, with everything needed to read them.

    Attributes
    ----------
    scores : (T, gh, gw) float32, raw and signed, higher means more evidence for the text; another
        shape is a ValueError
    texts : what each map is for
    method : name in `clipxai.methods()`
    grid : where the patches lie on the image
    unit : what a score is, such as "cosine similarity"
    image : (H, W, 3) uint8, the original
    presence : (T,) cosine of the whole image with each text: a map shows *where*, even for
        something that is not there
    notes : what a reader of the map has to know
    provenance : model, weights and options it came from
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

    def __post_init__(self) -> None:
        expected = (len(self.texts), self.grid.height, self.grid.width)
        if self.scores.shape != expected:
            raise ValueError(
                f"scores have shape {self.scores.shape}, but {len(self.texts)} texts on this grid "
                f"make {expected}"
            )

    def __repr__(self) -> str:
        grid = f"{self.grid.height}x{self.grid.width} patches"
        return (
            f"<Explanation by {self.method} of {len(self.texts)} texts on {grid}: "
            f"{', '.join(map(repr, self.texts))}>"
        )

    def index(self, text: int | str) -> int:
        """Number of a text given as itself or as its number; one that is not here is a ValueError
        or an IndexError.
        """
        return number_of(self.texts, text, "text", "this explanation")

    def varies(self, text: int | str = 0) -> bool:
        """Whether the map of a text (errors as `index`) has any variation to show: more than
        float32 rounding.
        """
        return not is_flat(self.scores[self.index(text)])

    def heatmap(
        self,
        text: int | str = 0,
        size: tuple[int, int] | None = None,
        normalize: Normalize = "minmax",
    ) -> np.ndarray:
        """The map of one text on the image, (H, W) float32; NaN where the model did not look
        (cropped away).

        Parameters
        ----------
        text : number of the text, or the text; errors as `index`
        size : (height, width) instead of the image's
        normalize : "minmax" to 0…1 over the pixels, "patches" to 0…1 over the patches before
            interpolating (as the released CLIP Surgery code does), "none" for raw scores; else a
            ValueError. A constant map becomes 0.5 everywhere.
        """
        scores = self.scores[self.index(text)]
        if normalize not in ("minmax", "patches", "none"):
            raise ValueError(
                f"unknown normalisation {normalize!r}; choose 'minmax', 'patches' or 'none'"
            )
        drawn = self.grid.onto_image(minmax(scores) if normalize == "patches" else scores, size)
        return minmax(drawn) if normalize == "minmax" else drawn

    def mask(
        self, text: int | str = 0, threshold: Threshold = 0.5, size: tuple[int, int] | None = None
    ) -> np.ndarray:
        """(H, W) bool: where the `heatmap` (`text`, `size`) reaches `threshold`, 0…1, "mean" or
        "otsu" (1979); else a ValueError.
        """
        heat = self.heatmap(text, size)
        seen = heat[~np.isnan(heat)]
        if threshold in ("mean", "otsu"):
            threshold = float(seen.mean()) if threshold == "mean" else otsu(seen)
        expect_threshold(threshold, "a number in 0…1, 'mean' or 'otsu'")
        return np.nan_to_num(heat, nan=-1) >= threshold

    def points(
        self, text: int | str = 0, threshold: float = 0.8, size: tuple[int, int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Point prompts for SAM: the hottest cells as foreground, as many of the coldest as
        background.

        The map is averaged over 2x2 patches first (text-to-points of CLIP Surgery, arXiv
        2304.05653); cells whose min-max value is at least `threshold`, 0…1, are hot. `size`
        (height, width) is that of the picture SAM is given, if not the image's own.

        Returns
        -------
        xy : (n, 2) float32, pixels of the image, x first
        labels : (n,) 1 for foreground, 0 for background; the hottest come last of the ones, as in
            the released code

        Raises
        ------
        ValueError, IndexError : no such threshold or text; the map has no variation, so no point is
            better than another
        """
        expect_threshold(threshold)
        scores = self.scores[self.index(text)]
        if is_flat(scores) or not np.isfinite(scores).all():
            raise ValueError(
                f"the map of {self.texts[self.index(text)]!r} has no variation (or is not finite): "
                "no point to choose"
            )
        h, w = max(1, scores.shape[0] // 2), max(1, scores.shape[1] // 2)
        coarse = minmax(resize_bilinear(scores, h, w)).ravel()
        order = np.argsort(coarse, kind="stable")
        count = min(int((coarse >= threshold).sum()), len(coarse) // 2)
        chosen = np.concatenate([order[len(order) - count :], order[:count]])
        H, W = size or self.grid.image_size
        top, left, bottom, right = np.array(self.grid.box) * np.tile(
            [H / self.grid.image_size[0], W / self.grid.image_size[1]], 2
        )
        y = np.minimum(top + (chosen // w + 0.5) * (bottom - top) / h, H - 1)
        x = np.minimum(left + (chosen % w + 0.5) * (right - left) / w, W - 1)
        return np.stack([x, y], axis=1).astype(np.float32), np.repeat([1, 0], count)

    def to_npz(self, path: str | Path) -> None:
        """Write everything to one `.npz` file at `path` (numbers and text only, no pickles)."""
        words = {
            "texts": self.texts,
            "method": self.method,
            "grid": asdict(self.grid),
            "unit": self.unit,
            "notes": self.notes,
        }
        described = json.dumps({**words, "provenance": self.provenance})
        with Path(path).open("wb") as file:
            np.savez_compressed(
                file,
                scores=self.scores,
                image=self.image,
                presence=self.presence,
                described=np.array(described),
            )

    @classmethod
    def from_npz(cls, path: str | Path) -> "Explanation":
        """Read what `to_npz` (or `clipxai.save(e, "x.npz")`) wrote at `path`; another .npz is a
        KeyError, none a FileNotFoundError.
        """
        with np.load(path, allow_pickle=False) as file:
            words = json.loads(str(file["described"]))
            grid = Grid(
                **{
                    name: tuple(v) if isinstance(v, list) else v
                    for name, v in words["grid"].items()
                }
            )
            return cls(
                file["scores"],
                tuple(words["texts"]),
                words["method"],
                grid,
                words["unit"],
                file["image"],
                file["presence"],
                tuple(words["notes"]),
                words["provenance"],
            )
