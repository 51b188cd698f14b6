"""How is a model that already lives in memory explained? Its weights are copied into ours; the
module itself is only read.

Recognised by its tensors and attributes, so that neither open_clip nor transformers is imported:
whoever has such a model has them loaded.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from ..clip import CLIP
from ..image import Preprocessor
from .adapters import merged_state_dict
from .hosting_transformers import read_hosted
from .hugging_face import OURS, build_hf, names_hf
from .image_only import build_image_only, is_image_only
from .open_clip import build_open_clip
from .open_clip_live import described
from .openai import LONG_TEXTS, long_texts
from .prefixes import prefix_of
from .tensor_names import Names
from .transformers_types import HOSTED, of_tower, why_not
from .untrusted import Weights


def read_module(module: nn.Module) -> tuple[CLIP, Weights, Names]:
    """An empty model of the module's sizes, the module's tensors, and how they are named.

    Raises
    ------
    ValueError : neither one of transformers' classes for images and texts, nor a CLIP of open_clip
        or of OpenAI's package
    """
    kind = type(module).__name__
    if isinstance(module, CLIP):
        raise ValueError(f"this {kind} is what load returns already: use it as it is")
    tensors = plain_tensors(merged_state_dict(module), kind)
    config = getattr(module, "config", None)
    model_type = getattr(config, "model_type", None)
    where, told = f"this {kind}", config.to_dict() if hasattr(config, "to_dict") else {}
    if (tower := of_tower(told)) is not told:
        weights = Weights.there(tensors).behind(prefix_of(tensors, where))
        return build_image_only(tower, weights, where)
    if config is not None and is_image_only({"model_type": model_type}, tensors):
        return build_image_only(told, Weights.there(tensors), where)
    if model_type in OURS and "vision_model.post_layernorm.weight" in tensors:
        model = build_hf(told, f"the config of this {kind}")
        return model, Weights.there(tensors), names_hf(model_type, tensors)
    if model_type in HOSTED:
        return read_hosted(module)
    if hasattr(module, "visual") and hasattr(module, "logit_scale"):
        model, names = build_open_clip(described(module, kind), f"this {kind}")
        _colours(module, model)
        weights = Weights.there(tensors)
        return model, long_texts(weights) if LONG_TEXTS in tensors else weights, names
    if model_type is not None and model_type not in OURS:
        raise ValueError(f"the config of this {kind} {why_not(model_type)}")
    raise ValueError(
        f"cannot read this {kind}: pass transformers' CLIPModel, SiglipModel or another of its "
        "models for images and texts, or a CLIP of open_clip or OpenAI"
    )


def plain_tensors(state: Mapping[str, object], kind: str) -> dict[str, Tensor]:
    """A state dict with its numbers in memory; a ValueError names what has none, or others."""
    return {name: _plain(name, kept, kind) for name, kept in state.items()}


def _plain(name: str, kept: object, kind: str) -> Tensor:
    """A tensor with its numbers in memory, as weights are."""
    if not isinstance(kept, Tensor) or kept.is_quantized:
        raise ValueError(
            f"{name!r} of this {kind} is a {type(kept).__name__}, as quantised modules keep: pass "
            "the model as it was before it was quantised"
        )
    if kept.is_meta:
        raise ValueError(
            f"{name!r} of this {kind} has no memory behind it (torch's meta device): load its "
            "weights first, or pass its folder or name"
        )
    return kept.detach()


def _colours(module: nn.Module, model: CLIP) -> None:
    """open_clip's modules know their colours, OpenAI's do not."""
    mean = getattr(module.visual, "image_mean", None)
    std = getattr(module.visual, "image_std", None)
    if mean and std:
        tower = model.visual
        model.preprocessor = Preprocessor(tower.image_size, tower.patch, tuple(mean), tuple(std))
