"""Is the last wish the one that is answered, and does nothing queue behind it?"""

import asyncio
import threading
import time

from clipxai.app.latest import SLOW, Cancelled, Latest


class Desk:
    """Counts what `Latest` does with jobs that take some time; a negative job fails."""

    def __init__(self, takes: float = 0.05) -> None:
        self.begun, self.done, self.failed, self.told, self.threads = [], [], [], [], set()
        self.takes, self.cannot_be_shown = takes, None
        self.latest = Latest(
            self.work,
            self.on_done,
            self.failed.append,
            lambda share, step: self.told.append((share, step)),
        )

    def work(self, job, stop, tell):
        self.begun.append(job)
        tell(0.5, f"job {job}")
        if job < 0:
            raise ValueError(f"{job} is negative")
        end = time.monotonic() + self.takes
        while time.monotonic() < end:
            time.sleep(0.005)
            if stop.is_set():
                raise Cancelled
        return job

    def on_done(self, result):
        if result == self.cannot_be_shown:
            raise KeyError(f"{result} cannot be shown")
        self.done.append(result)
        self.threads.add(threading.current_thread())

    async def rest(self):
        while self.latest.busy:
            await asyncio.sleep(0.01)


def run(desk, story):
    asyncio.run(story(desk))
    return desk


def test_of_many_wishes_the_last_is_answered():
    async def story(desk):
        for job in range(20):
            desk.latest.ask(job)
            await asyncio.sleep(0.01)
        await desk.rest()

    desk = run(Desk(0.1), story)
    assert desk.done == [19] and desk.failed == []
    assert desk.threads == {threading.main_thread()}, "widgets live in one thread"


def test_what_waits_is_replaced_not_queued():
    async def story(desk):
        for job in range(20):
            desk.latest.ask(job)
        await desk.rest()

    assert run(Desk(), story).begun == [19]


def test_typing_waits_for_a_pause():
    async def story(desk):
        start = time.monotonic()
        for job in range(5):
            desk.latest.ask(job, delay=0.1)
            await asyncio.sleep(0.03)
        await desk.rest()
        assert time.monotonic() - start > 0.1 + 4 * 0.03

    assert run(Desk(0), story).begun == [4]


def test_cancel_stops_what_runs_and_says_so_once():
    async def story(desk):
        desk.latest.ask(1)
        await asyncio.sleep(0.05)
        desk.latest.cancel()
        await desk.rest()
        desk.latest.ask(2)
        await desk.rest()

    desk = run(Desk(0.2), story)
    assert desk.done == [2] and [type(error) for error in desk.failed] == [Cancelled]


def test_cancel_forgets_what_waits():
    async def story(desk):
        desk.latest.ask(1, delay=0.05)
        await asyncio.sleep(0)
        desk.latest.cancel()
        await desk.rest()

    desk = run(Desk(), story)
    assert desk.begun == [] and [type(error) for error in desk.failed] == [Cancelled]


def test_failures_are_handed_over_and_do_not_stop_the_desk():
    async def story(desk):
        desk.latest.ask(-1)
        await desk.rest()
        desk.latest.ask(3)
        await desk.rest()

    desk = run(Desk(), story)
    assert desk.done == [3] and str(desk.failed[0]) == "-1 is negative"


def test_an_answer_that_cannot_be_shown_is_a_failure_and_the_desk_goes_on():
    async def story(desk):
        desk.cannot_be_shown = 1
        desk.latest.ask(1)
        await desk.rest()
        desk.latest.ask(2)
        await asyncio.sleep(0.02)  # it runs; what is asked now waits
        desk.cannot_be_shown = 2
        desk.latest.ask(3)
        await desk.rest()

    desk = run(Desk(0.1), story)
    assert desk.done == [3] and [type(error) for error in desk.failed] == [KeyError]
    desk.cannot_be_shown = 4
    desk.latest.now(4)
    assert str(desk.failed[-1]) == "'4 cannot be shown'"


