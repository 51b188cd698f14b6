"""How do weights from outside become our model? By name and shape, tensor by tensor, or not at all.

Two layouts are read: Hugging Face's `CLIPModel` (a folder with `config.json`) and OpenAI's own state-dict names (a lone file will do;
sizes follow from the shapes). Nothing in a checkpoint is executed: safetensors, or `torch.load(weights_only=True)`.
"""

import json
import os
import pickle
import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialize
from torch import Tensor, nn

from .clip import CLIP
from .image import CLIP_MEAN, CLIP_STD, Preprocessor
from .resnet import STRIDE, ModifiedResNet
from .text import TextTransformer
from .tokenizer import Tokenizer
from .transformer import ACTIVATIONS
from .vit import VisionTransformer

EMBEDDED = files("clipxai.data") / "emoji-world-vit"
HEAD_WIDTH = 64  # of every model OpenAI released; their files do not state the number of heads
WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
State = Mapping[str, Tensor]

# our name -> theirs, first match wins; a fused q-k-v or a transposed matrix is marked in `_fetch`
BLOCK_HF = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out": "self_attn.out_proj", "up": "mlp.fc1", "down": "mlp.fc2"}
BLOCK_OPENAI = {"attn.qkv.": "attn.in_proj_", "attn.out": "attn.out_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
HF = {
    "visual.patch_embedding": "vision_model.embeddings.patch_embedding",
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.positions.table": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre": "vision_model.pre_layrnorm",  # the misspelling is theirs
    "visual.ln_post": "vision_model.post_layernorm",
    "visual.projection": "visual_projection.weight",
    "visual.blocks": "vision_model.encoder.layers",
    "text.token_embedding": "text_model.embeddings.token_embedding",
    "text.positions": "text_model.embeddings.position_embedding.weight",
    "text.ln_final": "text_model.final_layer_norm",
    "text.projection": "text_projection.weight",
    "text.blocks": "text_model.encoder.layers",
}
OPENAI = {
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
}
TRANSPOSED_IN_HF = ("visual.projection", "text.projection")
NOT_WEIGHTS = ("position_ids", "input_resolution", "context_length", "vocab_size")  # buffers some files carry along


def load(
    source: str | Path | None = None, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32,
    activation: str | None = None, positions: str = "bilinear",
) -> CLIP:  # fmt: skip
    """A CLIP model, ready to be explained.

    Parameters
    ----------
    source : nothing for the embedded Emoji World model (no network, a model organism, not a photo model); a checkpoint folder in
        Hugging Face's layout (config.json, model.safetensors, vocab.json, merges.txt); or a weights file (.safetensors, .pt, .bin) with
        OpenAI's tensor names, beside which a vocabulary may lie
    device, dtype : where and how the weights are kept
    activation : "gelu" or "quick_gelu" where the file cannot tell (OpenAI's names are also used for models trained with plain GELU)
    positions : how positional embeddings are resized for images of another size, "bilinear" (CLIP Surgery's way) or "bicubic"

    Raises
    ------
    FileNotFoundError : no such folder or file
    ValueError : not a CLIP checkpoint, or a tensor that is missing, unknown or of the wrong shape, by name
    """
    if positions not in ("bilinear", "bicubic"):
        raise ValueError(f"unknown positions={positions!r}; choose 'bilinear' or 'bicubic'")
    path = Path(str(EMBEDDED)) if source is None else Path(source)
    if not path.exists():
        raise FileNotFoundError(
            f"no checkpoint at {path}: pass a folder (config.json, model.safetensors, vocab.json, merges.txt), a weights file, "
            "or nothing for the embedded model"
        )
    folder = path if path.is_dir() else path.parent
    file = _weights_file(path) if path.is_dir() else path
    state = _read_state(file)
    if any(name.startswith("vision_model.") for name in state):
        model = _build_from_config(_read_config(folder / "config.json", file))
        names = HF
    elif "visual.conv1.weight" in state:
        model = _build_from_shapes(state, activation or "quick_gelu")
        names = OPENAI
    else:
        some = ", ".join(sorted(state)[:3])
        raise ValueError(f"{file} is no CLIP checkpoint in a known layout; its tensors are named {some} …")
    _fill(model, state, names, dtype, file)
    (model.visual.positions if model.visual.kind == "vit" else model.visual.attention_pool.positions).mode = positions
    model.tokenizer = _find_tokenizer(folder, model.text.context)
    model.preprocessor = _find_preprocessor(folder, model)
    model.name = "Emoji World CLIP (embedded)" if source is None else path.stem if path.is_file() else path.name
    model.provenance = {"model": model.name, "source": "embedded" if source is None else str(source), "file": file.name}
    return model.to(device).eval().requires_grad_(False)


def _weights_file(folder: Path) -> Path:
    for name in WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    lone = sorted([*folder.glob("*.safetensors"), *folder.glob("*.pt")])
    if len(lone) == 1:
        return lone[0]
    raise FileNotFoundError(f"no {' or '.join(WEIGHT_FILES)} in {folder}; found: {', '.join(sorted(os.listdir(folder))) or 'nothing'}")


def _read_state(file: Path) -> dict[str, Tensor]:
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"cannot read {file} as plain weights (damaged, or it holds more than tensors): {reason}") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise ValueError(f"{file} holds no plain state dict (name -> tensor); save the model's state_dict()")
    return state


