"""What happens between an image and a text, from the first patch to the cosine?

Everything that the model as one picture shows (`clipxai.show(trace)`), gathered from one trace.

Formula    Rows      scores q k^T / sqrt(d), weights softmax of it, the K largest of each row.
           Lens      cosine of what the stream before each layer is when read out at once.
           Shares    of attention, FFN and heads: see `layers` and `decomposition`.
           Rail      `surgery.rewritten_streams`, read out after each block, for every setting of
                     the switches; with none on it is the model's own path.
           Reading   the same two, rows and lens, of the token at which a text is read.
Reads      the trace's q, k, v, streams and texts; the last blocks run once for every setting.
Returns    `Overview`: weights 0…1, cosines and signed shares of a cosine.
Reference  lens: nostalgebraist 2020, "interpreting GPT: the logit lens"; the others as above.
Misleads   The lens reads streams that were never meant to be read out. Attention says where values
           were read from, not what they did.
"""

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import of_its_kinds
from ..model.clip import cosines
from ..results.findings import Overview, Picture, Reading, Rows, SecondRail, Shares
from ..results.findings.overview import PAD
from ..trace.precision import unrounded
from ..trace.readout import expect_heads
from ..trace.sides import expect_texts
from ..trace.trace import Trace
from .decomposition import Worth
from .layers import contributions
from .presets import PRESETS, Rewrite
from .scores import empty_if_known
from .surgery import rewrite, rewritten_streams
from .words import spelled

MOST_ROWS = 20_000  # of patches and heads; beyond that, patches have the mean over heads
OF_CLASS, OF_PATCH = 32, 12  # tokens that are kept of a row
# what surgery does to each part, and what the model does
SURGERY = {"attention": ("qk", "vv"), "dual_path": (False, True), "ffn": (True, False)}


@of_its_kinds
@torch.no_grad()
@unrounded
def overview(trace: Trace, image: int = 0) -> Overview:
    """The whole model on one image and its texts, for the model as one picture.

    Parameters
    ----------
    trace : from `record`, with texts; of any tower, which shows what it has
    image : number of the image in the batch

    Returns
    -------
    `Overview`: where tokens look, what the stream would say if it ended at each layer, what each
    module added, and the second path of CLIP Surgery (arXiv 2304.05653) under every switch

    Raises
    ------
    TypeError : no Trace
    ValueError : a trace without texts, or seen without patches
    IndexError : no such image

    Examples
    --------
    >>> found = overview(trace)
    >>> found.lens.shape  # before each layer and after the last, texts, the whole image and patches
    (9, 4, 197)
    """
    expect_texts(trace.model, trace.texts, "the overview")
    picture, one = Picture.of(trace, image), trace.of(image)
    tower, layers = one.model.visual, len(one.layers)
    stream = "blocks" in tower.has
    leading = one.layers[0].q.shape[-2] - one.grids[0].patches if layers else 0
    early = [tower.tokens(one.residual(n)) for n in range(layers)] if stream else []
    lens = [_cosines(one, tokens) for tokens in (*early, one.image_tokens())]
    looked = _rows_of_class(one) if layers and "class_token" in tower.has else None
    return Overview(
        picture,
        one.texts,
        tower.description,
        layers,
        one.stream.shape[-1],
        leading,
        stream,
        lens=_numpy(torch.stack(lens)),
        class_rows=looked,
        patch_rows=_rows_of_patches(one, leading) if layers else None,
        values=_values(one) if layers else None,
        shares=_shares(one, looked) if stream and looked else None,
        rail=_rail(one, leading) if layers else None,
        readings=_readings(one),
    )


def _cosines(trace: Trace, tokens: Tensor) -> Tensor:
    """(1, 1 + P, E) tokens -> (T, 1 + P) cosines with the texts."""
    return cosines(F.normalize(tokens.float(), dim=-1), trace.text_features)[0].T


def _rows_of_class(trace: Trace) -> Rows:
    """(L, H, K) of the first token."""
    looked = [tape.weights(1)[0, :, 0] for tape in trace.layers]
    levels = [_level(trace, n, slice(1))[:, 0] for n in range(len(looked))]
    return _rows(torch.stack(looked), torch.stack(levels), OF_CLASS)


def _rows_of_patches(trace: Trace, leading: int) -> Rows:
    """(L, H or 1, P, K) of patches; layer by layer, as all weights at once may be many."""
    found = []
    for n in range(len(trace.layers)):
        weights = trace.attention(n)[0, :, leading:].float()
        level = _level(trace, n, slice(leading, None))
        if _many(trace):
            weights = weights.mean(0, keepdim=True)
            level = torch.full_like(level[:1], torch.nan)
        found.append(_rows(weights, level, OF_PATCH))
    return _stacked(found)


def _rows(weights: Tensor, level: Tensor, most: int) -> Rows:
    """The `most` largest weights of every row (..., N)."""
    weights = weights.float()
    entropy = -(weights * weights.clamp_min(1e-12).log2()).sum(-1)
    top = weights.topk(min(most, weights.shape[-1]), dim=-1)
    tokens = top.indices.cpu().numpy().astype(np.uint16)
    return Rows(tokens, _numpy(top.values), _numpy(level), _numpy(2**entropy))


def _stacked(rows: Sequence[Rows]) -> Rows:
    return Rows(*(np.stack([getattr(one, part.name) for one in rows]) for part in fields(Rows)))


