"""Which of open_clip's configs describe a model that is ours too? Those of CLIP's own ViTs and
ResNets: an empty model of their sizes. Tensors have OpenAI's names (`openai.OPENAI`).
"""

from ..clip import CLIP
from ..towers.resnet import ModifiedResNet
from ..towers.text import TextTransformer
from ..towers.vit import VisionTransformer
from .sizes import empty_modules, ffn_width, section, size_of

# what `open_clip_config.json` may say: keys that set a size, and keys that change nothing about
# inference
_VISION = {
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "image_size",
    "patch_dropout",
}
_TEXT = {
    "context_length",
    "vocab_size",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "hf_tokenizer_name",
    "tokenizer_kwargs",
}
_USUAL = {  # keys that may only say what is so anyway
    "pool_type": ("tok", "argmax"),
    "pos_embed_type": ("learnable",),
    "proj_type": ("linear",),
    "text_mask": ("first",),
}


def build_open_clip(config: dict, where: object) -> CLIP:
    """An empty model of the sizes of an `open_clip_config.json`.

    Raises
    ------
    ValueError : a tower that is not CLIP's own (from timm, from transformers, CoCa, …), named by
        the setting that asks for it; or a size as in `build_hf`
    """
    described = section(config, "model_cfg", where)
    vision, text = section(described, "vision_cfg", where), section(described, "text_cfg", where)
    _expect_known(vision, _VISION, "vision_cfg", where)
    _expect_known(text, _TEXT, "text_cfg", where)
    if described.get("custom_text") or described.get("multimodal_cfg"):
        raise ValueError(
            f"{where} describes a model with a text tower of its own (custom_text, CoCa), which is "
            "not read"
        )
    activation = "quick_gelu" if described.get("quick_gelu") else "gelu"
    joint = size_of(described, "embed_dim", 512, where, limit="projection_dim")
    width = size_of(text, "width", 512, where, limit="hidden_size")
    with empty_modules():
        visual = _visual(vision, joint, activation, where)
        tower = TextTransformer(
            vocabulary=size_of(text, "vocab_size", 49408, where),
            context=size_of(text, "context_length", 77, where, limit="max_position_embeddings"),
            width=width,
            layers=size_of(text, "layers", 12, where, limit="num_hidden_layers"),
            heads=size_of(text, "heads", 8, where, limit="num_attention_heads"),
            ffn_width=ffn_width(text, width, where),
            activation=activation,
            joint=joint,
        )
        return CLIP(visual, tower)


def _expect_known(part: dict, known: set[str], name: str, where: object) -> None:
    """What is not known would change the network, unless it is off or says the usual."""
    for key, value in part.items():
        if key not in known and value not in (None, False, {}, *_USUAL.get(key, ())):
            raise ValueError(
                f"{where} asks for {name}.{key}={value!r}: such a tower is not read, only CLIP's "
                "own ViTs and ResNets"
            )


def _visual(
    vision: dict, joint: int, activation: str, where: object
) -> VisionTransformer | ModifiedResNet:
    layers = vision.get("layers")
    stages = layers if isinstance(layers, list) else None  # a list: a ResNet's four stages
    width = size_of(vision, "width", 768, where, limit="hidden_size")
    # a ResNet's width is its stem's, and what the attention pool reads is 32 stems wide
    attending = width if stages is None else width * 32
    head_width = size_of(vision, "head_width", 64, where, limit="hidden_size")
    if head_width > attending:
        raise ValueError(
            f"{where} gives head_width={head_width}, but the attention it is a part of is only "
            f"{attending} wide"
        )
    common = {
        "image_size": _image_size(vision, where),
        "width": width,
        "heads": attending // head_width,
        "joint": joint,
    }
    if stages is not None:
        depths = [
            size_of({"layers": depth}, "layers", 1, where, limit="num_hidden_layers")
            for depth in stages
        ]
        return ModifiedResNet(layers=depths, **common)
    return VisionTransformer(
        patch=size_of(vision, "patch_size", 16, where),
        layers=size_of(vision, "layers", 12, where, limit="num_hidden_layers"),
        ffn_width=ffn_width(vision, width, where),
        activation=activation,
        **common,
    )


def _image_size(vision: dict, where: object) -> tuple[int, int]:
    """(height, width): one number for both sides, or two."""
    side = vision.get("image_size", 224)
    height, width = side if isinstance(side, list) and len(side) == 2 else (side, side)
    return (
        size_of({"image_size": height}, "image_size", 224, where),
        size_of({"image_size": width}, "image_size", 224, where),
    )
