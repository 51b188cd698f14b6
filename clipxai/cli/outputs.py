"""Where do results go? Never onto what they are made from, nor onto one another."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def expect_apart(
    outputs: Iterable[str | Path], inputs: Iterable[str | Path | None], *, found: bool = False
) -> None:
    """A ValueError, before anything runs, if two outputs are one file or one of them is an input.

    Links and hard links count as the file they lead to, and small and large letters as the same,
    as macOS and Windows do, unless the names were `found` on this file system beside each other.
    """
    read = {name for path in inputs if path is not None for name in _names(path)}
    written: set[object] = set()
    for output in outputs:
        names = set(_names(output))
        if names & read:
            raise ValueError(
                f"{output} is what is read: writing there would destroy it; choose another name"
            )
        if not found:
            names.add(os.path.realpath(output).casefold())
        if names & written:
            raise ValueError(
                f"{output} would be written twice: give every output a name of its own"
            )
        written |= names


def _names(path: str | Path) -> Iterator[object]:
    """What a file is known by, the same for all that leads to it; sets of them, as there may be a
    hundred thousand files.
    """
    # normcase: Windows takes large and small letters for the same
    yield os.path.normcase(os.path.realpath(path))
    with suppress(OSError, ValueError):  # it is not there, or no file can be called so
        state = os.stat(path)
        yield state.st_dev, state.st_ino
