"""How does an image tower come in by itself? As a model without texts: transformers'
CLIPVisionModel (also IP-Adapter's, and that inside of LLaVA), SiglipVisionModel, DINOv2 and 3. What
compares images with texts cannot be asked of it; attention, rollout and how patches resemble one
another can.
"""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor

from ...checks import visible
from ..clip import CLIP
from ..image import Preprocessor
from ..towers.no_texts import NoTexts
from ..towers.positions import CentredRotary
from ..towers.vit import VisionTransformer
from .hugging_face import HF, HF_SIGLIP, clip_vision, resizing, siglip_vision
from .sizes import (
    MOST,
    empty_modules,
    ffn_width,
    known_activation,
    layer_norm_eps,
    section,
    size_of,
)
from .tensor_names import TensorNames
from .transformers_types import DINO, IMAGE_ONLY
from .untrusted import Weights

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of its colours
HALF = ((0.5,) * 3, (0.5,) * 3)
NO_SCALE = {"logit_scale": torch.zeros(())}
_DINO = ("embeddings.", "encoder.", "layernorm.", "model.layer.", "layer.", "norm.")
_ATTENTION = {  # of transformers' fifth version in memory; and of files, and the fourth
    "attn.out": ("attention.o_proj", "attention.output.dense"),
    "qkv": ("attention.{}_proj", "attention.attention.{}"),
}
_GATED = {"mlp.gate": "mlp.gate_proj", "mlp.up": "mlp.up_proj", "mlp.down": "mlp.down_proj"}


def is_image_only(config: Mapping, names: Mapping[str, object]) -> bool:
    """Whether a config, or what is there of a CLIP or SigLIP, is of an image tower alone."""
    kind = config.get("model_type")
    if kind in ("clip", "siglip", "siglip2"):
        return not any(name.startswith("text_model.") for name in names)
    return isinstance(kind, str) and kind in IMAGE_ONLY


def build_image_only(
    config: dict, weights: Weights, where: object
) -> tuple[CLIP, Weights, TensorNames]:
    """A model without texts, its tensors, and how they are named.

    Parameters
    ----------
    config : of the tower, or of the model it was taken from
    weights : of the file or module
    where : what errors call it

    Raises
    ------
    ValueError : a size as in `build_hf`
    """
    kind = config["model_type"]
    if kind in ("clip", "siglip", "siglip2"):
        kind, config = f"{kind}_vision_model", section(config, "vision_config", where)
    if kind in DINO:
        return _dino(kind, config, weights, where)
    weights = _named(weights, "vision_model.", ("visual_projection.",), where)
    tensors = weights.tensors
    with empty_modules():
        if kind.startswith("siglip"):
            visual, given = siglip_vision(config, where, second=kind.startswith("siglip2"))
            model = CLIP(
                visual, NoTexts(), None, Preprocessor(visual.image_size, visual.patch, *HALF)
            )
            return resizing(model, given), weights.with_others(NO_SCALE), HF_SIGLIP
        projection = tensors.get("visual_projection.weight")
        width = size_of(config, "hidden_size", 768, where)
        joint = width if projection is None else len(projection)
        visual, given = clip_vision(config, joint, where)
        model = resizing(CLIP(visual, NoTexts()), given)
    added = dict(NO_SCALE)
    if projection is None:  # its features are what the norm puts out
        added["visual_projection.weight"] = torch.eye(width)
    return model, weights.with_others(added), HF


