"""How do towers that are none of ours come in? Copied as they are, out of a module in memory; or,
for a checkpoint, out of the module that open_clip builds of its config.

A config may name a model of timm's of which open_clip knows the parts, and whose parts are ours:
then open_clip builds a module without memory, which is read and not run.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from ...checks import visible
from ..towers.hosted import HostedImageTower
from .tensor_names import TensorNames
from .timm_siglip import siglip_sizes
from .untrusted import Weights

UNREAD = TensorNames(names={}, block={}, unread=("visual.",))
NEEDS = "pip install 'clipxai[zoo]'"
CONTEXT = 77  # what open_clip fills texts up to, whatever the encoder could take


def hosted_image_tower(module: nn.Module, reason: object) -> HostedImageTower:
    """A copy of open_clip's `TimmModel`, which is looked at once to see what it ends in; `reason`
    is why its inside cannot be asked.
    """
    side = module.image_size
    size = tuple(side) if isinstance(side, (tuple, list)) else (side, side)
    with torch.device("cpu"):
        return HostedImageTower(_copied(module), size, str(reason))


def hosted_text_tower(module: nn.Module, kind: str) -> dict[str, object]:
    """What `HostedTextTower` is told of one of transformers' encoders, or of CoCa's text tower.

    Raises
    ------
    ValueError : a module of another kind
    """
    config = getattr(module, "config", None)
    pad = getattr(config, "pad_token_id", getattr(module, "pad_id", None))
    vocabulary = getattr(module, "vocab_size", 0)
    context = getattr(module, "context_length", 0)
    if not (isinstance(pad, int) and vocabulary and hasattr(module, "transformer")):
        raise ValueError(
            f"the text tower of this {kind} is a {type(module).__name__}, which is not read: only "
            "open_clip's own are, and those it takes from transformers"
        )
    return {
        "module": _copied(module),
        "vocabulary": vocabulary,
        "context": min(context or CONTEXT, CONTEXT),
        "pad_id": pad,
    }


def _copied(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).eval().requires_grad_(False)


def needs_open_clip(config: Mapping) -> bool:
    """Whether only open_clip knows what tower an `open_clip_config.json` asks for."""
    described = config.get("model_cfg") or {}
    vision, text = described.get("vision_cfg") or {}, described.get("text_cfg") or {}
    trunk = vision.get("timm_model_name")
    return bool(
        (trunk is not None and siglip_sizes(str(trunk)) is None)
        or text.get("hf_model_name")
        or text.get("embed_cls")
    )


def built_by_open_clip(config: dict, where: object) -> nn.Module:
    """The module that open_clip builds of a config, with random weights.

    Raises
    ------
    ImportError : open_clip is not installed
    ValueError : open_clip cannot build it
    """
    try:
        from open_clip.coca_model import CoCa
        from open_clip.model import CLIP, CustomTextCLIP
    except ImportError as error:
        raise ImportError(
            f"{where} describes a model with a tower of timm's or transformers'; open_clip and "
            f"timm know it: {NEEDS}"
        ) from error
    described = copy.deepcopy(config["model_cfg"])
    custom = described.pop("custom_text", False)
    described.get("vision_cfg", {})["timm_model_pretrained"] = False
    described.get("text_cfg", {})["hf_model_pretrained"] = False
    kind = CLIP
    if "multimodal_cfg" in described:
        kind = CoCa
    elif custom or "hf_model_name" in described.get("text_cfg", {}):
        kind = CustomTextCLIP
    with _told_shortly(where), _text_tower_there(described.get("text_cfg", {}), where):
        return kind(**described).eval()


def filled_by_open_clip(module: nn.Module, weights: Weights, where: object) -> nn.Module:
    """That module with these weights; a ValueError if they are not those of such a model."""
    with _told_shortly(where):
        module.load_state_dict({name: weights.read(name).clone() for name in weights.tensors})
    return module


@contextmanager
def _text_tower_there(config: Mapping, where: object) -> Iterator[None]:
    """A ValueError for a text tower whose own config open_clip looks for on the hub in vain."""
    try:
        yield
    except OSError as error:
        name = config.get("hf_model_name")
        if name is None:
            raise
        reason = visible(str(error).strip().splitlines()[0])[:200]
        raise ValueError(
            f"{where} names its text tower {visible(str(name))!r}, whose config cannot be had "
            f"({reason}): load it once with a network, or make hf_model_name the path of a folder "
            "with its config.json"
        ) from error


@contextmanager
def _told_shortly(where: object) -> Iterator[None]:
    """What open_clip and torch complain of, as one line."""
    try:
        yield
    except (RuntimeError, TypeError, OSError, AssertionError) as error:
        reason = str(error).strip().splitlines()
        raise ValueError(
            f"open_clip cannot build the model of {where}: {' '.join(reason[:2])[:300]}"
        ) from error
