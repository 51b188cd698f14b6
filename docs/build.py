"""Write the site to docs/site (`make docs`): pages, lessons, live figures, and the reference.

    python docs/build.py [FOLDER]

Nothing is fetched; a warning is an error, and so is a link that leads nowhere.
"""

import sys
from pathlib import Path

import gallery
import links
import reference
from sphinx.cmd.build import main as sphinx

DOCS = Path(__file__).parent
FRONT = '<!doctype html><meta charset="utf-8"><title>clipxai</title>\n'
FRONT += '<meta http-equiv="refresh" content="0; url=docs/index.html">\n'
FRONT += '<a href="docs/index.html">clipxai</a>\n'


def main(folder: Path = DOCS / "site") -> int:
    """The exit code."""
    gallery.write(folder / "live")
    reference.write(folder / "api")
    strict = ["-W", "--keep-going", "-q", "-E", "-d", str(folder / ".doctrees")]
    wrong = sphinx(["-b", "html", "-c", str(DOCS), *strict, str(DOCS.parent), str(folder)])
    (folder / "index.html").write_text(FRONT, encoding="utf-8")
    dead = links.dead(folder)
    for link in dead:
        sys.stderr.write(f"leads nowhere: {link}\n")
    return wrong or bool(dead)


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