def _read_config(file: Path, weights: Path) -> dict:
    if not file.is_file():
        raise FileNotFoundError(f"{weights.name} has Hugging Face's tensor names, so config.json must lie beside it: {file}")
    config = json.loads(file.read_text(encoding="utf-8"))
    if config.get("model_type", "clip") != "clip":
        raise ValueError(f"{file} describes a {config['model_type']!r} model, not 'clip'")
    return config


def _build_from_config(config: dict) -> CLIP:
    """An empty model (no memory behind its tensors) of the sizes of a Hugging Face config; what a config leaves out is ViT-B/32's."""
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    side, joint = vision.get("image_size", 224), config.get("projection_dim", 512)

    def common(part: dict, width: int, heads: int) -> dict:
        width = part.get("hidden_size", width)
        return dict(
            width=width, layers=part.get("num_hidden_layers", 12), heads=part.get("num_attention_heads", heads),
            ffn_width=part.get("intermediate_size", 4 * width), joint=joint, eps=part.get("layer_norm_eps", 1e-5),
            activation=_activation(part.get("hidden_act", "quick_gelu")),
        )  # fmt: skip

    with torch.device("meta"):
        visual = VisionTransformer(image_size=(side, side), patch=vision.get("patch_size", 32), **common(vision, 768, 12))
        tower = TextTransformer(
            vocabulary=text.get("vocab_size", 49408), context=text.get("max_position_embeddings", 77), **common(text, 512, 8)
        )
        return CLIP(visual, tower)


def _activation(name: str) -> str:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return name


def _build_from_shapes(state: State, activation: str) -> CLIP:
    """An empty model whose sizes are read off the shapes of a state dict with OpenAI's names."""

    def count(prefix: str) -> int:
        return len({name[len(prefix) :].split(".")[0] for name in state if name.startswith(prefix)})

    def shape(name: str) -> torch.Size:
        if name not in state:
            raise ValueError(f"tensor {name!r} is missing")
        return state[name].shape

    joint = shape("text_projection")[1]
    width = shape("ln_final.weight")[0]
    with torch.device("meta"):
        if "visual.layer1.0.conv1.weight" in state:
            stem, side = shape("visual.layer1.0.conv1.weight")[0], _side(shape("visual.attnpool.positional_embedding")[0] - 1)
            visual = ModifiedResNet(
                image_size=(side * STRIDE,) * 2, layers=[count(f"visual.layer{n}.") for n in (1, 2, 3, 4)], width=stem,
                heads=stem * 32 // HEAD_WIDTH, joint=joint,
            )  # fmt: skip
        else:
            visual_width, _, patch, _ = shape("visual.conv1.weight")
            side = _side(shape("visual.positional_embedding")[0] - 1) * patch
            visual = VisionTransformer(
                image_size=(side, side), patch=patch, width=visual_width, layers=count("visual.transformer.resblocks."),
                heads=visual_width // HEAD_WIDTH, ffn_width=shape("visual.transformer.resblocks.0.mlp.c_fc.weight")[0], joint=joint,
                activation=_activation(activation),
            )  # fmt: skip
        tower = TextTransformer(
            vocabulary=shape("token_embedding.weight")[0], context=shape("positional_embedding")[0], width=width,
            layers=count("transformer.resblocks."), heads=width // HEAD_WIDTH,
            ffn_width=shape("transformer.resblocks.0.mlp.c_fc.weight")[0], joint=joint, activation=_activation(activation),
        )  # fmt: skip
        return CLIP(visual, tower)


def _side(patches: int) -> int:
    side = round(patches**0.5)
    if side * side != patches:
        raise ValueError(f"{patches} positions make no square grid")
    return side


def their_names(ours: str, names: Mapping[str, str]) -> list[str]:
    """The tensor(s) of a foreign layout that one of our parameters is made of."""
    if "visual.stages." in ours:  # a ResNet, in OpenAI's names only
        stage, rest = re.match(r"visual\.stages\.(\d+)\.(.*)", ours).groups()
        return [f"visual.layer{int(stage) + 1}.{rest.replace('shortcut', 'downsample')}"]
    prefix = next((prefix for prefix in names if ours == prefix or ours.startswith(prefix + ".")), None)
    if prefix is None:
        return [ours]
    theirs = names[prefix] + ours[len(prefix) :]
    if not prefix.endswith(".blocks"):
        return [theirs]
    if names is HF and ".attn.qkv." in theirs:
        return [theirs.replace("attn.qkv", f"self_attn.{letter}_proj") for letter in "qkv"]
    for part, foreign in (BLOCK_HF if names is HF else BLOCK_OPENAI).items():
        if f".{part}" in theirs:
            return [theirs.replace(f".{part}", f".{foreign}", 1)]
    return [theirs]


