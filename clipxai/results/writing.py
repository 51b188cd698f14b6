"""How does a result get onto a disk? Complete or not at all, by one run in a folder at a time, and
never onto what was read.

What is written lies beside its place, as a draft, until it is complete. Whoever writes holds a lock
on its draft, so the draft of a process that was killed is known by having none, and the next
process that writes there removes it. Locks are those of Linux and macOS; on Windows, and on file
systems without them, such drafts stay, and two runs at once are not noticed.
"""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import FileIO
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# device and number of every image, annotation and checkpoint that this process has read
_inputs: set[tuple[int, int]] = set()
DRAFT = re.compile(r"\.clipxai-[0-9a-f]{16}(\.[^.]*)?")


def remember_input(source: object) -> None:
    """From now on, `replacing` refuses this file; what is no path of a file that is there is none.

    A path, or an open file or PIL image that knows its own.
    """
    if not isinstance(source, str | Path):
        source = getattr(source, "filename", None) or getattr(source, "name", None)
    if isinstance(source, str | Path) and os.path.isfile(source):
        _inputs.add(_identity(source))


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A draft beside `path` that takes its place when all went well and is removed otherwise. Its
    name is short, so that it fits wherever `path` does, and nobody can foresee it.

    What this process has read as an image or a checkpoint is never replaced, whatever link leads to
    it.

    Raises
    ------
    FileNotFoundError : the folder does not exist
    OSError : it cannot be written, as on a full disk; the message names `path`
    ValueError : `path` is a file that was read
    """
    path = Path(path)
    expect_replaceable(path)
    with _draft(path, path.suffix, lambda draft: draft.touch(exist_ok=False)) as draft:
        yield draft
    _inputs.discard(_identity(path))  # numbers of files that are gone are given out again


def expect_replaceable(path: Path) -> None:
    """The error of `replacing` where it refuses a path, before there is work behind it."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot save {path.name!r}: there is no folder {str(path.parent)!r}; make it first"
        )
    if os.path.isfile(path) and _identity(path) in _inputs:
        raise ValueError(
            f"{path} is what was read: writing there would destroy it; choose another name"
        )


@contextmanager
def appearing(folder: Path) -> Iterator[Path]:
    """As `replacing`, a whole folder that does not exist yet; its parents are made."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _draft(folder, "", Path.mkdir) as draft:
        yield draft


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make a folder, and be the only run that writes there; if nothing was written it goes again.

    Raises
    ------
    ValueError : another run writes there
    NotADirectoryError : there is a file in its place, or in that of a folder above it
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise NotADirectoryError(
            f"cannot write into {folder}: it, or what stands before it, is a file; choose another "
            "folder"
        ) from None
    try:
        lock = _lock(folder)
    except BlockingIOError:
        raise ValueError(
            f"another run is writing into {folder}: wait until it is done, or choose another folder"
        ) from None
    try:
        yield
    finally:
        _let_go(lock)
        for path in made:
            with suppress(OSError):  # there is something in it
                path.rmdir()


def append(lines: FileIO, said: bytes) -> None:
    """Write at the end of an unbuffered file: an OSError unless all of it is there."""
    if lines.write(said) < len(said):  # what fits is written, without a word
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(lines.name))


@contextmanager
def _draft(path: Path, suffix: str, make: Callable[[Path], object]) -> Iterator[Path]:
    _clear(os.path.abspath(path.parent))
    try:
        draft, lock = _new_draft(path, suffix, make)
        try:
            yield draft
            os.replace(draft, path)
        finally:
            _remove(draft)
            _let_go(lock)
    except OSError as error:
        if error.strerror is None:  # a sentence of our own
            raise
        # the system names the draft, or, of a full disk, nothing
        raise OSError(error.errno, f"cannot save {str(path)!r}: {error.strerror}") from error


def _new_draft(path: Path, suffix: str, make: Callable[[Path], object]) -> tuple[Path, int | None]:
    """A draft of nobody else, and its lock."""
    while True:
        draft = path.with_name(f".clipxai-{secrets.token_hex(8)}{suffix}")
        make(draft)  # new: a link that lies there is an error, and nothing is written through it
        # between the two lines, another process may take it for one that was left, and remove it
        with suppress(BlockingIOError, FileNotFoundError):
            lock = _lock(draft)
            if draft.exists():
                return draft, lock
            _let_go(lock)


@lru_cache(64)  # once in a process: looking through a large folder takes time
def _clear(folder: str) -> None:
    """Remove the drafts of processes that were killed."""
    if fcntl is None:
        return
    for entry in [*os.scandir(folder)]:
        if not DRAFT.fullmatch(entry.name) or entry.is_symlink():
            continue
        with suppress(OSError):  # somebody writes it, or it has just got its place
            lock = _lock(entry.path)
            if lock is not None:
                _remove(Path(entry.path))
                _let_go(lock)


def _remove(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)


def _lock(path: str | Path) -> int | None:
    """A handle that holds the lock of a file or folder; None where there are no locks.

    Raises
    ------
    BlockingIOError : somebody else holds it
    """
    if fcntl is None:
        return None
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:  # a file system without locks
        os.close(handle)
        return None
    return handle


def _let_go(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)


def _identity(path: str | Path) -> tuple[int, int]:
    """The same for all names of a file."""
    state = os.stat(path)
    return state.st_dev, state.st_ino
