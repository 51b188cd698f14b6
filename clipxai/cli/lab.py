"""`clipxai lab`: JupyterLab on a notebook."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote


def run(given: argparse.Namespace) -> int:
    """JupyterLab's own exit code."""
    # of a link in a circle, `resolve` makes an error of its own
    notebook = Path(os.path.realpath(given.notebook))
    if not notebook.is_file():
        raise FileNotFoundError(
            f"no such notebook: {given.notebook} (the lessons are in the folder notebooks/ of the "
            "repository: `clipxai lab path/to/00_start_here.ipynb`)"
        )
    try:
        import jupyterlab  # noqa: F401  # an extra: is it there?
    except ModuleNotFoundError:
        raise ValueError("JupyterLab is not installed: pip install 'clipxai[lab]'") from None
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={notebook.parent}",
        # so that the address it prints opens the notebook, too
        f"--LabApp.default_url=/lab/tree/{quote(notebook.name)}",
    ]
    # as in most containers, where Jupyter would refuse to start
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return subprocess.call(command)
