"""Two processes that share a run, as torchrun starts them; forked, so nothing is loaded twice."""

import os
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Done(NamedTuple):
    """How both ended: 0 if both did well; what they said, the first before the second."""

    returncode: int
    stdout: str
    stderr: str


def by_two(run: Callable[[], int | None], folder: Path) -> Done:
    """Run it in two processes; what they say passes through files of `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sys.stdout.flush(), sys.stderr.flush()
    told = [[folder / f"said.{kind}.{rank}" for kind in ("out", "err")] for rank in range(2)]
    started = [os.fork() or _become(rank, port, run, *told[rank]) for rank in range(2)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in started]
    out, err = ("".join(file.read_text() for file in files) for files in zip(*told, strict=True))
    return Done(max(map(abs, codes)), out, err)


def _become(rank: int, port: int, run: Callable[[], int | None], out: Path, err: Path) -> None:
    """One of the two, to its end."""
    code: int | None = 70
    try:
        sys.stdout, sys.stderr = out.open("w"), err.open("w")
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE="2")
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE="2")
        code = run() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code or 0)
