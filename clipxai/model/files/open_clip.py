"""Which of open_clip's configs describe a model that is ours too? CLIP's own ViTs and ResNets with
all their variants, CoCa's image tower and SigLIP's: an empty model of their sizes, and how
open_clip names its tensors.
"""

from dataclasses import replace

from torch import nn

from ..clip import CLIP, SigLIP
from ..towers.coca import PooledVisionTransformer
from ..towers.hosted import HostedTextTower
from ..towers.resnet import ModifiedResNet
from ..towers.siglip import SiglipVisionTransformer
from ..towers.text import TextTransformer
from ..towers.tower import ImageTower, TextTower
from ..towers.vit import VisionTransformer
from .hosting import UNREAD, hosted_image_tower
from .openai import OPENAI
from .sizes import empty_modules, ffn_width, known_activation, section, size_of
from .tensor_names import TensorNames, TowersNames
from .timm_siglip import TRUNK, siglip_sizes, trunk_sizes
from .timm_vit import Unlike, vit_of

# what `open_clip_config.json` may say: keys that set something, and keys that change nothing about
# inference
_VISION = {
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "image_size",
    "ls_init_value",
    "attentional_pool",
    "attn_pooler_queries",
    "attn_pooler_heads",
    "no_ln_pre",
    "pool_type",
    "final_ln_after_pool",
    "act_kwargs",
    "norm_kwargs",
    "patch_dropout",
    "pos_embed_type",  # the table is in the file, whatever it was made of
    "output_tokens",
    "activation",  # of a module in memory; a file has quick_gelu and act_kwargs
}
_TEXT = {
    "context_length",
    "vocab_size",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "ls_init_value",
    "no_causal_mask",
    "pool_type",
    "eos_id",
    "pad_id",
    "proj_type",
    "proj_bias",
    "act_kwargs",
    "norm_kwargs",
    "hf_tokenizer_name",
    "tokenizer_kwargs",
    "tokenizer_mode",
    "final_ln_after_pool",  # open_clip reads it of image towers only
    "output_tokens",
    "activation",
}
_TRUNK = {"timm_model_name", "timm_model_pretrained", "timm_pool", "timm_proj", "image_size"}
_TRUNK |= {"timm_drop", "timm_drop_path", "patch_dropout"}
_USUAL = {"text_mask": ("first",)}  # keys that may only say what is so anyway
LAYER_SCALE = {"attn.out": "ls_1.gamma", "mlp.down": "ls_2.gamma"}
POOL = {
    "visual.head.query": "visual.attn_pool.query",
    "visual.head.query_weight": "visual.attn_pool.attn.q_proj_weight",
    "visual.head.key_weight": "visual.attn_pool.attn.k_proj_weight",
    "visual.head.value_weight": "visual.attn_pool.attn.v_proj_weight",
    "visual.head.bias": "visual.attn_pool.attn.in_proj_bias",
    "visual.head.out": "visual.attn_pool.attn.out_proj",
    "visual.head.ln_q": "visual.attn_pool.ln_q",
    "visual.head.ln_k": "visual.attn_pool.ln_k",
}


def build_open_clip(config: dict, where: object) -> tuple[CLIP, TowersNames]:
    """An empty model as an `open_clip_config.json` describes it, and how its tensors are named.

    Raises
    ------
    ValueError : a tower that is none of ours, named by the setting that asks for it; or a size as
        in `build_hf`
    """
    described = section(config, "model_cfg", where)
    vision, text = section(described, "vision_cfg", where), section(described, "text_cfg", where)
    activation = "quick_gelu" if described.get("quick_gelu") else "gelu"
    joint = size_of(described, "embed_dim", 512, where, limit="projection_dim")
    with empty_modules():
        visual, names = _image_tower(vision, joint, activation, where)
        if "hosted" in text:
            tower: TextTower = HostedTextTower(**text["hosted"])
        else:
            tower = _text_tower(text, joint, activation, where)
        biased = described.get("init_logit_bias") is not None
        model = SigLIP(visual, tower) if biased else CLIP(visual, tower)
    text_names = replace(UNREAD, unread=("text.",)) if "hosted" in text else OPENAI
    if "hosted" not in text and described.get("custom_text"):
        text_names = nested_text()
    if text.get("ls_init_value") is not None:
        text_names = replace(text_names, scaled=LAYER_SCALE)
    if described.get("multimodal_cfg"):  # CoCa's second half, which writes captions
        text_names = replace(text_names, unread=(*text_names.unread, "text_decoder."))
    return model, TowersNames(names, text_names)


