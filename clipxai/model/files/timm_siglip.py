"""How does timm keep SigLIP's image tower? Its names for our tensors, and the sizes that its names
of models stand for. open_clip, and whoever publishes with it, keeps SigLIP and SigLIP 2 so.
"""

import re

from torch import nn

from .sizes import MOST
from .tensor_names import TensorNames

WIDTHS = {  # width, blocks, heads, width of the FFN
    "base": (768, 12, 12, 3072),
    "large": (1024, 24, 16, 4096),
    "so400m": (1152, 27, 16, 4304),
    "giantopt": (1536, 40, 16, 6144),
}
# timm gives some of them GELU's approximation by tanh, and the others GELU, whatever they were
# trained with
BY_TANH = (
    "vit_base_patch32_siglip_256",
    "vit_large_patch16_siglip_512",
    "vit_so400m_patch16_siglip_256",
    "vit_so400m_patch16_siglip_384",
    "vit_so400m_patch16_siglip_512",
    "vit_giantopt_patch16_siglip_256",
    "vit_giantopt_patch16_siglip_384",
)
EPS = 1e-6
TRUNK = TensorNames(
    names={
        "visual.patch_embedding": "visual.trunk.patch_embed.proj",
        "visual.positions.table": "visual.trunk.pos_embed",
        "visual.blocks": "visual.trunk.blocks",
        "visual.ln_post": "visual.trunk.norm",
        "visual.head.probe": "visual.trunk.attn_pool.latent",
        "visual.head.attn.qkv.weight": (
            "visual.trunk.attn_pool.q.weight",
            "visual.trunk.attn_pool.kv.weight",
        ),
        "visual.head.attn.qkv.bias": (
            "visual.trunk.attn_pool.q.bias",
            "visual.trunk.attn_pool.kv.bias",
        ),
        "visual.head.attn.out": "visual.trunk.attn_pool.proj",
        "visual.head.ln": "visual.trunk.attn_pool.norm",
        "visual.head.mlp.up": "visual.trunk.attn_pool.mlp.fc1",
        "visual.head.mlp.down": "visual.trunk.attn_pool.mlp.fc2",
    },
    block={
        "ln_1": "norm1",
        "ln_2": "norm2",
        "attn.out": "attn.proj",
        "mlp.up": "mlp.fc1",
        "mlp.down": "mlp.fc2",
    },
)


def siglip_sizes(name: str) -> dict[str, object] | None:
    """What `SiglipVisionTransformer` is told for one of timm's names; None for another model's."""
    parts = re.fullmatch(r"vit_(\w+)_patch(\d+)_siglip_(\d+)", name)
    if parts is None or parts[1] not in WIDTHS or int(parts[3]) > MOST["image_size"]:
        return None
    width, layers, heads, ffn_width = WIDTHS[parts[1]]
    patch = int(parts[2])
    side = int(parts[3]) // patch * patch  # what lies beyond the last whole patch is never read
    return {
        "image_size": (side, side),
        "patch": patch,
        "width": width,
        "layers": layers,
        "heads": heads,
        "ffn_width": ffn_width,
        "activation": "gelu_pytorch_tanh" if name in BY_TANH else "gelu",
        "eps": EPS,
    }


def trunk_sizes(trunk: nn.Module) -> dict[str, object] | None:
    """The same read off a module of timm's, whose name is not known; None where it is no SigLIP."""
    pool = getattr(trunk, "attn_pool", None)
    blocks = list(getattr(trunk, "blocks", []))
    kinds = {type(block).__name__ for block in blocks}
    if type(pool).__name__ != "AttentionPoolLatent" or kinds != {"Block"}:
        return None
    block, patch = blocks[0], trunk.patch_embed.proj
    plain = (
        *(part for each in blocks for part in (each.ls1, each.ls2)),
        *(part for each in blocks for part in (each.attn.q_norm, each.attn.k_norm)),
        *(getattr(each.attn, "norm", nn.Identity()) for each in blocks),
        *(getattr(each.mlp, "norm", nn.Identity()) for each in blocks),
        trunk.norm_pre,
        trunk.fc_norm,
        trunk.head,
        pool.q_norm,
        pool.k_norm,
    )
    norms = [trunk.norm, pool.norm, *(norm for b in blocks for norm in (b.norm1, b.norm2))]
    activations = {activation_of(each.mlp.act) for each in (*blocks, pool)}
    heads = {each.attn.num_heads for each in blocks} | {pool.num_heads}
    is_siglip = (
        all(isinstance(part, nn.Identity) for part in plain)
        and all(isinstance(norm, nn.LayerNorm) for norm in norms)
        and {norm.eps for norm in norms} == {norm.eps for norm in norms[:1]}
        and len(activations) == len(heads) == 1
        and None not in activations
        and (trunk.num_prefix_tokens, pool.latent_len, pool.pool) == (0, 1, "token")
        and pool.pos_embed is None
        and patch.bias is not None
        and patch.kernel_size == patch.stride
        and patch.kernel_size[0] == patch.kernel_size[1]
    )
    if not is_siglip:
        return None
    side = patch.kernel_size[0]
    high, wide = trunk.patch_embed.grid_size
    return {
        "image_size": (high * side, wide * side),
        "patch": side,
        "width": trunk.embed_dim,
        "layers": len(blocks),
        "heads": heads.pop(),
        "ffn_width": block.mlp.fc1.out_features,
        "activation": activations.pop(),
        "eps": norms[0].eps,
    }


def activation_of(module: nn.Module) -> str | None:
    """Our name of an activation of timm's; None where there is none."""
    if isinstance(module, nn.SiLU):
        return "silu"
    if isinstance(module, nn.GELU):
        return "gelu" if module.approximate == "none" else "gelu_pytorch_tanh"
    # timm's own module of the same name
    return "gelu_pytorch_tanh" if type(module).__name__ == "GELUTanh" else None
