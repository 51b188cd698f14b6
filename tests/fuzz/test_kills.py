"""A small part of `make kills`, always the same: what befalls a run is made good by the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).parent / "kills.py"
pytestmark = pytest.mark.skipif(os.name != "posix", reason="processes that are forked and killed")


def kills(out, *cases, **environment):
    return subprocess.run(
        [sys.executable, KILLS, "--out", out, "--only", *map(str, cases)],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "PYTHONPATH": str(KILLS.parents[2]), **environment},
    )


def test_a_sample_finds_nothing(tmp_path):
    """Each of the four runs, and most of what may befall one."""
    done = kills(tmp_path / "found", 7, 10, 12, 21, 28)
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    assert told[-1].startswith("5 cases, ") and ", 0 findings, " in told[-1]
    assert sum("(-" in line for line in told) >= 2, "some died"
    assert not (tmp_path / "found").exists()


def test_what_is_wrong_is_found(tmp_path):
    """A package that writes straight to its final names."""
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import sys\n"
        "from contextlib import contextmanager\n"
        "if 'kills.py' in sys.argv[0]:\n"
        "    from clipxai.results import writing\n"
        "    @contextmanager\n"
        "    def careless(path):\n"
        "        yield path\n"
        "    writing.replacing = careless\n"
    )
    path = os.pathsep.join([str(tmp_path), str(KILLS.parents[2])])
    done = kills(tmp_path / "found", 11, PYTHONPATH=path)
    assert done.returncode == 1, done.stdout + done.stderr
    told = (tmp_path / "found/11.txt").read_text()
    assert "half-written" in told and "--first 11 --cases 1" in told
