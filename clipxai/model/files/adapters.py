"""What does fine-tuning put beside a weight, and what is the weight with it? LoRA's two thin
matrices, alone in a folder or in a live module, weight norm, parametrizations: worked out in our
copy, theirs stays as it is. What is of another kind is refused by name.
"""

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ...checks import shown, visible
from .untrusted import Weights, bare

WAY_OUT = "call peft's merge_and_unload() and load what it returns"
# of peft.tuners.lora.layer. Not MultiheadAttention: peft 0.21 adds the product of its output
# projection twice, so what such a layer computes depends on the version
PLAIN_LORA = {"Linear", "Conv2d", "Embedding"}
# settings of an adapter_config.json under which a weight is W + B A * scale; of the others, those
# of versions to come included, nobody knows
PLAIN = frozenset(
    "alpha_pattern auto_mapping base_model_name_or_path bias ensure_weight_tying exclude_modules "
    "inference_mode init_lora_weights layers_pattern layers_to_transform lora_alpha lora_dropout "
    "megatron_core modules_to_save peft_type peft_version qalora_group_size r rank_pattern "
    "revision runtime_config target_modules task_type use_rslora".split()
)
PLAIN_START = (True, False, None, "gaussian", "orthogonal")  # others change the base as well
FACTOR = re.compile(r"(.*)\.lora_(?:embedding_)?A(?:\.weight)?")
OTHER_FACTOR = re.compile(r".*\.lora_(?:embedding_)?B(?:\.weight)?")


def product(b: Tensor, a: Tensor, scale: float, embedding: bool = False) -> Tensor:
    """What LoRA (arXiv 2106.09685) adds to a weight: B A * scale, of a linear map, a convolution or
    a table of embeddings.
    """
    a, b = a.detach().float(), b.detach().float()
    delta = torch.einsum("or,ri...->oi...", b.flatten(1), a) * scale
    return delta.T if embedding else delta


def with_lora(base: Weights, adapter: Weights, config: dict, where: object) -> Weights:
    """The weights of a model with an adapter's folder merged, each when it is read.

    Parameters
    ----------
    base : of the model that the adapter was trained on
    adapter, config : adapter_model.safetensors and adapter_config.json, as peft writes them

    Raises
    ------
    ValueError : another kind of adapter, or one for another model
    """
    _expect_plain(config, where)
    named = {_in_base(name): name for name in adapter.tensors}
    merged: dict[str, Tensor] = {}
    for name, saved in named.items():
        if found := FACTOR.fullmatch(name):
            target = f"{found[1]}.weight"
            other = re.sub(r"A(\.weight)?$", r"B\1", name)
            if f"{found[1]}.in_proj_weight" in base.tensors:
                raise ValueError(f"{where} changes torch's attention {found[1]!r}: {WAY_OUT}")
            if target not in base.tensors or other not in named:
                raise ValueError(f"{where} changes {found[1]!r}, which its base model has not")
            a, b = (adapter.read(kept).clone() for kept in (saved, named[other]))
            rank = a.shape[0]
            scale = _alpha(config, found[1]) / (
                math.sqrt(rank) if config.get("use_rslora") else rank
            )
            old = base.read(target).float()
            delta = product(b, a, scale, "embedding" in name.rpartition("lora_")[2])
            if delta.shape != old.shape:
                raise ValueError(
                    f"{where} changes {target!r} by {tuple(delta.shape)}, but its base model has "
                    f"{tuple(old.shape)}"
                )
            merged[target] = old + delta
        elif name in base.tensors:  # trained as a whole (modules_to_save, biases)
            merged[name] = adapter.read(saved).clone()
        elif ".lora_" not in name:
            raise ValueError(f"{where} changes {name!r}, which its base model has not")
        elif not OTHER_FACTOR.fullmatch(name):
            raise ValueError(f"{where} holds {visible(name)!r}, more than A and B: {WAY_OUT}")
    if not merged:
        raise ValueError(f"{where} changes no weight")
    return base.with_others(merged)


def _expect_plain(config: dict, where: object) -> None:
    kind = config.get("peft_type")
    if kind != "LORA":
        raise ValueError(f"{where} is an adapter of kind {shown(kind)}, not LORA: {WAY_OUT}")
    for name, value in config.items():
        if value and name not in PLAIN:
            raise ValueError(f"{where} asks for {visible(name)}={shown(value)}: {WAY_OUT}")
    start = config.get("init_lora_weights")
    if start not in PLAIN_START:
        raise ValueError(f"{where} asks for init_lora_weights={shown(start)}: {WAY_OUT}")


def _in_base(name: str) -> str:
    return name.removeprefix("base_model.model.").replace(".base_layer.", ".")