def _dino(
    kind: str, config: dict, weights: Weights, where: object
) -> tuple[CLIP, Weights, TensorNames]:
    """DINOv2 and 3."""
    weights = _named(weights, "", _DINO, where, (f"{kind}.",))
    usual = {"dinov2_with_registers": 4}.get(kind, 0)
    registers = config.get("num_register_tokens", usual) if kind != "dinov2" else 0
    if type(registers) is not int or not 0 <= registers <= MOST["num_hidden_layers"]:
        raise ValueError(f"{where} gives num_register_tokens={registers!r}: it is not read")
    if config.get("use_swiglu_ffn"):
        # what files, and transformers' fourth version, have one above the other
        weights = weights.halved("mlp.weights_in", (_GATED["mlp.gate"], _GATED["mlp.up"]))
    third = kind == "dinov3_vit"
    width = size_of(config, "hidden_size", 384 if third else 768, where)
    patch = size_of(config, "patch_size", 16 if third else 14, where)
    heads = size_of(config, "num_attention_heads", 6 if third else 12, where)
    side = size_of(config, "image_size", 224, where) // patch * patch
    with empty_modules():
        visual = VisionTransformer(
            image_size=(side, side),
            patch=patch,
            width=width,
            layers=size_of(config, "num_hidden_layers", 12, where),
            heads=heads,
            joint=width,
            norm_before=False,
            registers=registers,
            **(_third(config, width // heads, where) if third else _second(config, width, where)),
        )
        model = CLIP(visual, NoTexts(), None, Preprocessor((side, side), patch, *IMAGENET))
    if third:
        return model, weights.with_others(_dino3_tensors(weights, width)), _dino3_names(weights)
    return model, weights.with_others(_dino_tensors(weights, width)), _dino2_names(weights)


def _second(config: dict, width: int, where: object) -> dict[str, object]:
    """What DINOv2's tower is told besides."""
    hidden, gated = ffn_width(config, width, where), bool(config.get("use_swiglu_ffn"))
    if gated:  # two thirds, filled up to eights; what `hidden_act` says is not read
        hidden = (hidden * 2 // 3 + 7) // 8 * 8
    return {
        "ffn_width": hidden,
        "gated": gated,
        "activation": "silu" if gated else known_activation(config.get("hidden_act", "gelu")),
        "eps": layer_norm_eps(config, 1e-6, where),
    }


def _third(config: dict, head: int, where: object) -> dict[str, object]:
    """What DINOv3's tower is told besides, whose heads are so wide."""
    turns = config.get("rope_theta", 100.0)
    if not isinstance(turns, (int, float)) or not 0 < turns < float("inf") or head % 4:
        raise ValueError(
            f"{where} gives rope_theta={repr(turns)[:40]} and heads {head} wide, but positions "
            "that turn them need a number above 0 and a width that 4 divides"
        )
    return {
        "ffn_width": size_of(config, "intermediate_size", 1536, where),
        "activation": known_activation(config.get("hidden_act", "gelu")),
        "eps": layer_norm_eps(config, 1e-5, where),
        "gated": bool(config.get("use_gated_mlp")),
        "patch_bias": True,
        "learned_positions": False,
        "placed": 0,
        "rotary": CentredRotary(float(turns)),
    }


def _dino_tensors(weights: Weights, width: int) -> dict[str, Tensor]:
    """What is not in the file, or there in another form: the bias of the patches is a part of every
    patch's position.
    """
    table, bias = "embeddings.position_embeddings", "embeddings.patch_embeddings.projection.bias"
    added = {"identity": torch.eye(width), **NO_SCALE}
    if table in weights.tensors and bias in weights.tensors:
        positions = weights.read(table).clone().float()
        positions[:, 1:] += weights.read(bias).float()
        added[table] = positions
    return added


def _dino3_tensors(weights: Weights, width: int) -> dict[str, Tensor]:
    """What is not in the file: linear maps without a bias have one of zeros here."""
    added = {"identity": torch.eye(width), **NO_SCALE}
    for name, tensor in weights.tensors.items():
        bias = name.removesuffix("weight") + "bias"
        if name.endswith("_proj.weight") and bias not in weights.tensors:
            added[bias] = torch.zeros(len(tensor))
    return added


def _dino3_names(weights: Weights) -> TensorNames:
    live = any(name.startswith("model.layer.") for name in weights.tensors)
    gated = any(name.endswith("mlp.gate_proj.weight") for name in weights.tensors)
    return TensorNames(
        names={
            "visual.patch_embedding": "embeddings.patch_embeddings",
            "visual.class_embedding": "embeddings.cls_token",
            "visual.registers": "embeddings.register_tokens",
            "visual.ln_post": "norm",
            "visual.projection": "identity",
            "visual.blocks": "model.layer" if live else "layer",
        },
        block={
            "ln_1": "norm1",
            "ln_2": "norm2",
            "attn.out": "attention.o_proj",
            **{part: name for part, name in _GATED.items() if gated or part != "mlp.gate"},
        },
        qkv="attention.{}_proj",
        scaled={"attn.out": "layer_scale1.lambda1", "mlp.down": "layer_scale2.lambda1"},
        unread=("embeddings.mask_token", "embeddings.register_tokens"),
    )


def _dino2_names(weights: Weights) -> TensorNames:
    live = any(".attention.q_proj." in name for name in weights.tensors)
    of = 0 if live else 1
    ffn = {"mlp.up": "mlp.fc1", "mlp.down": "mlp.fc2"}
    if any(name.endswith("mlp.gate_proj.weight") for name in weights.tensors):
        ffn = _GATED | ({} if live else {"mlp.down": "mlp.weights_out"})
    letters = ("q", "k", "v") if live else ("query", "key", "value")
    return TensorNames(
        names={
            "visual.patch_embedding": "embeddings.patch_embeddings.projection",
            "visual.class_embedding": "embeddings.cls_token",
            "visual.registers": "embeddings.register_tokens",
            "visual.positions.table": "embeddings.position_embeddings",
            "visual.ln_post": "layernorm",
            "visual.projection": "identity",
            "visual.blocks": "encoder.layer",
        },
        block={
            "ln_1": "norm1",
            "ln_2": "norm2",
            "attn.out": _ATTENTION["attn.out"][of],
            **ffn,
        },
        qkv=_ATTENTION["qkv"][of],
        letters=letters,
        scaled={"attn.out": "layer_scale1.lambda1", "mlp.down": "layer_scale2.lambda1"},
        unread=("embeddings.mask_token", "embeddings.patch_embeddings.projection.bias"),
    )


def _named(
    weights: Weights,
    prefix: str,
    besides: tuple[str, ...],
    where: object,
    behind: tuple[str, ...] = (),
) -> Weights:
    """The tensors of the tower, all behind `prefix`, whether they were before or not; a warning
    names one of those that are left out, such as a classifier's.
    """
    theirs, left = {}, []
    for name in weights.tensors:
        bare = next((name[len(p) :] for p in behind if name.startswith(p)), name)
        if bare.startswith((prefix or besides[0], *besides)):
            theirs[bare] = name
        elif prefix and bare.startswith(("embeddings.", "encoder.", "pre_", "post_", "head.")):
            theirs[prefix + bare] = name
        elif not bare.startswith("logit_"):
            left.append(name)
    if left:
        warnings.warn(
            f"{where} is read as an image tower alone: {len(left)} tensor(s) beside it, such as "
            f"{visible(left[0])!r}, are left out",
            stacklevel=2,
        )
    return weights.named(theirs)
