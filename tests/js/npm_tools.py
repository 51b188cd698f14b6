"""The pinned tools of npm, installed once, whichever tests ask first."""

import fcntl
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# what npm says where there is no network; everything else that goes wrong is a failure
OFFLINE = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET")


def run(*command: str, folder: Path = HERE) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def installed() -> Path:
    """`node_modules`, as `package-lock.json` has it; skips the test where npm or a network is
    missing.
    """
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    modules, lock = HERE / "node_modules", HERE / "package-lock.json"
    done = modules / ".package-lock.json"
    with (HERE / "package.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # two processes of tests may both be first
        if not done.exists() or _versions(done) != _versions(lock):
            ran = run("npm", "ci", "--no-audit", "--no-fund")
            said = ran.stdout + ran.stderr
            if ran.returncode and OFFLINE.search(said):
                pytest.skip(f"npm cannot reach its registry: {said[-300:]}")
            assert ran.returncode == 0, said
    return modules


def _versions(lock: Path) -> dict[str, str]:
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
    return {name: one["version"] for name, one in packages.items() if name}
