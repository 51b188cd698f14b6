"""A real JupyterLab for the tests: on this machine only, in folders of its own, stopped at the
end.
"""

import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import serving

PATIENCE = 240  # seconds a busy machine may take to start JupyterLab


@dataclass(frozen=True)
class Lab:
    """A running server: its address, and the folder it shows."""

    url: str
    folder: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab without token, which is safe on 127.0.0.1 for the time of a test."""
    pytest.importorskip(
        "jupyterlab", reason="JupyterLab is not installed (pip install 'clipxai[lab]')"
    )
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    settings = (
        home
        / "settings"
        / "@jupyterlab"
        / "apputils-extension"
        / "notification.jupyterlab-settings"
    )
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={url.rsplit(':', 1)[1]}",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.user_settings_dir={home / 'settings'}",
        f"--LabApp.workspaces_dir={home / 'workspaces'}",
    ]
    own = {
        name: str(home / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    command = [sys.executable, "-m", "jupyterlab", *options]
    # which ends its kernels too
    with serving(command, f"{url}/api", home / "log", PATIENCE, env={**os.environ, **own}):
        yield Lab(url, folder)
