"""How high is each text's map at a pixel, beside the others? What every refinement starts from."""

from collections.abc import Sequence

import numpy as np

from ..results.explanation import Explanation

NO_HEIGHT = -1.0  # of a map without variation, and where the model did not look: below all others
Points = tuple[np.ndarray, np.ndarray]  # (n, 2) x and y in pixels of the image, (n,) 1 or 0


class Heights:
    """Maps of some texts of an explanation, each on its own scale of 0…1 over the pixels.

    Parameters
    ----------
    explanation : maps and image
    numbers : of the texts that compete
    threshold : 0…1, from which a pixel is in a plain mask
    """

    def __init__(self, explanation: Explanation, numbers: Sequence[int], threshold: float) -> None:
        self.explanation, self.numbers, self.threshold = explanation, list(numbers), threshold
        self.texts = [explanation.texts[n] for n in self.numbers]
        self.image = explanation.image
        self._full: np.ndarray | None = None

    def within(self, side: int) -> tuple[int, int]:
        """(height, width) of the image, made smaller where its longer side is more than `side`."""
        H, W = self.image.shape[:2]
        shrunk = min(1.0, side / max(H, W))
        return max(1, round(H * shrunk)), max(1, round(W * shrunk))

    def at(self, size: tuple[int, int]) -> np.ndarray:
        """(T, *size) float32, 0…1; `NO_HEIGHT` of a flat map and of what was not seen."""
        maps = np.stack([self.explanation.heatmap(n, size) for n in self.numbers])
        for heat, number in zip(maps, self.numbers):
            if not self.explanation.varies(number):
                heat[...] = NO_HEIGHT
        return np.nan_to_num(maps, nan=NO_HEIGHT)

    @property
    def full(self) -> np.ndarray:
        """(T, H, W), `at` the image's own size."""
        if self._full is None:
            self._full = self.at(self.image.shape[:2])
        return self._full

    @property
    def unseen(self) -> np.ndarray:
        """(H, W) bool: where no text's score is known."""
        raw = (self.explanation.heatmap(n, normalize="none") for n in self.numbers)
        return np.logical_and.reduce([np.isnan(heat) for heat in raw])

    def plain(self, n: int) -> np.ndarray:
        """(H, W) bool: where the n-th text's map is the highest and reaches the threshold."""
        return (self.full.argmax(0) == n) & (self.full[n] >= self.threshold)


def enlarged(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask at another size, with edges that are smooth instead of stairs."""
    if mask.shape == shape:
        return mask
    import cv2  # which `import clipxai.view` must not load

    soft = cv2.resize(mask.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
    return soft >= 0.5
