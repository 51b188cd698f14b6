"""Where do long patches go? Into a token of their own, added when the model runs: a test-time
register (Jiang, Dravid, Efros and Gandelsman 2025, arXiv 2506.08010).

Some neurons of some FFNs make a few patches long, whatever the picture shows there. What such a
neuron says most, of all tokens, is said by the register instead, and by no patch:

    h[register, n] = max over tokens i of h[i, n],      h[patches, n] = 0

The register begins as zeros and has no position. Tokens before the patches, such as the class
token, keep what they say. Which neurons: `clipxai.register_neurons`.
"""

import copy
from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import nn

from ..checks import expect, layer_of, of_its_kinds, shown, whole
from .clip import CLIP
from .towers.parts import MovedNeurons
from .towers.vit import VisionTransformer

MOST = 64  # registers; the paper finds one to be enough


@of_its_kinds
def with_registers(model: CLIP, neurons: Iterable[tuple[int, int]], count: int = 1) -> CLIP:
    """A model whose register neurons speak in test-time registers instead of in patches (Jiang et
    al., arXiv 2506.08010). It shares the weights of `model`, which stays as it is.

    Parameters
    ----------
    model : a `CLIP` whose image tower is a ViT
    neurons : (layer, neuron) of image FFNs, such as `register_neurons` finds; none: registers alone
    count : registers, each of which is told the same

    Returns
    -------
    A `CLIP` that says in its name and provenance what was done. Registers stand between the class
    token and the patches, and what they hold is counted with the class token

    Raises
    ------
    TypeError : no `CLIP`; neurons that are no pairs of numbers
    ValueError : a tower that is no ViT, or that ends in a query, which would read the registers;
        one that has test-time registers already; a count below 1
    IndexError : no such layer or neuron

    Examples
    --------
    >>> changed = with_registers(trace.model, [(3, 17), (3, 40)])
    >>> changed.name
    'Emoji World CLIP (embedded) with 1 test-time register'
    """
    expect(CLIP, model, "load")
    tower = model.visual
    if not isinstance(tower, VisionTransformer) or tower.pooling == "query":
        raise ValueError(
            f"test-time registers need a ViT whose class token or mean over patches speaks for "
            f"the image, not {model.name}, a {tower.description}"
        )
    if any(block.mlp.moved is not None for block in tower.blocks):
        raise ValueError(f"{model.name} has them already: begin with the model as it was")
    if not 1 <= count <= MOST:
        raise ValueError(f"count={count}, but 1 to {MOST} registers are expected")
    by_layer = _by_layer(tower, neurons)
    kept = [model.tokenizer, *model.parameters(), *model.buffers()]
    changed = copy.deepcopy(model, {id(part): part for part in kept})
    _add(changed.visual, count)
    first = changed.visual.before - count
    for layer, some in by_layer.items():
        moved = MovedNeurons(tuple(some), range(first, first + count))
        changed.visual.blocks[layer].mlp.moved = moved
    registers = f"{count} test-time register{'s' if count > 1 else ''}"
    told = "; ".join(f"{', '.join(map(str, some))} of layer {n}" for n, some in by_layer.items())
    how = f"{registers} (arXiv 2506.08010), neurons {told or 'none'}"
    changed.changed(f"{model.name} with {registers}", how)
    return changed


def _by_layer(tower: VisionTransformer, neurons: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Layer -> its neurons, in order."""
    found: dict[int, set[int]] = defaultdict(set)
    for pair in neurons:
        try:
            asked, number = pair
        except (TypeError, ValueError):
            raise TypeError(
                f"neurons are pairs (layer, neuron), such as (3, 17), not {shown(pair)}"
            ) from None
        layer, neuron = layer_of(len(tower.blocks), asked), whole(number, "neuron")
        hidden = tower.blocks[layer].mlp.down.in_features
        if not 0 <= neuron < hidden:
            raise IndexError(
                f"neuron {neuron}, but the FFN of layer {layer} has {hidden} (0 to {hidden - 1})"
            )
        found[layer].add(neuron)
    return {layer: sorted(found[layer]) for layer in sorted(found)}


def _add(tower: VisionTransformer, count: int) -> None:
    """Registers of zeros, behind those that the tower was trained with."""
    zeros = torch.zeros(count, tower.ln_post.weight.shape[-1]).to(tower.patch_embedding.weight)
    trained = getattr(tower, "registers", None)
    together = zeros if trained is None else torch.cat([trained.detach(), zeros])
    tower.registers = nn.Parameter(together, requires_grad=tower.ln_post.weight.requires_grad)
    tower.before += count
