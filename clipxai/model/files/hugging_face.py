"""How does transformers keep CLIP, SigLIP and SigLIP 2, and the CLIPs of CLIPSeg, OWL-ViT and
MetaCLIP 2? Its names for our tensors, and an empty model of the sizes in its config.json.
"""

from collections.abc import Iterable
from dataclasses import replace

from ..clip import CLIP, SigLIP
from ..image import Preprocessor
from ..towers.siglip import SiglipVisionTransformer
from ..towers.text import TextTransformer
from ..towers.vit import VisionTransformer
from .sizes import (
    empty_modules,
    known_activation,
    layer_norm_eps,
    section,
    size_of,
    square_side,
)
from .tensor_names import TensorNames
from .transformers_types import why_not

# whose two towers are CLIP's; image side, patch and context where a config leaves them out
CLIP_TYPES = {
    "clip": (224, 32, 77),
    "metaclip_2": (224, 32, 77),
    "clipseg": (224, 32, 77),
    "owlvit": (768, 32, 16),
    "owlv2": (768, 16, 16),
}
OURS = (*CLIP_TYPES, "siglip", "siglip2")

_SHARED = {
    "visual.patch_embedding": "vision_model.embeddings.patch_embedding",
    "visual.positions.table": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_post": "vision_model.post_layernorm",
    "visual.blocks": "vision_model.encoder.layers",
    "text.token_embedding": "text_model.embeddings.token_embedding",
    "text.positions": "text_model.embeddings.position_embedding.weight",
    "text.ln_final": "text_model.final_layer_norm",
    "text.blocks": "text_model.encoder.layers",
}
_OF_CLIP = {"eps": 1e-5, "activation": "quick_gelu"}  # transformers' defaults
_OF_SIGLIP = {"eps": 1e-6, "activation": "gelu_pytorch_tanh"}
_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out": "self_attn.out_proj",
    "mlp.up": "mlp.fc1",
    "mlp.down": "mlp.fc2",
}
_QKV = "self_attn.{}_proj"
HF = TensorNames(
    names={
        **_SHARED,
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.ln_pre": "vision_model.pre_layrnorm",  # the misspelling is theirs
        "visual.projection": "visual_projection.weight",
        "text.projection": "text_projection.weight",
    },
    block=_BLOCK,
    qkv=_QKV,
    transposed=("visual.projection", "text.projection"),
)
HF_OWL = replace(HF, names={**HF.names, "visual.ln_pre": "vision_model.pre_layernorm"})
HF_SIGLIP = TensorNames(
    names={
        **_SHARED,
        "visual.head.attn.qkv.weight": "vision_model.head.attention.in_proj_weight",
        "visual.head.attn.qkv.bias": "vision_model.head.attention.in_proj_bias",
        "visual.head.attn.out": "vision_model.head.attention.out_proj",
        "visual.head.ln": "vision_model.head.layernorm",
        "visual.head.mlp.up": "vision_model.head.mlp.fc1",
        "visual.head.mlp.down": "vision_model.head.mlp.fc2",
        # last, as the first name that fits is taken
        "visual.head": "vision_model.head",
        "text.projection": "text_model.head",
    },
    block=_BLOCK,
    qkv=_QKV,
)


def names_hf(kind: object, tensors: Iterable[str]) -> TensorNames:
    """How the tensors of a model of that `model_type` are named."""
    if "vision_model.head.probe" in tensors:
        return HF_SIGLIP
    return HF_OWL if kind in ("owlvit", "owlv2") else HF


def build_hf(config: dict, where: object) -> CLIP:
    """An empty model (no memory behind its tensors) of the sizes of a Hugging Face config; what it
    leaves out is transformers' default.

    Raises
    ------
    ValueError : another kind of model, or a size that is not a whole number, or beyond any CLIP
        there is
    """
    kind = config.get("model_type", "clip")
    if kind not in OURS:
        raise ValueError(f"{where} {why_not(kind)}")
    text, vision = sections(config, where)
    if kind in CLIP_TYPES:
        return _clip(kind, config, text, vision, where)
    if vision.get("vision_use_head") is False:
        raise ValueError(
            f"{where} describes a SigLIP without pooling head, whose images and texts share no "
            "space"
        )
    return _siglip(text, vision, where, second=kind == "siglip2")


