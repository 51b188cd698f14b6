"""How does a model from outside become ours? One verb, `load`, that takes whatever people have.

    a name on the hub, a folder, a file, a module or a state dict in memory
      -> its files (`locating`, `hub`) -> its tensors (`untrusted`, `shards`), or the module's
         (`in_memory`), of whatever is wrapped around them only the CLIP (`prefixes`)
      -> what tensors cannot tell (`told`)
      -> an empty model of its sizes (`hugging_face`, `open_clip`, `openai`)
      -> filled by name and shape (`filling`), with what lies beside it (`companions`)

Nothing in a checkpoint is executed.
"""

from collections.abc import Mapping, Set
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ...checks import visible
from ..clip import CLIP
from ..placing import best_place, device_of, dtype_of, enough_memory, expect_precision
from .adapters import WAY_OUT, expect_no_prompts, with_lora
from .companions import (
    Vocabulary,
    preprocessor_beside,
    text_of,
    told_vocabulary,
    vocabulary_beside,
)
from .filling import expect_whole, fill
from .hosting import built_by_open_clip, filled_by_open_clip, needs_open_clip
from .hosting_transformers import read_hosted, through_transformers
from .hugging_face import build_hf, names_hf
from .image_only import build_image_only, is_image_only
from .in_memory import plain_tensors, read_module
from .locating import Files, Located, locate
from .open_clip import build_open_clip, is_ours
from .open_clip_live import described
from .openai import LONG_TEXTS, OPENAI, build_from_shapes, long_texts
from .prefixes import inner_clip, prefix_of, state_dict_in
from .shards import INDEX, read_shards
from .sizes import MOST, empty_modules
from .tensor_names import Names
from .told import NOTHING_TOLD, Told
from .transformers_types import HOSTED, of_tower
from .untrusted import OPENAI_SHA256, Weights, read_json, read_weights

POSITIONS = ("bilinear", "bicubic", "bicubic-antialias")
ADAPTER = "adapter_model."  # how the file of an adapter is called
# how the tensors of transformers begin
OF_TRANSFORMERS = ("vision_model.", "image_model.", "flava.", "embeddings.", "dinov2")


