"""What does the figure show? For every text its prompts, and the masks before, back and true."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...tasks.proposal import Proposal, overlap
from ...tasks.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class Steps:
    """A refinement and the truth.

    Attributes
    ----------
    made : from `refine`
    truth : text -> (H, W) bool, of the texts whose mask is known
    """

    made: Segmentation
    truth: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, made: Segmentation, truth: Mapping[str, np.ndarray] | None) -> "Steps":
        """A refinement and true masks; those of the explanation's other texts are not needed.

        Raises
        ------
        ValueError : not made by `refine`; a text it does not have, a mask of another size
        """
        if not made.proposals:
            raise ValueError(
                "this segmentation was not refined, so it has no steps: RegionMap shows it"
            )
        known = {name: np.asarray(mask, bool) for name, mask in (truth or {}).items()}
        texts = made.explanation.texts
        for name, mask in known.items():
            if name not in texts:
                there = ", ".join(map(repr, texts))
                raise ValueError(f"the truth names {name!r}, but the texts are {there}")
            if mask.shape != made.labels.shape:
                raise ValueError(
                    f"the true mask of {name!r} has {mask.shape} pixels, the image "
                    f"{made.labels.shape}"
                )
        refined = [one.text for one in made.proposals]
        return cls(made, {name: known[name] for name in refined if name in known})

    def masks(self, one: Proposal) -> list[np.ndarray]:
        """Plain, then every candidate, of one text."""
        return [one.plain, *one.candidates]

    def iou(self, text: str, mask: np.ndarray) -> float | None:
        """IoU, 0…1, with the truth; None where that is unknown."""
        return overlap(mask, self.truth[text]) if text in self.truth else None
