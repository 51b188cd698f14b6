"""How does a slow answer stay out of the way of a quick reader? One job runs at a time; of those
that wait, only the last is kept.

Every job ends in one of four ways: it is done, it failed, it was cancelled, and all three are told;
or a newer one took its place, of which the reader hears instead.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, RLock
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
Job = TypeVar("Job")
Result = TypeVar("Result")
Tell = Callable[[float, str], None]  # share of the work done, and what comes next
SLOW = 0.3  # seconds after which the reader hears what is going on


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Latest(Generic[Job, Result]):
    """Runs jobs in a thread of its own, newest first and the others never.

    A newer job stops the running one (by its `Event`, which `work` has to watch). Everything comes
    back in the thread of the event loop, in which all widgets live. Where no event loop runs, as in
    a script, every job is done at once and in place.

    JupyterLab may tell of two widgets at once, each in a thread with a loop of its own; jobs come
    back in the loop whose job began the row.

    Parameters
    ----------
    work : (job, stop, tell) -> result, in the worker's thread
    done, failed : called with the result, or with the exception, which may be one of `done`
        itself; `Cancelled` if nothing newer took the job's place
    told : called with what `work` told last, now and then while it takes long
    """

    def __init__(
        self,
        work: Callable[[Job, Event, Tell], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        told: Tell,
    ) -> None:
        self._work, self._done, self._failed, self._told = work, done, failed, told
        self._thread = ThreadPoolExecutor(1, "clipxai")
        self._waiting: tuple[Job, float] | None = None
        self._stop = Event()
        self._running = False
        self._lock = RLock()  # of what is above and below
        self._task: asyncio.Task | None = None  # while there are jobs
        self._loop: asyncio.AbstractEventLoop | None = None  # in which it runs

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        # a loop that has ended, as that of a page that is gone, ends nothing any more
        return self._task is not None and self._loop.is_running()

    def ask(self, job: Job, delay: float = 0.0) -> None:
        """Do this job instead of all others, after `delay` seconds unless a newer one comes."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now(job)
            return
        with self._lock:
            self._stop.set()
            self._waiting = (job, time.monotonic() + delay)
            if not self.busy:
                self._loop, self._running = loop, False
                self._task = loop.create_task(self._run(loop))

    def cancel(self) -> None:
        """Forget the job that waits, and stop the one that runs; `failed` hears of it once: when
        what runs has stopped, or at once if nothing runs.
        """
        with self._lock:
            forgotten, self._waiting = self._waiting, None
            self._stop.set()
            idle = not self._running
        if forgotten and idle:
            self._fail(Cancelled())

    def close(self) -> None:
        """Forget everything, and tell nobody any more."""
        self._waiting = None
        self._stop.set()
        self._done = self._failed = self._told = lambda *ignored: None
        self._thread.shutdown(wait=False)

    def now(self, job: Job) -> None:
        """Do a job here and wait for it."""
        try:
            self._done(self._work(job, Event(), lambda share, step: None))
        except Exception as error:  # whatever it is, the reader is told in words and goes on
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Tell of a failure; one that cannot be told may not keep the next job from running."""
        try:
            self._failed(error)
        except Exception:
            log.exception("could not tell of %r", error)

    def _next(self) -> tuple[Job, float] | float | None:
        """The job that is to be done now, or how long to sleep; None if the row has ended."""
        with self._lock:
            if self._waiting is None:
                self._task = None  # whoever asks from now on begins another row
                return None
            rest = self._waiting[1] - time.monotonic()
            if rest > 0:
                return rest
            job, self._waiting = self._waiting, None
            self._stop, self._running = Event(), True
            return job

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (found := self._next()) is not None:
            if isinstance(found, float):
                await asyncio.sleep(found)
                continue  # meanwhile a newer job may have come, or none may be wanted any more
            news: list[tuple[float, str]] = []  # of this job alone
            report = loop.create_task(self._report(news))
            try:
                await self._answer(loop, found[0], news)
            finally:
                report.cancel()
                self._running = False

    async def _answer(
        self, loop: asyncio.AbstractEventLoop, job: Job, news: list[tuple[float, str]]
    ) -> None:
        """Do one job in the worker's thread, and tell how it ended."""
        stop = self._stop

        def tell(share: float, step: str) -> None:
            news[:] = [(share, step)]

        try:
            result = await loop.run_in_executor(self._thread, self._work, job, stop, tell)
            if stop.is_set():
                raise Cancelled
        except Exception as error:
            if self._waiting is None:  # else a newer one took its place
                self._fail(error)
            return
        try:
            self._done(result)
        except Exception as error:  # the next wish is answered all the same
            self._fail(error)

    async def _report(self, news: list[tuple[float, str]]) -> None:
        while True:
            await asyncio.sleep(SLOW)
            for share, step in news:  # nothing is told of a job that has told nothing yet
                self._told(share, step)
