"""What did each head of each layer fetch from each patch, and what was it worth to the score?

Exact, with nothing left over.

Formula    The class token is a sum: its embedding, and what every head h of every layer l brought
           it from every token j, and the FFNs.
               c[l, h, j] = A_l[h, CLS, j] W_o[h] v_l[h, j]
           Through the final norm with its mean and deviation held at their values, the projection
           and the text:
               share(c) = ((c - mean c) / sigma * g) W . T / |F|
           and all shares add up to the cosine. The map of a text is sum_{l, h} share(c[l, h, j]).
           That is split="own": each part's own mean is taken off, and biases stand by themselves.
           split="even", as the released code does it, takes the same off each part: with K parts of
           that kind (2 L + 1, times H N for heads' tokens), m the mean of the whole class token,
           b_l the bias behind a layer's heads and beta the final norm's,
               share(c) = ((c + b_l / (H N) - m / K) / sigma * g + beta / K) W . T / |F|.
           Both add up; they tell apart what no part brought by itself.
           Where a layer norms what its heads read, or what it adds (EVA02), that norm is held at
           its values as well.
           Where no class token gathers the image, a pool does (`trace.pooled`): the map is what
           the pool read from each patch, and a head's share what the pool read of it.
Reads      the trace's q, k, v, FFN outputs and streams; output projections, final norm and
           projection.
Returns    `Scores` (B, P, T) and `HeadContributions`: signed shares of a cosine; 0 brought nothing.
Reference  Gandelsman et al. 2024, "Interpreting CLIP's Image Representation via Text-Based
           Decomposition" (arXiv 2310.05916), sections 3-4. Their segmentation subtracts the mean
           over 1,000 class names: here `minus_mean`, over the recorded texts. Their released code
           (prs_hook) splits evenly.
Misleads   Direct effects only: what a head writes into other tokens for later layers to fetch
           counts for those layers. A share is no prediction of what happens if the head is removed.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import of_its_kinds
from ..results.findings import HeadContributions, Picture
from ..trace.pooled import FixedPool
from ..trace.precision import unrounded
from ..trace.readout import FixedReadout, arrives, counted, embedding, expect_heads, read
from ..trace.sharing import shared
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .scores import Scores, difference

CLASS = slice(1)  # the class token, alone
Split = Literal["own", "even"]
OF_POOL = "What the pool's own FFN added is of no patch: see contributions(trace).pool."


@torch.no_grad()
@unrounded
def decomposition(trace: Trace, minus_mean: bool = False, split: Split = "own") -> Scores:
    """Share of the cosine that the heads of all layers brought directly from each patch.

    `split` says who gets what no part brought by itself: see the formula.
    """
    if minus_mean and len(trace.texts) == 1:
        raise ValueError(
            "minus_mean=True with one text leaves 0 everywhere: record several texts, such as all "
            "labels of a data set"
        )
    if "class_token" in trace.model.visual.has:
        expect_heads(trace, "decomposition")
        values, notes = _brought(trace, split), ()
    else:
        _expect_own(trace, split)
        fixed = FixedPool.of(trace)
        values = fixed.by_token(trace.stream, trace.text_features)
        notes = (OF_POOL,) if fixed.pool.ffn.any() else ()
    values = values[:, trace.model.visual.before :]  # B P T
    if not minus_mean:
        return Scores(values, "share of the cosine", notes)
    unit = f"share of the cosine, minus the mean over {len(trace.texts)} texts"
    return Scores(difference(values, values.mean(-1, keepdim=True)), unit, notes)


@shared("model", "stream", "edits", "text_features")
def _brought(trace: Trace, split: Split) -> Tensor:
    """(B, N, T) by the heads of all layers, from each token."""
    worth, layers = Worth.of(trace, split), range(len(trace.layers))
    return sum(worth.of_heads(trace, layer).sum(1) for layer in layers)


def decomposition_among_texts(trace: Trace, split: Split = "own") -> Scores:
    """`decomposition` minus the mean over the recorded texts: what speaks for a text rather than
    for the others. A text alone has no others, and nothing is subtracted.
    """
    if len(trace.texts) > 1:
        return decomposition(trace, minus_mean=True, split=split)
    note = "A single text has no others, so nothing was subtracted: this is decomposition."
    return decomposition(trace, split=split)._replace(notes=(note,))


def _expect_own(trace: Trace, split: Split) -> None:
    """A ValueError where what is to be split evenly has no parts of a kind."""
    if split != "own":
        raise ValueError(
            f"split={split!r} spreads the mean of a class token over what wrote into it, and "
            f"{trace.model.name}, a {trace.model.visual.description}, has none: leave split out"
        )


@of_its_kinds
@torch.no_grad()
@unrounded
def head_contributions(trace: Trace, image: int = 0, split: Split = "own") -> HeadContributions:
    """The share of every head, layer and token in the cosine of one image with every text.

    Parameters
    ----------
    trace : from `record`
    image : number of the image in the batch
    split : "own" takes each part's own mean off it, so that biases stand by themselves; "even", as
        the released code, spreads mean and biases evenly over the parts. Both add up

    Returns
    -------
    `HeadContributions`: signed shares of a cosine, (L, H, T, N), which add up to it (Gandelsman et
    al., arXiv 2310.05916). Where a pool reads the image (SigLIP, PE, CoCa), what heads fetched for
    every token that it read, as much as it read of them. Beside them, of split="own", `written`:
    what each layer wrote into every patch

    Raises
    ------
    TypeError : no Trace
    ValueError : a tower without blocks, such as a ResNet; split="even" where no class token
        gathers the image
    IndexError : no such image

    Examples
    --------
    >>> found = head_contributions(trace)
    >>> found.heads.shape  # layers, heads, texts, tokens
    (8, 4, 4, 197)
    """
    trace.model.expect("the contributions of heads", "blocks")
    expect_heads(trace, "the contributions of heads")
    expect_texts(trace.model, trace.texts, "head_contributions")
    picture, one = Picture.of(trace, image), trace.of(image)
    gathers = "class_token" in trace.model.visual.has
    if not gathers:
        _expect_own(trace, split)
    worth = Worth.of(one, split) if gathers else PooledWorth.of(one)
    layers, before = range(len(one.layers)), one.model.visual.before
    heads = torch.stack([worth.of_heads(one, n)[0] for n in layers])  # L H N T
    heads = counted(heads, before, 2) if before else F.pad(heads, (0, 0, 1, 0))

    def ffn(layer: int) -> Tensor:
        """(T,) of a layer's FFN."""
        return worth.of_module(one.ffn_output(layer) * arrives(one, layer, one.stream.shape[1]))

    return HeadContributions(
        picture,
        one.texts,
        heads=heads.transpose(2, 3).cpu().numpy(),
        attention_bias=torch.stack([worth.of_bias(one, n) for n in layers]).cpu().numpy(),
        ffn=torch.stack([ffn(n) for n in layers]).cpu().numpy(),
        embedding=worth.of_module(embedding(one)).cpu().numpy(),
        norm_bias=worth.norm_bias.cpu().numpy(),
        similarity=(one.image_features[0] @ one.text_features.T).cpu().numpy(),
        pool=None if gathers else worth.ffn.cpu().numpy(),
        written=_written(one).cpu().numpy() if split == "own" else None,
    )