@torch.inference_mode(False)  # weights made within could not be asked for gradients, ever
def load(
    source: str | Path | nn.Module | Mapping[str, Tensor] | None = None,
    *,
    revision: str | None = None,
    trust: bool = False,
    tokenizer: str | Path | Vocabulary | None = None,
    device: str | torch.device = "cpu",
    dtype: str | torch.dtype = torch.float32,
    heads: tuple[int, int] | None = None,
    activation: str | None = None,
    config: Mapping[str, object] | str | Path | None = None,
    positions: str = "bilinear",
) -> CLIP:
    """A CLIP or SigLIP model, ready to be explained.

    Parameters
    ----------
    source : what to load
        - nothing: the embedded Emoji World model (no network; a model organism, not a photo model)
        - a folder with a checkpoint in Hugging Face's or open_clip's layout, in one file or
          several; or with a LoRA adapter of peft's, which is merged into the model that it names
        - a file: .safetensors, .pt, .pth, .bin or .ckpt with OpenAI's (and open_clip's) or
          transformers' tensor names, also out of a training checkpoint; or one of OpenAI's own
          archives; config and vocabulary are looked for beside it
        - a name on the Hugging Face hub such as "laion/CLIP-ViT-B-16-laion2B-s34B-b88K", or one of
          OpenAI's such as "ViT-B/16" (`clipxai models` lists some); downloaded once
        - an image tower alone (CLIPVisionModel, SiglipVisionModel, DINOv2 and 3): a model without
          texts
        - a module in memory: transformers' CLIPModel, SiglipModel and its other models for images
          and texts, open_clip's or OpenAI's CLIP, fine-tuned or not, wrapped or not, LoRA merged.
          Its weights are copied; the module stays as it is
        - a state dict, name -> tensor, with `config`, or with `heads` and `activation`
    revision : branch, tag or commit of a model on the hub; the commit that was found stands in
        every explanation's provenance
    trust : read a TorchScript archive that is none of OpenAI's nine; only its tensors are read,
        even then
    tokenizer : where a vocabulary is, if not beside the weights: a folder, a name on the hub, or
        the `tokenizer` of another model
    device : where the model runs: "cpu", "cuda", "cuda:1", "mps"; "auto" takes the accelerator with
        the most room if it can hold the model, else the processor (`model.device` says which)
    dtype : in what the weights are kept: "float32", "float16", "bfloat16", "float64", or torch's
    heads, activation : heads of a block of the (image, text) tower, and "gelu" or "quick_gelu",
        where no config lies beside the weights and their sizes are of no published model that would
        tell; other settings are then OpenAI's. What contradicts a config is an error
    config : what would lie beside the weights, for a state dict or a lone file: the dict or JSON
        file of a config.json (transformers' names) or an open_clip_config.json (OpenAI's)
    positions : how positional embeddings are resized for images of another size, "bilinear" (CLIP
        Surgery's way), "bicubic", or "bicubic-antialias", as GEM and LeGrad do it

    Returns
    -------
    A `CLIP` in evaluation mode whose weights ask for no gradients

    Raises
    ------
    FileNotFoundError : no such folder or file
    TypeError : something that is no place, no module and no state dict; a dtype that is none of
        floats
    OSError : the hub cannot be reached, and the model is not in the cache
    MemoryError : an accelerator that cannot hold the weights
    ValueError : no such device, or float64 on one that has none; no checkpoint of a CLIP or SigLIP;
        damaged; not to be trusted; heads or activation that nothing tells; or a tensor that is
        missing, unknown or misshapen, by name

    Examples
    --------
    >>> model = load()
    >>> model.name, model.visual.image_size
    ('Emoji World CLIP (embedded)', (112, 112))
    """
    if positions not in POSITIONS:
        raise ValueError(f"unknown positions={positions!r}; choose from {', '.join(POSITIONS)}")
    place, dtype = device_of(device), dtype_of(dtype)
    expect_precision(place, dtype)
    told = Told(heads, activation, config)
    if isinstance(source, nn.Module):
        unfilled = _from_module(source, told)
    elif isinstance(source, Mapping):
        unfilled = _from_state_dict(source, told)
    else:
        unfilled = _from_files(source, revision, trust, told)
    model, weights, names, where, provenance, text = unfilled
    fill(model, weights, names, dtype, where)
    if getattr(model.visual, "positions", None) is not None:
        mode, _, antialias = positions.partition("-")
        model.visual.positions.mode = mode
        model.visual.positions.antialias |= bool(antialias)
    elif positions != "bilinear":
        raise ValueError(f"positions={positions!r} does nothing: a {model.visual.description}")
    if tokenizer is not None:
        model.tokenizer = told_vocabulary(tokenizer, model, text)
    model.name, model.provenance = provenance["model"], provenance
    place = place or best_place(_bytes(model), dtype)
    with enough_memory(place, dtype):
        model = model.to(place)
    return model.eval().requires_grad_(False)


def _bytes(model: CLIP) -> int:
    return sum(weight.nbytes for weight in model.state_dict().values())


def look(
    source: str | Path | None, revision: str | None = None, told: Told = NOTHING_TOLD
) -> "Unfilled":
    """What `load` would fill, before it does: an empty model, and tensors of which only the sizes
    were read.

    `source`, `revision` and errors are those of `load`.
    """
    return _from_files(source, revision, False, told)


class Unfilled(NamedTuple):
    """An empty model and what is to be put into it.

    Attributes
    ----------
    model : of the right sizes, without memory behind its tensors
    weights, names : the tensors, and how they are named
    where : what errors call their origin
    provenance : what explanations remember of it
    text : what an `open_clip_config.json` says of texts
    """

    model: CLIP
    weights: Weights
    names: Names
    where: Path | str
    provenance: dict[str, str]
    text: Mapping[str, object] = MappingProxyType({})


