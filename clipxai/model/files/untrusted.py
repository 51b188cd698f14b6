"""How is a file from a stranger read, so that nothing in it runs and nothing it claims is believed?

Three kinds of weights files are read, all as plain tensors:

- `.safetensors`: a length, a JSON header, bytes. The safetensors library checks the header; tensors
  are copied out one by one, so a file that changes later cannot change a model, and memory never
  holds the weights twice.
- `.pt`, `.bin` as torch saves them: `torch.load(weights_only=True)`.
- TorchScript archives, the form of OpenAI's own files (`torchscript`). They contain a program,
  which is neither run nor compiled. Even so, weights decide what a model answers, so an archive
  that is not one of the nine with a published SHA-256 needs `trust=True`.

What remains: a well-formed file can still hold bad weights, and no check here can tell.
"""

import hashlib
import json
import mmap
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

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
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


@dataclass(frozen=True)
class Weights:
    """Tensors by name, some of which may still lie on disk.

    Attributes
    ----------
    tensors : name -> tensor, to be copied from
    release : gives the memory of what was read so far back to the system
    sha256 : of an archive whose publisher published it
    """

    tensors: dict[str, Tensor]
    release: Callable[[], None] = lambda: None
    sha256: str | None = None


def read_text(file: Path, most: int) -> str:
    """A text file of at most `most` bytes.

    Raises
    ------
    ValueError : larger (noticed before anything is read), or not UTF-8
    """
    if file.stat().st_size > most:
        raise ValueError(
            f"{file} has {file.stat().st_size:,} bytes; the largest such file in use has fewer "
            f"than {most:,}: it is not read"
        )
    try:
        return file.read_bytes().decode("utf-8")
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
        value = json.loads(read_text(file, most), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        message = f"{error}" if str(file) in str(error) else f"{file} is not readable JSON: {error}"
        raise ValueError(message.split("\n")[0]) from error
    if not isinstance(value, dict):
        raise ValueError(f"{file} must hold a JSON object, but holds a {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, object]]) -> dict:
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
    try:
        if file.suffix == ".safetensors":
            return _read_safetensors(file)
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                _expect_stored(archive)
                if is_torchscript(archive):
                    sha256 = _published(file, trust)
                    return Weights(Archive(archive).tensors(), sha256=sha256)
        return Weights(_state_dict(torch.load(file, map_location="cpu", weights_only=True)))
    except (PermissionError, _NotTrusted):
        raise
    except Exception as error:  # a damaged pickle or zip can fail in any way there is
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ValueError(
            f"cannot read {file} as plain weights (damaged, or it holds more than tensors): "
            f"{reason}"
        ) from error


def _expect_stored(archive: zipfile.ZipFile) -> None:
    """A compressed tensor is not torch's doing, and may be small on disk and huge in memory."""
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED and "/code/" not in entry.filename:
            raise ValueError(
                "it is compressed, as torch does with programs only (which are not read)"
            )


def _read_safetensors(file: Path) -> Weights:
    """The file mapped into memory; its header is checked by the library, and here for names that
    stand twice.
    """
    with safe_open(file, framework="pt"):  # the library's check of header and offsets
        pass
    with file.open("rb") as opened:
        # a private copy of each page that is written to, so torch may have it and the file stays
        data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length], object_pairs_hook=_unique)
    header.pop("__metadata__", None)
    tensors = {name: _mapped(name, entry, data, 8 + length) for name, entry in header.items()}

    def release() -> None:
        if hasattr(data, "madvise"):  # not on Windows
            data.madvise(mmap.MADV_DONTNEED)

    return Weights(tensors, release)


def _mapped(name: str, entry: dict, data: mmap.mmap, begin: int) -> Tensor:
    """One tensor of a mapped file whose numbers begin at byte `begin`."""
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"tensor {name!r} is kept as {entry['dtype']}, not as {', '.join(DTYPES)}")
    dtype, (start, stop) = DTYPES[entry["dtype"]], entry["data_offsets"]
    if stop == start:  # torch maps no empty buffer
        return torch.empty(0, dtype=dtype).view(entry["shape"])
    count = (stop - start) // dtype.itemsize
    flat = torch.frombuffer(data, dtype=dtype, count=count, offset=begin + start)
    return flat.view(entry["shape"])


def _state_dict(saved: object) -> dict[str, Tensor]:
    """A plain state dict, also out of a training checkpoint ({"state_dict": …}, names behind
    "module.").
    """
    if isinstance(saved, dict) and isinstance(saved.get("state_dict"), dict):
        saved = saved["state_dict"]
    plain = isinstance(saved, dict) and all(isinstance(t, Tensor) for t in saved.values())
    if not plain:
        raise ValueError(
            "it holds no plain state dict (name -> tensor); save the model's state_dict()"
        )
    return {name.removeprefix("module."): tensor for name, tensor in saved.items()}


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