def _written(trace: Trace) -> Tensor:
    """(L, T, P) what each layer's attention added to the cosines of the first image's patches."""
    tower, shares = trace.model.visual, []
    gathers = "class_token" in tower.has
    readout = FixedReadout.of(trace) if gathers else FixedPool.of(trace)
    for layer in range(len(trace.layers)):
        added = trace.attention_output(layer) * arrives(trace, layer, trace.stream.shape[1])
        added = read(added, tower.before) if gathers else added
        shares.append(readout.share(added, trace.text_features)[0, 1:].T)
    return torch.stack(shares)


class Worth(NamedTuple):
    """What parts of the class token are worth to the cosine.

    Attributes
    ----------
    by_channel : (B, D, T) of a unit of each channel
    norm_bias : (T,) of the first image: what stands by itself, nothing if biases are spread
    spread : (B, T) what each module gets beside what its channels say; None unless split evenly
    """

    by_channel: Tensor
    norm_bias: Tensor
    spread: Tensor | None

    @classmethod
    def of(cls, trace: Trace, split: Split) -> "Worth":
        """That of a trace."""
        readout, texts = FixedReadout.of(trace, CLASS), trace.text_features
        scale = readout.deviation * readout.length  # B 1 1
        bias = readout.share_of_bias(texts)[:, 0]  # B T
        if split == "own":
            return cls(readout.worth(texts) / scale, bias[0], None)
        whole, _ = trace.model.visual.linear_read_out(centred=False)
        by_channel = whole @ texts.float().T / scale
        mean = trace.stream[:, 0].float().mean(-1, keepdim=True)  # B 1
        modules = 2 * len(trace.layers) + 1  # attentions and FFNs, and the embedding
        spread = (bias - mean * by_channel.sum(1)) / modules
        return cls(by_channel, torch.zeros_like(bias[0]), spread)

    def of_module(self, added: Tensor) -> Tensor:
        """(T,) of what a module added to the tokens of the first image, (1, N, D)."""
        share = added[0, 0].float() @ self.by_channel[0]
        return share if self.spread is None else share + self.spread[0]

    def of_bias(self, trace: Trace, layer: int) -> Tensor:
        """(T,) of the bias behind a layer's heads, for the first image, if it stands alone."""
        share = (_bias(trace, layer) @ self.by_channel)[0, 0]
        return share if self.spread is None else torch.zeros_like(share)

    def of_heads(self, trace: Trace, layer: int) -> Tensor:
        """(B, H, N, T) of every head of a layer, by the token it was brought from."""
        tape = trace.layers[layer]
        # one copy for both products, each of which would make one
        looked, v = tape.weights(1), tape.v.contiguous()  # B H 1 N, B H N d
        merge = trace.model.visual.blocks[layer].linear_merge(looked @ v)
        by_channel = self.by_channel / merge.deviation
        by_head = torch.einsum("hcd,bdt->bhct", merge.matrices, by_channel)
        came = looked.float().transpose(-1, -2) * arrives(trace, layer, 1)  # B H N 1
        shares = (v.float() @ by_head).mul_(came)
        if self.spread is None:
            return shares
        evenly = _bias(trace, layer) @ self.by_channel + self.spread[:, None]  # B 1 T
        return shares + evenly[:, None] / (shares.shape[1] * shares.shape[2])


