"""Do pages run in Firefox, too, with no message and nothing fetched?"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import npm_tools
import pytest
from surgery_examples import surgery_steps
from view_examples import MASKS

import clipxai as cx
from clipxai.view import SurgeryWalk

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


@pytest.mark.skipif(FIREFOX is None, reason="firefox is not installed")
def test_playground_and_figures_run_and_say_nothing(tmp_path: Path):
    npm_tools.installed()
    pages = [tmp_path / name for name in ("play.html", "walk.html")]
    for shown, path in zip((cx.playground(), SurgeryWalk(surgery_steps(), truth=MASKS)), pages):
        shown.save(path)
    home = os.environ | {"HOME": str(tmp_path)}  # Firefox writes into it
    ran = subprocess.run(
        ("node", str(npm_tools.HERE / "firefox.mjs"), FIREFOX, *(one.as_uri() for one in pages)),
        env=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["version"].startswith("firefox/") and len(found["told"]) == 5
    assert found["said"] == []
    assert all(url.startswith(("file:", "data:", "blob:")) for url in found["asked"]), found[
        "asked"
    ]
