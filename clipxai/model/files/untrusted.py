"""How is a file from a stranger read, so that nothing in it runs and nothing it claims is believed?

Three kinds of weights files are read, all as plain tensors:

- `.safetensors` (`safe_tensors`): tensors are read one by one, so memory never holds the weights
  twice.
- `.pt`, `.bin` as torch saves them (`pickled`).
- TorchScript archives, the form of OpenAI's own files (`torchscript`). They contain a program,
  which is neither run nor compiled. Even so, weights decide what a model answers, so an archive
  that is not one of the nine with a published SHA-256 needs `trust=True`.

What remains: a well-formed file can still hold bad weights, and no check here can tell.
"""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from ...checks import visible
from ...results.writing import remember_input
from .pickled import expect_paid, read_pickled
from .safe_tensors import Stored
from .torchscript import Archive, is_torchscript

# larger than any there is (SigLIP 2's tokenizer has 34 MB)
CONFIG_BYTES, VOCABULARY_BYTES = 1 << 20, 1 << 26
OPENAI_SHA256 = {
    "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762": "RN50",
    "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599": "RN101",
    "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd": "RN50x4",
    "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa": "RN50x16",
    "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c": "RN50x64",
    "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af": "ViT-B/32",
    "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f": "ViT-B/16",
    "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836": "ViT-L/14",
    "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02": "ViT-L/14@336px",
}
# what people load by mistake, by how it begins
OTHER_KINDS = {
    b"GGUF": "a GGUF file, of llama.cpp",
    b"\x89HDF": "an HDF5 file, of Keras",
    b"ftrt": "a TensorRT engine",
    b"version https://git-lfs": "a git-lfs pointer: the weights themselves were never downloaded "
    "(git lfs pull)",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
}

# and by what it is called
PROGRAMS = {
    ".onnx": "an ONNX file, a program of its own",
    ".pt2": "a program of torch.export",
    ".msgpack": "a flax file",
    ".engine": "a TensorRT engine",
    ".plan": "a TensorRT engine",
    ".tflite": "a program of TensorFlow Lite",
}

EXPORTED = ("/archive_format", "serialized_exported_program.json")  # in a zip of torch.export
# what torch puts into names where it wraps a part: compile, FSDP, activation checkpointing
WRAPPED = re.compile(r"\b(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")


def bare(name: str) -> str:
    """A tensor's name as it is where no part of the model is wrapped."""
    return WRAPPED.sub("", name)


@dataclass(frozen=True)
class Weights:
    """Tensors by name, some of which may still lie on disk.

    Attributes
    ----------
    tensors : name -> tensor; its numbers may be missing (torch's "meta"), its size and kind not
    read : name -> the tensor with its numbers
    sha256 : of an archive whose publisher published it
    into : name -> what fills a tensor (count,) with its numbers from a place on, in any thread; or
        None, where they do not lie in a file as they are
    """

    tensors: dict[str, Tensor]
    read: Callable[[str], Tensor]
    sha256: str | None = None
    into: Callable[[str], Callable[[Tensor, int], None] | None] = lambda name: None

    @classmethod
    def there(cls, tensors: dict[str, Tensor], sha256: str | None = None) -> "Weights":
        """Tensors that are in memory already."""
        return cls(tensors, tensors.__getitem__, sha256)

    def behind(self, prefix: str) -> "Weights":
        """Those whose names begin with a prefix, without it, and without torch's wrappers."""
        theirs = {bare(n[len(prefix) :]): n for n in self.tensors if n.startswith(prefix)}
        if all(name == old for name, old in theirs.items()):
            return self
        return self.named(theirs)

    def named(self, theirs: Mapping[str, str]) -> "Weights":
        """Those that are named, name -> name here, under their new names."""
        return Weights(
            {name: self.tensors[old] for name, old in theirs.items()},
            lambda name: self.read(theirs[name]),
            self.sha256,
            lambda name: self.into(theirs[name]),
        )

    def with_others(self, others: Mapping[str, Tensor]) -> "Weights":
        """With tensors in memory beside these, or in place of those that have their names."""
        return Weights(
            {**self.tensors, **others},
            lambda name: others[name] if name in others else self.read(name),
            self.sha256,
            lambda name: None if name in others else self.into(name),
        )

    def halved(self, part: str, halves: tuple[str, str]) -> "Weights":
        """Those with `part` in their names as two each, their upper and their lower rows, which
        have one of `halves` there instead. ValueError: one of these is there as well.
        """
        whole = {name: t for name, t in self.tensors.items() if part in name and t.ndim}
        found = {
            name.replace(part, half): (name, n) for name in whole for n, half in enumerate(halves)
        }
        for name in found.keys() & self.tensors.keys():
            raise ValueError(
                f"both {found[name][0]!r} and {name!r} are there, and one holds the other"
            )

        def read(name: str) -> Tensor:
            name, n = found.get(name, (name, None))
            return self.read(name) if n is None else self.read(name).tensor_split(2)[n]

        tensors = {name: t for name, t in self.tensors.items() if name not in whole}
        tensors |= {name: whole[old].tensor_split(2)[n] for name, (old, n) in found.items()}
        return Weights(tensors, read, self.sha256)