def _alpha(config: dict, layer: str) -> float:
    """alpha of a layer: the first pattern that it ends with, else that of all."""
    patterns = config.get("alpha_pattern") or {}
    for pattern in patterns:
        if not re.fullmatch(r"\^?[\w.]+", pattern):
            raise ValueError(f"alpha_pattern {shown(pattern)} is more than a name: {WAY_OUT}")
        if layer == pattern.removeprefix("^") or f".{layer}".endswith(f".{pattern}"):
            return patterns[pattern]
    return config.get("lora_alpha", 8)


def merged_state_dict(module: nn.Module) -> dict[str, Tensor]:
    """`module.state_dict()` as if adapters were merged and parametrizations removed.

    Raises
    ------
    ValueError : an adapter or a parametrization that is not worked out here, by name
    """
    state = dict(module.state_dict())
    for name, part in module.named_modules():
        at = f"{name}." if name else ""
        if hasattr(part, "base_layer"):
            _merge_layer(state, at, part)
        if hasattr(part, "original_module") and hasattr(part, "modules_to_save"):
            _choose_module(state, at, part)
        for tensor, chain in getattr(part, "parametrizations", {}).items():
            if any(type(step).__name__ == "_SpectralNorm" for step in chain):
                raise ValueError(f"{at}{tensor} is under spectral norm: remove_parametrizations()")
            state = _without(state, f"{at}parametrizations.{tensor}.")
            state[f"{at}{tensor}"] = getattr(part, tensor).detach()
        for hook in part._forward_pre_hooks.values():
            if type(hook).__name__ == "WeightNorm":
                with torch.no_grad():
                    state[f"{at}{hook.name}"] = hook.compute_weight(part)
                del state[f"{at}{hook.name}_g"], state[f"{at}{hook.name}_v"]
    if odd := next((name for name in state if name.endswith("_orig")), None):
        raise ValueError(
            f"{odd!r} is under pruning or spectral norm: call prune.remove() or "
            "remove_spectral_norm() before"
        )
    return {bare(name).replace(".base_layer.", "."): tensor for name, tensor in state.items()}


def _without(state: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.startswith(start)}


def _merge_layer(state: dict[str, Tensor], at: str, layer: nn.Module) -> None:
    """A layer of peft's: the weight with what its active adapters add."""
    kind = type(layer)
    plain = kind.__module__ == "peft.tuners.lora.layer" and kind.__name__ in PLAIN_LORA
    active = [] if plain and layer.disable_adapters else getattr(layer, "active_adapters", [])
    if not plain or any(layer.lora_variant.get(n) or layer.lora_bias.get(n) for n in active):
        raise ValueError(
            f"{at[:-1]} holds an adapter that is more than LoRA ({kind.__module__}."
            f"{kind.__name__}): {WAY_OUT}"
        )
    weight = f"{at}base_layer.weight"
    for adapter in active:
        embedding = adapter in layer.lora_embedding_A
        if adapter in layer.merged_adapters or not (embedding or adapter in layer.lora_A):
            continue
        if embedding:
            a, b = layer.lora_embedding_A[adapter], layer.lora_embedding_B[adapter]
        else:
            a, b = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
        # `fan_in_fan_out` keeps the weight as a table of embeddings is kept
        turned = embedding or getattr(layer, "fan_in_fan_out", False)
        old = state[weight].detach().float()
        state[weight] = old + product(b, a, layer.scaling[adapter], turned)
    for name in [n for n in state if n.startswith(f"{at}lora_")]:
        del state[name]


def _choose_module(state: dict[str, Tensor], at: str, wrapper: nn.Module) -> None:
    """peft's modules_to_save: the copy that is in use, or the original."""
    active = [] if wrapper.disable_adapters else wrapper.active_adapters
    inside = next((f"modules_to_save.{n}." for n in active if n in wrapper.modules_to_save), None)
    start = f"{at}{inside or 'original_module.'}"
    chosen = {f"{at}{n[len(start) :]}": t for n, t in state.items() if n.startswith(start)}
    for name in [n for n in state if n.startswith((f"{at}modules_to_save", f"{at}original_mo"))]:
        del state[name]
    state.update(chosen)


def expect_no_prompts(module: nn.Module) -> None:
    """A ValueError for a model whose adapter is prompts before its input, not in its layers."""
    for part in module.modules():
        configs = getattr(part, "peft_config", None)
        for config in configs.values() if isinstance(configs, Mapping) else ():
            if getattr(config, "is_prompt_learning", False):
                raise ValueError(
                    f"this {type(part).__name__} puts learned prompts before its input "
                    f"({config.peft_type}), which is not read: pass the CLIP inside of it"
                )
