"""What does a `Trace` hold of its images, and what of its texts? The two halves of `record`.

Each returns fields of a `Trace`, so that one half can be replaced while the other stays.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..model.clip import CLIP, Texts, as_list
from ..model.image import Mode, Prepared
from ..model.towers.block import BlockTape
from ..results.explanation import Grid


def prepare(model: CLIP, image: object, mode: Mode, size: int | tuple[int, int] | None) -> Prepared:
    """Pixels of image(s), the images themselves, and where the patches lie on them."""
    if not isinstance(image, Tensor) or image.ndim != 4 or not image.is_floating_point():
        return model.preprocessor(image, mode=mode, size=size)
    height, width = image.shape[-2:]
    whole = Grid(*model.visual.grid(height, width), (height, width), (0, 0, height, width))
    images: list[np.ndarray] = model.preprocessor.restore(image)
    return Prepared(image, images, [whole] * len(image))


@torch.no_grad()
def see(model: CLIP, prepared: Prepared, patches: bool = True) -> dict[str, Any]:
    """The image tower's pass; without `patches` the last stream holds the class token only."""
    layers: list[BlockTape] = []
    pixels = prepared.pixels.to(model.device)
    stream = model.visual(pixels.to(model.dtype), tape=layers, patches=patches)
    return dict(
        pixels=pixels,
        images=prepared.images,
        grids=prepared.grids,
        layers=tuple(layers),
        stream=stream,
    )


@torch.no_grad()
def read(
    model: CLIP, texts: Texts, templates: Iterable[str] | None, truncate: bool
) -> dict[str, Any]:
    """The text tower's pass."""
    if templates is not None:
        templates = tuple(templates)
        return dict(
            texts=tuple(as_list(texts)),
            templates=templates,
            token_ids=None,
            text_layers=(),
            text_tokens=None,
            text_features=model.encode_text(texts, templates=templates, truncate=truncate),
        )
    ids = model.tokenize(texts, truncate)
    layers: list[BlockTape] = []
    tokens = model.text(ids, tape=layers)
    at_end = tokens[torch.arange(len(ids), device=ids.device), model.text.end(ids)]
    return dict(
        texts=_names(model, texts, ids),
        templates=None,
        token_ids=ids[:, : tokens.shape[1]],
        text_layers=tuple(layers),
        text_tokens=tokens,
        text_features=F.normalize(at_end.float(), dim=-1),
    )


def _names(model: CLIP, texts: Texts, ids: Tensor) -> tuple[str, ...]:
    if not isinstance(texts, Tensor):
        return tuple(as_list(texts))
    if model.tokenizer is None:
        return tuple(f"text {n}" for n in range(len(ids)))
    return tuple(model.tokenizer.decode(row.tolist()) for row in ids)
