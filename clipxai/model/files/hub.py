"""How does a model come from the Hugging Face hub? File by file, only those that are asked for,
through huggingface_hub.

Its cache, its progress bars, resumed downloads, `HF_HUB_OFFLINE`, `HF_HOME`, `HF_ENDPOINT` and
tokens are its own and work as everywhere. Two things are added: errors of one line that say what to
do, and a check of every downloaded file against the SHA-256 under which the hub announced it
(git-lfs files, which weights are; the cache names them so).
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .untrusted import sha256_of

HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Known:
    """A model that can be named.

    Attributes
    ----------
    id : on the hub
    licence : as its page on the hub says it ("not stated" there, or "see its page": not verified
        here)
    parameters : of both towers
    short : OpenAI's name for it, which `load` takes as well
    """

    id: str
    licence: str
    parameters: int
    short: str = ""

    @property
    def megabytes(self) -> int:
        """Size of the float32 weights, four bytes a parameter: what is downloaded, a few files of
        words aside.
        """
        return round(4 * self.parameters / 1e6)


KNOWN = (
    Known("timm/vit_base_patch32_clip_224.openai", "Apache-2.0", 151_277_313, "ViT-B/32"),
    Known("timm/vit_base_patch16_clip_224.openai", "Apache-2.0", 149_620_737, "ViT-B/16"),
    Known("timm/vit_large_patch14_clip_224.openai", "Apache-2.0", 427_616_513, "ViT-L/14"),
    Known("timm/vit_large_patch14_clip_336.openai", "see its page", 427_944_193, "ViT-L/14@336px"),
    Known("timm/resnet50_clip.openai", "MIT", 102_007_137, "RN50"),
    Known("timm/resnet101_clip.openai", "MIT", 119_688_033, "RN101"),
    Known("timm/resnet50x4_clip.openai", "MIT", 178_300_601, "RN50x4"),
    Known("timm/resnet50x16_clip.openai", "MIT", 290_979_217, "RN50x16"),
    Known("timm/resnet50x64_clip.openai", "MIT", 623_258_305, "RN50x64"),
    Known("openai/clip-vit-base-patch32", "not stated", 151_277_313),
    Known("openai/clip-vit-base-patch16", "not stated", 149_620_737),
    Known("openai/clip-vit-large-patch14", "not stated", 427_616_513),
    Known("openai/clip-vit-large-patch14-336", "not stated", 427_944_193),
    Known("laion/CLIP-ViT-B-16-laion2B-s34B-b88K", "MIT", 149_620_737),
    Known("facebook/metaclip-b16-fullcc2.5b", "CC-BY-NC-4.0", 149_620_737),
    Known("google/siglip-base-patch16-224", "Apache-2.0", 203_155_970),
    Known("google/siglip2-base-patch16-224", "see its page", 375_187_970),
)
SHORT_NAMES = {model.short: model.id for model in KNOWN if model.short}


def file_getter(repository: str, revision: str | None) -> Callable[[str], Path | None]:
    """A function from a file's name to where it lies on disk, downloading it if need be; None for a
    file the repository does not have.

    The path ends in …/snapshots/<commit>/<name>.

    Raises
    ------
    Nothing itself; the function it returns:
    ValueError : no such model or revision, or no access
    OSError : the hub cannot be reached and the file is not cached, or what came is not what was
        announced
    """
    return cache(lambda name: _download(repository, name, revision))


def _download(repository: str, name: str, revision: str | None) -> Path | None:
    # a third of a second, only for those who need it
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    # a path; or a mark that it is known not to exist; or None
    cached: object = None
    try:
        cached = try_to_load_from_cache(repository, name, revision=revision)
        with _silent_retries():
            file = Path(hf_hub_download(repository, name, revision=revision))
    # of huggingface_hub, or, by its version, of requests, httpx or httpx2
    except Exception as error:
        if _does_not_exist(error, cached):
            return None
        raise _in_one_line(error, repository, name, revision) from error
    if not isinstance(cached, str):
        _check(file)
    return file


@contextmanager
def _silent_retries() -> Iterator[None]:
    """Without its ten lines on trying again: if it is in vain, ours says so."""
    logger = logging.getLogger("huggingface_hub")
    usual = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(usual)


def _does_not_exist(error: Exception, cached: object) -> bool:
    """Whether the repository is known not to have a file, and not only the network to be down."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError):  # unreachable; a kind of EntryNotFoundError, too
        return cached is not None
    return isinstance(error, EntryNotFoundError)


def _in_one_line(
    error: Exception, repository: str, name: str, revision: str | None
) -> ValueError | OSError:
    """What went wrong and what to do."""
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    page = f"{constants.ENDPOINT}/{repository}"
    status = getattr(getattr(error.__cause__ or error, "response", None), "status_code", None)
    # before RepositoryNotFoundError, of which it is a kind
    if isinstance(error, GatedRepoError):
        return ValueError(
            f"{repository} is gated: accept its terms on {page} and log in (`hf auth login`, or "
            "set HF_TOKEN)"
        )
    if isinstance(error, RevisionNotFoundError):
        return ValueError(
            f"{repository} has no revision {revision!r}; its branches and commits stand on "
            f"{page}/commits"
        )
    if isinstance(error, HFValidationError):
        reason = str(error).splitlines()[0]
        return ValueError(f"{repository!r} is not the name of a model on the hub: {reason}")
    if isinstance(error, RepositoryNotFoundError) or status in (401, 403):
        return ValueError(
            f"no folder {repository!r} here, and no such model on {constants.ENDPOINT} that you "
            "may read: check the name, or log in for a private one (`hf auth login`, or set "
            "HF_TOKEN)"
        )
    why = f"it answered {status}" if status else type(error.__cause__ or error).__name__
    if constants.HF_HUB_OFFLINE:
        why = "HF_HUB_OFFLINE is set"
    return OSError(
        f"{name} of {repository} is not in the cache ({constants.HF_HUB_CACHE}), and "
        f"{constants.ENDPOINT} cannot be reached ({why}): copy the model's folder from a machine "
        "that has it and load that folder, or use the embedded model, load()"
    )


def _check(file: Path) -> None:
    """Compare a fresh download with the SHA-256 that the cache named it by; a false one is
    removed.
    """
    blob = file.resolve()
    if SHA256.fullmatch(blob.name) and sha256_of(blob) != blob.name:
        file.unlink()
        blob.unlink()
        raise OSError(
            f"what was downloaded as {file.name} is not what the hub announced (its SHA-256 "
            "differs), and was removed: try again"
        )


def on_disk(repository: str) -> bool:
    """Whether the weights of a model are in huggingface_hub's cache (its default branch)."""
    from huggingface_hub import try_to_load_from_cache

    names = (
        "open_clip_model.safetensors",
        "model.safetensors",
        "open_clip_pytorch_model.bin",
        "pytorch_model.bin",
    )
    return any(isinstance(try_to_load_from_cache(repository, name), str) for name in names)