def _from_module(source: nn.Module, told: Told) -> Unfilled:
    expect_no_prompts(source)
    module = inner_clip(source)
    where = f"this {type(module).__name__}"
    if told.config is not None:
        raise ValueError(f"config= is for weights without one, but {where} has its own")
    model, weights, names = read_module(module)
    told.expect_agreed(model, where)
    provenance = {"model": type(module).__name__, "source": "a module in memory"}
    return Unfilled(model, weights, names, where, provenance)


def _from_state_dict(source: Mapping, told: Told) -> Unfilled:
    where = "this state dict"
    tensors = plain_tensors(state_dict_in(source), "state dict")
    weights = Weights.there(tensors).behind(prefix_of(tensors, where))
    try:
        model, weights, names = _empty_model(weights, lambda _: None, where, told)
    except _NotThis as error:  # and there is no other
        raise ValueError(str(error)) from error
    model.preprocessor = preprocessor_beside(lambda _: None, model, _mapping(told.config))
    provenance = {"model": where[5:], "source": where[5:]}
    return Unfilled(model, weights, names, where, provenance, text_of(told.config))


def _from_files(
    source: str | Path | None, revision: str | None, trust: bool, told: Told
) -> Unfilled:
    """The first of the files that can be read; if none can, why the first cannot."""
    first = None
    for located in locate(source, revision):
        try:
            return _from_file(located, trust, told)
        except _NotThis as error:
            first = first or error
    raise ValueError(str(first)) from first


def _from_file(located: Located, trust: bool, told: Told) -> Unfilled:
    file, at, provenance = located
    if file.name.startswith(ADAPTER):
        return _from_adapter(located, trust, told)
    sharded = file.name.endswith(INDEX)
    weights = read_shards(file, at) if sharded else read_weights(file, trust)
    weights = weights.behind(prefix_of(weights.tensors, file))
    model, weights, names = _empty_model(weights, at, file, told)
    text = text_of(told.config or at("open_clip_config.json"))
    model.tokenizer = vocabulary_beside(at, model, text)
    if not (told.config or at("preprocessor_config.json") or at("open_clip_config.json")):
        provenance["colours"] = "mean and deviation are those usual for its kind: no file says them"
    model.preprocessor = preprocessor_beside(at, model, _mapping(told.config))
    provenance["file"] = file.name
    if weights.sha256:
        provenance["sha256"] = weights.sha256
    if weights.sha256 in OPENAI_SHA256:  # whatever the file is called
        provenance["model"] = OPENAI_SHA256[weights.sha256]
    return Unfilled(model, weights, names, file, provenance, text)


def _from_adapter(located: Located, trust: bool, told: Told) -> Unfilled:
    """The model that an adapter was trained on, with the adapter merged."""
    file, at, provenance = located
    config = read_json(at("adapter_config.json"))
    base, revision = config.get("base_model_name_or_path"), config.get("revision")
    if not isinstance(base, str) or not base:
        raise ValueError(f"{file} is an adapter that does not say for which model: {WAY_OUT}")
    if any(found.weights.name.startswith(ADAPTER) for found in islice(locate(base, revision), 1)):
        raise ValueError(f"{file} is an adapter for {visible(base)}, an adapter too: {WAY_OUT}")
    unfilled = _from_files(base, revision, trust, told)
    weights = with_lora(unfilled.weights, read_weights(file), config, file)
    of_base = unfilled.provenance["source"]
    provenance = {**provenance, "file": file.name, "adapter of": of_base}
    return unfilled._replace(weights=weights, where=file, provenance=provenance)


class _NotThis(ValueError):
    """A config that is not read, or tensors with names of nobody that is known here: another pair
    in the same place may be readable.
    """