def read_bytes(file: Path, most: int) -> bytes:
    """A file of at most `most` bytes.

    Raises
    ------
    ValueError : larger (noticed before anything is read)
    """
    if file.stat().st_size > most:
        raise ValueError(
            f"{file} has {file.stat().st_size:,} bytes; the largest such file in use has fewer "
            f"than {most:,}: it is not read"
        )
    remember_input(file)
    return file.read_bytes()


def read_text(file: Path, most: int) -> str:
    """A text file of at most `most` bytes.

    Raises
    ------
    ValueError : larger, or not UTF-8
    """
    try:
        return read_bytes(file, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} is not UTF-8 text: {error.reason} at byte {error.start}"
        ) from error


def read_json(file: Path, most: int = CONFIG_BYTES) -> dict:
    """A JSON object whose names are unique.

    Raises
    ------
    ValueError : too large, not JSON, nested without end, not an object, or a name twice
    """
    try:
        value = json.loads(read_text(file, most), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        message = f"{error}" if str(file) in str(error) else f"{file} is not readable JSON: {error}"
        raise ValueError(message.split("\n")[0]) from error
    if not isinstance(value, dict):
        raise ValueError(f"{file} must hold a JSON object, but holds a {type(value).__name__}")
    return value


def unique(pairs: list[tuple[str, object]]) -> dict:
    """An object of JSON; a ValueError for a name that stands twice, of which readers choose one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice!r} stands twice in one object")
    return found


def read_weights(file: Path, trust: bool = False) -> Weights:
    """The tensors of a weights file.

    Parameters
    ----------
    file : .safetensors, or anything torch writes
    trust : read a TorchScript archive whose SHA-256 nobody published

    Raises
    ------
    ValueError : damaged, or it holds more than tensors
    """
    _expect_weights(file)
    remember_input(file)
    try:
        with no_panic():
            return _read(file, trust)
    except (PermissionError, _NotTrusted):
        raise
    except Exception as error:  # a damaged pickle or zip can fail in any way there is
        reason = visible(str(error).strip().split("\n")[0]) or type(error).__name__
        raise ValueError(
            f"cannot read {file} as plain weights (damaged, or it holds more than tensors): "
            f"{reason}"
        ) from error


def _expect_weights(file: Path) -> None:
    """A ValueError for a file of another kind, which `torch` would call a damaged pickle."""
    with file.open("rb") as opened:
        begin = opened.read(64)
    kind = next((kind for mark, kind in OTHER_KINDS.items() if begin.startswith(mark)), None)
    # protobuf has no mark: field 1, a small number (the version), then another field
    if file.suffix in PROGRAMS:
        kind = PROGRAMS[file.suffix]
    elif re.match(rb"\x08[\x01-\x20][\x10\x12\x1a:]", begin):
        kind = PROGRAMS[".onnx"]
    # nor has msgpack: a small dictionary whose first name is a short string
    elif re.match(rb"[\x81-\x8f][\xa1-\xbf][a-z_]", begin):
        kind = PROGRAMS[".msgpack"]
    elif begin.startswith(b"PK") and _is_exported(file):
        kind = PROGRAMS[".pt2"]
    if kind:
        raise ValueError(
            f"{file} is {kind}; weights are read from .safetensors, or from what torch saves: "
            "load the checkpoint that it was made from"
        )


def _is_exported(file: Path) -> bool:
    """Whether a zip is one of torch.export's."""
    # a damaged one its reader refuses
    with suppress(Exception), zipfile.ZipFile(file) as archive:
        return any(name.endswith(EXPORTED) for name in archive.namelist())
    return False


def _read(file: Path, trust: bool) -> Weights:
    if file.suffix == ".safetensors":
        stored = Stored(file, unique)
        return Weights(stored.sizes, stored.read, into=lambda name: partial(stored.read_into, name))
    sha256 = None
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            _expect_stored(archive)
            if is_torchscript(archive):
                sha256 = _published(file, trust)
                tensors = Archive(archive).tensors()
    if sha256 is None:
        tensors = read_pickled(file)
    expect_paid(tensors, file.stat().st_size)
    return Weights.there(tensors, sha256)


@contextmanager
def no_panic() -> Iterator[None]:
    """What fails in a library written in Rust is a ValueError: its panics are made so that
    `except Exception` lets them through.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"a library broke down on it: {visible(str(error))[:200]}") from error


def _expect_stored(archive: zipfile.ZipFile) -> None:
    """A compressed tensor is not torch's doing, and may be small on disk and huge in memory."""
    for entry in archive.infolist():
        program = "/code/" in entry.filename and entry.filename.endswith((".py", ".debug_pkl"))
        if entry.compress_type != zipfile.ZIP_STORED and not program:
            raise ValueError(
                "it is compressed, as torch does with programs only (which are not read)"
            )


class _NotTrusted(ValueError):
    """An archive that nobody vouched for."""


def _published(file: Path, trust: bool) -> str:
    """SHA-256 of an archive, if OpenAI published it or the caller trusts it."""
    sha256 = sha256_of(file)
    if sha256 not in OPENAI_SHA256 and not trust:
        raise _NotTrusted(
            f"{file} is a TorchScript archive with SHA-256 {sha256[:12]}…, none of the nine that "
            "OpenAI published: pass trust=True if you know where it comes from (only its tensors "
            "are read; the program in it is never run)"
        )
    return sha256


def sha256_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
