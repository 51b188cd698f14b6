"""Placement, on a device that is not there. In a process of its own: torch keeps such a device to
the end, and whoever looks for accelerators later finds it.
"""

import subprocess
import sys
from pathlib import Path


def test_on_a_device_that_is_not_there():
    checks = Path(__file__).with_name("on_a_device.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(checks)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout[-4000:]
