"""What does the page need of the model? Its sizes, its words, and its weights in half precision."""

import html.entities
import unicodedata
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..explainers.leaving_out import ARTICLES, JOINING, MARKS
from ..explainers.presets import PRESETS
from ..model.clip import CLIP
from ..model.towers.text import TextTransformer
from ..model.towers.vit import VisionTransformer
from ..model.words.tokenizer import Tokenizer
from ..view.payload import Header

PROJECTIONS = ("visual.projection", "text.projection")  # kept as (E, D), as all other matrices
FOR_RESNETS = "clip_surgery_released"


def pack_model(model: CLIP) -> tuple[Header, bytes]:
    """A CLIP as the page's engine reads it.

    Parameters
    ----------
    model : such as the embedded one: two plain towers, GELU, a byte-level BPE

    Returns
    -------
    header of JSON types, and all weights in half precision, one after the other

    Raises
    ------
    ValueError : a model with parts that the engine does not have, or with weights that half
        precision does not hold
    """
    _expect_plain(model)
    tensors: dict[str, dict[str, Any]] = {}
    parts, offset = [], 0
    for name, tensor in model.state_dict().items():
        if name == "logit_scale":
            continue
        half = _half(name, tensor)
        tensors[name] = {"offset": offset, "shape": list(half.shape)}
        offset += half.size
        parts.append(half.tobytes())
    header = {
        "joint": model.visual.projection.shape[1],
        "image": {
            **_sizes(model.visual),
            "patch": model.visual.patch,
            "side": model.visual.image_size[0],
            "mean": list(model.preprocessor.mean),
            "std": list(model.preprocessor.std),
        },
        "text": {**_sizes(model.text), "context": model.text.context},
        "vocabulary": _vocabulary(model.tokenizer),
        "presets": {name: asdict(PRESETS[name]) for name in PRESETS if name != FOR_RESNETS},
        "tensors": tensors,
    }
    return header, b"".join(parts)


def _half(name: str, tensor: Tensor) -> np.ndarray:
    values = tensor.T if name in PROJECTIONS else tensor
    values = values.flatten(1) if values.ndim == 4 else values  # patches as rows
    half = values.detach().cpu().half().contiguous()
    if not torch.equal(half.float(), values.float().cpu()):
        raise ValueError(
            "the page keeps weights in half precision, which does not hold those of "
            f"{name} as they are: pass model.half().float() to see the rounded model"
        )
    return half.numpy().astype("<f2")


def _expect_plain(model: CLIP) -> None:
    visual, text = model.visual, model.text
    if not isinstance(visual, VisionTransformer) or not isinstance(text, TextTransformer):
        raise ValueError(
            f"the playground runs a plain ViT with CLIP's text tower, not {model.name}"
        )
    blocks = [*visual.blocks, *text.blocks]
    plain = (
        isinstance(model.tokenizer, Tokenizer)
        and not model.tokenizer.added
        and visual.pooling == "class token"
        and visual.before == 1
        and visual.image_size[0] == visual.image_size[1]
        and isinstance(visual.ln_pre, nn.LayerNorm)
        and not text.full
        and all(block.mlp.activation is nn.functional.gelu for block in blocks)
        and all(block.rotary is None for block in blocks)
    )
    if not plain:
        raise ValueError(
            f"the playground runs models made like the embedded one (GELU, learned positions, a "
            f"class token, byte-level BPE), which {model.name} is not: explain it with "
            "clipxai.Explorer"
        )


def _sizes(tower: VisionTransformer | TextTransformer) -> Header:
    first = tower.blocks[0]
    return {
        "width": first.ln_1.normalized_shape[0],
        "heads": first.attn.heads,
        "layers": len(tower.blocks),
        "eps": first.ln_1.eps,
    }


def _vocabulary(tokenizer: Tokenizer) -> Header:
    return {
        "ids": tokenizer.vocabulary,
        "merges": [" ".join(pair) for pair in tokenizer.merges],
        "start": tokenizer.start,
        "end": tokenizer.end,
        "context": tokenizer.context,
        "mending": {"letters": _letters(), "entities": html.entities.html5},
        "leaving": {
            "articles": sorted(ARTICLES),
            "marks": sorted(MARKS),
            "joining": sorted(JOINING),
        },
    }


def _letters() -> dict[str, str]:
    """What ftfy writes for ligatures of Latin letters, and for wide and narrow forms."""
    from ftfy.chardata import LIGATURES

    wide = {chr(n): unicodedata.normalize("NFKC", chr(n)) for n in range(0xFF01, 0xFFF0)}
    changed = {letter: plain for letter, plain in wide.items() if letter != plain}
    return {chr(n): plain for n, plain in LIGATURES.items()} | {"\u3000": " "} | changed
