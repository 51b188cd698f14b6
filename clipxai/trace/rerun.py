"""How does a changed pass come about? From the first block that changes it runs again.

Everything before is shared with the pass it was made from.
"""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ..model.towers.block import BlockTape, through
from .edits import Edits
from .rules import Side
from .sides import ended, in_own_precision
from .trace import Trace


@torch.no_grad()
def rerun(trace: Trace, image: Edits, text: Edits) -> Trace:
    """A trace with more `image` and `text` edits, in the model's own precision."""
    changed = trace
    if image:
        tapes, stream = _again(Side.of(trace, "image"), image)
        edits = trace.edits.also(image)
        changed = replace(changed, layers=tapes, stream=stream, edits=edits)
    if text:
        tapes, stream = _again(Side.of(trace, "text"), text)
        with in_own_precision(trace.model):
            tokens = trace.model.text.read_out(stream)
        told = ended(trace.model, trace.token_ids, tokens)
        edits = trace.text_edits.also(text)
        changed = replace(changed, text_layers=tapes, text_edits=edits, _beside={}, **told)
    return changed


def _again(side: Side, new: Edits) -> tuple[tuple[BlockTape, ...], Tensor]:
    """The tapes of all blocks, those before the first change shared, and the last stream."""
    trace, start, edits = side.trace, new.first, side.edits.also(new)
    tower, entering = trace.model.visual, side.stands(start, "residual")
    recipe, lengths = dict(grid=trace.grid), None
    if side.tower == "text":
        tower, recipe = trace.model.text, dict(causal=side.causal)
        lengths = tower.end(trace.token_ids) + 1
    heads = None
    if not side.edits.at(start, "residual", "heads") and not new.at(start, "residual"):
        # what enters is what was recorded, and so are queries, keys and values of it
        tape = side.tapes[start]
        heads = tape.q, tape.k, tape.v
    with in_own_precision(trace.model):
        run = partial(through, tower.blocks, entering, start=start, heads=heads, **recipe)
        tapes, stream = edits.recorded(run, start, side.causal, lengths)
    return (*side.tapes[:start], *tapes), stream
