"""How does CLIP Surgery turn the inverted, noisy raw map into one that points at the object?

Two repairs, both without training (Li et al., "A Closer Look at the Explainability of Contrastive
Language-Image Pre-training", arXiv 2304.05653):

1. **Architecture surgery.** Raw q-k attention links a token to semantically different regions.
   Beside the original stream a second path runs in which tokens attend by the similarity of their
   *values*, reading the values V of the ORIGINAL stream and skipping the FFNs:

       A_vv = softmax(V V^T / sqrt(d))        z <- z + W_o (A_vv V)

   Patches are read from the new path, the class token from the original one, so what CLIP says of
   the whole image does not change.

2. **Feature surgery.** Some features light up whatever the text says, so they are subtracted: what
   the empty text lights up (the default, each map by itself), or what a list of labels shares,
   where s is a cosine and w = softmax_t(tau * s[class token]) / its mean:

       S[i, t] = s[i, t] - s_empty[i]
       S[i, t] = w[t] s[i, t] - mean_k w[k] s[i, k]

Where positions turn queries and keys (EVA02, PE), values are not turned: V V^T compares what tokens
hold, wherever they lie. Other methods' q-q and k-k attention compare the turned ones, as the
model's own attention does, so there it counts how one token lies from another. A norm of what the
heads read, or of what the attention adds, is applied to the new path as to the original.

The new path reads nothing but the recorded trace, so depth and kind of attention change without
running the model again. The same holds for the other training-free methods: each is one row of
`presets.PRESETS`.

Axes: B images, H heads, N tokens of the stream (1 + P, class token first; SigLIP P), T texts,
D width, E joint width. Read out, there are always 1 + P tokens, the whole image first.
"""

from functools import partial

import torch
from torch import Tensor

from ..checks import Factor, of_its_kinds, shown
from ..model.clip import cosines
from ..model.towers.block import Edit, Mix
from ..trace.flowing import as_recorded
from ..trace.precision import unrounded
from ..trace.trace import Trace
from .mixing import mix, mix_gem, neighbourhood_bias
from .presets import PRESETS, Rewrite
from .scores import difference

# a ResNet has one attention: unit-length values at a scale of 8 / sqrt(d) make up for depth
RESNET_SHARPEN = 8.0


@of_its_kinds
@unrounded
@as_recorded
def rewrite(trace: Trace, change: Rewrite | str = "clip_surgery") -> Tensor:
    """Image tokens as a rewritten path through the last blocks sees them.

    Parameters
    ----------
    trace : a recorded forward pass
    change : a `Rewrite`, or the name of one of `PRESETS`

    Returns
    -------
    (B, 1 + P, E) tokens in the joint space, the whole image first, not normalised

    Raises
    ------
    TypeError : no Trace
    ValueError : unknown preset, more blocks than a ViT has (a ResNet has one attention, which any
        `blocks` above 0 means), or a switch that needs the blocks of a ViT

    Examples
    --------
    >>> rewrite(trace, Rewrite(attention="qq", blocks=3)).shape  # images, tokens, joint width
    torch.Size([1, 197, 128])
    """
    if isinstance(change, str):
        if change not in PRESETS:
            raise ValueError(f"unknown preset {change!r}; choose one of {', '.join(PRESETS)}")
        change = PRESETS[change]
    change.expect_possible(trace.model.visual)
    if change.blocks == 0:  # as preset "clip": nothing is rewritten
        return trace.image_tokens(normalize=False)
    path = _through_blocks if "blocks" in trace.model.visual.has else _through_pool
    tokens = path(trace, change).float()
    if change.class_token == "rewritten":
        return tokens
    return torch.cat([trace.whole_image, tokens[:, 1:]], dim=1)


def _through_blocks(trace: Trace, change: Rewrite) -> Tensor:
    """From the stream entering the first rewritten block to the usual read-out."""
    return trace.model.visual.tokens(rewritten_streams(trace, change)[-1])