def sections(config: dict, where: object) -> tuple[dict, dict]:
    """What a config says of the text tower and of the image tower."""
    text, vision = section(config, "text_config", where), section(config, "vision_config", where)
    if config.get("model_type", "clip") == "clip":
        # of old configs; transformers lets them replace the sections, defaults and all
        if config.get("text_config_dict") is not None:
            text = section(config, "text_config_dict", where)
        if config.get("vision_config_dict") is not None:
            vision = section(config, "vision_config_dict", where)
    return text, vision


def _clip(kind: str, config: dict, text: dict, vision: dict, where: object) -> CLIP:
    joint = size_of(config, "projection_dim", 512, where)
    context = CLIP_TYPES[kind][2]
    of_text = _tower(text, where, width=512, heads=8, **_OF_CLIP)
    with empty_modules():
        visual, given = clip_vision(vision, joint, where, kind)
        tower = TextTransformer(
            vocabulary=size_of(text, "vocab_size", 49408, where),
            context=size_of(text, "max_position_embeddings", context, where),
            joint=joint,
            end_id=_end_id(kind, text, where),
            **of_text,
        )
        return resizing(CLIP(visual, tower), given)


def clip_vision(
    vision: dict, joint: int, where: object, kind: str = "clip"
) -> tuple[VisionTransformer, int]:
    """CLIP's image tower, and the side that its images are resized to."""
    default, patch, _ = CLIP_TYPES[kind]
    patch = size_of(vision, "patch_size", patch, where)
    side, given = _whole_patches(vision, patch, where, default)
    sizes = _tower(vision, where, width=768, heads=12, **_OF_CLIP)
    return VisionTransformer(image_size=(side, side), patch=patch, joint=joint, **sizes), given


def _siglip(text: dict, vision: dict, where: object, *, second: bool) -> SigLIP:
    """SigLIP, or with `second` SigLIP 2, whose config states patches instead of pixels."""
    of_text = _tower(text, where, width=768, heads=12, **_OF_SIGLIP)
    with empty_modules():
        visual, given = siglip_vision(vision, where, second=second)
        tower = TextTransformer(
            vocabulary=size_of(text, "vocab_size", 32000, where),
            context=size_of(text, "max_position_embeddings", 64, where),
            joint=size_of(vision, "hidden_size", 768, where),
            causal=False,
            read_at="last",
            projection="linear",
            **of_text,
        )
        colours = Preprocessor(visual.image_size, visual.patch, (0.5,) * 3, (0.5,) * 3)
        return resizing(SigLIP(visual, tower, colours), given)


def siglip_vision(
    vision: dict, where: object, *, second: bool = False
) -> tuple[SiglipVisionTransformer, int]:
    """SigLIP's image tower, or SigLIP 2's, and the side that its images are resized to."""
    patch = size_of(vision, "patch_size", 16, where)
    side, given = _whole_patches(vision, patch, where)
    if second:
        side = given = square_side(size_of(vision, "num_patches", 256, where)) * patch
    sizes = _tower(vision, where, width=768, heads=12, **_OF_SIGLIP)
    size = (side, side)
    return SiglipVisionTransformer(image_size=size, patch=patch, antialias=second, **sizes), given


def _end_id(kind: str, text: dict, where: object) -> int | None:
    """Where the config says texts end. transformers reads an old 2 as "at the largest id", as its
    OWL-ViTs do whatever is said, and MetaCLIP 2's as the number that it is.
    """
    if kind in ("owlvit", "owlv2"):
        return None
    said = size_of(text, "eos_token_id", 49407, where, limit="vocab_size")
    return None if said == 2 and kind != "metaclip_2" else said


def _whole_patches(vision: dict, patch: int, where: object, default: int = 224) -> tuple[int, int]:
    """Side of the images in pixels, up to the last whole patch, and as it is given; what lies
    between is never read.
    """
    given = size_of(vision, "image_size", default, where)
    return given // patch * patch, given


def resizing(model: CLIP, side: int) -> CLIP:
    """The model, whose images are resized to a side that may be more than its patches cover."""
    model.preprocessor = replace(model.preprocessor, resized=(side, side))
    return model


def _tower(
    part: dict, where: object, *, width: int, heads: int, eps: float, activation: str
) -> dict[str, object]:
    """What both towers are told; the arguments are transformers' defaults."""
    width = size_of(part, "hidden_size", width, where)
    return {
        "width": width,
        "layers": size_of(part, "num_hidden_layers", 12, where),
        "heads": size_of(part, "num_attention_heads", heads, where),
        "ffn_width": size_of(part, "intermediate_size", 4 * width, where),
        "eps": layer_norm_eps(part, eps, where),
        "activation": known_activation(part.get("hidden_act", activation)),
    }
