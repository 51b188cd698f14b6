"""Where do results go? Never onto what they are made from, nor onto one another."""

import os
from collections.abc import Iterable
from pathlib import Path


def expect_apart(
    outputs: Iterable[str | Path], inputs: Iterable[str | Path | None], *, found: bool = False
) -> None:
    """A ValueError, before anything runs, if two outputs are one file or one of them is an input.

    Links and hard links count as the file they lead to, and small and large letters as the same,
    as macOS and Windows do, unless the names were `found` on this file system beside each other.
    """
    read = [Path(path) for path in inputs if path is not None]
    written: list[Path] = []
    for output in map(Path, outputs):
        if any(_same(output, other) for other in read):
            raise ValueError(
                f"{output} is what is read: writing there would destroy it; choose another name"
            )
        if any(_same(output, other) or (not found and _alike(output, other)) for other in written):
            raise ValueError(
                f"{output} would be written twice: give every output a name of its own"
            )
        written.append(output)


def _alike(one: Path, other: Path) -> bool:
    return os.path.realpath(one).casefold() == os.path.realpath(other).casefold()


def _same(one: Path, other: Path) -> bool:
    # normcase: Windows takes large and small letters for the same
    if os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other)):
        return True
    # of os.path, which takes a name that is too long for one that is not there
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)
