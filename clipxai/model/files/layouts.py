"""Which tensor goes where? How others lay out and name the same models, and how ours are built and
filled from them.

A config or the shapes of the tensors say how large a model is; it is laid out on torch's "meta"
device, where sizes cost nothing, and every tensor is checked against it before a single one is
copied.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..clip import CLIP, SigLIP
from ..towers.parts import ACTIVATIONS
from ..towers.resnet import STRIDE, ModifiedResNet
from ..towers.siglip import SiglipTextTransformer, SiglipVisionTransformer
from ..towers.text import TextTransformer
from ..towers.vit import VisionTransformer
from .untrusted import Weights

HEAD_WIDTH = 64  # of every model OpenAI released; their files do not state the number of heads
PIECE = 1 << 20  # numbers: 4 MB stay in the cache, and are enough work for all cores to share
# carried along
NOT_WEIGHTS = (
    "position_ids",
    "input_resolution",
    "context_length",
    "vocab_size",
    "attn_mask",
    "num_batches_tracked",
)
MOST = {  # beyond the largest CLIP there is; a config that asks for more is not believed
    "hidden_size": 1 << 14,
    "num_hidden_layers": 256,
    "num_attention_heads": 256,
    "intermediate_size": 1 << 17,
    "image_size": 1 << 13,
    "patch_size": 512,
    "vocab_size": 1 << 21,
    "max_position_embeddings": 1 << 14,
    "projection_dim": 1 << 14,
    "num_patches": 1 << 16,
}
HF_TYPES = ("clip", "siglip", "siglip2")


@dataclass(frozen=True)
class Layout:
    """Someone's names for our tensors.

    Attributes
    ----------
    names : our name, or how it starts -> theirs
    block : the same for what is inside a transformer block
    qkv : how the three parts of our q-k-v projection are named where they are kept apart
    transposed : ours that they keep the other way round
    """

    names: Mapping[str, str]
    block: Mapping[str, str]
    qkv: str | None = None
    transposed: tuple[str, ...] = ()

    def theirs(self, ours: str) -> list[str]:
        """The tensor, or the three, that one of our parameters is made of."""
        # a ResNet, in OpenAI's names only
        if stage := re.match(r"visual\.stages\.(\d+)\.(.*)", ours):
            return [f"visual.layer{int(stage[1]) + 1}.{stage[2].replace('shortcut', 'downsample')}"]
        prefix = next(
            (prefix for prefix in self.names if ours == prefix or ours.startswith(prefix + ".")),
            None,
        )
        if prefix is None:
            return [ours]
        theirs = self.names[prefix] + ours[len(prefix) :]
        if not prefix.endswith(".blocks"):
            return [theirs]
        if self.qkv and ".attn.qkv." in theirs:
            return [theirs.replace("attn.qkv", self.qkv.format(letter)) for letter in "qkv"]
        part = next((part for part in self.block if f".{part}" in theirs), None)
        return [theirs.replace(f".{part}", f".{self.block[part]}", 1) if part else theirs]


_HF = {
    "visual.patch_embedding": "vision_model.embeddings.patch_embedding",
    "visual.positions.table": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_post": "vision_model.post_layernorm",
    "visual.blocks": "vision_model.encoder.layers",
    "text.token_embedding": "text_model.embeddings.token_embedding",
    "text.positions": "text_model.embeddings.position_embedding.weight",
    "text.ln_final": "text_model.final_layer_norm",
    "text.blocks": "text_model.encoder.layers",
}
_HF_BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out": "self_attn.out_proj",
    "mlp.up": "mlp.fc1",
    "mlp.down": "mlp.fc2",
}
HF = Layout(
    _HF
    | {
        "visual.class_embedding": "vision_model.embeddings.class_embedding",
        "visual.ln_pre": "vision_model.pre_layrnorm",  # the misspelling is theirs
        "visual.projection": "visual_projection.weight",
        "text.projection": "text_projection.weight",
    },
    _HF_BLOCK,
    "self_attn.{}_proj",
    ("visual.projection", "text.projection"),
)
HF_SIGLIP = Layout(
    _HF
    | {
        "visual.head.attn.qkv.weight": "vision_model.head.attention.in_proj_weight",
        "visual.head.attn.qkv.bias": "vision_model.head.attention.in_proj_bias",
        "visual.head.attn.out": "vision_model.head.attention.out_proj",
        "visual.head.ln": "vision_model.head.layernorm",
        "visual.head.mlp.up": "vision_model.head.mlp.fc1",
        "visual.head.mlp.down": "vision_model.head.mlp.fc2",
        "visual.head": "vision_model.head",
        "text.projection": "text_model.head",
    },
    _HF_BLOCK,
    "self_attn.{}_proj",
)
OPENAI = Layout(
    {
        "visual.patch_embedding": "visual.conv1",
        "visual.positions.table": "visual.positional_embedding",
        "visual.projection": "visual.proj",
        "visual.blocks": "visual.transformer.resblocks",
        "visual.attention_pool.positions.table": "visual.attnpool.positional_embedding",
        "visual.attention_pool.query": "visual.attnpool.q_proj",
        "visual.attention_pool.key": "visual.attnpool.k_proj",
        "visual.attention_pool.value": "visual.attnpool.v_proj",
        "visual.attention_pool.out": "visual.attnpool.c_proj",
        "text.token_embedding": "token_embedding",
        "text.positions": "positional_embedding",
        "text.ln_final": "ln_final",
        "text.projection": "text_projection",
        "text.blocks": "transformer.resblocks",
    },
    {
        "attn.qkv.": "attn.in_proj_",
        "attn.out": "attn.out_proj",
        "mlp.up": "mlp.c_fc",
        "mlp.down": "mlp.c_proj",
    },
)


def build_hf(config: dict, where: object) -> CLIP:
    """An empty model (no memory behind its tensors) of the sizes of a Hugging Face config; what it
    leaves out is transformers' default.

    Raises
    ------
    ValueError : another kind of model, or a size that is not a whole number, or beyond any CLIP
        there is
    """
    kind = config.get("model_type", "clip")
    if kind not in HF_TYPES:
        raise ValueError(
            f"{where} describes a {kind!r} model, not {', '.join(map(repr, HF_TYPES[:-1]))} or "
            f"{HF_TYPES[-1]!r}"
        )
    text, vision = section(config, "text_config", where), section(config, "vision_config", where)
    siglip = kind != "clip"

    def common(part: dict, width: int, heads: int) -> dict:
        width = _size(part, "hidden_size", width, where)
        return dict(
            width=width,
            layers=_size(part, "num_hidden_layers", 12, where),
            heads=_size(part, "num_attention_heads", heads, where),
            ffn_width=_size(part, "intermediate_size", 4 * width, where),
            eps=_eps(part, 1e-6 if siglip else 1e-5, where),
            activation=known_activation(
                part.get("hidden_act", "gelu_pytorch_tanh" if siglip else "quick_gelu")
            ),
        )

    patch = _size(vision, "patch_size", 16 if siglip else 32, where)
    # what lies beyond the last whole patch is never read
    side = _size(vision, "image_size", 224, where) // patch * patch
    if kind == "siglip2":
        side = square_side(_size(vision, "num_patches", 256, where)) * patch
    shape = common(vision, 768, 12)
    words = dict(
        vocabulary=_size(text, "vocab_size", 32000 if siglip else 49408, where),
        context=_size(text, "max_position_embeddings", 64 if siglip else 77, where),
    )
    with torch.device("meta"), _Blank():
        if siglip:
            if vision.get("vision_use_head") is False:
                raise ValueError(
                    f"{where} describes a SigLIP without pooling head, whose images and texts "
                    "share no space"
                )
            visual = SiglipVisionTransformer(
                image_size=(side, side), patch=patch, antialias=kind == "siglip2", **shape
            )
            return SigLIP(
                visual,
                SiglipTextTransformer(**words, joint=shape["width"], **common(text, 768, 12)),
            )
        joint = _size(config, "projection_dim", 512, where)
        visual = VisionTransformer(image_size=(side, side), patch=patch, joint=joint, **shape)
        return CLIP(visual, TextTransformer(**words, joint=joint, **common(text, 512, 8)))


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
_USUAL = {
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
    for name, part, known in (("vision_cfg", vision, _VISION), ("text_cfg", text, _TEXT)):
        for key, value in part.items():
            if key not in known and value not in (None, False, {}, *_USUAL.get(key, ())):
                raise ValueError(
                    f"{where} asks for {name}.{key}={value!r}: such a tower is not read, only "
                    "CLIP's own ViTs and ResNets"
                )
    if described.get("custom_text") or described.get("multimodal_cfg"):
        raise ValueError(
            f"{where} describes a model with a text tower of its own (custom_text, CoCa), which is "
            "not read"
        )
    activation = "quick_gelu" if described.get("quick_gelu") else "gelu"
    sizes = {"joint": _size(described, "embed_dim", 512, where, "projection_dim")}
    width = _size(vision, "width", 768, where, "hidden_size")
    attending = width * 32 if isinstance(vision.get("layers"), list) else width
    head_width = _size(vision, "head_width", 64, where, "hidden_size")
    if head_width > attending:
        raise ValueError(
            f"{where} gives head_width={head_width}, but the attention it is a part of is only "
            f"{attending} wide"
        )
    side = vision.get("image_size", 224)
    height, across = side if isinstance(side, list) and len(side) == 2 else (side, side)
    image = tuple(
        _size({"image_size": pixels}, "image_size", 224, where) for pixels in (height, across)
    )
    text_width = _size(text, "width", 512, where, "hidden_size")
    with torch.device("meta"), _Blank():
        if isinstance(vision.get("layers"), list):
            layers = [
                _size({"layers": depth}, "layers", 1, where, "num_hidden_layers")
                for depth in vision["layers"]
            ]
            visual = ModifiedResNet(
                image_size=image, layers=layers, width=width, heads=attending // head_width, **sizes
            )
        else:
            visual = VisionTransformer(
                image_size=image,
                patch=_size(vision, "patch_size", 16, where),
                width=width,
                heads=attending // head_width,
                layers=_size(vision, "layers", 12, where, "num_hidden_layers"),
                ffn_width=_times(vision, width, where),
                activation=activation,
                **sizes,
            )
        tower = TextTransformer(
            vocabulary=_size(text, "vocab_size", 49408, where),
            context=_size(text, "context_length", 77, where, "max_position_embeddings"),
            width=text_width,
            layers=_size(text, "layers", 12, where, "num_hidden_layers"),
            heads=_size(text, "heads", 8, where, "num_attention_heads"),
            ffn_width=_times(text, text_width, where),
            activation=activation,
            **sizes,
        )
        return CLIP(visual, tower)


def build_from_shapes(
    tensors: Mapping[str, Tensor],
    activation: str = "quick_gelu",
    heads: int | None = None,
    text_heads: int | None = None,
) -> CLIP:
    """An empty model whose sizes are read off the shapes of a state dict with OpenAI's names.

    Shapes do not tell the number of heads: it is OpenAI's (width / 64) unless given.
    """

    def count(prefix: str) -> int:
        return len(
            {name[len(prefix) :].split(".")[0] for name in tensors if name.startswith(prefix)}
        )

    def shape(name: str, dimensions: int) -> torch.Size:
        if name not in tensors:
            raise ValueError(f"tensor {name!r} is missing")
        if tensors[name].ndim != dimensions or not tensors[name].numel():
            raise ValueError(
                f"tensor {name!r} has shape {tuple(tensors[name].shape)}, but {dimensions} sizes "
                "above 0 are expected"
            )
        return tensors[name].shape

    joint = shape("text_projection", 2)[1]
    width = shape("ln_final.weight", 1)[0]
    with torch.device("meta"), _Blank():
        if "visual.layer1.0.conv1.weight" in tensors:
            stem = shape("visual.layer1.0.conv1.weight", 4)[0]
            side = square_side(shape("visual.attnpool.positional_embedding", 2)[0] - 1)
            visual = ModifiedResNet(
                image_size=(side * STRIDE,) * 2,
                layers=[count(f"visual.layer{n}.") for n in (1, 2, 3, 4)],
                width=stem,
                heads=heads or max(1, stem * 32 // HEAD_WIDTH),
                joint=joint,
            )
        else:
            visual_width, _, patch, _ = shape("visual.conv1.weight", 4)
            side = square_side(shape("visual.positional_embedding", 2)[0] - 1) * patch
            visual = VisionTransformer(
                image_size=(side, side),
                patch=patch,
                width=visual_width,
                layers=count("visual.transformer.resblocks."),
                heads=heads or max(1, visual_width // HEAD_WIDTH),
                joint=joint,
                activation=known_activation(activation),
                ffn_width=shape("visual.transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
            )
        tower = TextTransformer(
            vocabulary=shape("token_embedding.weight", 2)[0],
            context=shape("positional_embedding", 2)[0],
            width=width,
            layers=count("transformer.resblocks."),
            heads=text_heads or max(1, width // HEAD_WIDTH),
            joint=joint,
            ffn_width=shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
            activation=known_activation(activation),
        )
        return CLIP(visual, tower)


def fill(model: CLIP, weights: Weights, layout: Layout, dtype: torch.dtype, where: object) -> None:
    """Put every tensor where it belongs. First all are checked: each is there, fits, and none is
    left over; then all are copied.

    Raises
    ------
    ValueError : a tensor that is missing, of another shape, without a place, no floating-point
        numbers, or not finite, by name
    """
    tensors, wanted = (
        weights.tensors,
        {name: tensor for name, tensor in model.state_dict().items() if "num_batches" not in name},
    )
    names = {ours: layout.theirs(ours) for ours in wanted}
    parts = {
        ours: [_oriented(ours, name, tensors, layout, where) for name in theirs]
        for ours, theirs in names.items()
    }
    for ours, found in parts.items():
        each = (
            (len(wanted[ours]) // len(found), *wanted[ours].shape[1:])
            if len(found) > 1
            else tuple(wanted[ours].shape)
        )
        for name, tensor in zip(names[ours], found):
            if tuple(tensor.shape) != each:
                raise ValueError(
                    f"tensor {name!r} of {where} has shape {tuple(tensors[name].shape)}, but the "
                    "other sizes of this model "
                    f"ask for {each} as {ours!r}"
                )
    used = {name for theirs in names.values() for name in theirs}
    unknown = [name for name in tensors if name not in used and not name.endswith(NOT_WEIGHTS)]
    if unknown:
        raise ValueError(
            f"{len(unknown)} tensor(s) in {where} have no place in this model, such as "
            f"{unknown[0]!r}"
        )

    # counters nobody reads
    filled = {
        name: torch.zeros((), dtype=torch.long) for name in model.state_dict() if name not in wanted
    }
    for n, (ours, found) in enumerate(parts.items()):
        filled[ours] = torch.empty(wanted[ours].shape, dtype=dtype)
        places = filled[ours].chunk(len(found)) if len(found) > 1 else [filled[ours]]
        if not math.isfinite(sum(_copy(tensor, place) for tensor, place in zip(found, places))):
            raise ValueError(
                f"tensor {names[ours][0]!r} of {where} holds NaN, or numbers that are not finite "
                f"as {dtype}"
            )
        if n % 16 == 15 or filled[ours].numel() > 1 << 22:
            weights.release()
    model.load_state_dict(filled, assign=True)


def _copy(tensor: Tensor, place: Tensor) -> float:
    """Copy piece by piece, each small enough to be summed while it is in the processor's cache; the
    sum is finite if all numbers are.
    """
    tensor, place = torch.atleast_1d(tensor, place)
    rows = max(1, PIECE * len(place) // place.numel())
    total = 0.0
    for source, target in zip(tensor.split(rows), place.split(rows)):
        total += target.copy_(source).sum(dtype=torch.float32).item()
    return total


def _oriented(
    ours: str, name: str, tensors: Mapping[str, Tensor], layout: Layout, where: object
) -> Tensor:
    """A tensor of theirs the way round that ours is (a view: nothing is copied)."""
    if name not in tensors:
        raise ValueError(f"tensor {name!r} is missing in {where}")
    tensor = tensors[name]
    if not tensor.is_floating_point():
        raise ValueError(
            f"tensor {name!r} of {where} holds {tensor.dtype} (quantised?), but weights are "
            "floating-point numbers"
        )
    if ours in layout.transposed and tensor.ndim == 2:
        return tensor.T
    if (
        ours in ("logit_scale", "logit_bias")
        and tensor.shape == (1,)
        or ours == "visual.head.probe"
        and tensor.shape[:-1] == (1, 1)
    ):
        return tensor.squeeze()  # as SigLIP keeps them
    # SigLIP 2: a linear map of rows, columns, colours
    if ours == "visual.patch_embedding.weight" and tensor.ndim == 2:
        side = math.isqrt(tensor.shape[1] // 3)
        return (
            tensor.view(len(tensor), side, side, 3).permute(0, 3, 1, 2)
            if side * side * 3 == tensor.shape[1]
            else tensor
        )
    return tensor


class _Blank(TorchFunctionMode):
    """Modules made within keep whatever their memory holds: random numbers for weights that are
    about to be replaced take time.
    """

    def __torch_function__(
        self, function: Callable, types: object, arguments: tuple = (), options: dict | None = None
    ) -> object:
        """Run everything but `torch.nn.init`."""
        if getattr(function, "__module__", None) == "torch.nn.init":
            return arguments[0] if arguments else options["tensor"]
        return function(*arguments, **(options or {}))


def known_activation(name: object) -> str:
    """The name of an activation, if it is one of ours."""
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return name


def square_side(patches: int) -> int:
    """Side of a square grid of that many patches."""
    side = math.isqrt(max(0, patches))
    if side * side != patches or not side:
        raise ValueError(f"{patches} positions make no square grid")
    return side


def section(config: dict, name: str, where: object) -> dict:
    """An object within a config; empty where it is left out."""
    part = config.get(name) or {}
    if not isinstance(part, dict):
        raise ValueError(f"{name} of {where} must be an object, but is {str(part)[:40]!r}")
    return part


def _size(part: dict, name: str, default: int, where: object, limit: str | None = None) -> int:
    """A size of a config: a whole number of at least 1 that is not beyond belief."""
    value, most = part.get(name, default), MOST[limit or name]
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(
            f"{where} gives {name}={str(value)[:40]}, but a whole number from 1 to {most} is "
            "expected"
        )
    return value


def _times(part: dict, width: int, where: object) -> int:
    """Width of an FFN that is given as a multiple of the tower's."""
    ratio = part.get("mlp_ratio", 4.0)
    if not isinstance(ratio, (int, float)) or not 0 < ratio <= 64:
        raise ValueError(
            f"{where} gives mlp_ratio={str(ratio)[:40]}, but a number above 0 and at most 64 is "
            "expected"
        )
    return max(1, int(width * ratio))


def _eps(part: dict, default: float, where: object) -> float:
    eps = part.get("layer_norm_eps", default)
    if not isinstance(eps, float) or not 0 < eps < 1:
        raise ValueError(
            f"{where} gives layer_norm_eps={str(eps)[:40]}, but a number between 0 and 1 is "
            "expected"
        )
    return eps
