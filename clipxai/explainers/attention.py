"""Where did the class token look, and which of those looks did the score depend on?

Formula    raw attention   A_L[CLS, j], mean over heads, of the last layer. Without a class token
                           that stands for the image: where the pool's learned query looks, p[j];
                           of a pool that is a mean, what each patch receives on average, the mean
                           over i of A_L[i, j].
           rollout         R = prod_l (mean_h A_l + I) / 2, row CLS; without a class token p R, with
                           p[i] how much the pool reads of token i (a mean: of each patch alike).
           Bi-Modal        R <- R + C_l R with C_l = mean_h ReLU(dA_l * A_l), from R = I; row CLS
                           (of a text: row [end]). Without a class token c R, with c of the pool's
                           query as C of a layer (a mean: each patch alike).
           LeGrad          mean over layers l, heads h and queries i of ReLU(d s_l / d A_l[h, i,
                           j]); s_l is the cosine of the text with the mean of *all* tokens behind
                           layer l, through the final norm and the projection. Where a learned
                           query pools: ReLU(d s_l / d p_l[h, j]), s_l the cosine of what that pool
                           says of the tokens behind layer l, p_l where its query looks there.
           dA is the gradient of the model's output: for Bi-Modal the logit, which is the learned
           scale times the cosine, as over several layers I + C has no common factor; for the
           others the cosine. Every map leaves the class token's own column out.
Reads      the trace's q, k, v, streams and attention outputs; the gradient methods run blocks again
           (`replay`).
Returns    `Scores` (B, P, T), all >= 0. Attention and rollout do not read the text: the same map
           for each.
Reference  rollout: Abnar & Zuidema 2020 (arXiv 2005.00928), the text is ignored there too; its last
           row where a pool reads the image is this project's.
           Bi-Modal: Chefer et al. 2021, "Generic Attention-model Explainability" (arXiv
           2103.15679), section 3; its CLIP notebook uses the last layer only, the default here.
           A query that reads tokens is its equation for one side that attends to another.
           LeGrad: Bousselham et al. (arXiv 2404.03214), section 3; its released code starts two
           layers from the end by default (blocks=2), sums instead of averaging, and scales the map
           to 0…1. Where a query pools (SigLIP, CoCa) it also leaves the final norm out, and of
           SigLIP sets to 0 what the text "a photo of a" finds above 0.8 of its own map.
Misleads   Attention tells where values were read from, not what they were worth. ReLU hides the
           evidence against a text.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..results.explanation import SAME_FOR_ALL
from ..trace.readout import expect_heads
from ..trace.replay import (
    WrittenOut,
    cosine,
    first_of,
    from_stream,
    from_word_stream,
    gradients,
    per_text,
)
from ..trace.trace import Trace
from .scores import Scores, texts_at_a_time

RELEVANCE = "relevance (attention x gradient of the logit)"
ATTENTION = "attention weight"


@torch.no_grad()
def raw_attention(trace: Trace) -> Scores:
    """The last attention that the image was read by: where the class token of the last layer
    looked (in a ResNet: the mean token of the attention pool), or the learned query of a pool;
    where the pool is a mean, what every patch received on average in the last layer.
    """
    tower = trace.model.visual
    if "class_token" in tower.has:
        return _for_every_text(trace.layers[-1].weights(1).mean(1)[:, 0], trace, ATTENTION)
    read = tower.reads(trace.stream).mean(1)
    if "learned_query" in tower.has:
        return _for_every_text(read, trace, f"{ATTENTION} of the pool's query")
    received = (read[:, None] @ trace.attention(-1).mean(1))[:, 0]
    return _for_every_text(received, trace, f"{ATTENTION} received, mean over patches")


@torch.no_grad()
def rollout(trace: Trace) -> Scores:
    """Attention multiplied up over all layers, half of each layer being the residual stream."""
    tower, tokens = trace.model.visual, trace.layers[0].q.shape[-2]
    if "class_token" in tower.has:
        who = "the class token"
        row = F.one_hot(
            torch.zeros(len(trace.pixels), 1, dtype=torch.long, device=trace.stream.device), tokens
        ).to(trace.stream)
    else:
        who, row = "what the pool reads,", tower.reads(trace.stream).mean(1, keepdim=True)
    for layer in reversed(range(len(trace.layers))):
        row = (row @ trace.attention(layer).mean(1) + row) / 2
    return _for_every_text(row[:, 0], trace, f"share of {who} by attention rollout")


def _for_every_text(row: Tensor, trace: Trace, unit: str) -> Scores:
    patches = row[:, trace.model.visual.before :, None]
    return Scores(patches.expand(-1, -1, len(trace.texts)), unit, (SAME_FOR_ALL,))


@texts_at_a_time(8)
def bimodal(trace: Trace, blocks: int | None = 1) -> Scores:
    """Attention times its gradient, rolled out over the last `blocks` layers (None: all)."""
    first, tower, pool = first_of(len(trace.layers), blocks), trace.model.visual, WrittenOut()
    with gradients():
        stream = trace.residual(first).clone().requires_grad_()
        weights, scores = from_stream(trace, first, stream, pool)
        asked = [*weights, *pool.weights]
        slopes = per_text(scores * trace.model.logit_scale.exp(), asked)
    if pool.weights:
        row = _mattered(asked[-1], slopes[-1])[..., :1, :]  # T B 1 N, the first query's
    elif "class_token" in tower.has:
        row = torch.eye(stream.shape[1]).to(stream)[:1].expand(len(stream), 1, -1)
    else:
        row = tower.reads(trace.stream).mean(1, keepdim=True)
    relevance = _rolled_out(row, weights, slopes)[:, :, tower.before :]
    return Scores(relevance.permute(1, 2, 0), RELEVANCE)


def bimodal_words(trace: Trace, image: int, blocks: int | None = 1) -> tuple[Tensor, str]:
    """The same for the text tower: relevance (S,) of the tokens of a trace's only text."""
    first = first_of(len(trace.text_layers), blocks)
    with gradients():
        stream = trace.text_layers[first].residual.clone().requires_grad_()
        weights, scores = from_word_stream(trace, first, stream, image)
        slopes = torch.autograd.grad(scores.sum() * trace.model.logit_scale.exp(), weights)
    end = torch.eye(stream.shape[1]).to(stream)[-1].expand(1, 1, -1)
    return _rolled_out(end, weights, [slope[None] for slope in slopes])[0, 0], RELEVANCE


