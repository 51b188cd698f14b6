"""What is each head for? The texts along which its output varies between images: TextSpan.

Formula    C (K, E): what a head brought the class token of K images, in the joint space, less its
           mean; R (V, E): texts, projected onto what the head can span. Again and again
               j = argmax_j std(C R_j),   C <- C - C r r^T / |r|^2,   R <- R - R r r^T / |r|^2,
           r = R_j; the share explained is 1 - |C|^2 / |C at first|^2.
           Of a known factor: variance between its values' means, as a share of all, adjusted for
           their number g: 1 - (1 - share) (K - 1) / (K - g).
Reads      `head_vectors` of every image; the text tower reads the vocabulary.
Returns    `HeadNames`.
Reference  Gandelsman et al. 2024 (arXiv 2310.05916), algorithm 1, with rank 80 as in its code (told
           from memory, not compared).
Misleads   A name is one of the vocabulary's texts: what it does not hold cannot be found. The text
           whose projection is longest wins, which need not be the nearest. A head that says little
           gets a name as well: look at the variance.

Axes: K images, V texts, E joint width, L layers, H heads.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor

from ..checks import Within, expect, layer_of, of_its_kinds, several
from ..model.clip import CLIP, as_list
from ..model.placing import unusual
from ..results.findings import HeadNames
from ..trace.readout import head_vectors
from ..trace.record import record
from ..trace.sides import in_own_precision

AT_ONCE, FEWEST = 32, 10  # images


def descriptions() -> list[str]:
    """A few hundred general descriptions, of colours, places, things, numbers, kinds of picture.

    Examples
    --------
    >>> descriptions()[:2]
    ['a red picture', 'an orange picture']
    """
    lines = files("clipxai.data").joinpath("descriptions.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@of_its_kinds
def name_heads(
    model: CLIP,
    images: object,
    vocabulary: Iterable[str] | None = None,
    *,
    count: Annotated[int, Within(1, 100)] = 5,
    rank: Annotated[int, Within(1)] = 80,
    layers: int | Sequence[int] | None = None,
    factors: Mapping[str, Sequence[object]] | None = None,
) -> HeadNames:
    """What every head is for, in words (TextSpan; Gandelsman et al., arXiv 2310.05916).

    Parameters
    ----------
    model : a `CLIP` whose image tower has a class token
    images : a list of ten or more, as for `record`; the more they differ, the more names mean
    vocabulary : texts to name heads by, such as the labels at hand; None: a few hundred general
        descriptions (`clipxai.explainers.head_names.descriptions`)
    count : texts a head
    rank : most directions that a head's output is taken to span
    layers : only those, negative from the last; None: all
    factors : name -> a value for every image, where it is known what varies
        (`clipxai.scenes.factors`)

    Returns
    -------
    `HeadNames`

    Raises
    ------
    TypeError : no `CLIP`, what is no image or text
    ValueError : a tower without class token; a folder; fewer than ten different images; too few
        texts; a factor with another number
        of values, or with a value of its own for every image
    IndexError : no such layer

    Examples
    --------
    >>> from clipxai.scenes import sample
    >>> name_heads(trace.model, [sample(seed).image for seed in range(12)], layers=-1)
    <HeadNames of 1 layers and 4 heads from 12 images>
    layer 7, head 1:  79%  cheese; feathers; something at the top
    layer 7, head 3:  81%  a poster; a hat; a child
    layer 7, head 2:  89%  a city street; sunset; glass
    layer 7, head 0:  76%  one thing behind another; a shoe; a cold drink
    """
    expect(CLIP, model, "load")
    model.expect("names of heads", "blocks", "class_token")
    model.expect_texts("names of heads")
    texts = descriptions() if vocabulary is None else list(dict.fromkeys(as_list(vocabulary)))
    if count > len(texts):
        raise ValueError(f"count={count} texts a head, but the vocabulary has {len(texts)}")
    L = len(model.visual.blocks)
    asked = tuple(range(L)) if layers is None else tuple(layer_of(L, n) for n in several(layers))
    if not asked:
        raise ValueError("layers=[] names nothing: give at least one, or leave it out")
    listed = _listed(images)
    known = {name: _codes(name, told, len(listed)) for name, told in (factors or {}).items()}
    with torch.no_grad(), in_own_precision(model):
        vectors = _vectors(model, listed, asked)  # L K H E
        spoken = torch.cat(
            [model.encode_text(texts[n : n + 256]) for n in range(0, len(texts), 256)]
        )
        centred = vectors - vectors.mean(1, keepdim=True)
        found = [
            [text_span(head, spoken, count, rank) for head in layer.unbind(1)] for layer in vectors
        ]
    return HeadNames(
        tuple(tuple(tuple(texts[n] for n in head) for head, _ in layer) for layer in found),
        np.array([[share for _, share in layer] for layer in found], np.float32),
        centred.square().sum(-1).mean(1).cpu().numpy(),
        {name: _between(centred, codes).cpu().numpy() for name, codes in known.items()},
        len(listed),
        asked,
        model.provenance | unusual(model.device, model.dtype),
    )


def _listed(images: object) -> list:
    """The images one by one; a ValueError where they are too few to say what varies."""
    if isinstance(images, (str, Path)) and Path(images).is_dir():
        raise ValueError(
            f"{str(images)!r} is a folder, but a list of images is needed: pass "
            f"sorted(Path({str(images)!r}).glob('*.jpg'))"
        )
    listed = list(images) if isinstance(images, (list, tuple)) else [images]
    if len(listed) < FEWEST:
        raise ValueError(f"too few images to say what varies ({len(listed)}): give ten or more")
    return listed


def _vectors(model: CLIP, images: list, layers: Sequence[int]) -> Tensor:
    """(L, K, H, E) what each head brought the class token of every image."""
    found, different = [], set[int]()
    for n in range(0, len(images), AT_ONCE):
        trace = record(model, images[n : n + AT_ONCE], "a photo")
        different |= {hash(one.tobytes()) for one in trace.images}
        found.append(torch.stack([head_vectors(trace, layer) for layer in layers]))
    if len(different) < FEWEST:
        raise ValueError(
            f"of the {len(images)} images only {len(different)} differ, and heads are named by how "
            "they answer different ones: give ten or more"
        )
    return torch.cat(found, dim=1)


def text_span(
    vectors: Tensor, texts: Tensor, count: int, rank: int
) -> tuple[list[int], list[float]]:
    """Numbers of the texts (V, E) along which `vectors` (K, E) vary most, and the share of the
    variance that those up to each explain.
    """
    vectors = vectors.double()
    span = torch.linalg.svd(vectors, full_matrices=False).Vh[:rank]
    left, spoken = vectors - vectors.mean(0), texts.double() @ span.T @ span
    whole, chosen, shares = left.square().sum(), [], []
    for _ in range(count):
        spread = (left @ spoken.T).std(0)
        spread[chosen] = -1
        chosen.append(int(spread.argmax()))
        along = spoken[chosen[-1]].clone()
        length = along.square().sum().clamp_min(torch.finfo(along.dtype).tiny)
        left = left - torch.outer(left @ along, along) / length
        spoken = spoken - torch.outer(spoken @ along, along) / length
        shares.append(float(1 - left.square().sum() / whole) if whole > 0 else 0.0)
    return chosen, shares


def _codes(name: str, values: Sequence[object], images: int) -> Tensor:
    """(K,) a number for each image's value of a factor."""
    told = [str(value) for value in values]
    if len(told) != images:
        raise ValueError(f"factor {name!r} has {len(told)} values for {images} images")
    kinds = sorted(set(told))
    if len(kinds) == images:
        raise ValueError(f"factor {name!r} has a value of its own for every image: it explains all")
    return torch.tensor([kinds.index(value) for value in told])


def _between(centred: Tensor, codes: Tensor) -> Tensor:
    """(L, H) share of the variance of (L, K, H, E) that lies between groups of images."""
    K, groups = len(codes), int(codes.max()) + 1
    if groups == 1:
        return torch.zeros(centred.shape[0], centred.shape[2])
    one_hot = torch.nn.functional.one_hot(codes.to(centred.device), groups).to(centred)  # K g
    sums = torch.einsum("kg,lkhe->lghe", one_hot, centred)
    between = (sums.square().sum(-1) / one_hot.sum(0)[:, None]).sum(1)
    share = between / centred.square().sum((1, 3)).clamp_min(1e-12)
    return 1 - (1 - share) * (K - 1) / (K - groups)
