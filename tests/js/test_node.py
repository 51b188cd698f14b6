"""Does the browser's code compute what Python computes? Runs the tests for node, on golden vectors
that are up to date.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from write_golden import PATH, golden


def test_golden_vectors_are_up_to_date():
    assert json.loads(PATH.read_text()) == json.loads(json.dumps(golden())), (
        "run: python tests/js/write_golden.py"
    )


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node():
    files = sorted(map(str, Path(__file__).parent.glob("*.test.mjs")))
    ran = subprocess.run(["node", "--test", *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
