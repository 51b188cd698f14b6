"""What does a module of open_clip, or of OpenAI's package, do? Read off the module itself: its
settings as a config of open_clip would state them, so that one builder serves both
(`open_clip.build_open_clip`).

A module can be changed after it was built, so nothing is taken for granted: what is not what the
builder knows is refused by name.
"""

from collections.abc import Iterable

from torch import nn

from .hosting import hosted_text_tower

ACTIVATIONS = {"QuickGELU": "quick_gelu", "GELU": "gelu"}


def described(module: nn.Module, kind: str) -> dict:
    """What `open_clip_config.json` would say of this module.

    Raises
    ------
    ValueError : a part that no config of ours describes, by name
    """
    text = getattr(module, "text", module)
    model = {
        "embed_dim": _joint(text),
        "vision_cfg": _vision(module.visual, kind),
        "text_cfg": _text(text, module, kind),
        "custom_text": text is not module,
    }
    if getattr(module, "text_decoder", None) is not None:
        model["multimodal_cfg"] = {"left out": True}
    if getattr(module, "logit_bias", None) is not None:
        model["init_logit_bias"] = 0.0  # whichever: the number is a weight
    return {"model_cfg": model}


def _joint(text: nn.Module) -> int:
    if not hasattr(text, "ln_final"):  # hosted, and ends in the joint space
        return text.output_dim
    projection = getattr(text, "text_projection", None)
    if projection is None:
        return text.ln_final.normalized_shape[0]
    if isinstance(projection, nn.Linear):
        return projection.out_features
    return projection.shape[1]


def _vision(visual: nn.Module, kind: str) -> dict:
    if hasattr(visual, "trunk"):
        return {"hosted": visual}
    if hasattr(visual, "attnpool"):
        return _resnet(visual, kind)
    if not hasattr(visual, "transformer"):
        raise ValueError(
            f"the image tower of this {kind} is a {type(visual).__name__}, which is not read"
        )
    blocks, pool = visual.transformer.resblocks, getattr(visual, "attn_pool", None)
    found = _blocks(blocks, "visual", kind, norms=[visual.ln_post, visual.ln_pre])
    conv = getattr(visual.conv1, "base_layer", visual.conv1)  # peft's wrapper hides its sizes
    patch = conv.kernel_size
    if patch[0] != patch[1] or conv.stride != patch:
        raise ValueError(
            f"the image tower of this {kind} has patches of {patch} pixels at a stride of "
            f"{conv.stride}; read are square ones that touch"
        )
    side = getattr(visual, "image_size", None) or visual.input_resolution  # OpenAI's
    found |= {
        "head_width": found["width"] // blocks[0].attn.num_heads,
        "patch_size": patch[0],
        "image_size": list(side) if isinstance(side, (tuple, list)) else side,
        "no_ln_pre": isinstance(visual.ln_pre, nn.Identity),
        "pool_type": getattr(visual, "pool_type", "tok"),
        "final_ln_after_pool": getattr(visual, "final_ln_after_pool", False),
    }
    if getattr(visual, "attn_pool_contrastive", None) is not None:
        raise ValueError(f"the image tower of this {kind} has two pools, which is not read")
    if pool is not None:
        found |= {
            "attentional_pool": True,
            "attn_pooler_queries": len(pool.query),
            "attn_pooler_heads": pool.attn.num_heads,
        }
    if visual.proj is None:
        raise ValueError(f"the image tower of this {kind} has no projection (proj)")
    return found


def _resnet(visual: nn.Module, kind: str) -> dict:
    stem = visual.layer1[0].conv1.out_channels
    side = getattr(visual, "image_size", None) or visual.input_resolution
    norms = [part for part in visual.modules() if isinstance(part, nn.BatchNorm2d)]
    if {norm.eps for norm in norms} != {1e-5}:
        raise ValueError(f"the batch norms of this {kind} have another eps than 1e-05")
    return {
        "layers": [len(getattr(visual, f"layer{n}")) for n in (1, 2, 3, 4)],
        "width": stem,
        "head_width": stem * 32 // visual.attnpool.num_heads,
        "image_size": list(side) if isinstance(side, (tuple, list)) else side,
    }


def _text(text: nn.Module, module: nn.Module, kind: str) -> dict:
    if not hasattr(text, "token_embedding") or getattr(text, "cls_emb", None) is not None:
        return {"hosted": hosted_text_tower(text, kind)}
    if getattr(text, "use_pad_mask", False):
        raise ValueError(f"the text tower of this {kind} masks padding (use_pad_mask): not read")
    blocks = text.transformer.resblocks
    found = _blocks(blocks, "text", kind, norms=[text.ln_final])
    context, _ = text.positional_embedding.shape
    mask = getattr(text, "attn_mask", blocks[0].__dict__.get("attn_mask"))
    # a module of OpenAI's keeps the mask in its blocks, and has no other kind of text tower
    own = text is not module
    pool = getattr(text, "pool_type" if own else "text_pool_type", "argmax")
    found |= {
        "context_length": context,
        "vocab_size": text.token_embedding.num_embeddings,
        "heads": blocks[0].attn.num_heads,
        "no_causal_mask": mask is None,
        "pool_type": pool,
    }
    if pool == "eos":
        found["eos_id"] = getattr(text, "eos_id" if own else "text_eos_id")
    if own:
        found["pad_id"] = text.pad_id
    projection = getattr(text, "text_projection", None)
    found["proj_type"] = "none" if projection is None else "linear"
    found["proj_bias"] = isinstance(projection, nn.Linear)
    return found


def _blocks(
    blocks: Iterable[nn.Module], name: str, kind: str, norms: list[nn.Module]
) -> dict[str, object]:
    """Sizes and settings that all blocks of a tower share."""
    seen = []
    for block in blocks:
        if not isinstance(getattr(block, "attn", None), nn.MultiheadAttention):
            raise ValueError(
                f"the {name} tower of this {kind} has a {type(block).__name__} with a "
                f"{type(getattr(block, 'attn', None)).__name__}, which is not read: only blocks "
                "with torch's MultiheadAttention are"
            )
        norms += [block.ln_1, block.ln_2]
        scaled = not isinstance(getattr(block, "ls_1", nn.Identity()), nn.Identity)
        seen.append((block.attn.num_heads, _activation(block.mlp.gelu, name, kind), scaled))
    heads, activation, scaled = seen[0]
    if len(set(seen)) > 1:
        raise ValueError(f"the blocks of the {name} tower of this {kind} differ from one another")
    eps = {norm.eps for norm in norms if isinstance(norm, nn.LayerNorm)}
    if len(eps) > 1:
        raise ValueError(
            f"the norms of the {name} tower of this {kind} have different eps: {sorted(eps)}"
        )
    block = blocks[0]
    width, ffn = block.attn.embed_dim, block.mlp.c_fc.out_features
    return {
        "layers": len(blocks),
        "width": width,
        "mlp_ratio": (ffn + 0.5) / width,  # which the builder rounds down
        "ls_init_value": 1.0 if scaled else None,  # whichever: the numbers are weights
        "norm_kwargs": {"eps": eps.pop()},
        "activation": activation,
    }


def _activation(module: nn.Module, name: str, kind: str) -> str:
    known = ACTIVATIONS.get(type(module).__name__)
    if known is None:
        raise ValueError(
            f"the FFNs of the {name} tower of this {kind} have a {type(module).__name__}; known "
            f"are {' and '.join(ACTIVATIONS)}"
        )
    return "gelu_pytorch_tanh" if getattr(module, "approximate", "none") == "tanh" else known
