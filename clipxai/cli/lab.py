"""`clipxai lab`: JupyterLab on a notebook."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from .lessons import FIRST, write
from .parser import LESSONS


def run(given: argparse.Namespace) -> int:
    """JupyterLab's own exit code."""
    try:
        import jupyterlab  # noqa: F401  # an extra: is it there?
    except ModuleNotFoundError:
        raise ValueError("JupyterLab is not installed: pip install 'clipxai[lab]'") from None
    asked = given.notebook or _first_lesson()
    # of a link in a circle, `resolve` makes an error of its own
    notebook = Path(os.path.realpath(asked))
    if not notebook.is_file():
        raise FileNotFoundError(
            f"no such notebook: {asked} (`clipxai lab` alone opens the first lesson)"
        )
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


def _first_lesson() -> Path:
    """Of a checkout, or of the lessons that were written here, now or before."""
    committed, own = Path("notebooks") / FIRST, Path(LESSONS) / FIRST
    if committed.is_file():
        return committed
    if not own.is_file():
        write(own.parent)
    return own
