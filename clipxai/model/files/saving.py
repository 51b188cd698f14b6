"""How is a model written so that everybody can read it? As a folder in Hugging Face's layout."""

import json
from pathlib import Path

import torch
from safetensors.torch import save as serialize
from torch import Tensor, nn

from ...results.writing import appearing
from ..clip import CLIP
from ..towers.block import Block
from ..towers.parts import ACTIVATIONS
from .hugging_face import HF, build_hf


def save_folder(model: CLIP, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write a ViT model as a Hugging Face checkpoint folder, all at once or not at all.

    Parameters
    ----------
    model : one of CLIP's own ViTs, with its vocabulary
    folder : where; it must not exist yet
    dtype : what the weights are rounded to

    Raises
    ------
    ValueError : a ResNet or SigLIP (only CLIP's ViTs are written), a ViT with parts that CLIP's
        have not, a model without vocabulary, or one for images that are not square
    FileExistsError : the folder exists already

    Examples
    --------
    >>> save_folder(model, "my-clip")
    >>> sorted(file.name for file in Path("my-clip").iterdir())[-2:]
    ['preprocessor_config.json', 'vocab.json']
    """
    folder = Path(folder)
    if not {"blocks", "class_token"} <= model.visual.has or model.tokenizer is None:
        raise ValueError(
            "only a vision transformer with its vocabulary can be written in Hugging Face's layout"
        )
    if not _is_plain(model):
        raise ValueError(
            f"the image tower of {model.name} has parts that Hugging Face's CLIP has not (as EVA "
            "has), so its layout has no place for them"
        )
    height, width = model.visual.image_size
    if height != width:
        raise ValueError(
            f"{model.name} reads images of {height}x{width} pixels, but Hugging Face's layout has "
            "one size for both sides"
        )
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; remove it or choose another folder")
    # nobody ever loads half a model
    with appearing(folder) as draft:
        _write(draft, model, dtype)


def _is_plain(model: CLIP) -> bool:
    """Whether the image tower has the parts of CLIP's own, all of them and no other."""
    tower = model.visual
    plain = build_hf(_describe(model), model.name).visual
    return tower.state_dict().keys() == plain.state_dict().keys() and all(
        type(block) is Block and block.rotary is None for block in tower.blocks
    )


def _write(folder: Path, model: CLIP, dtype: torch.dtype) -> None:
    preprocessing = {"image_mean": model.preprocessor.mean, "image_std": model.preprocessor.std}
    merges = "".join(f"{a} {b}\n" for a, b in model.tokenizer.merges)
    contents = {
        "config.json": json.dumps(_describe(model), indent=2) + "\n",
        "preprocessor_config.json": json.dumps(preprocessing, indent=2) + "\n",
        "vocab.json": json.dumps(model.tokenizer.vocabulary, ensure_ascii=False) + "\n",
        "merges.txt": "#version: 0.2\n" + merges,
    }
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    weights = serialize(_their_state(model, dtype), metadata={"format": "pt"})
    (folder / "model.safetensors").write_bytes(weights)


def _their_state(model: CLIP, dtype: torch.dtype) -> dict[str, Tensor]:
    """The weights under transformers' names, the way round that it keeps them."""
    state: dict[str, Tensor] = {}
    for ours, tensor in model.state_dict().items():
        theirs = HF.theirs(ours)
        turned = (tensor.T if ours in HF.transposed else tensor).to(dtype)
        parts = turned.chunk(len(theirs)) if len(theirs) > 1 else [turned]
        # clone: safetensors refuses tensors that share memory, as chunks do
        state |= {name: part.clone().contiguous() for name, part in zip(theirs, parts)}
    return state


def _describe(model: CLIP) -> dict:
    """config.json of `model`, as transformers' CLIPModel reads it."""
    text, visual = model.text, model.visual
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": visual.projection.shape[1],
        "text_config": {
            **_describe_tower(text),
            "vocab_size": text.token_embedding.num_embeddings,
            "max_position_embeddings": text.context,
            "bos_token_id": model.tokenizer.start,
            "eos_token_id": model.tokenizer.end,
            "pad_token_id": 0,
        },
        "vision_config": {
            **_describe_tower(visual),
            "image_size": visual.image_size[0],
            "patch_size": visual.patch,
        },
    }


def _describe_tower(tower: nn.Module) -> dict:
    block, (width, joint) = tower.blocks[0], tower.projection.shape
    # the module keeps the function, the file its name
    activation = next(
        name for name, function in ACTIVATIONS.items() if function is block.mlp.activation
    )
    return {
        "hidden_size": width,
        "num_hidden_layers": len(tower.blocks),
        "num_attention_heads": block.attn.heads,
        "intermediate_size": block.mlp.up.out_features,
        "layer_norm_eps": block.ln_1.eps,
        "hidden_act": activation,
        "projection_dim": joint,
    }
