"""How does a model from outside become ours? One verb, `load`, that takes whatever people have.

    a name on the hub, a folder, a file, a module in memory
      -> its files (`hub`, or the disk) -> its tensors (`strangers`) or the module's (`live`)
      -> an empty model of its sizes, filled by name and shape (`layouts`)

Nothing in a checkpoint is executed.
"""

import json
import os
import re
import shutil
from collections.abc import Callable
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import save as serialize
from torch import Tensor, nn

from ..clip import CLIP
from ..image import Preprocessor
from ..towers.parts import ACTIVATIONS
from ..words.sentencepiece import PieceTokenizer
from ..words.tokenizer import Tokenizer
from . import hub
from .in_memory import read_module, unwrapped
from .layouts import (
    HF,
    HF_SIGLIP,
    HF_TYPES,
    OPENAI,
    Layout,
    build_from_shapes,
    build_hf,
    build_open_clip,
    fill,
    section,
)
from .untrusted import OPENAI_SHA256, Weights, read_json, read_weights

EMBEDDED = files("clipxai.data") / "emoji-world-vit"
PAIRS = (  # what a folder or a repository may hold, the safest first
    ("config.json", "model.safetensors"),
    ("open_clip_config.json", "open_clip_model.safetensors"),
    ("config.json", "pytorch_model.bin"),
    ("open_clip_config.json", "open_clip_pytorch_model.bin"),
)
# where a file of a checkpoint lies, by its name; None if there is none
Files = Callable[[str], Path | None]


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
    OSError : the hub cannot be reached, and the model is not in the cache
    ValueError : no checkpoint of a CLIP or SigLIP; damaged; not to be trusted; or a tensor that is
        missing, unknown or misshapen, by name
    """
    if positions not in ("bilinear", "bicubic"):
        raise ValueError(f"unknown positions={positions!r}; choose 'bilinear' or 'bicubic'")
    if isinstance(source, nn.Module):
        module = unwrapped(source)
        model, weights, layout = read_module(module)
        where = f"this {type(module).__name__}"
        provenance = {"model": type(module).__name__, "source": "a module in memory"}
    else:
        where, at, provenance = _locate(source, revision)
        weights = read_weights(where, trust)
        model, layout = _build(weights, at, where, activation)
        model.tokenizer, model.preprocessor = _vocabulary(at, model), _preprocessor(at, model)
        provenance |= {"file": where.name} | ({"sha256": weights.sha256} if weights.sha256 else {})
        if weights.sha256 in OPENAI_SHA256:
            provenance["model"] = OPENAI_SHA256[weights.sha256]
    fill(model, weights, layout, dtype, where)
    model.visual.positions.mode = positions
    if tokenizer is not None:
        model.tokenizer = _told_vocabulary(tokenizer, model)
    model.name, model.provenance = provenance["model"], provenance
    return model.to(device).eval().requires_grad_(False)


def _locate(source: str | Path | None, revision: str | None) -> tuple[Path, Files, dict[str, str]]:
    """The weights file, where its companions are, and what to remember of where it came from."""
    path = Path(str(EMBEDDED)) if source is None else Path(source)
    if path.exists():
        if revision is not None:
            raise ValueError(
                f"revision={revision!r} is for models on the hub, but {path} is on this disk"
            )
        at = _beside(path if path.is_dir() else path.parent)
        name = (
            "Emoji World CLIP (embedded)"
            if source is None
            else path.stem
            if path.is_file()
            else path.name
        )
        return (
            _weights_file(at, path) if path.is_dir() else path,
            at,
            {"model": name, "source": str(source or "embedded")},
        )
    name = hub.SHORT_NAMES.get(str(source), str(source))
    # OpenAI's way of naming, for which the hub would be asked in vain
    if re.fullmatch(r"ViT-\w+/\d+(@\d+px)?", name):
        raise FileNotFoundError(
            f"OpenAI published no model {name!r}; nearest: "
            f"{get_close_matches(name, hub.SHORT_NAMES, 1, 0)[0]}"
        )
    if not hub.HUB_ID.fullmatch(name):
        raise FileNotFoundError(
            f"no checkpoint at {path}: pass a folder (config.json, model.safetensors, vocab.json, "
            "merges.txt), a weights file, a name on "
            f"the hub (owner/model), one of {', '.join(hub.SHORT_NAMES)}, or nothing for the "
            "embedded model"
        )
    at = hub.file_getter(name, revision)
    file = _weights_file(at, name)
    return file, at, {"model": name.split("/")[1], "source": name, "revision": file.parent.name}


def _beside(folder: Path) -> Files:
    """The regular files of a folder (no devices, no pipes; links are followed, as the hub's cache
    consists of them).
    """
    return lambda name: folder / name if (folder / name).is_file() else None


def _weights_file(at: Files, where: Path | str) -> Path:
    """The weights of a folder or repository: the first of `PAIRS` that is there and whose config is
    of a kind we read.
    """
    kinds = []
    for described, weights in PAIRS:
        config = at(described)
        if config is None:
            continue
        kind = "clip" if described.startswith("open_clip") else read_json(config).get("model_type")
        kinds.append(kind)
        if kind in HF_TYPES and (file := at(weights)):
            return file
    if isinstance(where, Path):
        lone = sorted(
            file
            for file in where.iterdir()
            if file.suffix in (".safetensors", ".pt", ".bin") and file.is_file()
        )
        if len(lone) == 1:
            return lone[0]
    if kinds and not set(kinds) & set(HF_TYPES):
        raise ValueError(
            f"{where} describes a {kinds[0]!r} model, not {' or '.join(map(repr, HF_TYPES))}"
        )
    found = (
        f"; found: {', '.join(sorted(os.listdir(where))) or 'nothing'}"
        if isinstance(where, Path)
        else ""
    )
    wanted = ", ".join(f"{weights} with {described}" for described, weights in PAIRS)
    raise FileNotFoundError(f"no weights in {where}: looked for {wanted}{found}")


def _build(weights: Weights, at: Files, file: Path, activation: str | None) -> tuple[CLIP, Layout]:
    """An empty model of the right sizes, and the layout of its names."""
    tensors = weights.tensors
    if any(name.startswith("vision_model.") for name in tensors):
        config = at("config.json")
        if config is None:
            where = file.parent / "config.json"
            raise FileNotFoundError(
                f"{file.name} has Hugging Face's tensor names, so config.json must lie beside it: "
                f"{where}"
            )
        return build_hf(
            read_json(config), config
        ), HF_SIGLIP if "vision_model.head.probe" in tensors else HF
    if "visual.conv1.weight" in tensors:
        config = at("open_clip_config.json") if activation is None else None
        if config is not None:
            return build_open_clip(read_json(config), config), OPENAI
        return build_from_shapes(tensors, activation or "quick_gelu"), OPENAI
    some = ", ".join(sorted(map(str, tensors))[:3])
    raise ValueError(
        f"{file} is not a CLIP checkpoint in a known layout; its tensors are named {some} …"
    )


def _vocabulary(at: Files, model: CLIP) -> Tokenizer | PieceTokenizer | None:
    context = model.text.context
    if model.text.sentencepiece:
        described = at("tokenizer.json")
        return (
            PieceTokenizer.from_files(described, at("tokenizer_config.json"), context)
            if described
            else None
        )
    if (vocabulary := at("vocab.json")) and (merges := at("merges.txt")):
        return Tokenizer.from_files(vocabulary, merges, context)
    if described := at("tokenizer.json"):
        return Tokenizer.from_tokenizer_json(described, context)
    openai = at("bpe_simple_vocab_16e6.txt.gz") or at("bpe_simple_vocab_16e6.txt")
    return Tokenizer.from_openai(openai, context) if openai else None


def _told_vocabulary(
    told: str | Path | Tokenizer | PieceTokenizer, model: CLIP
) -> Tokenizer | PieceTokenizer:
    """The vocabulary that the caller named."""
    if isinstance(told, (Tokenizer, PieceTokenizer)):
        return told
    at = (
        _beside(Path(told))
        if Path(told).is_dir()
        else hub.file_getter(hub.SHORT_NAMES.get(str(told), str(told)), None)
    )
    found = _vocabulary(at, model)
    if found is None:
        raise FileNotFoundError(
            f"no vocabulary in {told}: vocab.json and merges.txt, or tokenizer.json, are looked for"
        )
    return found


def _preprocessor(at: Files, model: CLIP) -> Preprocessor:
    """Mean and deviation of the colours as the checkpoint says, else what is usual for its kind."""
    described, names = {}, ("image_mean", "image_std")
    if file := at("preprocessor_config.json"):
        described = read_json(file)
    elif file := at("open_clip_config.json"):
        described, names = section(read_json(file), "preprocess_cfg", file), ("mean", "std")
    values = []
    for name, usual in zip(names, (model.preprocessor.mean, model.preprocessor.std)):
        given = described.get(name) or usual
        if not _is_colour(given):
            raise ValueError(
                f"{file} gives {name}={given!r}, but three numbers, one for each colour, are "
                "expected"
            )
        values.append(tuple(map(float, given)))
    if min(values[1]) <= 0:
        raise ValueError(f"{file} gives {names[1]}={values[1]}, but a deviation is above 0")
    return Preprocessor(model.visual.image_size, model.visual.patch, *values)


def _is_colour(given: object) -> bool:
    """Three numbers within ±1. A flag is no number, though Python counts it as one."""
    return (
        isinstance(given, (list, tuple))
        and len(given) == 3
        and all(type(v) in (int, float) and abs(v) <= 1 for v in given)
    )


def save_folder(model: CLIP, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write a ViT model as a Hugging Face checkpoint folder, all at once or not at all.

    Raises
    ------
    ValueError : a ResNet or SigLIP (only CLIP's ViTs are written), a model without vocabulary, or
        one for images that are not square
    FileExistsError : the folder exists already
    """
    folder = Path(folder)
    if not {"blocks", "class_token"} <= model.visual.has or model.tokenizer is None:
        raise ValueError(
            "only a vision transformer with its vocabulary can be written in Hugging Face's layout"
        )
    height, width = model.visual.image_size
    if height != width:
        raise ValueError(
            f"{model.name} reads images of {height}x{width} pixels, but Hugging Face's layout has "
            "one size for both sides"
        )
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; remove it or choose another folder")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / "config.json").write_text(
        json.dumps(_describe(model), indent=2) + "\n", encoding="utf-8"
    )
    preprocessing = {"image_mean": model.preprocessor.mean, "image_std": model.preprocessor.std}
    (unfinished / "preprocessor_config.json").write_text(
        json.dumps(preprocessing, indent=2) + "\n", encoding="utf-8"
    )
    (unfinished / "vocab.json").write_text(
        json.dumps(model.tokenizer.vocabulary, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    merges = "".join(f"{a} {b}\n" for a, b in model.tokenizer.merges)
    (unfinished / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    state: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        theirs = HF.theirs(name)
        tensor = (tensor.T if name in HF.transposed else tensor).to(dtype)
        parts = tensor.chunk(len(theirs)) if len(theirs) > 1 else [tensor]
        state |= {part: piece.clone().contiguous() for part, piece in zip(theirs, parts)}
    (unfinished / "model.safetensors").write_bytes(serialize(state, metadata={"format": "pt"}))
    os.replace(unfinished, folder)


def _describe(model: CLIP) -> dict:
    """config.json of `model`, as transformers' CLIPModel reads it."""

    def common(tower: nn.Module, width: int) -> dict:
        block = tower.blocks[0]
        activation = next(
            name for name, function in ACTIVATIONS.items() if function is block.mlp.activation
        )
        return dict(
            hidden_size=width,
            num_hidden_layers=len(tower.blocks),
            num_attention_heads=block.attn.heads,
            intermediate_size=block.mlp.up.out_features,
            layer_norm_eps=block.ln_1.eps,
            hidden_act=activation,
            projection_dim=tower.projection.shape[1],
        )

    text, visual = model.text, model.visual
    start, end = model.tokenizer.start, model.tokenizer.end
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": visual.projection.shape[1],
        "text_config": {
            **common(text, text.projection.shape[0]),
            "vocab_size": text.token_embedding.num_embeddings,
            "max_position_embeddings": text.context,
            "bos_token_id": start,
            "eos_token_id": end,
            "pad_token_id": 0,
        },
        "vision_config": {
            **common(visual, visual.projection.shape[0]),
            "image_size": visual.image_size[0],
            "patch_size": visual.patch,
        },
    }
