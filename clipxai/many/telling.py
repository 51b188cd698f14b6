"""How far is a long run? Rate, time left, memory, and failures so far: a bar in a terminal, else a
line a minute, as a log keeps it.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tqdm import tqdm

from .ending import ended_gently

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

EVERY = 60.0  # seconds


class Telling:
    """What a run says of itself; `failures` counts."""

    def __init__(self, what: str, total: int, unit: str, shown: bool) -> None:
        self.failures, self.made = 0, 0
        self._what, self._total, self._shown = what, total, shown
        self._began = self._said = time.monotonic()
        # None: shown where stderr is a terminal
        self._bar = tqdm(total=total, desc=what, unit=unit, disable=None if shown else True)

    def done(self) -> None:
        """One more is made."""
        self.made += 1
        self._step()

    def left_out(self, why: str) -> None:
        """One more cannot be; one line says why."""
        self.failures += 1
        self._bar.write(f"clipxai: left out: {why}", file=sys.stderr)
        self._step()

    def interrupted(self, again: str) -> None:
        """One line says what is kept, and how to go on: by saying it `again`, if there is some."""
        again = again if self.made else "the same command"
        kept = f"{self.made:,} of {self._total:,} are done, and kept"
        self._bar.write(f"clipxai: {self._what}: {kept}; {again} goes on there", file=sys.stderr)

    def close(self) -> None:
        """Nothing more comes."""
        self._bar.close()

    def _step(self) -> None:
        if not self._bar.disable:
            said = f"{memory()}, {self.failures} left out" if self.failures else memory()
            self._bar.set_postfix_str(said, refresh=False)
        self._bar.update()
        now = time.monotonic()
        if self._bar.disable and self._shown and now - self._said >= EVERY:
            self._said = now
            self._bar.write(self.line(now - self._began), file=sys.stderr)

    def line(self, seconds: float) -> str:
        """The state after so many seconds, in a line."""
        gone = self.made + self.failures
        rate = self.made / seconds if self.made else 0
        left = duration((self._total - gone) / rate) if rate else "unknown time"
        return (
            f"clipxai: {self._what}: {gone:,} of {self._total:,}, {rate:.3g}/s, {left} left, "
            f"{memory()}, {self.failures} left out"
        )


@contextmanager
def telling(
    what: str, total: int, unit: str, shown: bool = True, again: str = "the same command"
) -> Iterator[Telling]:
    """`with telling("explaining", 100, "image") as told: ...; told.done()`; of a run that is ended
    before, what is kept, and that it goes on by saying it `again`.
    """
    told = Telling(what, total, unit, shown)
    try:
        with ended_gently():
            yield told
    except KeyboardInterrupt:
        told.interrupted(again)
        raise
    finally:
        told.close()


def duration(seconds: float) -> str:
    """A time in its two largest units.

    Examples
    --------
    >>> duration(0.1), duration(75), duration(9000), duration(200_000)
    ('less than 1 s', '1 min 15 s', '2 h 30 min', '2 d 7 h')
    """
    if seconds < 0.5:
        return "less than 1 s"
    days, rest = divmod(round(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(n for n, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def filesize(count: float) -> str:
    """Bytes as people say them.

    Examples
    --------
    >>> filesize(300), filesize(2_500_000), filesize(7.2e10)
    ('300 B', '2.5 MB', '72 GB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.4g} TB"


def memory() -> str:
    """Memory of this process now; where the system does not tell, the most it had."""
    if resource is None:
        return "memory unknown"
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return filesize(pages * resource.getpagesize())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return "at most " + filesize(most if sys.platform == "darwin" else 1024 * most)
