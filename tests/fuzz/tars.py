"""Is a table of many pictures in tar files whole, whatever kills the runs that write it?

    python tests/fuzz/tars.py --pictures 100000 --kills 5
    python tests/fuzz/tars.py --pictures 10000 --kills 3 --processes 2   # under torchrun, by gloo
    python tests/fuzz/tars.py --pictures 10000 --kills 3 --format npz-table

Tiny pictures are written into tar files, and `clipxai explain` of a table is killed
(SIGKILL) at random moments until it has been killed so many times; the last run may end. After
every run each part is read, and no picture may be there twice; after the last none may be missing,
some rows are held against `explain` of their picture alone, and the memory of the longest run is
looked at: what it grew by from its first part to its end. Of several processes every second kill
is that of one of them alone, whereupon torchrun ends the others, and the table is instead held
against that of one process that nobody kills, row by row.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

import clipxai as cx

READ = {"parquet": cx.Explanation.from_parquet, "npz-table": cx.Explanation.from_npz}
TEXTS, SHARD, CHECKED = ["a dog", "a cat"], 1000, 20
PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_GROWTH = 0.05  # of the memory of a run


def pixels(number):
    return np.random.default_rng(number).integers(0, 256, (24, 24, 3), np.uint8)


def write_shards(folder, pictures):
    """`pictures` of 24x24 pixels, a thousand a tar file."""
    for first in range(0, pictures, SHARD):
        with tarfile.open(folder / f"{first // SHARD:04}.tar", "w") as tar:
            for number in range(first, min(first + SHARD, pictures)):
                file = BytesIO()
                Image.fromarray(pixels(number)).save(file, "PNG")
                member = tarfile.TarInfo(f"{number:07}.png")
                member.size = len(file.getvalue())
                file.seek(0)
                tar.addfile(member, file)


def started(shards, out, processes, kind):
    start = [sys.executable, "-m", "clipxai"]
    if processes > 1:
        start = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        start += ["--nproc-per-node", str(processes), "-m", "clipxai"]
    command = ["explain", f"{shards}/*.tar", *TEXTS, "--method", "clip", "--size", "32"]
    command += ["--batch", "32", "--format", kind, "--out", str(out)]
    return subprocess.Popen(
        [*start, *command],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def children(pid):
    """The processes that one has started."""
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_all(run):
    """The run and, as torchrun gives its workers sessions of their own, each of them."""
    started = children(run.pid)
    for pid in (run.pid, *started):
        os.kill(pid, signal.SIGKILL)


def kill_one(run):
    """The first of its workers, as soon as there is one."""
    while not (workers := children(run.pid)) and run.poll() is None:
        time.sleep(0.1)
    os.kill(workers[0], signal.SIGKILL)


def watched(run, out, before, until, kill):
    """Memory of a run in bytes, twice a second from its first part on, until it ends or
    `until(rows)`, when it is killed.
    """
    memory = []
    while run.poll() is None:
        rows = counted(out)
        try:
            pages = int(Path(f"/proc/{run.pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            break
        memory += [pages * PAGE] if rows > before else []
        if until(rows):
            kill(run)
            break
        time.sleep(0.5)
    out, err = run.communicate()
    return run.returncode, memory, out.decode(), err.decode()


def names(out):
    """Every picture of the table; a part that cannot be read is an error."""
    return rows(out)["picture"].to_pylist()


def counted(out):
    files = sum(len(pictures(part)) for part in out.glob("part-*.npz"))
    return files + sum(pq.read_metadata(part).num_rows for part in out.glob("part-*.parquet"))


def pictures(part):
    with np.load(part) as file:
        return file["picture"]


def expect_once(found):
    twice = [name for name, count in Counter(found).items() if count > 1]
    assert not twice, f"{len(twice)} pictures are there twice: {twice[:3]}"


def expect_as_of_one(shards, out, alone, kind):
    """The same rows, to the last bit, as one process writes."""
    run = started(shards, alone, 1, kind)
    err = run.communicate()[1].decode()
    assert run.returncode == 0, err[-2000:]
    tables = [rows(folder) for folder in (out, alone)]
    assert tables[0].equals(tables[1]), "one process writes other rows"


def rows(out):
    """The whole table, by picture."""
    parts = [pq.read_table(part) for part in sorted(out.glob("part-*.parquet"))]
    parts += [of_numpy(part) for part in sorted(out.glob("part-*.npz"))]
    return pa.concat_tables(parts).sort_by("picture") if parts else pa.table({"picture": []})


def of_numpy(part):
    """The arrays of a part, a row a picture: all have as many texts and patches."""
    with np.load(part) as file:
        count = len(file["picture"])
        columns = {n: file[n].reshape(count, -1).tolist() for n in file if n != "described"}
    return pa.table(columns | {"picture": [name for (name,) in columns["picture"]]})


def expect_right(out, found, chance, kind):
    """Some rows, against their picture alone."""
    model = cx.load()
    for name in chance.sample(found, min(CHECKED, len(found))):
        row = READ[kind](out, name)
        image = pixels(int(Path(name).stem))
        alone = cx.explain(cx.record(model, image, TEXTS, size=32), "clip")
        least = np.abs(alone.scores).max() / 1024
        assert np.abs(row.scores - alone.scores).max() < least, name


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--pictures", type=int, default=100_000)
    asked.add_argument("--kills", type=int, default=5)
    asked.add_argument("--processes", type=int, default=1)
    asked.add_argument("--format", choices=READ, default="parquet")
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        shards, out = Path(folder) / "shards", Path(folder) / "maps"
        shards.mkdir()
        write_shards(shards, given.pictures)
        began, runs, before = time.monotonic(), [], 0
        for kill in range(given.kills + 1):
            last = kill == given.kills
            at = chance.uniform(kill + 0.3, kill + 1) / (given.kills + 1) * given.pictures
            late = chance.uniform(0, 2)  # seconds after so many were written: anywhere in a part
            passed = []

            def until(rows, at=at, late=late, passed=passed, last=last):
                if last:
                    return False
                if not passed and rows >= at:
                    passed.append(time.monotonic())
                return bool(passed) and time.monotonic() - passed[0] > late

            one = given.processes > 1 and kill % 2 == 1
            run = started(shards, out, given.processes, given.format)
            kill_it = kill_one if one else kill_all
            code, memory, said, err = watched(run, out, before, until, kill_it)
            found = names(out)
            expect_once(found)
            assert len(found) >= before, "rows were lost"
            ended = 0 if last else 1 if one else -signal.SIGKILL
            assert code == ended, (code, err[-2000:])
            print(f"run {kill}: {len(found) - before:,} pictures more", flush=True)
            runs.append(memory)
            before = len(found)
        assert len(found) == given.pictures, f"{given.pictures - len(found)} are missing"
        print(said.strip())
        expect_right(out, found, chance, given.format)
        seconds = time.monotonic() - began
        if given.processes > 1:
            expect_as_of_one(shards, out, Path(folder) / "alone", given.format)
            print(f"{given.processes} processes write what one writes")
    print(f"{given.pictures:,} pictures, {given.kills} kills: none lost, none twice")
    print(f"{given.pictures / seconds:.0f} pictures a second, starts and kills among them")
    if given.processes == 1:  # else it is that of torchrun
        tell_memory(max(runs, key=len))


def tell_memory(memory):
    tenth = max(2, len(memory) // 10)
    first, end = np.median(memory[:tenth]), np.median(memory[-tenth:])
    print(
        f"memory of the longest run, from its first part on: {first / 1e6:.0f} MB at first, "
        f"{end / 1e6:.0f} MB at its end"
    )
    assert end < first * (1 + MOST_GROWTH), "memory grows"


if __name__ == "__main__":
    main()
