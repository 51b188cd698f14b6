"""Which neurons make patches long? Those that say most where a patch stands out by its length.

Formula    score(l, n) = mean over images of mean over long patches i of |h_l[i, n]|, h_l what the
           FFN of layer l puts through its last map.
Reads      traces of many images; the FFNs' first maps run again.
Returns    (layer, neuron) -> score, for `with_registers`.
Reference  Jiang, Dravid, Efros and Gandelsman 2025 (arXiv 2506.08010), whose released code cuts at
           a fixed length, given with every model; here it is a multiple of the median, as in
           `sinks`, and only layers up to the one that makes them long are asked.
Misleads   It is no effect: take `with_registers` and look whether `sinks` are gone.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ..checks import Within, expect, of_its_kinds
from ..model.clip import CLIP
from ..trace.record import record
from ..trace.sides import in_own_precision
from ..trace.trace import Trace
from .sinks import sinks

AT_ONCE = 8  # images in a batch


@of_its_kinds
@torch.no_grad()
def register_neurons(
    model: CLIP,
    images: Sequence[object],
    count: Annotated[int, Within(1)] = 10,
    norm_above: Annotated[float, Within(1)] = 4.0,
) -> dict[tuple[int, int], float]:
    """Neurons that make patches long, of all images together (Jiang et al., arXiv 2506.08010).

    Parameters
    ----------
    model : a `CLIP` whose image tower has blocks
    images : a list, as for `record`; the paper takes 500
    count : neurons
    norm_above : times the median length of the patches that makes an outlier, as in `sinks`

    Returns
    -------
    (layer, neuron) -> its mean absolute activation on long patches, the highest first: what
    `with_registers` takes

    Raises
    ------
    TypeError : no `CLIP`, what is no image
    ValueError : a tower without blocks; no image with a patch that long

    Examples
    --------
    >>> from clipxai.scenes import sample
    >>> found = register_neurons(trace.model, [sample(0).image], count=3, norm_above=1.2)
    >>> len(found), found == dict(sorted(found.items(), key=lambda each: -each[1]))
    (3, True)
    """
    expect(CLIP, model, "load")
    model.expect("register neurons", "blocks")
    scores, last = list[Tensor](), 0
    for n in range(0, len(images), AT_ONCE):
        trace = record(model, images[n : n + AT_ONCE])
        for image in range(len(trace.images)):
            one = trace.of(image)
            # what is long already when it comes in, no neuron made
            found = sinks(one, norm_above=norm_above).by_norm
            long = found[1:] & ~found[0]
            patches = long.any(0)[-one.grids[0].patches :].nonzero()[0].tolist()
            if patches:
                scores.append(_said(one, patches))
                last = max(last, int(long.any(1).argmax()))
    if not scores:
        raise ValueError(
            f"no patch of these {len(images)} images is {norm_above:g} times as long as the median "
            f"inside of {model.name}, so no neuron makes one so: lower norm_above, or leave the "
            "model as it is"
        )
    mean = torch.stack(scores).mean(0)[: last + 1]
    best = mean.flatten().topk(min(count, mean.numel()))
    places = (divmod(int(at), mean.shape[1]) for at in best.indices)
    return {place: float(value) for place, value in zip(places, best.values)}


def _said(trace: Trace, patches: list[int]) -> Tensor:
    """(L, hidden) how much every neuron says of those patches of one image."""
    at = torch.tensor(patches, device=trace.stream.device) + trace.model.visual.before
    with in_own_precision(trace.model):
        return torch.stack(
            [
                block.neurons((tape.residual + tape.attention)[0, at]).float().abs().mean(0)
                for block, tape in zip(trace.model.visual.blocks, trace.layers)
            ]
        ).cpu()