def rewritten_streams(trace: Trace, change: Rewrite) -> list[Tensor]:
    """The new path z before its first block and after each, (B, N, D); of a tower with blocks."""
    tower, L = trace.model.visual, len(trace.layers)
    streams = [trace.residual(L - change.blocks)]
    for layer in range(L - change.blocks, L):
        block, tape = tower.blocks[layer], trace.layers[layer]
        # on the dual path tokens compare and read what the ORIGINAL stream holds
        z = streams[-1]
        stream, heads = z, None
        if change.dual_path:
            stream, heads = tape.residual, (tape.q, tape.k, tape.v)
        if change.attention == "gem":
            length = block.norm(stream).norm(dim=-1).mean(dim=-1)
            way: Mix = partial(mix_gem, length=length, iterations=change.iterations)
        else:
            way = _way(trace, change, normalize=False, sharpen=1.0)
        switches = dict(residual=change.residual, ffn=change.ffn)
        switches |= dict(edit=_edit(trace, layer, change.dual_path))
        streams.append(block(z, grid=trace.grid, heads=heads, mix=way, **switches))
    return streams


def _edit(trace: Trace, layer: int, dual_path: bool) -> Edit | None:
    """What was changed in a block is changed on the new path too; on the dual path the heads' v
    show it already.
    """
    edit = trace.edits.on()
    if edit is None:
        return None
    return lambda place, tensor: (
        tensor if dual_path and place == "heads" else edit(layer, place, tensor)
    )


def _through_pool(trace: Trace, change: Rewrite) -> Tensor:
    tape = trace.layers[0]
    way = _way(trace, change, normalize=True, sharpen=RESNET_SHARPEN)
    return trace.model.visual.attention_pool.merge(way(tape.q, tape.k, tape.v))


def _way(trace: Trace, change: Rewrite, *, normalize: bool, sharpen: float) -> Mix:
    """`mixing.mix` as `change` says, which may leave `normalize` and `sharpen` to the tower."""
    bias = None
    if change.neighbourhood is not None:
        q = trace.layers[-1].q
        told = trace.grid, change.neighbourhood, q.device, trace.model.visual.before
        bias = neighbourhood_bias(*told).to(q)
    return partial(
        mix,
        attention=change.attention,
        normalize=normalize if change.normalize is None else change.normalize,
        sharpen=sharpen if change.sharpen is None else change.sharpen,
        bias=bias,
    )


@of_its_kinds
def feature_surgery(
    image_features: Tensor,
    text_features: Tensor,
    redundant: Tensor | None = None,
    temperature: Factor = 2.0,
) -> Tensor:
    """Similarity without what all texts share.

    The paper (arXiv 2304.05653) multiplies image and text features element by element and subtracts
    the mean over texts *before* summing the E channels; summing first gives the same numbers and
    needs no (N, T, E) tensor:

        S[i, t] = w[t] s[i, t] - mean_k w[k] s[i, k]      against the label list
        S[i, t] = s[i, t] - s_redundant[i]                against a feature such as the empty text's

    Parameters
    ----------
    image_features : (B, N, E) unit length, class token first
    text_features : (T, E) unit length
    redundant : (1, E) or (E,) unit length; None estimates the redundancy from the T texts
        themselves
    temperature : tau in w = softmax_t(tau * s[class token, t]), divided by its mean; 2 in the paper

    Returns
    -------
    (B, N, T) difference of cosines: positive where a text fits better than what all texts share

    Raises
    ------
    TypeError : no tensors
    ValueError : of other shapes; a single text and no redundant feature: the difference would be
        zero everywhere

    Examples
    --------
    >>> import torch
    >>> tokens = torch.nn.functional.normalize(rewrite(trace), dim=-1)
    >>> feature_surgery(tokens, trace.text_features).shape  # images, tokens, texts
    torch.Size([1, 197, 4])
    """
    E = text_features.shape[-1]
    if image_features.ndim != 3 or text_features.ndim != 2 or image_features.shape[-1] != E:
        raise ValueError(
            "features of images (B, N, E) and of texts (T, E) are needed, but have shapes "
            f"{tuple(image_features.shape)} and {tuple(text_features.shape)}"
        )
    if redundant is not None and redundant.numel() != E:
        raise ValueError(f"one redundant feature of {E} channels is needed, not {shown(redundant)}")
    s = cosines(image_features, text_features)
    if redundant is not None:
        return difference(s, cosines(image_features, redundant.view(1, -1)))
    if len(text_features) == 1:
        raise ValueError(
            "one text has nothing to be compared with: give `redundant`, such as the feature of "
            "the empty text"
        )
    w = (temperature * s[:, :1]).softmax(-1)
    weighted = s * (w / w.mean(-1, keepdim=True))
    return difference(weighted, weighted.mean(-1, keepdim=True))
