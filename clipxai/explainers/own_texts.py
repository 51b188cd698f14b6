"""What does a method made of gradients see of each image's own texts? Nobody is asked about
another's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice

import torch

from ..results.explanation import Explanation
from ..trace.precision import unrounded
from ..trace.trace import Trace
from .explain import expect_question
from .gradient_parts import in_parts, some_of
from .table import find_method
from .told import explanations


@unrounded
def explain_own(
    trace: Trace, own: Sequence[Sequence[int]], method: str, **options: object
) -> list[Explanation]:
    """An `Explanation` of every image by a method that needs gradients, asked about the texts of
    the trace with its numbers in `own`, at least one.

    Images with as many texts as one another go back through the graph together, as many as memory
    has room for (`gradient_parts`): filled up to one number, they would pay for texts of nobody.
    """
    expect_question(trace.model, method, options)
    row, found = find_method(method), {}
    for images in _alike(own):
        numbers = torch.tensor([own[n] for n in images])
        asked = replace(some_of(trace, images), text_features=trace.text_features[numbers])  # B K E
        left = iter(images)
        for few, scores in in_parts(asked, row, options):
            these = [*islice(left, len(few.images))]
            texts = [tuple(trace.texts[number] for number in own[n]) for n in these]
            found |= zip(these, explanations(few, row, options, scores, texts))
    return [found[n] for n in range(len(own))]


def _alike(own: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """The images with the same number of texts each."""

    def count(image: int) -> int:
        return len(own[image])

    for _, images in groupby(sorted(range(len(own)), key=count), count):
        yield list(images)
