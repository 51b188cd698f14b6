"""Which tokens are sinks? Long vectors that everybody looks at, whatever the picture shows there.

Formula    |x_l[i]| > c median over patches of |x_l|;  mean_h mean_j A_l[h, j, i] N > a, j not i.
Reads      the trace's streams and attention.
Returns    `Sinks`.
Reference  Darcet et al. 2024 (arXiv 2309.16588), who cut at a fixed length; a multiple of the
           median, as here, knows no scale. `register_neurons` and `with_registers` take them out
           of the picture.
Misleads   Attention also falls on a patch because of what it shows: by attention alone, the
           embedded model has outliers; by length, it has none.
"""

from typing import Annotated

import torch

from ..checks import Within, of_its_kinds
from ..results.findings import Picture, Sinks
from ..trace.precision import unrounded
from ..trace.readout import read
from ..trace.trace import Trace


@of_its_kinds
@torch.no_grad()
@unrounded
def sinks(
    trace: Trace,
    image: int = 0,
    norm_above: Annotated[float, Within(1)] = 4.0,
    attention_above: Annotated[float, Within(1)] = 5.0,
) -> Sinks:
    """Tokens whose length, or whose share of attention, stands out in some layer.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch
    norm_above : times the median length of the patches entering a layer
    attention_above : times its even share of attention

    Returns
    -------
    `Sinks`; `ablate(trace, patches=found.patches(), layer=...)` takes them out

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without blocks
    IndexError : no such image

    Examples
    --------
    >>> sinks(trace).patches()  # none is long
    ()
    """
    trace.model.expect("sinks", "blocks")
    picture, one = Picture.of(trace, image), trace.of(image)
    layers, N = range(len(one.layers)), one.stream.shape[1]
    norms = [one.residual(n)[0].float().norm(dim=-1) for n in range(len(layers) + 1)]
    received = []
    for layer in layers:
        mean = one.attention(layer)[0].float().mean(0)
        # what a token gives itself says nothing of the others
        received.append((mean.sum(0) - mean.diagonal()) * N / (N - 1))
    before = one.model.visual.before
    return Sinks(
        picture,
        read(torch.stack(norms), before).cpu().numpy(),
        read(torch.stack(received), before).cpu().numpy(),
        norm_above,
        attention_above,
        class_token=before > 0,
    )
