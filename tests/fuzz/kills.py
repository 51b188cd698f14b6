"""Does a run that is killed, or that finds no room, go on as if nothing had happened?

    python tests/fuzz/kills.py --cases 160 --out kills

A case is a run (see long_runs.py) and what befalls it, both made from the case's number. Whatever
befell it, nothing is half-written under a final name, and an error is one line; after the same
command once more everything is as in an undisturbed run, and no draft is left.
"""

import argparse
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

import torch

HERE = Path(__file__).parent
PATIENCE = 120  # seconds of a run
BYTES = (0, 60, 400, 2_000, 6_000, 20_000, 60_000, 200_000)  # that fit into a file
WRITES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir")
# ten of sixteen are kills
FAULTS = (
    *("killed at a time", "killed at a step", "killed in a write", "disk full"),
    *("killed at a step", "folder gone", "killed in a write", "two at once"),
    *("one of two killed", "killed at a step", "killed in a write", "disk full"),
    *("killed at a step", "folder gone", "killed in a write", "below a file"),
)


class Ended(NamedTuple):
    """How a process ended: its exit code (negative: the signal), and its lines on stderr."""

    code: int
    said: list[str]


class Undisturbed(NamedTuple):
    """A run that nothing befell: its folder, how long it took, how often it touched a file."""

    folder: Path
    seconds: float
    steps: int