def _level(trace: Trace, layer: int, queries: slice) -> Tensor:
    """(H, queries) logarithm of the sum of exp(score); NaN where an edit may have changed it."""
    tape = trace.layers[layer]
    q, k = tape.q[0, :, queries].float(), tape.k[0].float()
    level = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).logsumexp(-1)
    return level if not trace.edits else torch.full_like(level, torch.nan)


def _many(trace: Trace) -> bool:
    """Whether patches have too many heads for a row each."""
    _, heads, tokens, _ = trace.layers[0].q.shape
    return len(trace.layers) * heads * tokens > MOST_ROWS


def _values(trace: Trace) -> np.ndarray:
    """(L, H or 1, N) length of each token's value."""
    lengths = torch.stack([tape.v[0].float().norm(dim=-1) for tape in trace.layers])
    return _numpy(lengths.mean(1, keepdim=True) if _many(trace) else lengths)


def _shares(trace: Trace, rows: Rows) -> Shares:
    """What modules added; heads only where they read what they fetched."""
    parts = contributions(trace)
    modules = parts.attention, parts.ffn
    try:
        expect_heads(trace, "heads")
    except ValueError:  # an edit changed what they read
        return Shares(*modules, None, None)
    # every token by itself, as rows have it: `head_contributions` counts registers with the class's
    worth = Worth.of(trace, "own")
    by_layer = [worth.of_heads(trace, n)[0] for n in range(len(trace.layers))]
    heads = _numpy(torch.stack(by_layer).transpose(2, 3))  # L H T N
    tokens = np.broadcast_to(rows.tokens[:, :, None], (*heads.shape[:3], rows.tokens.shape[-1]))
    fetched = np.take_along_axis(heads, tokens.astype(np.int64), axis=-1)
    return Shares(*modules, heads.sum(-1), fetched)


def _rail(trace: Trace, leading: int) -> SecondRail | None:
    """The second path for every setting of its switches."""
    layers = len(trace.layers)
    stream = "blocks" in trace.model.visual.has
    switches = tuple(SURGERY) if stream else ("attention",)
    blocks = min(PRESETS["clip_surgery"].blocks, layers) if stream else 1
    empty = empty_if_known(trace)
    found, last = [], []
    for setting in range(2 ** len(switches)):
        ends = _rail_ends(trace, switches, setting, blocks)  # each 1 1+P E
        found.append(torch.stack([_cosines(trace, end)[:, 1:] for end in ends]))
        if empty is not None:
            last.append(cosines(F.normalize(ends[-1].float(), dim=-1), empty)[0, 1:, 0])
    looked = [
        trace.attention(n, "vv")[0, :, leading:].float().mean(0) for n in _last(blocks, layers)
    ]
    none = torch.full((len(looked), trace.grids[0].patches), torch.nan)
    return SecondRail(
        switches,
        _numpy(torch.stack(found)),
        _numpy(torch.stack(last)) if last else None,
        _rows(torch.stack(looked), none, OF_PATCH),
    )


def _last(blocks: int, layers: int) -> range:
    return range(layers - blocks, layers)


def _rail_ends(trace: Trace, switches: Sequence[str], setting: int, blocks: int) -> list[Tensor]:
    """The path read out before its first block and after each, each (1, 1 + P, E)."""
    told = {name: SURGERY[name][setting >> bit & 1] for bit, name in enumerate(switches)}
    tower = trace.model.visual
    if "blocks" in tower.has:
        streams = rewritten_streams(trace, Rewrite(**told, blocks=blocks))
        return [tower.tokens(stream) for stream in streams]
    before = trace.image_tokens(normalize=False)
    return [before, rewrite(trace, Rewrite(**told, blocks=1)) if setting else before]


def _readings(trace: Trace) -> tuple[Reading, ...]:
    """How each text is read."""
    if trace.token_ids is None or not trace.text_layers:
        return ()
    tower, ids = trace.model.text, trace.token_ids
    ends = tower.end(ids).tolist()
    looked = [tape.weights(causal=tower.causal).float().mean(1) for tape in trace.text_layers]
    streams = [tape.residual for tape in trace.text_layers]
    image = trace.image_features[0].float()
    found = []
    for text, end in enumerate(ends):
        joint = [tower.read_out(stream[text, end]) for stream in streams]
        said = torch.stack([*joint, trace.text_features[text]]).float()
        rows = torch.stack([rows[text, end, : end + 1] for rows in looked])
        lens = F.normalize(said, dim=-1) @ image
        found.append(Reading(_spelled(trace, text, end), _numpy(rows), _numpy(lens)))
    return tuple(found)


def _spelled(trace: Trace, text: int, end: int) -> tuple[str, ...]:
    """The tokens of a text up to the one that is read; numbers where there is no vocabulary."""
    if trace.model.tokenizer is None:
        return tuple(str(number) for number in trace.token_ids[text, : end + 1].tolist())
    try:
        return spelled(trace, text)[0]
    except ValueError:  # a vocabulary without [start] and [end]
        return _pieces(trace, trace.token_ids[text, : end + 1].tolist())


def _pieces(trace: Trace, ids: list[int]) -> tuple[str, ...]:
    """Tokens by themselves; what ends and what fills a text, which spell nothing, by name."""
    tokenizer = trace.model.tokenizer
    pad = getattr(tokenizer, "pad", trace.model.text.pad_id)
    ends = [n for n, number in enumerate(ids) if number == tokenizer.end]
    end = ends[-1 if ids[0] == pad else 0] if ends else None  # one token may do both
    return tuple(
        "[end]" if n == end else PAD if number == pad else tokenizer.decode([number])
        for n, number in enumerate(ids)
    )


def _numpy(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
