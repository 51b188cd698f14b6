"""Which files does a pattern with `*`, `?`, `[` and `**` name? As Python's `glob` says it, but for
links: a folder is looked into once, however many ways lead to it. Two links to "." are 2 to the
40th ways.
"""

import os
from collections import deque
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

MAGIC = frozenset("*?[")


def is_pattern(where: str) -> bool:
    """Whether a name is a pattern; a file may have such a sign in its name, too."""
    return bool(MAGIC.intersection(where)) and not os.path.exists(where)


def split_pattern(where: str | Path) -> tuple[Path, str]:
    """The folder that a pattern starts from, and the rest.

    A folder that is there belongs to the first part, even if its name has a `*`, `?` or `[`.

    Examples
    --------
    >>> split_pattern("photos/**/*.jpg")[1]
    '**/*.jpg'
    """
    root, parts = Path(Path(where).anchor), list(Path(where).parts)
    parts = parts[1:] if root.anchor else parts
    while parts and (not MAGIC.intersection(parts[0]) or os.path.isdir(root / parts[0])):
        root /= parts.pop(0)
    return root, os.path.join(*parts) if parts else ""


def matching(pattern: str | Path, root: Path | None = None) -> list[Path]:
    """Everything that a pattern names, files and folders, in no order; hidden ones only where the
    pattern begins with a dot there.

    Parameters
    ----------
    pattern : where `*`, `?` and `[` stand for letters, and `**` for folders, any number of them
    root : a folder that it starts from, whatever signs are in its name

    Examples
    --------
    >>> matching("*.npz")
    []
    """
    pattern = Path(pattern)
    places = [root or Path(pattern.anchor)]
    parts = pattern.parts[1:] if pattern.anchor else pattern.parts
    for n, part in enumerate(parts, 1):
        found = (below for place in places for below in _step(place, part, last=n == len(parts)))
        places = list(dict.fromkeys(found))
    return places


def _step(place: Path, part: str, last: bool) -> Iterator[Path]:
    """What one part of a pattern names in a folder."""
    if part == "**":
        for folder in _folders(place):
            yield folder
            if last:  # then files as well
                yield from (below for below in _entries(folder) if not below.is_dir())
    elif not MAGIC.intersection(part):
        if os.path.lexists(place / part):
            yield place / part
    else:
        hidden = part.startswith(".")
        yield from (below for below in _entries(place, hidden) if fnmatch(below.name, part))


def _folders(place: Path) -> Iterator[Path]:
    """A folder and all below it; those behind links after the others, so that what lies here goes
    by its own name.
    """
    seen: set[tuple[int, int]] = set()
    waiting, behind_links = deque([place]), deque[Path]()
    while waiting or behind_links:
        folder = waiting.popleft() if waiting else behind_links.popleft()
        try:
            state = os.stat(folder)
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        if (state.st_dev, state.st_ino) in seen:
            continue
        seen.add((state.st_dev, state.st_ino))
        yield folder
        for below in _entries(folder):
            if below.is_dir():
                (behind_links if below.is_symlink() else waiting).append(below)


def _entries(folder: Path, hidden: bool = False) -> list[Path]:
    """What lies in a folder; nothing if it cannot be looked into."""
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return []
    return [folder / name for name in names if hidden or not name.startswith(".")]
