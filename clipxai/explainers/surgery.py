"""How does CLIP Surgery turn the inverted, noisy raw map into one that points at the object?

Two repairs, both without training (Li et al., "A Closer Look at the Explainability of Contrastive
Language-Image Pre-training", arXiv 2304.05653):

1. **Architecture surgery.** Raw q-k attention links a token to semantically different regions.
   Beside the original stream a second path runs in which tokens attend by the similarity of their
   *values*, reading the values of the original stream and skipping the FFNs:

       A_vv = softmax(V V^T / sqrt(d))        z <- z + W_o (A_vv V)        V = values of the
       ORIGINAL stream

   Patches are read from the new path, the class token from the original one, so what CLIP says of
   the whole image does not change.

2. **Feature surgery.** Some features light up for every text. What all texts share is subtracted:

       S[i, t] = w[t] s[i, t] - mean_k w[k] s[i, k]        s = cosine,  w = softmax_t(tau * s[class
       token]) / its mean

The new path reads nothing but the recorded trace, so depth and kind of attention change without
running the model again. The same holds for the other training-free methods: each is one row of
`PRESETS`.

Axes: B images, H heads, N = 1 + P tokens (class token first), T texts, D width, E joint width.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ..checks import expect
from ..trace.trace import Trace, cosines
from .mixing import ATTENTION_KINDS, mix, mix_gem, neighbourhood_bias

AttentionKind = Literal["qk", "vv", "qq", "kk", "qq+kk", "gem", "identity"]
# a ResNet has one attention only: unit-length values and a scale of 8 / sqrt(d) make up for depth
RESNET_SHARPEN = 8.0


@dataclass(frozen=True)
class Rewrite:
    """Another way through the last blocks. Every field is a switch of its own.

    Attributes
    ----------
    attention : which similarity decides who attends to whom; "qq+kk" adds two attentions (SCLIP),
        "gem" averages three iterated ones, "identity" lets every token read only itself; another
        name is a ValueError
    blocks : how many of the last blocks are rewritten (a ResNet has one); below 0, or more than
        there are when used, is a ValueError
    dual_path : values come from the original stream; without it the new path feeds on itself and,
        deep enough, collapses
    residual : keep the stream and add to it; without it only the last attention's output remains
    ffn : run the FFN on the new path too
    neighbourhood : standard deviation, in patches, of a Gaussian bonus for near patches (NACLIP),
        or None
    normalize, sharpen : unit-length queries and keys, factor on 1/sqrt(d); None means the
        architecture's own (ViT: no, 1; ResNet: yes, 8)
    iterations : times "gem" refines its tokens by their own attention
    class_token : "original" as in the paper, or "rewritten"; another is a ValueError
    """

    attention: AttentionKind = "vv"
    blocks: int = 6
    dual_path: bool = True
    residual: bool = True
    ffn: bool = False
    neighbourhood: float | None = None
    normalize: bool | None = None
    sharpen: float | None = None
    iterations: int = 1
    class_token: Literal["original", "rewritten"] = "original"

    def __post_init__(self) -> None:
        for name, known in {
            "attention": ATTENTION_KINDS,
            "class_token": ("original", "rewritten"),
        }.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"unknown {name} {getattr(self, name)!r}; choose one of {', '.join(known)}"
                )
        if self.blocks < 0:
            raise ValueError(f"cannot rewrite {self.blocks} blocks; give 0 (none) or more")


PRESETS: dict[str, Rewrite] = {
    "clip": Rewrite("qk", blocks=0),
    "maskclip": Rewrite("identity", blocks=1, residual=False),  # as ClearCLIP and others rerun it
    "maskclip_released": Rewrite("identity", blocks=1, ffn=True),
    "clip_surgery": Rewrite("vv", blocks=6),
    "clip_surgery_released": Rewrite(
        "vv", blocks=6, normalize=False, sharpen=1.0, class_token="rewritten"
    ),
    "gem": Rewrite("gem", blocks=6),
    "sclip": Rewrite("qq+kk", blocks=1, ffn=True),
    "naclip": Rewrite("kk", blocks=1, residual=False, neighbourhood=5.0),
    "clearclip": Rewrite("qq", blocks=1, residual=False),
}


@torch.no_grad()
def rewrite(trace: Trace, change: Rewrite | str = "clip_surgery") -> Tensor:
    """Image tokens as a rewritten path through the last blocks sees them.

    Parameters
    ----------
    trace : a recorded forward pass
    change : a `Rewrite`, or the name of one of `PRESETS`

    Returns
    -------
    (B, N, E) tokens in the joint space, class token first, not normalised

    Raises
    ------
    TypeError : no Trace
    ValueError : unknown preset, more blocks than the model has, or a kind of attention the
        architecture does not allow
    """
    expect(Trace, trace, "record")
    if isinstance(change, str):
        if change not in PRESETS:
            raise ValueError(f"unknown preset {change!r}; choose one of {', '.join(PRESETS)}")
        change = PRESETS[change]
    if change.blocks == 0:
        return trace.image_tokens(normalize=False)
    path = _through_pool if trace.model.visual.kind == "resnet" else _through_blocks
    tokens = path(trace, change).float()
    if change.class_token == "rewritten":
        return tokens
    return torch.cat([trace.image_tokens(normalize=False)[:, :1], tokens[:, 1:]], dim=1)


def _through_blocks(trace: Trace, change: Rewrite) -> Tensor:
    tower = trace.model.visual
    first = len(tower.blocks) - change.blocks
    if first < 0:
        raise ValueError(
            f"cannot rewrite {change.blocks} blocks of a model that has {len(tower.blocks)}: pass "
            f"blocks={len(tower.blocks)}"
        )
    z = trace.residual(first)
    for block, tape in zip(tower.blocks[first:], trace.layers[first:]):
        stream = tape.residual if change.dual_path else z
        q, k, v = (
            (tape.q, tape.k, tape.v) if change.dual_path else block.attn.project(block.ln_1(stream))
        )
        if change.attention == "gem":
            mixed = mix_gem(
                q, k, v, block.ln_1(stream).norm(dim=-1).mean(dim=-1), change.iterations
            )
        else:
            mixed = _mix(q, k, v, trace, change, normalize=False, sharpen=1.0)
        step = block.attn.merge(mixed)
        z = z + step if change.residual else step
        if change.ffn:
            z = z + block.ffn(z)
    return tower.tokens(z)


def _through_pool(trace: Trace, change: Rewrite) -> Tensor:
    if change.attention == "gem" or change.ffn or not change.dual_path:
        raise ValueError(
            "a ResNet ends in one attention without FFN or residual stream: 'gem', ffn=True and "
            "dual_path=False need a ViT"
        )
    tape = trace.layers[0]
    return trace.model.visual.attention_pool.merge(
        _mix(tape.q, tape.k, tape.v, trace, change, normalize=True, sharpen=RESNET_SHARPEN)
    )


def _mix(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    trace: Trace,
    change: Rewrite,
    *,
    normalize: bool,
    sharpen: float,
) -> Tensor:
    """`mixing.mix` as `change` says; `normalize` and `sharpen` are the architecture's own, for what
    it leaves open.
    """
    N = q.shape[-2]  # without a class token, the bias has none either
    bias = (
        None
        if change.neighbourhood is None
        else neighbourhood_bias(trace.grid, change.neighbourhood)[-N:, -N:].to(q)
    )
    normalize = normalize if change.normalize is None else change.normalize
    sharpen = sharpen if change.sharpen is None else change.sharpen
    return mix(q, k, v, change.attention, normalize=normalize, sharpen=sharpen, bias=bias)


def feature_surgery(
    image_features: Tensor,
    text_features: Tensor,
    redundant: Tensor | None = None,
    temperature: float = 2.0,
) -> Tensor:
    """Similarity without what all texts share.

    The paper (arXiv 2304.05653) multiplies image and text features element by element and subtracts
    the mean over texts *before* summing the E channels; summing first gives the same numbers and
    needs no (N, T, E) tensor:

        S[i, t] = w[t] s[i, t] - mean_k w[k] s[i, k]                   against the label list
        S[i, t] = s[i, t] - s_redundant[i]                             against a given redundant
        feature (e.g. the empty text)

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
    ValueError : a single text and no redundant feature: the difference would be zero everywhere
    """
    s = cosines(image_features, text_features)
    if redundant is not None:
        return s - cosines(image_features, redundant.view(1, -1))
    if len(text_features) == 1:
        raise ValueError(
            "one text has nothing to be compared with: give `redundant`, such as the feature of "
            "the empty text"
        )
    w = (temperature * s[:, :1]).softmax(-1)
    weighted = s * (w / w.mean(-1, keepdim=True))
    return weighted - weighted.mean(-1, keepdim=True)
