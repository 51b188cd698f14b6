"""How is a picture of a data set put to a model? Recorded at one size, and asked for some of the
classes in one set of words.

Every text is encoded once for a whole run; what a picture is asked for is picked from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..explainers.explain import explain
from ..model.clip import CLIP
from ..model.image import MOST_PATCHES, Prepared
from ..model.words.templates import ENSEMBLES
from ..results.explanation import Explanation
from ..trace.record import record_texts
from ..trace.trace import Trace
from . import faithfulness
from .samples import Dataset, Sample

TEXTS_AT_A_TIME = 256


@dataclass(frozen=True, eq=False)
class Asked:
    """A picture, what it was asked for, and what is known of it.

    Attributes
    ----------
    sample : the picture and its truth
    trace : recorded with the texts of `labels` and then of `absent`
    labels, absent : numbers of classes that are present (or, without a name, the one that the model
        finds), and of some that are not
    seed : for everything random about this picture
    of_all : method -> maps of every class, once some metric has needed them
    effects : how things are taken out -> what that does, once some metric has needed it
    """

    sample: Sample
    trace: Trace
    labels: tuple[int, ...]
    absent: tuple[int, ...]
    seed: int
    of_all: dict[str, Explanation] = field(default_factory=dict)
    effects: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[int, ...]:
        """Numbers of the classes that the trace has texts of."""
        return self.labels + self.absent

    @cached_property
    def others(self) -> list[np.ndarray | None]:
        """For each mask the pixels (H, W) of all others; None where there is no other."""
        masks = self.sample.masks
        if len(masks) == 1:
            return [None]
        return [np.delete(masks, n, axis=0).any(0) for n in range(len(masks))]


class Asker:
    """A model, a data set, and the words in which one is asked about the other.

    Parameters
    ----------
    model : any `CLIP` with a vocabulary
    data : from `clipxai.measure.data.dataset`
    seed : chooses absent labels, noise and shuffled weights
    templates : name in `ENSEMBLES`, to average each class over these prompts instead of the data
        set's single one
    truncate : cut prompts that are longer than the model's context instead of refusing them
    size : side in pixels of the pictures the model reads, instead of its own

    Raises
    ------
    ValueError : unknown templates
    """

    def __init__(
        self,
        model: CLIP,
        data: Dataset,
        seed: int = 0,
        *,
        templates: str | None = None,
        truncate: bool = False,
        size: int | None = None,
    ) -> None:
        if templates not in (None, *ENSEMBLES):
            raise ValueError(f"unknown templates {templates!r}; choose from {', '.join(ENSEMBLES)}")
        self.model, self.data, self.seed = model, data, seed
        self.templates, self.truncate, self.size = templates, truncate, size

    @cached_property
    @torch.no_grad()
    def ids(self) -> Tensor:
        """(C, S) token ids of every class's prompt."""
        return self.model.tokenize(self.data.prompts, self.truncate)

    @cached_property
    @torch.no_grad()
    def texts(self) -> Tensor:
        """(C, E) unit-length features of every class's prompt, encoded once."""
        if self.templates:
            templates = ENSEMBLES[self.templates]
            return self.model.encode_text(
                self.data.classes, templates=templates, truncate=self.truncate
            )
        return torch.cat([self.model.encode_text(few) for few in self.ids.split(TEXTS_AT_A_TIME)])

    @cached_property
    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """(1, E) the empty text, in the same templates."""
        return self.model.encode_text([""], templates=ENSEMBLES.get(self.templates))

    @cached_property
    def shuffled(self) -> CLIP:
        """The model with an image tower that knows nothing."""
        return faithfulness.randomised(self.model, self.seed)

    @cached_property
    @torch.no_grad()
    def spoken(self) -> Trace:
        """A trace of the empty text, which pictures are put into."""
        return record_texts(self.model, "")

    def prepare(self, image: object) -> Prepared:
        """A picture at this run's size."""
        return self.model.preprocessor(image, "squash", self.size, False, MOST_PATCHES)

    def record(self, image: object) -> Trace:
        """A picture at this run's size; `with_texts` gives it texts."""
        return self.spoken.with_images(self.prepare(image))

    def with_texts(self, trace: Trace, numbers: Sequence[int]) -> Trace:
        """A trace with the texts of some classes instead of its own."""
        few = list(numbers)
        texts = tuple(self.data.prompts[number] for number in few)
        templates = ENSEMBLES.get(self.templates)
        return trace.with_encoded_texts(texts, self.texts[few], self.empty_features, templates)

    def labels(self, sample: Sample, trace: Trace) -> tuple[int, ...]:
        """Numbers of the classes to ask for: those that are known to be there, or else the one that
        the model finds.
        """
        return sample.labels or (int((trace.image_features @ self.texts.T).argmax()),)

    def of_all_classes(self, asked: Asked, method: str) -> Explanation:
        """The maps of every class of the data set."""
        if method not in asked.of_all:
            everything = self.with_texts(asked.trace, range(len(self.texts)))
            asked.of_all[method] = explain(everything, method)
        return asked.of_all[method]
