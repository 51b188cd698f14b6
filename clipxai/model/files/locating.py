"""Where does a checkpoint lie? In the package, in a folder, in a file, or on the hub."""

import json
import os
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import partial
from importlib.resources import files
from pathlib import Path, PurePath
from typing import NamedTuple

from ...checks import visible
from . import hub
from .transformers_types import KNOWN, of_tower, why_not
from .untrusted import CONFIG_BYTES, read_json, read_text

EMBEDDED = files("clipxai.data") / "emoji-world-vit"
EMBEDDED_NAME = "Emoji World CLIP (embedded)"
PAIRS = (  # what a folder or a repository may hold, the safest first
    ("config.json", "model.safetensors"),
    ("config.json", "model.safetensors.index.json"),
    ("open_clip_config.json", "open_clip_model.safetensors"),
    ("config.json", "pytorch_model.bin"),
    ("config.json", "pytorch_model.bin.index.json"),
    ("open_clip_config.json", "open_clip_pytorch_model.bin"),
)
ADAPTERS = (  # of peft; a folder on this disk is asked for them first, a repository last
    ("adapter_config.json", "adapter_model.safetensors"),
    ("adapter_config.json", "adapter_model.bin"),
)
SHARD = re.compile(r"-\d{5}-of-\d{5}\.")
WITHIN = ("", "0_CLIPModel/")  # the folder itself, or where sentence-transformers keeps its CLIP
SUFFIXES = (".safetensors", ".pt", ".bin", ".pth", ".ckpt")
OTHER_FILES = {  # what a folder may hold instead, by how its name ends
    ".onnx": "ONNX",
    ".gguf": "GGUF",
    ".pt2": "torch.export",
    ".msgpack": "flax",
    ".h5": "Keras",
    ".engine": "TensorRT",
    ".plan": "TensorRT",
    ".tflite": "TensorFlow Lite",
    ".mlpackage": "Core ML",
}
# where a file of a checkpoint lies, by its name; None if there is none
Files = Callable[[str], Path | None]


class Located(NamedTuple):
    """A weights file, where its companions are, and what to remember of where it came from."""

    weights: Path
    at: Files
    provenance: dict[str, str]


def locate(source: str | Path | None, revision: str | None) -> Iterator[Located]:
    """The files of a checkpoint: the embedded one, one on this disk, or one on the hub. If a folder
    holds several that may be read, all of them, the safest first; whoever stops at the first
    downloads no other.

    Raises
    ------
    FileNotFoundError, ValueError : as `load`
    """
    _expect_place(source)
    path = Path(str(EMBEDDED)) if source is None else Path(source)
    if not _exists(path):
        yield from _on_hub(str(source), revision)
        return
    if revision is not None:
        raise ValueError(
            f"revision={revision!r} is for models on the hub, but {path} is on this disk"
        )
    if path.is_file():
        if SHARD.search(path.name):
            raise ValueError(f"{path} is one of several files of a model: pass their folder")
        if path.suffix == ".json" and not path.name.endswith(".index.json"):
            raise ValueError(f"{path} holds no weights: pass its folder, or the weights beside it")
        yield Located(path, beside(path.parent), {"model": path.stem, "source": str(source)})
        return
    if not path.is_dir():  # a device, a pipe
        raise ValueError(f"{path} is neither a file nor a folder")
    name = EMBEDDED_NAME if source is None else path.name
    for file, at in _weights_files(beside(path), path):
        yield Located(file, at, {"model": name, "source": str(source or "embedded")})


