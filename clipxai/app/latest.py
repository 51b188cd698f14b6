"""How does a slow answer stay out of the way of a quick reader? One job runs at a time; of those
that wait, only the last is kept.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Generic, TypeVar

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
        self._task: asyncio.Task | None = None
        self._news = (0.0, "")

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._task is not None and not self._task.done()

    def ask(self, job: Job, delay: float = 0.0) -> None:
        """Do this job instead of all others, after `delay` seconds unless a newer one comes."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.now(job)
            return
        self._stop.set()
        self._waiting = (job, loop.time() + delay)
        if not self.busy:
            self._task = loop.create_task(self._run(loop))

    def cancel(self) -> None:
        """Forget the job that waits, and stop the one that runs; `failed` hears of it once."""
        self._waiting = None
        self._stop.set()

    def now(self, job: Job) -> None:
        """Do a job here and wait for it."""
        try:
            self._done(self._work(job, Event(), self._tell))
        except Exception as error:  # whatever it is, the reader is told in words and goes on
            self._failed(error)

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            job, start = self._waiting
            if start > loop.time():
                await asyncio.sleep(start - loop.time())
                if self._waiting is None:
                    self._failed(Cancelled())
                continue  # meanwhile a newer job may have come, or none may be wanted any more
            self._waiting, self._stop, self._news = None, Event(), (0.0, "")
            report = loop.create_task(self._report())
            try:
                result = await loop.run_in_executor(
                    self._thread, self._work, job, self._stop, self._tell
                )
                if self._stop.is_set():
                    raise Cancelled
                self._done(result)
            except Exception as error:  # also one of `done`: the next wish is answered all the same
                if not self._waiting:
                    self._failed(error)
            finally:
                report.cancel()

    def _tell(self, share: float, step: str) -> None:
        self._news = (share, step)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(SLOW)
            if self._news[1]:  # nothing is told of a job that has told nothing yet
                self._told(*self._news)
