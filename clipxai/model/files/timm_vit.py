"""Which of timm's vision transformers are ours as well? EVA, EVA02, PE and plain ViTs inside
open_clip's `TimmModel`: read off the module, part by part, as sizes and parts of our own.

Whatever is not known here makes a tower that is hosted (`hosting`), with the reason.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ..towers.perception import PooledByHead
from ..towers.positions import CentredRotary, Rotary
from ..towers.vit import VisionTransformer
from .tensor_names import TensorNames
from .timm_siglip import TRUNK, activation_of

BLOCKS = {"Block": "Attention", "EvaBlock": "EvaAttention", "EvaBlockPostNorm": "EvaAttention"}
FEATURES = "visual.trunk."


class Unlike(ValueError):
    """A trunk that is none of ours, and why."""


def vit_of(module: nn.Module, joint: int) -> tuple[VisionTransformer, TensorNames]:
    """An empty tower as open_clip's `TimmModel` is one, and how its tensors are named.

    Raises
    ------
    Unlike : a part that ours do not have
    """
    trunk = module.trunk
    _expect(type(trunk).__name__ in ("Eva", "VisionTransformer"), "no plain vision transformer")
    before = 0 if trunk.cls_token is None else 1
    registers = 0 if trunk.reg_token is None else trunk.reg_token.shape[1]
    grid = trunk.patch_embed.grid_size
    rotary, learned = _rotary(trunk, grid), trunk.pos_embed is not None
    _expect(learned or rotary is not None, "it has no positions")
    placed = trunk.pos_embed.shape[1] - grid[0] * grid[1] if learned else 0
    _expect(placed in (0, before + registers), "its positions are of another grid")
    block = trunk.blocks[0]
    sizes = _of_patches(trunk) | _of_blocks(trunk.blocks, rotary)
    pooling, final = _pooling(trunk, before + registers)
    projection, ours = _projection(module, joint)
    sizes |= {
        "width": trunk.embed_dim,
        "joint": joint,
        "eps": _eps(trunk),
        "norm_before": _is_norm(trunk.norm_pre),
        "class_token": bool(before),
        "registers": registers,
        "placed": placed,
        "learned_positions": learned,
        "projection_bias": ours.bias is not None,
        "rotary": rotary,
    }
    names = {
        **TRUNK.names,
        "visual.class_embedding": FEATURES + "cls_token",
        "visual.registers": FEATURES + "reg_token",
        "visual.ln_pre": FEATURES + "norm_pre",
        "visual.ln_post": FEATURES + final,
        "visual.projection": projection + ".weight",
        "visual.projection_bias": projection + ".bias",
    }
    layout = TensorNames(
        names,
        TRUNK.block | ({"mlp.gate": "mlp.fc1_g", "mlp.up": "mlp.fc1_x"} if _gated(block) else {}),
        transposed=("visual.projection",),
        scaled=_scales(block),
        **_qkv_names(block.attn),
    )
    if trunk.attn_pool is None:
        return VisionTransformer(pooling=pooling, **sizes), layout
    return PooledByHead(**_of_head(trunk.attn_pool), **sizes), layout


def _expect(known: bool, reason: str) -> None:
    if not known:
        raise Unlike(reason)


def _same(found: Iterable[object], reason: str) -> object:
    """What all are alike in."""
    first, *others = found
    _expect(all(other == first for other in others), reason)
    return first


def _is_norm(module: nn.Module) -> bool:
    """A layer norm, or nothing at all."""
    plain = isinstance(module, nn.Identity)
    _expect(
        plain or (isinstance(module, nn.LayerNorm) and module.elementwise_affine),
        f"one of its norms is a {type(module).__name__}",
    )
    return not plain


def _eps(trunk: nn.Module) -> float:
    norms = [part for part in trunk.modules() if isinstance(part, nn.LayerNorm)]
    return _same((norm.eps for norm in norms), "its norms have different eps")


def _of_patches(trunk: nn.Module) -> dict[str, object]:
    embed = trunk.patch_embed
    _expect(
        type(embed).__name__ == "PatchEmbed" and isinstance(embed.norm, nn.Identity),
        f"its patches come from a {type(embed).__name__}",
    )
    conv, (high, wide) = embed.proj, embed.grid_size
    side = conv.kernel_size[0]
    _expect(
        conv.kernel_size == conv.stride == (side, side) and conv.padding == (0, 0),
        "its patches are not squares that touch",
    )
    return {
        "image_size": (high * side, wide * side),
        "patch": side,
        "patch_bias": conv.bias is not None,
    }


def _of_blocks(blocks: Iterable[nn.Module], rotary: Rotary | None) -> dict[str, object]:
    """Sizes and parts that all blocks share."""
    return {
        "layers": len(blocks),
        **_same((_of_block(block, rotary) for block in blocks), "its blocks differ"),
    }


def _of_block(block: nn.Module, rotary: Rotary | None) -> dict[str, object]:
    attn, mlp, kind = block.attn, block.mlp, type(block).__name__
    attention = type(attn).__name__
    known = attention == BLOCKS.get(kind) or (kind[:3] == "Eva" and attention == "AttentionRope")
    _expect(known, f"its blocks are {kind}s with {attention}")
    plain = (attn.q_norm, attn.k_norm)
    _expect(all(isinstance(part, nn.Identity) for part in plain), "it norms queries and keys")
    _expect(attn.gate is None, "its attention has a gate")
    _expect(
        attn.head_dim * attn.num_heads == attn.proj.in_features == attn.proj.out_features
        and attn.head_dim**-0.5 == attn.scale
        and getattr(attn, "num_kv_heads", attn.num_heads) == attn.num_heads,
        "its heads are not as wide, as sharp or as many as usual",
    )
    halves = isinstance(rotary, CentredRotary)
    _expect(
        rotary is None or attn.rotate_half == halves, "its positions turn other channels together"
    )
    _expect(type(mlp).__name__ in ("Mlp", "SwiGLU"), f"its FFN is a {type(mlp).__name__}")
    _expect(
        all(linear.bias is not None for linear in (attn.proj, mlp.fc2)), "it lacks a linear's bias"
    )
    activation = activation_of(mlp.act)
    _expect(activation is not None, f"its activation is a {type(mlp.act).__name__}")
    _expect(_is_norm(block.norm1) and _is_norm(block.norm2), "it lacks a norm")
    return {
        "heads": attn.num_heads,
        "ffn_width": mlp.fc2.in_features,
        "activation": activation,
        "gated": _gated(block),
        "qkv_bias": _has_bias(attn),
        "norm_heads": _is_norm(attn.norm),
        "norm_ffn": _is_norm(mlp.norm),
        "post_norm": kind == "EvaBlockPostNorm",
    }


def _gated(block: nn.Module) -> bool:
    return type(block.mlp).__name__ == "SwiGLU"


def _has_bias(attn: nn.Module) -> bool:
    fused = attn.qkv or attn.q_proj
    return fused.bias is not None or getattr(attn, "q_bias", None) is not None


def _qkv_names(attn: nn.Module) -> dict[str, str | None]:
    """How queries, keys and values are kept: together or apart, and whether keys have a bias."""
    apart = None if attn.qkv else "attn.{}_proj"
    if getattr(attn, "q_bias", None) is not None:
        return {"qkv": None, "qv_bias": "attn.{}_bias"}
    no_bias_of_k = apart and attn.q_proj.bias is not None and attn.k_proj.bias is None
    return {"qkv": apart, "qv_bias": "attn.{}_proj.bias" if no_bias_of_k else None}


def _scales(block: nn.Module) -> dict[str, str]:
    """Layer scales, by our names of what they multiply."""
    if hasattr(block, "ls1"):
        kept = {"attn.out": block.ls1, "mlp.down": block.ls2}
        names = {"attn.out": "ls1.gamma", "mlp.down": "ls2.gamma"}
        return {ours: names[ours] for ours in kept if not isinstance(kept[ours], nn.Identity)}
    kept = {"attn.out": "gamma_1", "mlp.down": "gamma_2"}
    return {ours: name for ours, name in kept.items() if getattr(block, name, None) is not None}


def _rotary(trunk: nn.Module, grid: tuple[int, int]) -> Rotary | None:
    """Positions that turn queries and keys, compared with the angles that the module has."""
    rope = getattr(trunk, "rope", None)
    if rope is None:
        return None
    kind = type(rope).__name__
    known = ("RotaryEmbeddingCat", "RotaryEmbeddingDinoV3")
    _expect(kind in known, f"its positions turn queries and keys by {kind}")
    rotary = _as_cat(rope, grid) if kind == known[0] else _as_dino(rope)
    with torch.device("cpu"):  # whatever this tower is laid out on
        theirs, angles = rope.get_embed(grid), rotary.angles(tuple(grid), rope.dim)
    if not theirs.is_meta:
        ours = torch.cat([angles.sin(), angles.cos()], dim=-1)
        fits = ours.shape == theirs.shape and _close(ours, theirs)
        _expect(fits, "its positions turn queries and keys by other angles")
    return rotary


def _as_cat(rope: nn.Module, grid: tuple[int, int]) -> Rotary:
    return Rotary(
        tuple(rope.ref_feat_shape or grid),
        columns_first=rope.grid_indexing == "xy",
        offset=rope.grid_offset,
        temperature=rope.temperature,
    )


def _as_dino(rope: nn.Module) -> Rotary:
    # a module without memory has no angles to compare, so what they are made by has to be known
    usual = (rope.normalize_coords, rope.grid_offset, rope.grid_indexing, rope.rotate_half)
    periods = (rope.min_period, rope.max_period)
    _expect(
        usual == ("separate", 0.0, "ij", True) and periods == (None, None),
        "its positions turn queries and keys in another way than DINOv3's",
    )
    return CentredRotary(rope.temperature)


def _close(ours: Tensor, theirs: Tensor) -> bool:
    # in half precision theirs are rounded
    return bool((ours - theirs.detach().float().cpu()).abs().amax() < 0.01)


def _pooling(trunk: nn.Module, before: int) -> tuple[str, str]:
    """What speaks for the whole image, and how the final norm is named."""
    norms = [name for name in ("norm", "fc_norm") if _is_norm(getattr(trunk, name))]
    _expect(len(norms) == 1, "it has not one final norm but two, or none")
    if trunk.attn_pool is not None:
        of_all = type(trunk).__name__ == "Eva" or getattr(trunk, "pool_include_prefix", False)
        _expect(norms == ["norm"], "it has no norm before its pool")
        _expect(of_all or not before, "its pool leaves its class token out")
        return "query", "norm"
    pool = trunk.global_pool
    _expect(pool in ("token", "avg"), f"it pools by {pool!r}")
    _expect(not getattr(trunk, "pool_include_prefix", False), "its mean has the class token in it")
    if pool == "token":
        return "class token", norms[0]
    return ("mean of read-outs" if norms == ["norm"] else "mean"), norms[0]


def _of_head(pool: nn.Module) -> dict[str, object]:
    """What our pooling head is told of timm's."""
    _expect(
        type(pool).__name__ == "AttentionPoolLatent"
        and (pool.latent_len, pool.pool, pool.pos_embed) == (1, "token", None)
        and isinstance(pool.q, nn.Linear)
        and pool.q.bias is not None
        and pool.mlp is not None
        and isinstance(pool.mlp.norm, nn.Identity)
        and all(isinstance(part, nn.Identity) for part in (pool.q_norm, pool.k_norm))
        and _is_norm(pool.norm),
        f"its pool is another {type(pool).__name__} than SigLIP's",
    )
    activation = activation_of(pool.mlp.act)
    _expect(activation is not None, f"its pool has a {type(pool.mlp.act).__name__}")
    return {
        "pool_heads": pool.num_heads,
        "pool_ffn_width": pool.mlp.fc1.out_features,
        "pool_activation": activation,
    }


def _projection(module: nn.Module, joint: int) -> tuple[str, nn.Linear]:
    """The only linear map behind the pool: the trunk's own, or open_clip's."""
    maps = {FEATURES + "head": module.trunk.head, "visual.head.proj": module.head}
    maps = {name: _without_dropout(part) for name, part in maps.items()}
    found = {name: part for name, part in maps.items() if part is not None}
    _expect(
        len(found) == 1 and all(isinstance(part, nn.Linear) for part in found.values()),
        "it does not end in one linear map",
    )
    ((name, linear),) = found.items()
    _expect(linear.out_features == joint, "it does not end in the joint space")
    return name, linear


def _without_dropout(part: nn.Module) -> nn.Module | None:
    parts = list(part) if isinstance(part, nn.Sequential) else [part]
    kept = [one for one in parts if not isinstance(one, (nn.Dropout, nn.Identity))]
    return kept[0] if len(kept) == 1 else nn.Sequential(*kept) if kept else None
