"""How is a model that already lives in memory explained? Its weights are copied into ours; the
module itself is only read.

Recognised by its tensors and attributes, so that neither open_clip nor transformers is imported:
whoever has such a model has them loaded.
"""

from torch import nn

from ..clip import CLIP
from ..image import Preprocessor
from .layouts import HF, HF_SIGLIP, HF_TYPES, OPENAI, Layout, build_from_shapes, build_hf
from .untrusted import Weights


def unwrapped(module: nn.Module) -> nn.Module:
    """What is inside DataParallel, DistributedDataParallel or torch.compile, in either order."""
    # torch.compile's wrapper passes on the names of what it holds
    module = getattr(module, "module", module)
    return getattr(module, "_orig_mod", module)


def read_module(module: nn.Module) -> tuple[CLIP, Weights, Layout]:
    """An empty model of the module's sizes, the module's tensors, and how they are named.

    Raises
    ------
    ValueError : neither transformers' CLIPModel, SiglipModel or Siglip2Model, nor a CLIP of
        open_clip or of OpenAI's package
    """
    kind = type(module).__name__
    tensors = {name: tensor.detach() for name, tensor in module.state_dict().items()}
    config = getattr(module, "config", None)
    if (
        getattr(config, "model_type", None) in HF_TYPES
        and "vision_model.post_layernorm.weight" in tensors
    ):
        model = build_hf(config.to_dict(), f"the config of this {kind}")
        return model, Weights(tensors), HF if config.model_type == "clip" else HF_SIGLIP
    if "visual.conv1.weight" in tensors and "text_projection" in tensors:
        return _read_open_clip(module, tensors), Weights(tensors), OPENAI
    raise ValueError(
        f"cannot read this {kind}: pass transformers' CLIPModel, SiglipModel or Siglip2Model, or a "
        "CLIP of open_clip or OpenAI with their "
        "own ViT or ResNet as image tower"
    )


def _read_open_clip(module: nn.Module, tensors: dict) -> CLIP:
    """The sizes that shapes do not tell stand in the module's blocks."""
    visual, text = module.visual, module.transformer
    blocks = getattr(visual, "transformer", text).resblocks
    pool = getattr(visual, "attnpool", None)
    gelu = text.resblocks[0].mlp.gelu
    model = build_from_shapes(
        tensors,
        "quick_gelu" if "quick" in type(gelu).__name__.lower() else "gelu",
        text_heads=text.resblocks[0].attn.num_heads,
        heads=pool.num_heads if pool is not None else blocks[0].attn.num_heads,
    )
    mean, std = getattr(visual, "image_mean", None), getattr(visual, "image_std", None)
    if mean and std:
        model.preprocessor = Preprocessor(
            model.visual.image_size, model.visual.patch, tuple(mean), tuple(std)
        )
    return model
