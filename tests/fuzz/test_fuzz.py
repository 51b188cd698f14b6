"""A small part of `make fuzz`, always the same: every input gives an answer or a clear line."""

import os
import subprocess
import sys
from pathlib import Path

RUN = Path(__file__).parent / "run.py"


BROKEN = """
import os, sys, types

def bad(place, random):
    sys.modules['__main__'].SECONDS = 1  # of the next case
    case = int(place.name)
    if case == 0: {}['a']
    if case == 1: (place / 'half').write_text('x'); raise ValueError('clear')
    if case == 2:
        while True: pass
    if case == 3: os.abort()
    if case == 4: bytearray(10**11)
    if case == 5: print('Traceback (most recent call last)')

kind = types.SimpleNamespace(make=lambda *_: None, run=bad, share=100)
sys.modules['kinds'] = types.SimpleNamespace(KINDS={'package': kind}, model=lambda: None)
sys.modules['seeds'] = types.SimpleNamespace(everything=lambda root: None)
"""


def fuzz(out, cases, first, **environment):
    command = [sys.executable, RUN, "--out", out, "--cases", cases, "--first", first]
    return subprocess.run(
        [*map(str, command), "--processes", "1"],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(RUN.parents[2]), **environment},
    )


def test_a_sample_finds_nothing(tmp_path):
    done = fuzz(tmp_path / "found", 80, 0)
    assert done.returncode == 0, done.stdout
    assert "80 cases, 0 findings" in done.stdout and not (tmp_path / "found").exists()
    kinds = [line.split("  ")[0].strip() for line in done.stdout.splitlines()[1:-1]]
    assert len(kinds) == 8, "every kind of input was tried"


def test_what_is_wrong_is_found(tmp_path):
    """A package that fails in every bad way: raw errors, half a file, a hang, a crash, memory."""
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    path = os.pathsep.join([str(tmp_path), str(RUN.parents[2])])
    done = fuzz(tmp_path / "found", 7, 0, PYTHONPATH=path)
    assert done.returncode == 1, done.stdout + done.stderr
    told = {path.name.rsplit("-", 1)[1]: path for path in (tmp_path / "found").iterdir()}
    outcomes = ["raw-error", "half-written", "hang", "crash", "memory", "traceback-printed"]
    for case, outcome in enumerate(outcomes):
        assert told[str(case)].name.startswith(outcome), done.stdout
        assert f"--first {case} --cases 1" in (told[str(case)] / "finding.txt").read_text()
    assert len(told) == len(outcomes)
