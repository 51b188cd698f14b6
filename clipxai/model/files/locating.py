"""Where does a checkpoint lie? In the package, in a folder, in a file, or on the hub."""

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path, PurePath
from typing import NamedTuple

from ...checks import shown, visible
from . import hub
from .hugging_face import HF_TYPES
from .untrusted import read_json

EMBEDDED = files("clipxai.data") / "emoji-world-vit"
EMBEDDED_NAME = "Emoji World CLIP (embedded)"
PAIRS = (  # what a folder or a repository may hold, the safest first
    ("config.json", "model.safetensors"),
    ("open_clip_config.json", "open_clip_model.safetensors"),
    ("config.json", "pytorch_model.bin"),
    ("open_clip_config.json", "open_clip_pytorch_model.bin"),
)
SUFFIXES = (".safetensors", ".pt", ".bin")
# where a file of a checkpoint lies, by its name; None if there is none
Files = Callable[[str], Path | None]


class Located(NamedTuple):
    """The weights file, where its companions are, and what to remember of where it came from."""

    weights: Path
    at: Files
    provenance: dict[str, str]


def locate(source: str | Path | None, revision: str | None) -> Located:
    """The files of a checkpoint: the embedded one, one on this disk, or one on the hub.

    Raises
    ------
    FileNotFoundError, ValueError : as `load`
    """
    _expect_place(source)
    path = Path(str(EMBEDDED)) if source is None else Path(source)
    if not _exists(path):
        return _on_hub(str(source), revision)
    if revision is not None:
        raise ValueError(
            f"revision={revision!r} is for models on the hub, but {path} is on this disk"
        )
    if path.is_file():
        return Located(path, beside(path.parent), {"model": path.stem, "source": str(source)})
    if not path.is_dir():  # a device, a pipe
        raise ValueError(f"{path} is neither a file nor a folder")
    at = beside(path)
    name = EMBEDDED_NAME if source is None else path.name
    provenance = {"model": name, "source": str(source or "embedded")}
    return Located(_weights_file(at, path), at, provenance)


def _expect_place(source: object) -> None:
    """What people pass besides places, and what to do with it."""
    if isinstance(source, Mapping):
        raise TypeError(
            "a state dict says nothing of heads, activation and vocabulary: pass the module that "
            "it belongs to, or save both in a folder and pass that"
        )
    if source is not None and not isinstance(source, (str, PurePath)):
        raise TypeError(
            "a model is a folder, a file, a name on the hub or a module, not "
            f"{type(source).__name__}"
        )
    if source is not None and not str(source).strip():
        raise ValueError(
            "the name of the model is empty: leave it out for the embedded model, or pass '.' for "
            "this folder"
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name no file system takes, so no file of this disk
        return False


def _on_hub(source: str, revision: str | None) -> Located:
    name = hub.SHORT_NAMES.get(source, source)
    # OpenAI's way of naming, for which the hub would be asked in vain
    if re.fullmatch(r"ViT-\w+/\d+(@\d+px)?", name):
        nearest = get_close_matches(name, hub.SHORT_NAMES, n=1, cutoff=0)[0]
        raise FileNotFoundError(f"OpenAI published no model {name!r}; nearest: {nearest}")
    if not hub.HUB_ID.fullmatch(name):
        raise FileNotFoundError(
            f"no checkpoint at {visible(source[:200])}: pass a folder (config.json, "
            "model.safetensors, vocab.json, merges.txt), a weights file, a name on the hub "
            "(owner/model), one of "
            f"{', '.join(hub.SHORT_NAMES)}, or nothing for the embedded model"
        )
    at = hub.file_getter(name, revision)
    file = _weights_file(at, name)
    provenance = {
        "model": name.split("/")[1],
        "source": name,
        "revision": file.parent.name,  # …/snapshots/<commit>/<name>
    }
    return Located(file, at, provenance)


def beside(folder: Path) -> Files:
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
    if isinstance(where, Path) and (lone := _lone_file(where)):
        return lone
    if kinds and not any(kind in HF_TYPES for kind in kinds):
        raise ValueError(
            f"{where} describes a {shown(kinds[0])} model, not {' or '.join(map(repr, HF_TYPES))}"
        )
    wanted = ", ".join(f"{weights} with {described}" for described, weights in PAIRS)
    # a folder can be listed; what a repository holds besides is not asked for
    listed = ", ".join(sorted(os.listdir(where))) if isinstance(where, Path) else None
    found = "" if listed is None else f"; found: {listed or 'nothing'}"
    raise FileNotFoundError(f"no weights in {where}: looked for {wanted}{found}")


def _lone_file(folder: Path) -> Path | None:
    """The only weights file of a folder, whatever its name; of several, none."""
    weights = [file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file()]
    return weights[0] if len(weights) == 1 else None
