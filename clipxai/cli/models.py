"""`clipxai models`: models that can be loaded by name."""

import argparse
from pathlib import Path

from ..model.files import hub
from ..model.files.locating import EMBEDDED

OTHERS = (
    "\nand any other CLIP or SigLIP in Hugging Face's or open_clip's layout: a name on the hub, a "
    "folder, or a weights file\n"
    "(.safetensors, .pt, .bin; transformers', open_clip's or OpenAI's tensor names; OpenAI's own "
    "archives)"
)


def run(given: argparse.Namespace) -> int:
    """Print a table: name, short name, licence, size, and whether it is here already."""
    size = sum(file.stat().st_size for file in Path(str(EMBEDDED)).iterdir()) / 1e6
    rows = [
        ("name", "short name", "licence", "download", ""),
        ("Emoji World CLIP", "", "MIT", f"{size:.1f} MB", "ships with clipxai (the default)"),
    ]
    for model in hub.KNOWN:
        here = "on this disk" if hub.on_disk(model.id) else ""
        rows.append((model.id, model.short, model.licence, f"{model.megabytes:,} MB", here))
    *left, right = (max(map(len, column)) for column in list(zip(*rows))[:4])
    for *words, download, here in rows:
        cells = [word.ljust(width) for word, width in zip(words, left)]
        print("  ".join([*cells, download.rjust(right), here]).rstrip())
    print(OTHERS)
    return 0