def _empty_model(
    weights: Weights, at: Files, where: Path | str, told: Told
) -> tuple[CLIP, Weights, Names]:
    """An empty model of the right sizes, its tensors, and how these are named; a tensor's name
    tells whose format it is.
    """
    tensors = weights.tensors
    expect_whole(tensors, where)
    if any(name.startswith(OF_TRANSFORMERS) for name in tensors):
        config = told.config_of(at("config.json"), "vision_config")
        if config is None:
            raise FileNotFoundError(
                f"{where} has Hugging Face's tensor names, so its config.json must lie beside it, "
                "or be passed as config="
            )
        config = (of_tower(config[0]), config[1])
        kind = config[0].get("model_type", "clip")
        if isinstance(kind, str) and kind in HOSTED:
            module = through_transformers(config[0], weights, config[1])
            model, weights, names = read_hosted(module, _crop(at))
        elif is_image_only(config[0], tensors):
            model, weights, names = build_image_only(config[0], weights, config[1])
        else:
            names = names_hf(kind, tensors)
            try:
                model = build_hf(*config)
            except ValueError as error:
                raise _NotThis(str(error)) from error
        told.expect_agreed(model, config[1])
        return model, weights, names
    of_image = [name for name in tensors if name.startswith("visual.")]
    if not of_image or tensors.keys().isdisjoint(("logit_scale", "visual.conv1.weight")):
        raise _not_known(tensors.keys(), where)
    config = told.config_of(at("open_clip_config.json"), "model_cfg")
    if config is not None:
        if needs_open_clip(config[0]):
            model, names = _with_open_clip(*config, weights)
        else:
            model, names = build_open_clip(*config)
        told.expect_agreed(model, config[1])
        return model, weights, names
    if "visual.conv1.weight" in tensors and "text_projection" in tensors:
        heads, text_heads, activation = told.settled(tensors, where)
        weights = long_texts(weights) if LONG_TEXTS in tensors else weights
        model = build_from_shapes(weights.tensors, activation, heads, text_heads)
        return model, weights, OPENAI
    raise _unsaid(tensors.keys(), where)


def _not_known(names: Set[str], where: Path | str) -> _NotThis:
    """That tensors have names of no model that is read."""
    if names and all(name.startswith(("text_model.", "text_projection.")) for name in names):
        return _NotThis(f"{where} is a text tower alone: there is no image tower to explain")
    some = ", ".join(map(visible, sorted(names)[:3]))
    return _NotThis(
        f"{where} is not a CLIP checkpoint in a known layout; its tensors are named {some} …"
    )


def _unsaid(names: Set[str], where: Path | str) -> ValueError:
    """What tensors of these names do not say, and who does."""
    if {"visual.blocks.0.ln_1.weight", "text.blocks.0.ln_1.weight"} <= names:
        return ValueError(
            f"{where} has clipxai's own tensor names, which do not say what the towers are: load "
            "what it was loaded from, or a folder that clipxai.model.files.saving.save_folder wrote"
        )
    return ValueError(
        f"{where} has open_clip's tensor names, but not those of CLIP's own towers: put its "
        "open_clip_config.json beside it, or pass it as config="
    )


def _with_open_clip(config: dict, at: object, weights: Weights) -> tuple[CLIP, Names]:
    """A model of whose towers only open_clip knows what they are; hosted if they are not ours."""
    if "hf_model_name" not in (config["model_cfg"].get("text_cfg") or {}):
        with empty_modules():
            module = built_by_open_clip(config, at)
        found = described(module, type(module).__name__)
        if is_ours(found, at):
            return build_open_clip(found, at)
    module = filled_by_open_clip(built_by_open_clip(config, at), weights, at)
    model, _, names = read_module(module)
    return model, names


def _crop(at: Files) -> int | None:
    """The side that images are cut to, where that is said beside the weights."""
    file = at("preprocessor_config.json")
    crop = read_json(file).get("crop_size") if file else None
    side = crop.get("height") if isinstance(crop, dict) else crop
    return side if type(side) is int and 0 < side <= MOST["image_size"] else None


def _mapping(config: object) -> dict | None:
    return dict(config) if isinstance(config, Mapping) else None