def started(run: Callable[[], int]) -> tuple[int, int]:
    """A process that runs this, and where to read what it says. Forked: everything is loaded."""
    ours, theirs = os.pipe()
    sys.stdout.flush(), sys.stderr.flush()
    process = os.fork()
    if process:
        os.close(theirs)
        return process, ours
    code = 70
    try:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        sys.stderr = open(theirs, "w", buffering=1)  # noqa: SIM115
        code = run()
    except SystemExit as asked:
        if isinstance(asked.code, str):
            print(asked.code, file=sys.stderr)
        code = asked.code if isinstance(asked.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(process: int, said: int, kill_after: float = PATIENCE) -> Ended:
    """Wait for a process; kill it when its time is over."""
    until = time.monotonic() + kill_after
    while True:
        pid, status = os.waitpid(process, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            break
        time.sleep(0.002)
    with os.fdopen(said, "rb") as stream:
        lines = stream.read().decode(errors="replace").replace("\r", "\n").split("\n")
    # the bar of a run that trains
    told = [line for line in lines if line.strip() and not line.startswith("phase ")]
    return Ended(os.waitstatus_to_exitcode(status), told)


def at_step(out: Path, number: int, action: Callable[[], None]) -> list[int]:
    """Act when a file of `out` is touched for the `number`-th time; the list counts."""
    count, below = [0], str(out)

    def hear(event: str, given: tuple) -> None:
        if event in WRITES and str(given[0]).startswith(below):
            count[0] += 1
            if count[0] == number:
                action()

    sys.addaudithook(hear)
    return count


def limited(size: int, dies: bool) -> None:
    """No file of this process grows larger: it dies of that, or gets an error."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if dies else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def undisturbed(name: str, run: Callable[[Path], int], out: Path, prepare: Callable) -> Undisturbed:
    """One run from beginning to end."""
    told = out.with_name(f"{out.name}-steps")

    def counted() -> int:
        count = at_step(out, 0, lambda: None)
        code = run(out)
        told.write_text(str(count[0]))
        return code

    out.mkdir(), prepare(out)
    begun = time.monotonic()
    code, said = ended(*started(counted))
    assert code == 0 and not said, (name, code, said)
    return Undisturbed(out, time.monotonic() - begun, int(told.read_text()))


def befall(fault: str, run: Callable[[Path], int], out: Path, usual: Undisturbed, random: Random):
    """Run it, and let this happen to it; how every process ended."""
    step, size = random.randint(1, usual.steps), random.choice(BYTES)

    def disturbed() -> int:
        if fault == "killed at a step":
            at_step(out, step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        elif fault == "folder gone":
            at_step(out, step, lambda: shutil.rmtree(out, ignore_errors=True))
        elif fault in ("killed in a write", "disk full"):
            limited(size, fault == "killed in a write")
        return run(out / "file" / "below" if fault == "below a file" else out)

    if fault == "one of two killed":
        return shared(partial(run, out), out, step, random)
    if fault == "below a file":
        (out / "file").write_text("kept")
    if fault == "killed at a time":
        return [ended(*started(disturbed), random.uniform(0, 0.8 * usual.seconds))]
    processes = [started(disturbed) for _ in range(1 + (fault == "two at once"))]
    return [ended(*process) for process in processes]


def shared(run: Callable[[], int], out: Path, step: int, random: Random) -> list[Ended]:
    """Two processes that share a run, as torchrun starts them: one dies at a step of its own, and
    torchrun ends the other.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    dies = random.randrange(2)

    def part(rank: int) -> int:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2")
        if rank == dies:
            at_step(out, max(1, step // 2), lambda: os.kill(os.getpid(), signal.SIGKILL))
        return run()

    processes = [started(partial(part, rank)) for rank in range(2)]
    first = ended(*processes[dies])
    other = ended(*processes[1 - dies], PATIENCE if first.code == 0 else 0)
    return [first] if first.code < 0 else [first, other]


def try_case(case: int, runs: dict, usual: dict[str, Undisturbed], root: Path) -> tuple:
    """(run, fault, how it ended, findings) of one case."""
    from long_runs import differences, half_written

    names = list(runs)
    name, fault = names[case % len(names)], FAULTS[case // len(names) % len(FAULTS)]
    if fault == "one of two killed" and name != "explain":  # whose files tell nothing of processes
        fault = "killed at a step"
    random, out = Random(f"{case} {fault}"), root / f"case-{case}"
    out.mkdir(), runs[name].prepare(out)
    before = root / f"before-{case}"
    shutil.copytree(out, before)
    ends = befall(fault, runs[name].run, out, usual[name], random)
    found = [line for end in ends for line in _unclear(end, "killed" in fault)]
    if fault == "below a file":
        kept = (out / "file").read_text() == "kept" and ends[0].code in (1, 2)
        found += [] if kept else ["wrote below a file"]
        (out / "file").unlink()
    found += half_written(out, usual[name].folder, before)
    if fault != "folder gone":
        found += [f"lost {path.name}" for path in before.iterdir() if not _there(path, out)]
    if all(end.code == 0 for end in ends) and fault != "folder gone":
        found += differences(out, usual[name].folder)
    if fault == "folder gone":
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
    again = ended(*started(lambda: runs[name].run(out)))
    if again.code or again.said:
        found.append(f"the next run ended with {again.code}: {' | '.join(again.said)[-300:]}")
    else:
        found += [f"after the next run: {line}" for line in differences(out, usual[name].folder)]
    return name, fault, "+".join(sorted(str(end.code) for end in ends)), found


def _there(path: Path, out: Path) -> bool:
    return (out / path.relative_to(path.parent)).exists()


def _unclear(end: Ended, may_die: bool) -> list[str]:
    """What is wrong with how a process ended."""
    if end.code == 0 and not end.said:
        return []
    if may_die and end.code < 0 and not end.said:
        return []
    if end.code in (1, 2) and len(end.said) == 1 and end.said[0].isprintable():
        return []
    return [f"ended with {end.code}: {' | '.join(end.said)[-300:]}"]


def kills(cases: list[int], out: Path) -> int:
    """Try them and print a table; how many found something."""
    from long_runs import long_runs

    torch.set_num_threads(1)  # or a forked process would wait for threads it does not have
    root, begun, results = Path(tempfile.mkdtemp(prefix="kills-")), time.monotonic(), []
    try:
        runs = long_runs(root)
        asked = {[*runs][case % len(runs)] for case in cases}
        usual = {
            name: undisturbed(name, run.run, root / f"usual-{name}", run.prepare)
            for name, run in runs.items()
            if name in asked
        }
        for case in cases:
            name, fault, how, found = try_case(case, runs, usual, root)
            results.append((fault, name, how, bool(found)))
            print(f"case {case}, {name}, {fault} ({how})", *found, sep="; ", flush=True)
            if found:
                out.mkdir(parents=True, exist_ok=True)
                again = f"python tests/fuzz/kills.py --first {case} --cases 1"
                (out / f"{case}.txt").write_text("\n".join([name, fault, *found, again, ""]))
            for folder in root.glob(f"*-{case}"):
                shutil.rmtree(folder)
    finally:
        shutil.rmtree(root)
    _print_table(results, list(runs))
    wrong = sum(found for *_, found in results)
    seconds = time.monotonic() - begun
    died = sum(how.startswith("-") for _, _, how, _ in results)
    print(f"{len(cases)} cases, {died} of which died, {wrong} findings, {seconds:.0f} s")
    return wrong


def _print_table(results: list[tuple], names: list[str]) -> None:
    """A line for every fault: cases of each run, how they ended, findings."""
    print(f"{'':18}", *(f"{name:>8}" for name in names), f"{'findings':>9}  ended with")
    for fault in dict.fromkeys(FAULTS):
        of_fault = [result for result in results if result[0] == fault]
        counts = Counter(name for _, name, *_ in of_fault)
        ends = Counter(how for _, _, how, _ in of_fault)
        told = ", ".join(f"{how}: {count}" for how, count in sorted(ends.items()))
        wrong = sum(found for *_, found in of_fault)
        print(f"{fault:18}", *(f"{counts[name]:8}" for name in names), f"{wrong:9}  {told}")


def main() -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=160)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", help="these cases, by number")
    parser.add_argument("--out", type=Path, default=Path("kills"))
    given = parser.parse_args()
    cases = given.only or [*range(given.first, given.first + given.cases)]
    return 1 if kills(cases, given.out) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
