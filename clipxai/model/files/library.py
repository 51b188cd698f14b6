"""What does the library that a model comes from say of the same pixels and ids? Its own module,
built of the same config and filled with the same weights, and its features.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..clip import CLIP
from .hosting import built_by_open_clip, filled_by_open_clip
from .hosting_transformers import through_transformers
from .locating import locate
from .prefixes import prefix_of
from .shards import INDEX, read_shards
from .transformers_types import class_of
from .untrusted import read_json, read_weights


class NoLibrary(Exception):
    """There is nothing to compare with; the message says why."""


def library_module(source: str | Path | None, revision: str | None = None) -> nn.Module:
    """The module of transformers or open_clip that is kept where `load` finds a model.

    Raises
    ------
    NoLibrary : no config says which it is, it is not installed, or cannot build it
    FileNotFoundError, OSError, ValueError : as `load`
    """
    located = next(locate(source, revision))
    file, at = located.weights, located.at
    config = at("config.json") or at("open_clip_config.json")
    if config is None or file.name.startswith("adapter_model."):
        raise NoLibrary("no config beside the weights says which library they are of")
    weights = read_shards(file, at) if file.name.endswith(INDEX) else read_weights(file)
    weights = weights.behind(prefix_of(weights.tensors, file))
    described = read_json(config)
    try:
        if described.get("model_type") is None:
            built = built_by_open_clip(read_json(at("open_clip_config.json") or config), file)
            return filled_by_open_clip(built, weights, file)
        kind = class_of(described["model_type"], weights.tensors)
        if kind is None:
            raise NoLibrary(f"a {described['model_type']} is not compared here")
        return through_transformers(described, weights, file, kind)
    except ImportError as error:
        name, package = "transformers", "transformers"
        if described.get("model_type") is None:
            name, package = "open_clip", "'clipxai[zoo]'"
        raise NoLibrary(f"to compare with {name}, install it: pip install {package}") from error


@torch.no_grad()
def library_features(
    module: nn.Module, pixels: Tensor, ids: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """(B, E) of images and (T, E) of texts, of unit length, by the library's own functions.

    Raises
    ------
    NoLibrary : a class whose functions are not known here
    """
    reference = next(module.parameters())
    pixels = pixels.to(reference)
    if hasattr(module, "encode_image"):  # open_clip's, OpenAI's
        return _unit(module.encode_image(pixels)), None if ids is None else _unit(
            module.encode_text(ids)
        )
    if hasattr(module, "vision_proj"):  # BLIP's, which has no functions for features
        image = module.vision_proj(module.vision_model(pixels).last_hidden_state[:, 0])
        read = module.text_encoder(**_told(module, ids)).last_hidden_state[:, 0]
        return _unit(image), _unit(module.text_proj(read))
    if not hasattr(module, "get_image_features"):
        found = module(pixel_values=pixels)
        alone = getattr(found, "image_embeds", None)
        return _unit(found.pooler_output if alone is None else alone), None
    if getattr(module.config, "model_type", None) == "siglip2":
        raise NoLibrary("SigLIP 2 of any size takes patches instead of pixels")
    image = _pooled(module.get_image_features(pixel_values=pixels))
    text = None if ids is None else _pooled(module.get_text_features(**_told(module, ids)))
    return _unit(image), None if text is None else _unit(text)


def _told(module: nn.Module, ids: Tensor) -> dict[str, Tensor]:
    """Ids, and which of them are read; SigLIP reads what fills them up, too."""
    if module.config.model_type.startswith("siglip"):
        return {"input_ids": ids}
    pad = module.config.text_config.pad_token_id
    hosted = not hasattr(getattr(module, "text_model", None), "final_layer_norm")
    return {"input_ids": ids, **({"attention_mask": (ids != pad).long()} if hosted else {})}


def _pooled(found: object) -> Tensor:
    features = getattr(found, "pooler_output", found)
    return features[:, 0] if features.ndim == 3 else features  # FLAVA's are of every token


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features.float(), dim=-1)


def some_ids(model: CLIP, texts: list[str]) -> Tensor:
    """Ids of texts; without a vocabulary, random ones that end where the model reads them."""
    if model.tokenizer is not None:
        return model.tokenize(texts)
    text, generator = model.text, torch.Generator().manual_seed(0)
    length = text.context if text.full else min(8, text.context)
    ids = torch.randint(3, text.vocabulary - 1, (len(texts), length), generator=generator)
    end = getattr(text, "end_id", None)
    ids[:, -1] = text.vocabulary - 1 if end is None else end
    return ids.to(model.device)
