"""What came of one text on its way from a map to a mask?"""

from dataclasses import dataclass

import numpy as np

from ..results.owned import Owning

NO_POINTS, NO_LABELS = np.zeros((0, 2), np.float32), np.zeros(0, int)


@dataclass(frozen=True, eq=False)
class Proposal(Owning):
    """What was asked for one text, what came back, and which mask was chosen.

    Attributes
    ----------
    text : the text
    plain : (H, W) bool, where its map reaches the threshold and is the highest: the mask before
    mask : (H, W) bool, the mask after; the plain one if nothing better came back
    points : (n, 2) float32, pixels of the image, x first, that were given as prompts
    point_labels : (n,) 1 for foreground, 0 for background
    box : (4,) float32, left, top, right, bottom in pixels, or None
    candidates : (K, H, W) bool, the masks that came back
    scores : (K,) float32, what their maker thinks of them; NaN if it does not say
    agreement : (K,) float32, their IoU with the plain mask, 0…1
    chosen : number of the candidate that was chosen; -1 for the plain mask
    note : why, if that needs words
    """

    text: str
    plain: np.ndarray
    mask: np.ndarray
    points: np.ndarray
    point_labels: np.ndarray
    box: np.ndarray | None
    candidates: np.ndarray
    scores: np.ndarray
    agreement: np.ndarray
    chosen: int
    note: str = ""

    def __repr__(self) -> str:
        # not the arrays
        return f"<Proposal for {self.text!r}: {int(self.mask.sum())} of {self.mask.size} pixels>"

    @classmethod
    def of(
        cls,
        text: str,
        plain: np.ndarray,
        candidates: np.ndarray,
        scores: np.ndarray | None = None,
        chosen: int = 0,
        note: str = "",
        prompts: "tuple[np.ndarray, np.ndarray, np.ndarray | None] | None" = None,
    ) -> "Proposal":
        """From what came back; `chosen` -1 keeps the plain mask. `prompts` are points, labels and
        box.
        """
        points, labels, box = prompts or (NO_POINTS, NO_LABELS, None)
        unknown = np.full(len(candidates), np.nan, np.float32)
        return cls(
            text=text,
            plain=plain,
            mask=plain if chosen < 0 else candidates[chosen],
            points=points,
            point_labels=labels,
            box=box,
            candidates=candidates,
            scores=unknown if scores is None else scores,
            agreement=np.array([overlap(one, plain) for one in candidates], np.float32),
            chosen=chosen,
            note=note,
        )


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """IoU, 0…1, of two masks; 1 where both are empty."""
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else 1.0
