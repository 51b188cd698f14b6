"""Does the playground's engine say what torch says, to 1e-4?

Torch writes its answers into a temporary folder. Twelve scenes ask for every switch and for
silenced heads; all hundred are compared with `CLIPXAI_PLAYGROUND_SCENES=100`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from write_playground import write

HERE = Path(__file__).parent
SCENES = int(os.environ.get("CLIPXAI_PLAYGROUND_SCENES", "12"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_engine_says_what_torch_says(tmp_path):
    write(tmp_path, SCENES)
    ran = subprocess.run(
        ("node", "--test", str(HERE / "playground.engine.mjs")),
        env=os.environ | {"PLAYGROUND_ANSWERS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(ran.stdout)
    assert ran.returncode == 0, ran.stdout + ran.stderr
