"""What is a picture with a truth, and what is a data set of them?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..many.processes import Processes
from ..many.shards import Member

Share = Callable[[Sequence[str], Processes], Sequence[str]]


@dataclass(frozen=True, eq=False)
class Sample:
    """One picture and what is where in it.

    Attributes
    ----------
    image : path, (H, W, 3) uint8, or the bytes of a file in a tar file
    labels : numbers of the classes that are present; None where the picture has a foreground
        without a name (ImageNet-Segmentation)
    masks : (len(labels), H, W) bool, or (1, H, W) without a name
    ignore : (H, W) bool, pixels without a truth, or None
    without : place among `labels` -> the same picture without that thing; None where nobody can
        draw it again
    """

    image: Path | np.ndarray | Member
    labels: tuple[int, ...] | None
    masks: np.ndarray
    ignore: np.ndarray | None = None
    without: Callable[[int], np.ndarray] | None = None


def every_so_manieth(names: Sequence[str], processes: Processes) -> Sequence[str]:
    """What a process measures of pictures that are files of their own."""
    return processes.share(names)


class Opened(NamedTuple):
    """The pictures of a folder: their ids, how one is read, which files are read for it, and which
    of some pictures a process measures.
    """

    ids: list[str]
    read: Callable[[str], Sample]
    files: Callable[[str], Sequence[Path]]
    share: Share = every_so_manieth


@dataclass(frozen=True, eq=False)
class Dataset:
    """Pictures by id, read when they are asked for.

    Attributes
    ----------
    name : such as "voc2012"
    classes : words of every class, as they go into the prompt
    prompt : with {} where the words go
    ids : in a fixed order
    read : id -> Sample
    root : where it lies on disk; None if it is made in memory
    files : id -> files that `read` reads, and the class list if it is not the packaged one
    share : which of some pictures one of several processes measures
    drawn : whether its pictures can be drawn again without a thing (`Sample.without`)
    """

    name: str
    classes: tuple[str, ...]
    prompt: str
    ids: tuple[str, ...]
    read: Callable[[str], Sample]
    root: Path | None = None
    files: Callable[[str], Sequence[Path]] = lambda name: ()
    share: Share = every_so_manieth
    drawn: bool = False

    @property
    def prompts(self) -> list[str]:
        """One text per class."""
        return [self.prompt.format(words) for words in self.classes]