def test_a_slow_job_is_reported_and_a_quick_one_is_not():
    async def story(desk):
        desk.latest.ask(1)
        await desk.rest()

    assert run(Desk(0), story).told == []
    assert run(Desk(2.5 * SLOW), story).told[0] == (0.5, "job 1")


def test_what_is_told_is_of_the_job_that_runs():
    async def story(desk):
        desk.latest.ask(1)
        await desk.rest()
        desk.latest._work = lambda job, stop, tell: time.sleep(2.5 * SLOW)  # tells nothing
        desk.latest.ask(2)
        await desk.rest()

    assert run(Desk(0), story).told == []


def test_without_an_event_loop_a_wish_is_answered_in_place():
    desk = Desk(0)
    desk.latest.ask(1)
    desk.latest.ask(-2)
    assert desk.done == [1] and len(desk.failed) == 1 and not desk.latest.busy


def test_a_job_that_is_cancelled_before_it_begins_is_told_of_at_once():
    async def story(desk):
        desk.latest.ask(1)
        desk.latest.cancel()  # the loop has not even looked at it
        assert [type(error) for error in desk.failed] == [Cancelled]
        desk.latest.ask(2, delay=30)
        await asyncio.sleep(0)
        desk.latest.cancel()
        assert len(desk.failed) == 2
        desk.latest.cancel()  # there is nothing to cancel, and nothing is said
        assert len(desk.failed) == 2

    assert run(Desk(), story).begun == []


def test_cancelling_what_runs_and_what_waits_is_said_once():
    async def story(desk):
        desk.latest.ask(1)
        await asyncio.sleep(0.05)
        desk.latest.ask(2)
        desk.latest.cancel()
        await desk.rest()

    desk = run(Desk(0.3), story)
    assert desk.begun == [1] and [type(error) for error in desk.failed] == [Cancelled]


def test_an_answer_that_asks_again_and_cannot_be_shown_is_told_of():
    async def story(desk):
        done = desk.latest._done

        def asks_again(result):
            if result == 1:
                desk.latest.ask(2)
                raise KeyError("not drawn")
            done(result)

        desk.latest._done = asks_again
        desk.latest.ask(1)
        await desk.rest()

    desk = run(Desk(0), story)
    assert desk.done == [2] and [type(error) for error in desk.failed] == [KeyError]


def test_a_failure_that_cannot_be_told_does_not_stop_the_desk(caplog):
    def cannot_tell(error):
        raise RuntimeError("no widget")

    async def story(desk):
        desk.latest._failed = cannot_tell
        desk.latest.ask(-1)
        await asyncio.sleep(0.02)
        desk.latest.ask(2)
        await desk.rest()

    assert run(Desk(0), story).done == [2] and "-1 is negative" in caplog.text


def test_a_job_that_is_done_in_place_does_not_speak_for_the_one_that_runs():
    async def story(desk):
        work = desk.latest._work

        def silent(job, stop, tell):
            return time.sleep(2.5 * SLOW) if job == 1 else work(job, stop, tell)

        desk.latest._work = silent
        desk.latest.ask(1)
        await asyncio.sleep(0.05)
        desk.latest.now(2)
        await desk.rest()

    assert run(Desk(0), story).told == []


def test_closed_it_tells_nobody():
    async def story(desk):
        desk.latest.ask(1)
        await asyncio.sleep(0.05)
        desk.latest.close()
        await desk.rest()

    desk = run(Desk(0.2), story)
    assert desk.done == desk.failed == []


def test_a_loop_that_has_ended_keeps_nobody_waiting():
    desk = Desk(0.05)

    async def story():
        desk.latest.ask(1)
        await asyncio.sleep(0.01)

    gone = asyncio.new_event_loop()
    gone.run_until_complete(story())  # the page is closed while the job runs
    assert not desk.latest.busy
    run(desk, lambda desk: ask_and_rest(desk, 2))
    assert desk.done == [2]
    for task in asyncio.all_tasks(gone):
        task.cancel()
    gone.run_until_complete(asyncio.sleep(0))
    gone.close()


async def ask_and_rest(desk, job):
    desk.latest.ask(job)
    await desk.rest()