class PooledWorth(NamedTuple):
    """The same where a pool reads the first image, of every token that it reads.

    Attributes
    ----------
    by_channel : (N, D, T) of a unit of each channel of each token
    norm_bias, ffn : (T,) of the biases of norm and pool, and of a pooling head's FFN
    """

    by_channel: Tensor
    norm_bias: Tensor
    ffn: Tensor

    @classmethod
    def of(cls, trace: Trace) -> "PooledWorth":
        """That of a trace of one image."""
        fixed, texts = FixedPool.of(trace), trace.text_features
        return cls(
            fixed.worth(texts)[0], fixed.share_of_bias(texts)[0, 0], fixed.share_of_ffn(texts)[0, 0]
        )

    def of_module(self, added: Tensor) -> Tensor:
        """(T,) of what a module added to the tokens, (1, N, D)."""
        return torch.einsum("nd,ndt->t", added[0].float(), self.by_channel)

    def of_bias(self, trace: Trace, layer: int) -> Tensor:
        """(T,) of the bias behind a layer's heads."""
        bias = _bias(trace, layer, None).expand(1, *self.by_channel.shape[:2])
        return self.of_module(bias)

    def of_heads(self, trace: Trace, layer: int) -> Tensor:
        """(1, H, N, T) of every head of a layer, by the token it was brought from."""
        tape, tokens = trace.layers[layer], trace.stream.shape[1]
        looked = tape.weights()[0].float()  # H N N
        merge = trace.model.visual.blocks[layer].linear_merge(tape.weights() @ tape.v)
        divisor = merge.deviation[0, ..., None] if torch.is_tensor(merge.deviation) else 1.0
        by_channel = self.by_channel / divisor * arrives(trace, layer, tokens)[..., None]
        by_head = torch.einsum("hcd,ndt->hnct", merge.matrices, by_channel)
        fetched = torch.einsum("hnj,hnct->hjct", looked, by_head)
        return torch.einsum("hjc,hjct->hjt", tape.v[0].float(), fetched)[None]


def _bias(trace: Trace, layer: int, tokens: int | None = 1) -> Tensor:
    """(1 or B, 1 or N, D) what a layer's attention adds to the first `tokens`, or to all, whatever
    its heads read; nothing of a block taken out.
    """
    tape = trace.layers[layer]
    merge = trace.model.visual.blocks[layer].linear_merge(tape.weights(tokens) @ tape.v)
    stays = arrives(trace, layer, tokens or trace.stream.shape[1])
    stays = stays * (not trace.edits.at(layer, "attention"))
    bias = merge.bias * stays
    return bias.reshape(-1, *bias.shape[-2:]) if bias.ndim > 1 else bias[None, None]
