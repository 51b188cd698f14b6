"""What is a repository, folder or file, before it is loaded? Its config and the sizes of its
tensors tell: what kind of model it is, how large, and what could be asked of it.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from ..clip import CLIP
from . import hub
from .checkpoints import look
from .hosting import needs_open_clip
from .hugging_face import build_hf
from .image_only import build_image_only, is_image_only
from .locating import Files, locate
from .open_clip import build_open_clip
from .shards import INDEX, read_shards
from .told import NOTHING_TOLD, Told
from .transformers_types import HOSTED, of_tower
from .untrusted import Weights, read_json, read_weights

FLOAT32 = 4  # bytes of a number
PER_TOKEN = 6  # tensors (N, D) that a trace keeps of a block: q, k, v, attention, FFN, residual


@dataclass(frozen=True)
class Description:
    """What there is.

    Attributes
    ----------
    source : as it was asked about
    kind : what kind of model it is, for people
    file : the weights that `load` would read; None if they are not on this disk
    parameters : numbers in them, or those of a model of the config's sizes
    model : of those sizes, without numbers; None where another library has to build it
    needs_library : whether another library has to build a tower
    """

    source: str
    kind: str
    file: Path | None
    parameters: int
    model: CLIP | None
    needs_library: bool

    @property
    def bytes_of_weights(self) -> int:
        """In memory, as float32."""
        return FLOAT32 * self.parameters

    @property
    def bytes_of_trace(self) -> int:
        """Of what `record` keeps of one image at the model's own size, as float32; 0: not known."""
        if self.model is None or "blocks" not in self.model.visual.has:
            return 0
        visual = self.model.visual
        patches = math.prod(visual.grid(*visual.image_size))
        width = visual.ln_post.normalized_shape[0]
        return FLOAT32 * (PER_TOKEN * len(visual.blocks) + 1) * (1 + patches) * width


def describe(
    source: str | Path | None, revision: str | None = None, told: Told = NOTHING_TOLD
) -> Description:
    """What a model is; no weights are downloaded for it, nor read.

    Parameters
    ----------
    source, revision : as for `load`, but for modules and state dicts
    told : what the caller says of weights without a config

    Raises
    ------
    FileNotFoundError, OSError, ValueError : as `load`, where config or sizes tell
    """
    name = hub.SHORT_NAMES.get(str(source), str(source))
    elsewhere = source is not None and not Path(source).exists()
    if elsewhere and hub.HUB_ID.fullmatch(name) and not hub.on_disk(name):
        return _by_config(name, hub.file_getter(name, revision))
    located = next(locate(source, revision))
    config = _config(located.at)
    if config is not None and _is_hosted(config):
        sharded = located.weights.name.endswith(INDEX)
        file = located.weights
        weights = read_shards(file, located.at) if sharded else read_weights(file)
        return Description(str(source), _kind(config), file, _count(weights), None, True)
    unfilled = look(source, revision, told)
    visual = unfilled.model.visual
    described = f"{_kind(config)}, a {visual.description}" if config else visual.description
    where = str(source) if source is not None else unfilled.provenance["model"]
    file = unfilled.where if isinstance(unfilled.where, Path) else None
    return Description(where, described, file, _count(unfilled.weights), unfilled.model, False)


def _by_config(name: str, at: Files) -> Description:
    """What the config says of weights that are not here."""
    config = _config(at)
    if config is None:
        raise FileNotFoundError(f"{name} has no config.json and no open_clip_config.json")
    if _is_hosted(config):
        return Description(name, _kind(config), None, 0, None, True)
    if "model_cfg" in config:
        model, _ = build_open_clip(config, name)
    elif is_image_only(config, ("text_model.",)):
        model, _, _ = build_image_only(config, Weights.there({}), name)
    else:
        model = build_hf(config, name)
    count = sum(weight.numel() for weight in model.parameters())
    described = f"{_kind(config)}, a {model.visual.description}"
    return Description(name, described, None, count, model, False)


def _config(at: Files) -> dict | None:
    for name in ("config.json", "open_clip_config.json"):
        if file := at(name):
            config = of_tower(read_json(file))
            if name.startswith("open") or config.get("model_type") is not None:
                return config
    return None


def _is_hosted(config: dict) -> bool:
    if "model_cfg" in config:
        return needs_open_clip(config)
    kind = config.get("model_type")
    return isinstance(kind, str) and kind in HOSTED


def _kind(config: dict) -> str:
    return (
        "in open_clip's layout"
        if "model_cfg" in config
        else f"transformers' {config['model_type']}"
    )


def _count(weights: Weights) -> int:
    return sum(tensor.numel() for tensor in weights.tensors.values())