def _expect_place(source: object) -> None:
    """What people pass besides places, and what to do with it."""
    if source is not None and not isinstance(source, (str, PurePath)):
        raise TypeError(
            "a model is a folder, a file, a name on the hub, a module or a state dict, not "
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


def _on_hub(source: str, revision: str | None) -> Iterator[Located]:
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
    for file, at in _weights_files(hub.file_getter(name, revision), name):
        # …/snapshots/<commit>/<name>, or one folder deeper
        commit = file.parents[f"{file.parent.name}/" in WITHIN].name
        provenance = {"model": name.split("/")[1], "source": name, "revision": commit}
        yield Located(file, at, provenance)


def beside(folder: Path) -> Files:
    """The regular files of a folder (no devices, no pipes; links are followed, as the hub's cache
    consists of them).
    """
    return lambda name: folder / name if (folder / name).is_file() else None


def _weights_files(at: Files, where: Path | str) -> Iterator[tuple[Path, Files]]:
    """The weights of a folder or repository, and where their companions lie: those of `PAIRS` that
    are there and whose config is of a kind we read, one for each config.
    """
    pairs = (*ADAPTERS, *PAIRS) if isinstance(where, Path) else (*PAIRS, *ADAPTERS)
    kinds, none = [], True
    for within in WITHIN:
        here = partial(_within, at, within)
        seen = set()
        for described, weights in pairs:
            if described in seen or (config := here(described)) is None:
                continue
            kind = _kind(config)
            kinds.append(kind)
            if kind in KNOWN and (file := here(weights)):
                if within:
                    _expect_alone(at)
                seen.add(described)
                none = False
                yield file, here
                if described == ADAPTERS[0][0]:
                    return
        if not none:
            return
    yield _by_itself(where, kinds), at


def _by_itself(where: Path | str, kinds: list[object]) -> Path:
    """The only weights file of a folder, whatever its name.

    Raises
    ------
    FileNotFoundError, ValueError : none, or several
    """
    lone = []
    if isinstance(where, Path):
        lone = sorted(f for f in where.iterdir() if f.suffix in SUFFIXES and f.is_file())
    if len(lone) == 1:
        return lone[0]
    if kinds and not any(kind in KNOWN for kind in kinds):
        raise ValueError(f"{where} {why_not(kinds[0])}")
    if lone:
        some = ", ".join(visible(file.name) for file in lone[:4])
        raise ValueError(f"{where} holds {len(lone)} weights files, such as {some}: pass one")
    raise FileNotFoundError(_nothing_in(where))


def _expect_alone(at: Files) -> None:
    """A ValueError if sentence-transformers puts more behind its CLIP than a norm."""
    file = at("modules.json")
    try:
        parts = json.loads(read_text(file, CONFIG_BYTES)) if file else []
        kinds = [str(part.get("type", "")).rpartition(".")[2] for part in parts]
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(f"{file} is no modules.json of sentence-transformers") from error
    if odd := [kind for kind in kinds[1:] if kind != "Normalize"]:
        raise ValueError(
            f"{file} puts a {visible(odd[0])[:40]} behind the CLIP, which is not read: load its "
            f"folder {WITHIN[1][:-1]} for the CLIP alone"
        )


def _within(at: Files, folder: str, name: str) -> Path | None:
    return at(folder + name)


def _kind(config: Path) -> object:
    """What kind of model a config says it is of; open_clip's and peft's say nothing of it."""
    silent = config.name.startswith(("open_clip", "adapter"))
    return "clip" if silent else of_tower(read_json(config)).get("model_type")


def _nothing_in(where: Path | str) -> str:
    """What was looked for and, as a folder can be listed and a repository is not, what is there."""
    wanted = ", ".join(f"{weights} with {described}" for described, weights in PAIRS)
    if not isinstance(where, Path):
        return f"no weights in {where}: looked for {wanted}"
    listed = sorted(os.listdir(where))
    for name in listed:
        if other := OTHER_FILES.get(Path(name).suffix):
            return (
                f"no weights in {where} that can be read: {visible(name)} is of {other}; load the "
                f"checkpoint that it was made from ({', '.join(SUFFIXES)})"
            )
    return f"no weights in {where}: looked for {wanted}; found: {', '.join(listed) or 'nothing'}"