def _mattered(weight: Tensor, slope: Tensor) -> Tensor:
    """mean_h ReLU(A * dA) of weights (B, H, N, N) and slopes (T, B, H, N, N): (T, B, N, N)."""
    return (weight.detach() * slope).clamp(min=0).mean(2)


def _rolled_out(row: Tensor, weights: Sequence[Tensor], slopes: Sequence[Tensor]) -> Tensor:
    """A `row` (B, 1, N) times R = (I + C_L) ... (I + C_first), (T, B, N), from the last layer back;
    a slope belongs to each of the weights.
    """
    for weight, slope in reversed(list(zip(weights, slopes))):
        row = row + row @ _mattered(weight, slope)
    return row[..., 0, :]


@texts_at_a_time(16)
def legrad(trace: Trace, blocks: int | None = None) -> Scores:
    """Positive gradient of each layer's own score by its attention, over the last `blocks` layers.

    None: over all of them.
    """
    expect_heads(trace, "legrad")
    layers = range(first_of(len(trace.layers), blocks), len(trace.layers))
    pools = "learned_query" in trace.model.visual.has
    of_layer = _legrad_of_pool if pools else _legrad_of_layer
    mean = sum(of_layer(trace, layer) for layer in layers) / len(layers)  # T B N
    patches = mean[..., trace.model.visual.before :].permute(1, 2, 0)
    return Scores(patches, "gradient of the cosine by attention")


def _legrad_of_layer(trace: Trace, layer: int) -> Tensor:
    """mean_{h, i} ReLU(d s_l / d A_l[h, i, j]) for one layer: (T, B, N).

    s_l reads the mean over tokens, which to first order is taken inside the FFN: all texts share
    one pass. Last, d s / d A = (d s / d (A V)) V^T.
    """
    tower, tape = trace.model.visual, trace.layers[layer]
    block = tower.blocks[layer]
    with gradients():
        pooled = trace.residual(layer + 1).mean(1).clone().requires_grad_()
        (by_pooled,) = per_text(cosine(tower.read_out(pooled), trace.text_features), [pooled])
        between = (tape.residual + tape.attention).clone().requires_grad_()
        tokens = between.sum(1)  # B D
        if _ffn_runs(trace, layer):
            tokens = tokens + block.ffn_sum_to_first_order(between)
        by_mean = by_pooled / between.shape[1]  # T B D
        (by_between,) = torch.autograd.grad(tokens, between, by_mean, is_grads_batched=True)
        by_mixed = block.slope_by_heads(by_between, tape)  # T B H N d
    # B H N N each: kept one at a time
    by_attention = (of_text @ tape.v.transpose(-1, -2) for of_text in by_mixed)
    return torch.stack([one.clamp_(min=0).mean((1, 2)) for one in by_attention])


def _legrad_of_pool(trace: Trace, layer: int) -> Tensor:
    """mean_h ReLU(d s_l / d p_l[h, j]), the pool asked of the stream behind a layer: (T, B, N)."""
    written = WrittenOut()
    with gradients():
        stream = trace.residual(layer + 1).clone().requires_grad_()
        scores = cosine(trace.model.visual.whole(stream, written), trace.text_features)
        (slope,) = per_text(scores, written.weights)  # T B H 1 N
    return slope[..., 0, :].clamp_(min=0).mean(2)


def _ffn_runs(trace: Trace, layer: int) -> bool:
    """Whether a layer's FFN adds what it computes, or that's mean, and no constant."""
    rules = trace.edits.at(layer, "ffn")
    if any(rule.tokens is not None for rule in rules):
        raise ValueError(
            f"legrad sums the FFN of layer {layer} over all tokens, and here it was changed for "
            "some: patch it for all of them"
        )
    return all(isinstance(rule.value, str) and rule.value == "mean" for rule in rules)
