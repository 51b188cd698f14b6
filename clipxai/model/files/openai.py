"""How do OpenAI's files, and open_clip's, keep CLIP? Their names for our tensors, and an empty
model of the sizes that the shapes of the tensors tell.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..clip import CLIP
from ..towers.resnet import STRIDE, ModifiedResNet
from ..towers.text import TextTransformer
from ..towers.vit import VisionTransformer
from .sizes import empty_modules, known_activation, size_of, square_side
from .tensor_names import TensorNames
from .untrusted import Weights

POSITIONS, LONG_TEXTS = "positional_embedding", "positional_embedding_res"
KEPT_POSITIONS = 20  # of LongCLIP's, the longer ones are in a second table


def long_texts(weights: Weights) -> Weights:
    """LongCLIP's two tables of positions as the one that texts are given: its code takes the first
    20 from CLIP's own, which it kept, and what comes after from the one it trained.

    Raises
    ------
    ValueError : tables of different sizes

    References
    ----------
    Zhang et al., "Long-CLIP: Unlocking the Long-Text Capability of CLIP", ECCV 2024, section 3.2
    """
    own, longer = (weights.tensors.get(n) for n in (POSITIONS, LONG_TEXTS))
    if own is None or longer is None or own.shape != longer.shape:
        raise ValueError(
            f"{LONG_TEXTS!r} is of a LongCLIP, whose {POSITIONS!r} has the same size, not "
            f"{None if own is None else tuple(own.shape)} beside {tuple(longer.shape)}"
        )

    kept, trained = weights.read(POSITIONS), weights.read(LONG_TEXTS)
    table = torch.cat([kept[:KEPT_POSITIONS], trained[KEPT_POSITIONS:]])
    rest = {name: name for name in weights.tensors if name != LONG_TEXTS}
    return weights.named(rest).with_others({POSITIONS: table})


OPENAI = TensorNames(
    names={
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
    block={
        "attn.qkv.": "attn.in_proj_",
        "attn.out": "attn.out_proj",
        "mlp.up": "mlp.c_fc",
        "mlp.down": "mlp.c_proj",
    },
)


def build_from_shapes(
    tensors: Mapping[str, Tensor],
    activation: str,
    heads: int,
    text_heads: int,
) -> CLIP:
    """An empty model whose sizes are read off the shapes of a state dict with OpenAI's names.

    Shapes tell neither the activation nor the numbers of heads (`told.Told.settled`).

    Raises
    ------
    ValueError : a tensor that sizes are read off is missing or has another number of dimensions, or
        a size beyond any CLIP there is; an unknown activation
    """
    width = _size(tensors, "ln_final.weight", (0, 1), "hidden_size")
    joint = _size(tensors, "text_projection", (1, 2), "projection_dim")
    activation = known_activation(activation)
    with empty_modules():
        if "visual.layer1.0.conv1.weight" in tensors:
            visual = _resnet(tensors, joint, heads)
        else:
            visual = _vit(tensors, joint, heads, activation)
        tower = TextTransformer(
            vocabulary=_size(tensors, "token_embedding.weight", (0, 2), "vocab_size"),
            context=_size(tensors, "positional_embedding", (0, 2), "max_position_embeddings"),
            width=width,
            layers=_count(tensors, "transformer.resblocks."),
            heads=text_heads,
            joint=joint,
            ffn_width=_size(
                tensors, "transformer.resblocks.0.mlp.c_fc.weight", (0, 2), "intermediate_size"
            ),
            activation=activation,
        )
        return CLIP(visual, tower)


def _resnet(tensors: Mapping[str, Tensor], joint: int, heads: int) -> ModifiedResNet:
    stem = _size(tensors, "visual.layer1.0.conv1.weight", (0, 4), "hidden_size")
    # one position is the mean that the attention pool asks with
    patches = _size(tensors, "visual.attnpool.positional_embedding", (0, 2), "num_patches") - 1
    side = square_side(patches) * STRIDE
    return ModifiedResNet(
        image_size=(side, side),
        layers=[_count(tensors, f"visual.layer{n}.") for n in (1, 2, 3, 4)],
        width=stem,
        heads=heads,
        joint=joint,
    )


def _vit(
    tensors: Mapping[str, Tensor], joint: int, heads: int, activation: str
) -> VisionTransformer:
    width = _size(tensors, "visual.conv1.weight", (0, 4), "hidden_size")
    patch = _size(tensors, "visual.conv1.weight", (2, 4), "patch_size")
    # without the class token
    patches = _size(tensors, "visual.positional_embedding", (0, 2), "num_patches") - 1
    side = square_side(patches) * patch
    return VisionTransformer(
        image_size=(side, side),
        patch=patch,
        width=width,
        layers=_count(tensors, "visual.transformer.resblocks."),
        heads=heads,
        joint=joint,
        activation=activation,
        ffn_width=_size(
            tensors, "visual.transformer.resblocks.0.mlp.c_fc.weight", (0, 2), "intermediate_size"
        ),
    )


def _count(tensors: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered parts begin with a prefix."""
    numbers = {name[len(prefix) :].split(".")[0] for name in tensors if name.startswith(prefix)}
    return _believed(len(numbers), f"number of {prefix}*", "num_hidden_layers")


def _size(tensors: Mapping[str, Tensor], name: str, place: tuple[int, int], limit: str) -> int:
    """One size of a tensor, (axis, number of axes), if it is believed (`MOST[limit]`)."""
    axis, dimensions = place
    if name not in tensors:
        raise ValueError(f"tensor {name!r} is missing")
    shape = tuple(tensors[name].shape)
    if len(shape) != dimensions or not min(shape):
        raise ValueError(
            f"tensor {name!r} has shape {shape}, but {dimensions} sizes above 0 are expected"
        )
    return _believed(shape[axis], f"size {axis} of {name!r}", limit)


def _believed(size: int, name: str, limit: str) -> int:
    return size_of({name: size}, name, size, "this state dict", limit)
