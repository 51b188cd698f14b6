"""What can be asked of an image that was recorded without texts? What reads none."""

import math

import torch

from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .method import Method

NO_TEXT = "(no text)"  # what the only map of such a method is called


def with_texts_for(trace: Trace, method: Method) -> Trace:
    """The trace, with a text of which nothing is known if it has none and `method` reads none.

    Raises
    ------
    ValueError : it reads texts, and there are none
    """
    if method.reads_texts or trace.texts:
        expect_texts(trace.model, trace.texts, method.name)
        return trace
    # NaN, as no presence of no text could be told
    unknown = torch.full((1, trace.whole_image.shape[-1]), math.nan, device=trace.stream.device)
    return trace.with_encoded_texts((NO_TEXT,), unknown)
