"""Look for input that hangs, crashes, takes all memory, or fails without a clear line.

    python tests/fuzz/run.py --cases 10000 --out fuzz

Every case is made from its number and runs in a process with a limit of memory and of time. It may
give an answer, or an error that the package raised itself, in one line. All else is a finding: its
input and the command that repeats it lie in a folder of its own under --out.
"""

import argparse
import dis
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from queue import Queue
from random import Random
from threading import Thread

HERE = Path(__file__).parent
SECONDS, KILLED_AFTER = 20, 40  # a case; a process that answers no signal
MEMORY = 1_500_000_000  # bytes that a case may take, above what is loaded
MESSAGE = 800  # characters of an error
CLEAN = ("answer", "clear error")


class TooLong(BaseException):
    """Not an Exception, so that nothing catches it on the way."""


def kind_of(case: int) -> str:
    """Which kind a case is: every hundred has the same mixture."""
    from kinds import KINDS

    place = case * 37 % 100
    for name, kind in KINDS.items():
        if place < kind.share:
            return name
        place -= kind.share
    raise AssertionError("shares make a hundred")


def try_case(case: int, seeds: Path, place: Path) -> tuple[str, str]:
    """(outcome, detail) of one case, whose input is made in an empty folder."""
    from kinds import KINDS

    kind, random = KINDS[kind_of(case)], Random(case)
    kind.make(seeds, random, place)
    before = {path for path in place.rglob("*") if path.is_file()}
    told = StringIO()
    signal.alarm(SECONDS)
    try:
        with redirect_stdout(told), redirect_stderr(told):
            kind.run(place, random)
    except TooLong:
        return "hang", f"more than {SECONDS} s"
    except MemoryError as error:
        return "memory", repr(error)[:200]
    except Exception as error:
        return _judged(error, place, before)
    finally:
        signal.alarm(0)
    return (
        ("traceback printed", told.getvalue()) if "Traceback" in told.getvalue() else ("answer", "")
    )


def _judged(error: Exception, place: Path, before: set[Path]) -> tuple[str, str]:
    """Whether an error is a clear one that leaves nothing behind."""
    text = f"{type(error).__name__}: {error}"
    if "DefaultCPUAllocator" in text or "Cannot allocate memory" in text:
        return "memory", text[:200]
    left = {path for path in place.rglob("*") if path.is_file()} - before
    if left:
        return "half-written", f"{text[:200]}; left {sorted(path.name for path in left)}"
    if not _raised_here(error):
        return "raw error", text[:300]
    said = str(error)
    clear = "\n" not in said.strip() and len(said) <= MESSAGE and said.isprintable()
    return ("clear error", text[:300]) if clear else ("unclear error", text[:300])


def _raised_here(error: Exception) -> bool:
    """Whether a `raise` of the package made it, and not a call that failed."""
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    code = trace.tb_frame.f_code
    if f"{os.sep}clipxai{os.sep}" not in code.co_filename:
        return False
    return dis.opname[code.co_code[trace.tb_lasti]] == "RAISE_VARARGS"


def work(first: int, last: int, step: int, seeds: Path, scratch: Path) -> None:
    """A process of its own: one line of JSON for every case."""
    from kinds import model

    def stop(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    model()
    loaded = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (loaded + MEMORY, resource.RLIM_INFINITY))
    for case in range(first, last, step):
        place = scratch / str(case)
        place.mkdir(parents=True)
        begun = time.monotonic()
        outcome, detail = try_case(case, seeds, place)
        seconds = round(time.monotonic() - begun, 3)
        print(json.dumps([case, kind_of(case), outcome, seconds, detail]), flush=True)
        if outcome in CLEAN:
            shutil.rmtree(place)


