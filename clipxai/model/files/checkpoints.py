"""How does a model from outside become ours? One verb, `load`, that takes whatever people have.

    a name on the hub, a folder, a file, a module in memory
      -> its files (`locating`, `hub`) -> its tensors (`untrusted`), or the module's (`in_memory`)
      -> an empty model of its sizes (`hugging_face`, `open_clip`, `openai`)
      -> filled by name and shape (`filling`), with what lies beside it (`companions`)

Nothing in a checkpoint is executed.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ...checks import visible
from ..clip import CLIP
from ..towers.hosted import HostedImageTower
from ..words.sentencepiece import PieceTokenizer
from ..words.tokenizer import Tokenizer
from .companions import preprocessor_beside, told_vocabulary, vocabulary_beside
from .filling import fill
from .hosting import needs_hosting, through_open_clip
from .hugging_face import HF, HF_SIGLIP, build_hf
from .in_memory import read_module, unwrapped
from .locating import Files, locate
from .open_clip import build_open_clip
from .openai import OPENAI, build_from_shapes
from .tensor_names import Names
from .untrusted import OPENAI_SHA256, Weights, read_json, read_weights


@torch.inference_mode(False)  # weights made within could not be asked for gradients, ever
def load(
    source: str | Path | nn.Module | None = None,
    *,
    revision: str | None = None,
    trust: bool = False,
    tokenizer: str | Path | Tokenizer | PieceTokenizer | None = None,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    activation: str | None = None,
    positions: str = "bilinear",
) -> CLIP:
    """A CLIP or SigLIP model, ready to be explained.

    Parameters
    ----------
    source : what to load
        - nothing: the embedded Emoji World model (no network; a model organism, not a photo model)
        - a folder with a checkpoint in Hugging Face's or open_clip's layout
        - a file: .safetensors, .pt or .bin with OpenAI's (and open_clip's) or transformers' tensor
          names, or one of OpenAI's own archives; config and vocabulary are looked for beside it
        - a name on the Hugging Face hub such as "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", or one of
          OpenAI's such as "ViT-B/16" (`clipxai models` lists some); downloaded once
        - a module in memory: transformers' CLIPModel, SiglipModel or Siglip2Model, open_clip's or
          OpenAI's CLIP, fine-tuned or not. Its weights are copied; the module stays as it is
    revision : branch, tag or commit of a model on the hub; the commit that was found stands in
        every explanation's provenance
    trust : read a TorchScript archive that is none of OpenAI's nine; only its tensors are read,
        even then
    tokenizer : where a vocabulary is, if not beside the weights: a folder, a name on the hub, or
        the `tokenizer` of another model
    device, dtype : where and how the weights are kept
    activation : "gelu" or "quick_gelu" where the file cannot tell (OpenAI's names are also used for
        models trained with plain GELU)
    positions : how positional embeddings are resized for images of another size, "bilinear" (CLIP
        Surgery's way) or "bicubic"

    Returns
    -------
    A `CLIP` in evaluation mode whose weights ask for no gradients

    Raises
    ------
    FileNotFoundError : no such folder or file
    TypeError : a state dict, or something else that is no place and no module
    OSError : the hub cannot be reached, and the model is not in the cache
    ValueError : no checkpoint of a CLIP or SigLIP; damaged; not to be trusted; or a tensor that is
        missing, unknown or misshapen, by name

    Examples
    --------
    >>> model = load()
    >>> model.name, model.visual.image_size
    ('Emoji World CLIP (embedded)', (112, 112))
    """
    if positions not in ("bilinear", "bicubic"):
        raise ValueError(f"unknown positions={positions!r}; choose 'bilinear' or 'bicubic'")
    if isinstance(source, nn.Module):
        model, weights, names, where, provenance = _from_memory(source)
    else:
        model, weights, names, where, provenance = _from_files(source, revision, trust, activation)
    fill(model, weights, names, dtype, where)
    if not isinstance(model.visual, HostedImageTower):
        model.visual.positions.mode = positions
    elif positions != "bilinear":
        raise ValueError(f"positions={positions!r} does nothing: a {model.visual.description}")
    if tokenizer is not None:
        model.tokenizer = told_vocabulary(tokenizer, model)
    model.name, model.provenance = provenance["model"], provenance
    return model.to(device).eval().requires_grad_(False)


class Unfilled(NamedTuple):
    """An empty model and what is to be put into it.

    Attributes
    ----------
    model : of the right sizes, without memory behind its tensors
    weights, names : the tensors, and how they are named
    where : what errors call their origin
    provenance : what explanations remember of it
    """

    model: CLIP
    weights: Weights
    names: Names
    where: Path | str
    provenance: dict[str, str]


def _from_memory(source: nn.Module) -> Unfilled:
    module = unwrapped(source)
    kind = type(module).__name__
    provenance = {"model": kind, "source": "a module in memory"}
    return Unfilled(*read_module(module), f"this {kind}", provenance)


def _from_files(
    source: str | Path | None, revision: str | None, trust: bool, activation: str | None
) -> Unfilled:
    file, at, provenance = locate(source, revision)
    weights = read_weights(file, trust)
    model, names = _empty_model(weights, at, file, activation)
    model.tokenizer = vocabulary_beside(at, model)
    model.preprocessor = preprocessor_beside(at, model)
    provenance["file"] = file.name
    if weights.sha256:
        provenance["sha256"] = weights.sha256
    if weights.sha256 in OPENAI_SHA256:  # whatever the file is called
        provenance["model"] = OPENAI_SHA256[weights.sha256]
    return Unfilled(model, weights, names, file, provenance)


def _empty_model(
    weights: Weights, at: Files, file: Path, activation: str | None
) -> tuple[CLIP, Names]:
    """An empty model of the right sizes, and how its tensors are named; a tensor's name tells whose
    format it is.
    """
    tensors = weights.tensors
    if any(name.startswith("vision_model.") for name in tensors):
        config = at("config.json")
        if config is None:
            raise FileNotFoundError(
                f"{file.name} has Hugging Face's tensor names, so config.json must lie beside it: "
                f"{file.parent / 'config.json'}"
            )
        names = HF_SIGLIP if "vision_model.head.probe" in tensors else HF
        return build_hf(read_json(config), config), names
    # what the caller says of the activation goes before what a config says
    config = at("open_clip_config.json") if activation is None else None
    if config is not None:
        described = read_json(config)
        if needs_hosting(described):
            model, _, names = read_module(through_open_clip(described, weights, config))
            return model, names
        return build_open_clip(described, config)
    if "visual.conv1.weight" in tensors:
        return build_from_shapes(tensors, activation or "quick_gelu"), OPENAI
    some = ", ".join(map(visible, sorted(tensors)[:3]))
    raise ValueError(
        f"{file} is not a CLIP checkpoint in a known layout; its tensors are named {some} …"
    )