def is_ours(config: dict, where: object) -> bool:
    """Whether a module, as `open_clip_live.described` describes it, has towers of ours only."""
    model = config["model_cfg"]
    if "hosted" in model["text_cfg"]:
        return False
    trunk = model["vision_cfg"].get("hosted")
    try:
        with empty_modules():
            return trunk is None or bool(_own_trunk(trunk, model["embed_dim"], where))
    except Unlike:
        return False


def nested_text() -> TensorNames:
    """The names of a text tower that is a module of its own."""
    names = {
        ours: f"text.{theirs}" for ours, theirs in OPENAI.names.items() if ours.startswith("text.")
    }
    return replace(OPENAI, names=names)


def _image_tower(
    vision: dict, joint: int, activation: str, where: object
) -> tuple[ImageTower, TensorNames]:
    if "hosted" in vision or vision.get("timm_model_name") is not None:
        return _trunk(vision, joint, where)
    _expect_known(vision, _VISION, "vision_cfg", where)
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
        return ModifiedResNet(layers=depths, **common), OPENAI
    common |= {
        "patch": size_of(vision, "patch_size", 16, where),
        "layers": size_of(vision, "layers", 12, where, limit="num_hidden_layers"),
        "ffn_width": ffn_width(vision, width, where),
        "activation": _activation(vision, activation, where),
        "eps": _eps(vision, where),
        "norm_before": not vision.get("no_ln_pre"),
    }
    names = OPENAI
    if vision.get("ls_init_value") is not None:
        names = replace(names, scaled=LAYER_SCALE)
    if vision.get("attentional_pool"):
        return _pooled(vision, common, where), replace(names, names={**POOL, **names.names})
    return VisionTransformer(pooling=_pooling(vision, where), **common), names


def _pooled(vision: dict, common: dict, where: object) -> PooledVisionTransformer:
    """CoCa's; what its pool could be besides is in no published model."""
    if vision["attentional_pool"] is not True or vision.get("pool_type", "tok") != "tok":
        raise ValueError(
            f"{where} asks for vision_cfg.attentional_pool={vision['attentional_pool']!r} with "
            f"pool_type={vision.get('pool_type', 'tok')!r}: read is true with 'tok', as CoCa has it"
        )
    if common["width"] == common["joint"]:
        raise ValueError(
            f"{where} asks for an attentional pool as wide as the image tower, whose weights "
            "open_clip keeps another way: such a model is not read"
        )
    most = {"attn_pooler_queries": 256, "attn_pooler_heads": 8}
    queries, heads = (
        size_of(vision, name, usual, where, limit="hidden_size") for name, usual in most.items()
    )
    return PooledVisionTransformer(queries=queries, pool_heads=heads, **common)


def _pooling(vision: dict, where: object) -> str:
    pool = _one_of(vision, "pool_type", ("tok", "avg"), "vision_cfg", where)
    after = bool(vision.get("final_ln_after_pool"))
    return {"tok": "class token", "avg": "mean" if after else "mean of read-outs"}[pool]


def _trunk(vision: dict, joint: int, where: object) -> tuple[ImageTower, TensorNames]:
    """SigLIP's image tower, from timm: by name, or a module in memory; there any other as well."""
    if tower := vision.get("hosted"):
        try:
            return _own_trunk(tower, joint, where)
        except Unlike as reason:
            return hosted_image_tower(tower, reason), UNREAD
    sizes = siglip_sizes(str(vision["timm_model_name"]))
    if (vision.get("timm_pool"), vision.get("timm_proj")) != ("map", "none"):
        sizes = None
    _expect_known(vision, _TRUNK, "vision_cfg", where)
    if sizes is None:
        raise ValueError(
            f"{where} asks for vision_cfg.timm_model_name={vision['timm_model_name']!r}, which is "
            "none of ours: it needs open_clip (pip install 'clipxai[zoo]')"
        )
    return _siglip(sizes, joint, where)