def _fill(model: CLIP, state: State, names: Mapping[str, str], dtype: torch.dtype, file: Path) -> None:
    """Put every tensor where it belongs, checking that each is there, fits, and that none is left over."""
    used, ours = set(), {}
    for name, wanted in model.state_dict().items():
        if name.endswith("num_batches_tracked"):  # a counter of training steps that inference never reads
            ours[name] = torch.zeros((), dtype=torch.long)
            continue
        theirs = their_names(name, names)
        for part in theirs:
            if part not in state:
                raise ValueError(f"tensor {part!r} is missing in {file}")
        used.update(theirs)
        tensor = torch.cat([state[part] for part in theirs]) if len(theirs) > 1 else state[theirs[0]]
        if names is HF and name in TRANSPOSED_IN_HF:
            tensor = tensor.T
        if tensor.shape != wanted.shape:
            raise ValueError(
                f"tensor {' + '.join(theirs)!r} of {file} has shape {tuple(state[theirs[0]].shape)}, but the other sizes of this model "
                f"ask for {tuple(wanted.shape)} as {name!r}"
            )
        ours[name] = tensor.to(dtype).contiguous()
    unknown = [name for name in state if name not in used and not name.endswith((*NOT_WEIGHTS, "num_batches_tracked"))]
    if unknown:
        raise ValueError(f"{len(unknown)} tensor(s) in {file} have no place in this model, such as {unknown[0]!r}")
    model.load_state_dict(ours, assign=True)


def _find_tokenizer(folder: Path, context: int) -> Tokenizer | None:
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return Tokenizer.from_folder(folder, context)
    for name in ("bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"):
        if (folder / name).is_file():
            return Tokenizer.from_openai(folder / name, context)
    return None


def _find_preprocessor(folder: Path, model: CLIP) -> Preprocessor:
    file = folder / "preprocessor_config.json"
    described = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    mean, std = (tuple(described.get(name, default)) for name, default in (("image_mean", CLIP_MEAN), ("image_std", CLIP_STD)))
    return Preprocessor(model.visual.image_size, model.visual.patch, mean, std)


def save_folder(model: CLIP, folder: str | Path, dtype: torch.dtype = torch.float16) -> None:
    """Write a ViT model as a Hugging Face checkpoint folder, all at once or not at all.

    Raises
    ------
    ValueError : a ResNet (Hugging Face's layout has none) or a model without vocabulary
    FileExistsError : the folder exists already
    """
    folder = Path(folder)
    if model.visual.kind != "vit" or model.tokenizer is None:
        raise ValueError("only a vision transformer with its vocabulary can be written in Hugging Face's layout")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; remove it or choose another folder")
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    (unfinished / "config.json").write_text(json.dumps(_describe(model), indent=2) + "\n", encoding="utf-8")
    preprocessing = {"image_mean": model.preprocessor.mean, "image_std": model.preprocessor.std}
    (unfinished / "preprocessor_config.json").write_text(json.dumps(preprocessing, indent=2) + "\n", encoding="utf-8")
    (unfinished / "vocab.json").write_text(json.dumps(model.tokenizer.vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    merges = "".join(f"{a} {b}\n" for a, b in model.tokenizer.merges)
    (unfinished / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    state: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        tensor = (tensor.T if name in TRANSPOSED_IN_HF else tensor).to(dtype)
        theirs = their_names(name, HF)
        state.update(zip(theirs, (part.clone().contiguous() for part in tensor.chunk(len(theirs)))) if len(theirs) > 1
                     else {theirs[0]: tensor.contiguous()}.items())  # fmt: skip
    (unfinished / "model.safetensors").write_bytes(serialize(state, metadata={"format": "pt"}))
    os.replace(unfinished, folder)


def _describe(model: CLIP) -> dict:
    """config.json of `model`, as transformers' CLIPModel reads it."""

    def common(tower: nn.Module, width: int) -> dict:
        block = tower.blocks[0]
        activation = next(name for name, function in ACTIVATIONS.items() if function is block.activation)
        return dict(
            hidden_size=width, num_hidden_layers=len(tower.blocks), num_attention_heads=block.attn.heads,
            intermediate_size=block.up.out_features, layer_norm_eps=block.ln_1.eps, hidden_act=activation,
            projection_dim=tower.projection.shape[1],
        )  # fmt: skip

    text, visual = model.text, model.visual
    start, end = model.tokenizer.start, model.tokenizer.end
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": visual.projection.shape[1],
        "text_config": {
            **common(text, text.projection.shape[0]), "vocab_size": text.token_embedding.num_embeddings,
            "max_position_embeddings": text.context, "bos_token_id": start, "eos_token_id": end, "pad_token_id": 0,
        },
        "vision_config": {
            **common(visual, visual.projection.shape[0]), "image_size": visual.image_size[0], "patch_size": visual.patch,
        },
    }  # fmt: skip
