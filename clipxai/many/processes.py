"""How do several processes share one run (`torchrun --nproc-per-node 2 -m clipxai …`)?"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple, TypeVar

import torch.distributed as dist

T = TypeVar("T")
PATIENCE = timedelta(days=7)  # with a process whose share takes longer


class Processes(NamedTuple):
    """This process among those that share a run.

    Attributes
    ----------
    rank : its number; 0 speaks for all
    count : how many there are
    """

    rank: int = 0
    count: int = 1

    def share(self, things: Sequence[T]) -> Sequence[T]:
        """What this process does of what is to be done."""
        return things[self.rank :: self.count]

    def gather(self, own: T) -> list[T]:
        """What each process has, in all of them, by their numbers; all wait for the last."""
        if self.count == 1:
            return [own]
        everyone: list = [None] * self.count
        dist.all_gather_object(everyone, own)
        return everyone

    def wait(self) -> None:
        """Go on when all have come here."""
        self.gather(None)


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that torchrun started; alone, if it did not."""
    if world_size() == 1:
        yield ALONE
        return
    dist.init_process_group("gloo", timeout=PATIENCE)  # which needs no GPU
    try:
        yield Processes(dist.get_rank(), world_size())
    finally:
        dist.destroy_process_group()


def world_size() -> int:
    """How many processes share this run, as torchrun tells."""
    return int(os.environ.get("WORLD_SIZE", 1))


def first() -> bool:
    """Whether this process speaks for all, as torchrun tells."""
    return int(os.environ.get("RANK", 0)) == 0