def _own_trunk(tower: nn.Module, joint: int, where: object) -> tuple[ImageTower, TensorNames]:
    """What of timm's is ours; `Unlike` for anything else."""
    sizes = None if len(tower.head) else trunk_sizes(tower.trunk)
    return vit_of(tower, joint) if sizes is None else _siglip(sizes, joint, where)


def _siglip(sizes: dict, joint: int, where: object) -> tuple[ImageTower, TensorNames]:
    if sizes["width"] != joint:
        raise ValueError(
            f"{where} gives embed_dim={joint}, but this image tower is {sizes['width']} wide and "
            "has no projection"
        )
    return SiglipVisionTransformer(**sizes), TRUNK


def _text_tower(text: dict, joint: int, activation: str, where: object) -> TextTransformer:
    _expect_known(text, _TEXT, "text_cfg", where)
    width = size_of(text, "width", 512, where, limit="hidden_size")
    pool = _one_of(text, "pool_type", ("argmax", "eos", "last"), "text_cfg", where)
    projection = _one_of(text, "proj_type", ("linear", "none"), "text_cfg", where)
    if projection == "linear":
        projection = "linear" if text.get("proj_bias") else "matrix"
    vocabulary = size_of(text, "vocab_size", 49408, where)
    return TextTransformer(
        vocabulary=vocabulary,
        context=size_of(text, "context_length", 77, where, limit="max_position_embeddings"),
        width=width,
        layers=size_of(text, "layers", 12, where, limit="num_hidden_layers"),
        heads=size_of(text, "heads", 8, where, limit="num_attention_heads"),
        ffn_width=ffn_width(text, width, where),
        activation=_activation(text, activation, where),
        eps=_eps(text, where),
        joint=joint,
        causal=not text.get("no_causal_mask"),
        read_at="last" if pool == "last" else "end",
        end_id=_token(text, "eos_id", 2, vocabulary, where) if pool == "eos" else None,
        pad_id=_token(text, "pad_id", 0, vocabulary, where),
        projection=projection,
    )


def _token(text: dict, name: str, default: int, vocabulary: int, where: object) -> int:
    token = text.get(name, default)
    if type(token) is not int or not 0 <= token < vocabulary:
        raise ValueError(f"{where} gives {name}={token!r}, but the vocabulary has {vocabulary:,}")
    return token


def _activation(part: dict, activation: str, where: object) -> str:
    """GELU may be told which approximation to take; quick GELU takes no advice."""
    if "activation" in part:
        return known_activation(part["activation"])
    told = part.get("act_kwargs") or {}
    if not told or told == {"approximate": "none"}:
        return activation
    if activation != "gelu" or told != {"approximate": "tanh"}:
        raise ValueError(f"{where} asks for act_kwargs={told!r} of {activation}: not known")
    return "gelu_pytorch_tanh"


def _eps(part: dict, where: object) -> float:
    told = part.get("norm_kwargs") or {}
    eps = told.get("eps", 1e-5) if isinstance(told, dict) else None
    if not isinstance(eps, float) or not 0 < eps < 1 or set(told) - {"eps"}:
        raise ValueError(f"{where} asks for norm_kwargs={told!r}, but only eps is known there")
    return eps


def _one_of(part: dict, key: str, known: tuple[str, ...], name: str, where: object) -> str:
    value = part.get(key, known[0])
    if value not in known:
        raise ValueError(
            f"{where} asks for {name}.{key}={value!r}: such a tower is not read, only "
            f"{' or '.join(map(repr, known))}"
        )
    return value


def _expect_known(part: dict, known: set[str], name: str, where: object) -> None:
    """What is not known would change the network, unless it is off or says the usual."""
    for key, value in part.items():
        if key not in known and value not in (None, False, {}, *_USUAL.get(key, ())):
            raise ValueError(
                f"{where} asks for {name}.{key}={value!r}: such a tower is not read, only CLIP's "
                "own ViTs and ResNets, CoCa's and SigLIP's"
            )


def _image_size(vision: dict, where: object) -> tuple[int, int]:
    """(height, width): one number for both sides, or two."""
    side = vision.get("image_size", 224)
    height, width = side if isinstance(side, list) and len(side) == 2 else (side, side)
    return (
        size_of({"image_size": height}, "image_size", 224, where),
        size_of({"image_size": width}, "image_size", 224, where),
    )
