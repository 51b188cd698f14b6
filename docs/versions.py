"""Publish a built site beside those of other versions, between which its readers choose.

    python docs/versions.py docs/site published 0.2.0

Every version has a folder of its name, `main` among them; the front page leads to the newest
release. Pages of all versions learn of each other from a script that each has, so nothing is
fetched.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from packaging.version import Version

DEVELOPED = "main"
FRONT = '<!doctype html><meta charset="utf-8"><title>clipxai</title>\n'
FRONT += '<meta http-equiv="refresh" content="0; url={0}">\n<a href="{0}">clipxai</a>\n'
NAMED = re.compile(rf"{DEVELOPED}|\d+(\.\d+)+((a|b|rc)\d+)?(\.post\d+)?", re.ASCII)


def publish(site: Path, published: Path, name: str) -> None:
    """Put a site in place of what was published under that name.

    Raises
    ------
    ValueError : a name that is neither `main` nor a version such as 0.2.0
    FileNotFoundError : no built site
    """
    if not NAMED.fullmatch(name):
        raise ValueError(f"{name!r} is no version: {DEVELOPED!r}, or numbers such as 0.2.0")
    if not (site / "docs/index.html").exists():
        raise FileNotFoundError(f"no built site in {site}: run make docs")
    made, gone = published / f".{name}.made", published / f".{name}.gone"
    for left in (made, gone):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(site, made, ignore=shutil.ignore_patterns(".doctrees"))
    if (published / name).exists():
        (published / name).rename(gone)
    made.rename(published / name)
    shutil.rmtree(gone, ignore_errors=True)
    names = in_order(path.name for path in published.iterdir() if NAMED.fullmatch(path.name))
    for other in names:
        script = f"globalThis.clipxaiVersions = {json.dumps(names)};\n"
        (published / other / "_static/versions.js").write_text(script, encoding="utf-8")
    front = FRONT.format(f"{names[0]}/docs/index.html")
    (published / "index.html").write_text(front, encoding="utf-8")
    told = published / names[0] / "llms.txt"
    if told.exists():  # who asks for it asks at the root
        words = re.sub(r"\]\((?!https?:)", f"]({names[0]}/", told.read_text(encoding="utf-8"))
        (published / "llms.txt").write_text(words, encoding="utf-8")
    (published / ".nojekyll").touch()  # or folders that begin with _ would not be served


def in_order(names: Iterable[str]) -> list[str]:
    """Releases, the newest first, then what comes before a release, then what is developed."""

    def place(name: str) -> tuple[bool, bool, Version]:
        version = Version("0" if name == DEVELOPED else name)
        return name != DEVELOPED, not version.is_prerelease, version

    return sorted(names, key=place, reverse=True)


def main(given: list[str]) -> None:
    """What the command does."""
    if len(given) != 3:
        sys.exit("usage: python docs/versions.py SITE PUBLISHED NAME")
    site, published, name = given
    try:
        publish(Path(site), Path(published), name)
    except (ValueError, OSError) as error:
        sys.exit(f"versions: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