def watched(first: int, last: int, step: int, seeds: Path, scratch: Path) -> Iterator[list]:
    """The lines of such processes; one that dies or hangs is a finding, and the next goes on."""
    while first < last:
        arguments = [first, last, step, seeds, scratch]
        command = [sys.executable, str(HERE / "run.py"), "--work", *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=scratch)
        lines: Queue = Queue()
        reader = Thread(target=_pass_on, args=(process.stdout, lines), daemon=True)
        reader.start()
        while True:
            patience = KILLED_AFTER if lines.empty() else None
            line = _next(lines, patience)
            if line is None:
                break
            yield line
            first = line[0] + step
        process.kill()
        code = process.wait()
        reader.join()
        if first < last and code != 0:
            hung = code == -signal.SIGKILL
            said = "answers no signal" if hung else f"process ended with {code}"
            yield [first, kind_of(first), "hang" if hung else "crash", float(KILLED_AFTER), said]
            first += step
        elif code == 0:
            return


def _pass_on(stream: object, lines: Queue) -> None:
    for line in stream:
        lines.put(json.loads(line))
    lines.put(None)


def _next(lines: Queue, patience: float | None) -> list | None:
    from queue import Empty

    try:
        # the first case waits for torch as well
        return lines.get(timeout=patience and patience + 20)
    except Empty:
        return None


def fuzz(cases: int, out: Path, processes: int, first: int = 0) -> list[list]:
    """All findings; the rest is counted and printed."""
    seeds, out = Path(tempfile.mkdtemp(prefix="fuzz-")), out.resolve()
    scratch = seeds / "scratch"
    scratch.mkdir()
    results: Queue = Queue()

    def collect(number: int) -> None:
        for line in watched(first + number, first + cases, processes, seeds / "seeds", scratch):
            results.put(line)
        results.put(None)

    try:
        _make_seeds(seeds / "seeds")
        threads = [Thread(target=collect, args=(n,), daemon=True) for n in range(processes)]
        for thread in threads:
            thread.start()
        lines, running = [], processes
        while running:
            line = results.get()
            running -= line is None
            if line is not None:
                lines.append(line)
                if line[2] not in CLEAN:
                    _keep(line, scratch / str(line[0]), out)
        _print_table(lines)
        return [line for line in lines if line[2] not in CLEAN]
    finally:
        shutil.rmtree(seeds, ignore_errors=True)


def _make_seeds(root: Path) -> None:
    command = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import seeds; from pathlib import Path; "
    )
    subprocess.run(
        [sys.executable, "-c", f"{command} seeds.everything(Path({str(root)!r}))"],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _keep(line: list, place: Path, out: Path) -> None:
    """The input of a finding, and how to see it again."""
    case, kind, outcome, _, detail = line
    folder = out / f"{outcome.replace(' ', '-')}-{kind.replace(' ', '-')}-{case}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        shutil.copytree(place, folder)
    folder.mkdir(exist_ok=True)
    again = f"python tests/fuzz/run.py --first {case} --cases 1 --processes 1 --out {out}"
    (folder / "finding.txt").write_text(f"{kind}: {outcome}\n{detail}\n\n{again}\n")


def _print_table(lines: list[list]) -> None:
    counts = Counter((line[1], line[2]) for line in lines)
    outcomes = [*CLEAN, *sorted({line[2] for line in lines} - set(CLEAN))]
    print(f"{'':14}{'cases':>8}", *(f"{name:>14}" for name in outcomes), f"{'slowest':>9}")
    for kind in dict.fromkeys(line[1] for line in sorted(lines)):
        of_kind = [line for line in lines if line[1] == kind]
        numbers = (f"{counts[kind, name]:14}" for name in outcomes)
        print(f"{kind:14}{len(of_kind):8}", *numbers, f"{max(line[3] for line in of_kind):7.1f} s")
    for case, kind, outcome, seconds, detail in sorted(lines):
        if outcome not in CLEAN:
            print(f"{outcome}, case {case} ({kind}, {seconds} s): {detail[:160]}")


def main() -> int:
    """0 if nothing was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("fuzz"))
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        first, last, step = map(int, given.work[:3])
        work(first, last, step, *map(Path, given.work[3:]))
        return 0
    begun = time.monotonic()
    found = fuzz(given.cases, given.out, given.processes, given.first)
    print(f"{given.cases} cases, {len(found)} findings, {time.monotonic() - begun:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
